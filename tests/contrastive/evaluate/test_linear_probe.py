import math

import pytest
import torch
from torch import Tensor, nn

from contrastive.branch import Branch
from contrastive.config import Config, replace
from contrastive.data import Split
from contrastive.evaluate.features import Task
from contrastive.evaluate.linear import linear_head, linear_probe, shuffled
from contrastive.evaluate.protocols import LinearProbe
from contrastive.pretrained import Normalisation
from contrastive.randomness import generator

CPU = torch.device("cpu")
PLAIN = Normalisation(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
PIXELS = Branch(nn.Flatten(), nn.Identity())


def images(count: int, seed: int) -> Tensor:
    drawn = torch.randint(0, 256, (count, 3, 4, 4), generator=torch.Generator().manual_seed(seed))
    return drawn.to(torch.uint8)


def task(config: Config, bank: Split, queries: Split, classes: int) -> Task:
    return Task(bank, queries, classes, PLAIN, replace(config, {"precision": "float64"}), CPU)


@pytest.fixture
def noise(config: Config) -> Task:
    labels = torch.arange(30) % 3
    return task(config, Split(images(30, 0), labels), Split(images(10, 1), labels[:10]), 3)


def optimum(x: Tensor, y: Tensor, decay: float) -> Tensor:
    """Weights (with a last row for the bias) that minimise cross-entropy + decay / 2 x their square."""
    inputs = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    w = torch.zeros(inputs.shape[1], int(y.max()) + 1, dtype=x.dtype, requires_grad=True)
    solver = torch.optim.LBFGS(
        [w], max_iter=5000, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        solver.zero_grad()
        chosen = (inputs @ w)[torch.arange(len(y)), y]
        loss = ((inputs @ w).exp().sum(1).log() - chosen).mean() + decay / 2 * w.square().sum()
        loss.backward()
        return loss

    solver.step(closure)  # pyright: ignore
    return w.detach()


@pytest.mark.parametrize("schedule", ["steps", "cosine"])
def test_it_ends_at_the_optimum_that_another_solver_finds(schedule: str, noise: Task) -> None:
    protocol = LinearProbe(
        batch=30, lr=0.5, epochs=1500, weight_decay=0.05, schedule=schedule, milestones=(1400, 1450)
    )
    scores = linear_probe(protocol, PIXELS, noise)
    x, queries = (s.images.double().flatten(1) / 255 for s in (noise.bank, noise.queries))
    w = optimum(x, noise.bank.labels, 0.05)
    torch.testing.assert_close(scores, queries @ w[:-1] + w[-1], rtol=0, atol=1e-6)


def test_it_is_plain_stochastic_descent_with_momentum_and_the_rate_falls_at_the_milestones(
    noise: Task,
) -> None:
    protocol = LinearProbe(batch=8, lr=0.3, epochs=5, milestones=(2, 4), momentum=0.7, weight_decay=0.01)
    x, y = noise.bank.images.double().flatten(1) / 255, noise.bank.labels
    head = linear_head(48, noise, generator(noise.config.seed, "linear", "head"))
    w, b = head.weight.detach().clone(), head.bias.detach().clone()
    speed_w, speed_b = torch.zeros_like(w), torch.zeros_like(b)
    for epoch, rate in enumerate([0.3, 0.3, 0.03, 0.03, 0.003]):
        for rows in shuffled(30, 8, generator(noise.config.seed, "linear", "order", epoch)):
            p = (x[rows] @ w.T + b).softmax(1)
            p[torch.arange(len(rows)), y[rows]] -= 1
            speed_w = 0.7 * speed_w + p.T @ x[rows] / len(rows) + 0.01 * w
            speed_b = 0.7 * speed_b + p.mean(0) + 0.01 * b
            w, b = w - rate * speed_w, b - rate * speed_b
    expected = noise.queries.images.double().flatten(1) / 255 @ w.T + b
    torch.testing.assert_close(linear_probe(protocol, PIXELS, noise), expected, rtol=1e-9, atol=1e-12)


def test_the_cosine_falls_from_step_to_step_to_nearly_nothing(noise: Task, monkeypatch) -> None:
    rates: list[float] = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(
        torch.optim.SGD, "step", lambda self: (rates.append(self.param_groups[0]["lr"]), step(self))[1]
    )
    linear_probe(LinearProbe(batch=10, lr=2.0, epochs=4, schedule="cosine"), PIXELS, noise)
    assert rates == pytest.approx([1 + math.cos(math.pi * step / 12) for step in range(12)])


def test_separable_classes_are_told_apart(config: Config) -> None:
    labels = torch.arange(60) % 3
    pictures = images(60, 2) // 4
    pictures[torch.arange(60), labels] += 150  # class c is bright in channel c
    given = task(config, Split(pictures[:30], labels[:30]), Split(pictures[30:], labels[30:]), 3)
    assert torch.equal(linear_probe(LinearProbe(), PIXELS, given).argmax(1), labels[30:])


def test_crops_and_flips_of_images_that_they_cannot_change_change_nothing(config: Config) -> None:
    labels = torch.arange(30) % 3
    half = images(40, 3)[..., :2]
    mirrored = torch.cat([half, half.flip(-1)], -1)
    given = task(config, Split(mirrored[:30], labels), Split(mirrored[30:], labels[:10]), 3)
    options = {"batch": 8, "lr": 0.3, "epochs": 5, "milestones": (2, 4), "crop_scale": (1.0, 1.0)}
    plain = linear_probe(LinearProbe(**options), PIXELS, given)
    augmented = linear_probe(LinearProbe(**options, augment=True), PIXELS, given)
    torch.testing.assert_close(augmented, plain, rtol=1e-9, atol=1e-12)


def test_crops_and_flips_are_other_ones_in_each_epoch(noise: Task) -> None:
    seen: list[Tensor] = []

    class Eye(nn.Flatten):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return super().forward(x)

    protocol = LinearProbe(augment=True, batch=30, epochs=3, milestones=())
    linear_probe(protocol, Branch(Eye(), nn.Identity()), noise)
    queries, *epochs = seen
    assert len(queries) == 10
    assert [len(views) for views in epochs] == [30, 30, 30]
    sums = [views.sum().item() for views in epochs]
    assert len(set(sums)) == 3


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_network_stays_as_it_is_and_torchs_generator_too(
    augment: bool, training: bool, noise: Task
) -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(48), nn.Dropout(0.5)).double()
    network = Branch(encoder, nn.Identity()).train(training)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    protocol = LinearProbe(augment=augment, epochs=2, milestones=())
    scores = linear_probe(protocol, network, noise)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(module.training == training for module in network.modules())
    assert not scores.requires_grad
    assert torch.equal(linear_probe(protocol, network, noise), scores)


def test_the_projectors_features_are_read_where_they_are_asked_for(noise: Task) -> None:
    projector = nn.Linear(48, 5, dtype=torch.float64)
    protocol = LinearProbe(layer="projector", epochs=3, milestones=())
    network = Branch(nn.Flatten(), projector)
    inside = Branch(nn.Sequential(nn.Flatten(), projector), nn.Identity())
    scores = linear_probe(protocol, network, noise)
    assert torch.equal(scores, linear_probe(LinearProbe(epochs=3, milestones=()), inside, noise))


def test_the_seed_of_the_configuration_decides(noise: Task) -> None:
    other = Task(noise.bank, noise.queries, 3, PLAIN, replace(noise.config, {"seed": 1}), CPU)
    protocol = LinearProbe(epochs=1, milestones=())
    assert not torch.equal(linear_probe(protocol, PIXELS, noise), linear_probe(protocol, PIXELS, other))


@pytest.mark.parametrize(("count", "batch", "sizes"), [(10, 4, [4, 3, 3]), (9, 8, [5, 4]), (3, 8, [3])])
def test_batches_hold_every_row_once_and_differ_by_one(count: int, batch: int, sizes: list[int]) -> None:
    rows = shuffled(count, batch, torch.Generator().manual_seed(0))
    assert [len(some) for some in rows] == sizes
    assert sorted(torch.cat(rows).tolist()) == list(range(count))


def test_a_new_head_has_small_weights_and_no_bias(noise: Task) -> None:
    head = linear_head(4000, noise, torch.Generator().manual_seed(0))
    assert head.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert head.weight.mean().item() == pytest.approx(0, abs=5e-4)
    assert not head.bias.any()
    assert head.weight.dtype == torch.float64
