"""SwAV's prototypes: unit rows, learned, frozen at first, and shared by no more images than there are."""

from typing import Any

import pytest
import torch

from contrastive.batches import batches
from contrastive.config import Config, in_words, replace
from contrastive.data import Dataset
from contrastive.distributed import World
from contrastive.learner import Learner
from contrastive.losses import swav
from contrastive.methods import SwAV
from contrastive.methods.protocol import Embeddings

CPU = torch.device("cpu")
SMALL = {
    "name": "swav",
    "projector": {"hidden": [16], "output": 8},
    "prototypes": 12,
    "queue": 0,
    "local_views": [],
}


def embeddings(epoch: int) -> Embeddings:
    views = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0))
    rows = torch.nn.functional.normalize(torch.randn(9, 4, generator=torch.Generator().manual_seed(1)), dim=1)
    return Embeddings(
        online=dict(enumerate(views)),
        target={},
        queue=rows[:4],
        prototypes=rows[4:].requires_grad_(),
        epoch=epoch,
    )


def test_the_queue_enters_when_its_epochs_have_passed() -> None:
    method = SwAV(
        prototypes=5, queue=4, queue_after_epochs=2, local_views=("local",), epsilon=0.2, temperature=0.3
    )
    options = {"epsilon": 0.2, "temperature": 0.3}
    for epoch, used in ((2, False), (3, True)):
        given = embeddings(epoch)
        rows = torch.stack([*given.online.values()])
        expected = swav(rows, given.prototypes, given.queue if used else None, **options)
        assert method.loss(given, lambda z: z).item() == expected.item()


def test_frozen_prototypes_have_a_gradient_of_zero() -> None:
    method = SwAV(prototypes=5, frozen_epochs=2, local_views=("local",))
    for epoch, frozen in ((2, True), (3, False)):
        given = embeddings(epoch)
        method.loss(given, lambda z: z).backward()
        assert bool((given.prototypes.grad == 0).all()) == frozen


@pytest.mark.parametrize("frozen", [0, 1])
def test_prototypes_are_learned_on_the_sphere(config: Config, dataset: Dataset, frozen: int) -> None:
    one = replace(config, {"method": {**SMALL, "frozen_epochs": frozen}})
    learner = Learner(one, steps_per_epoch=6, world=World(), device=CPU)
    prototypes = learner.model.online.prototypes
    assert prototypes is not None
    before = prototypes.detach().clone()
    for _, batch in zip(range(3), batches(one, dataset, 1, world=World(), device=CPU), strict=False):
        learner.step(batch)
        torch.testing.assert_close(prototypes.norm(dim=1), torch.ones(12))
    assert torch.allclose(prototypes, before, atol=1e-6) == bool(frozen)


def test_it_reports_how_many_prototypes_are_used() -> None:
    method = SwAV(prototypes=4)
    rows = torch.eye(4)
    for online, share in ((rows, 1.0), (rows[:1].repeat(6, 1), 0.25)):
        given = Embeddings(online={0: online}, target={}, queue=None, prototypes=rows)
        found = method.diagnose(given, lambda z: z)
        assert tuple(found) == method.diagnosed
        assert found["swav_prototypes_used"].item() == share


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ({"prototypes": 17}, "batch = 16: method 'swav' as configured needs at least 17 images"),
        ({"prototypes": 60, "queue": 32}, "needs at least 28 images"),
    ],
)
def test_more_prototypes_than_images_in_batch_and_queue_are_refused(
    config: Config, method: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(config, {"method": {**SMALL, **method}})
    assert replace(config, {"method": {**SMALL, "prototypes": 48, "queue": 32}}).batch == 16


def test_a_single_prototype_is_refused() -> None:
    with pytest.raises(ValueError, match="prototypes"):
        in_words(lambda: SwAV(prototypes=1))
