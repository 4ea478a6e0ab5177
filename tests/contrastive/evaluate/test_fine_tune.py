from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from contrastive.config import Config, replace
from contrastive.data import Dataset, Shapes, Split, label_fraction, load
from contrastive.distributed import World
from contrastive.evaluate.features import Task
from contrastive.evaluate.fine_tune import fine_tune
from contrastive.evaluate.protocols import FineTune
from contrastive.siamese import Siamese

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Watched(Split):
    """Remembers which of its images were taken."""

    taken: list[Tensor] = field(default_factory=list)

    def fetch(self, rows: Iterable[Tensor]) -> Iterator[Tensor]:
        for some in rows:
            self.taken.append(some)
            yield self.images[some]


def task(config: Config, dataset: Dataset, bank: Split | None = None) -> Task:
    return Task(bank or dataset.bank, dataset.validation, len(dataset.classes), dataset, config, CPU)


@pytest.fixture
def network(config: Config):
    return Siamese(config, world=World(), device=CPU).online


def test_only_the_labelled_images_are_seen_and_each_once_an_epoch(config, dataset, network) -> None:
    bank = Watched(dataset.bank.images, dataset.bank.labels)
    fine_tune(FineTune(fraction=0.3, batch=16, epochs=17), network, task(config, dataset, bank), 1)
    kept = label_fraction(dataset.bank.labels, 0.3, 1)
    assert len(kept) < len(dataset.bank)
    epochs = torch.cat(bank.taken).view(17, len(kept))
    assert all(torch.equal(epoch.sort().values, kept) for epoch in epochs)
    assert not torch.equal(epochs[0], epochs[1])


def test_encoder_and_head_have_rates_of_their_own_that_fall_at_the_milestones(
    config, dataset, network, monkeypatch
) -> None:
    rates: list[tuple[float, ...]] = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(
        torch.optim.SGD,
        "step",
        lambda self: (rates.append(tuple(g["lr"] for g in self.param_groups)), step(self))[1],
    )
    fine_tune(FineTune(), network, task(config, dataset), 0)
    share = [1.0] * 12 + [0.2] * 4 + [0.04] * 4
    assert [encoder for encoder, _ in rates] == pytest.approx([0.01 * s for s in share])
    assert [head for _, head in rates] == pytest.approx([0.2 * s for s in share])


def test_the_network_stays_as_it_is_and_so_does_torchs_generator(config, dataset, network) -> None:
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    protocol = FineTune(epochs=2, milestones=(1,))
    scores = fine_tune(protocol, network, task(config, dataset), 0)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.training
    torch.manual_seed(5)
    assert torch.equal(fine_tune(protocol, network, task(config, dataset), 0), scores)
    assert not torch.equal(fine_tune(protocol, network, task(config, dataset), 1), scores)


def test_it_starts_from_the_trained_encoder(config, dataset, network) -> None:
    with torch.no_grad():
        for parameter in network.encoder.parameters():
            parameter.zero_()
    still = FineTune(epochs=1, milestones=(), lr=1e-30)
    scores = fine_tune(still, network, task(config, dataset), 0)
    assert torch.equal(scores, scores[:1].expand_as(scores))  # all images look alike to an encoder of zeros


def test_the_encoder_learns_too(config, dataset, network) -> None:
    slow, fast = (FineTune(epochs=2, milestones=(), lr=lr) for lr in (1e-30, 0.01))
    given = task(config, dataset)
    assert not torch.equal(fine_tune(slow, network, given, 0), fine_tune(fast, network, given, 0))


def test_labels_teach_it(config: Config, cache) -> None:
    easy = load(Shapes(form="easy", classes=2, train=256, validation=200, test=1), cache=cache)
    wide = replace(config, {"encoder.width": 4})
    network = Siamese(wide, world=World(), device=CPU).online
    protocol = FineTune(fraction=0.5, batch=16, lr=0.05)
    scores = fine_tune(protocol, network, task(wide, easy), 0)
    accuracy = (scores.argmax(1) == easy.validation.labels).double().mean().item()
    assert accuracy > 0.7
