import math
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from torch import nn

from contrastive.config import Config, replace
from contrastive.eager import eager
from contrastive.optimiser import LARS, SGD, Adam, AdamW, Optimiser
from contrastive.schedule import Momentum, learning_rate
from tests.oracles import golden

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"
STEPS, WARMUP = 40, 8
EVERY = [SGD, LARS, Adam, AdamW]


# Schedules


def test_the_learning_rate_rises_to_its_peak_and_falls_to_almost_nothing() -> None:
    rates = [learning_rate(s, steps=STEPS, warmup=WARMUP, peak=0.3) for s in range(STEPS)]
    assert rates[0] == 0
    assert rates[WARMUP - 1] == rates[WARMUP] == 0.3
    assert np.all(np.diff(rates[:WARMUP]) > 0)
    assert np.all(np.diff(rates[WARMUP:]) < 0)
    assert rates[-1] == pytest.approx(0.15 * (1 + math.cos(math.pi * 31 / 32)))


def test_without_warmup_the_first_step_has_the_peak() -> None:
    assert learning_rate(0, steps=STEPS, warmup=0, peak=0.3) == 0.3


def test_the_schedules_are_those_of_the_papers_code() -> None:
    with np.load(GOLDEN / "schedules.npz") as reference:
        per_epoch, steps = int(reference["steps_per_epoch"]), len(reference["sce_lr"])
        rates = [learning_rate(s, steps=steps, warmup=per_epoch, peak=0.6) for s in range(steps)]
        momentum = Momentum(start=float(reference["m0"]), schedule="cosine")
        np.testing.assert_allclose(rates, reference["sce_lr"], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            [momentum.at(s, steps) for s in range(steps)], reference["sce_momentum"], rtol=1e-12
        )


def test_the_schedule_is_wcls_whose_warmup_comes_to_its_peak_after_its_last_step() -> None:
    with np.load(GOLDEN / "schedules.npz") as reference:
        steps = (10 * reference["wcl_epoch"] + reference["wcl_iter"]).tolist()
        config = LARS(lr=0.075, lr_scaling="sqrt", warmup_epochs=10, warmup_reaches="zero")
        rates = [config.rate(s, steps_per_epoch=10, epochs=100, batch=4096) for s in steps]
        np.testing.assert_allclose(rates, reference["wcl_lr"], rtol=1e-12, atol=1e-12)


def simclr_pytorch(steps: int, warmup: int, peak: float) -> list[float]:
    """The recursion of the scheduler that MMCL's ImageNet runs take."""
    rates = [peak / (warmup + 1)]
    for step in range(1, steps):
        if step <= warmup:
            factor = (step + 1) / step
        else:
            waves = [1 + math.cos(math.pi * (step - warmup - ago) / (steps - warmup)) for ago in (0, 1)]
            factor = waves[0] / waves[1]
        rates.append(rates[-1] * factor)
    return rates


@pytest.mark.parametrize(
    ("reaches", "warmup"),
    [
        ("zero_and_peak", [0, 0.1, 0.2, 0.3]),
        ("zero", [0, 0.075, 0.15, 0.225]),
        ("peak", [0.075, 0.15, 0.225, 0.3]),
        ("neither", [0.06, 0.12, 0.18, 0.24]),
    ],
)
def test_a_warmup_reaches_the_ends_that_it_names(reaches: str, warmup: list[float]) -> None:
    config = SGD(lr=0.3, warmup_epochs=2, warmup_reaches=reaches)
    rates = [config.rate(s, steps_per_epoch=2, epochs=10, batch=256) for s in range(20)]
    assert rates[:4] == pytest.approx(warmup, rel=1e-12)
    assert rates[4] == 0.3
    plain = SGD(lr=0.3, warmup_epochs=2)
    assert rates[4:] == [plain.rate(s, steps_per_epoch=2, epochs=10, batch=256) for s in range(4, 20)]
    if reaches == "neither":
        assert rates == pytest.approx(simclr_pytorch(20, 4, 0.3), rel=1e-12)


@pytest.mark.parametrize("reaches", ["zero_and_peak", "zero", "peak", "neither"])
def test_a_warmup_of_one_step_is_no_division_by_zero(reaches: str) -> None:
    config = SGD(lr=0.3, warmup_epochs=1, warmup_reaches=reaches)
    expected = {"zero_and_peak": 0.0, "zero": 0.0, "peak": 0.3, "neither": 0.15}
    assert config.rate(0, steps_per_epoch=1, epochs=10, batch=256) == pytest.approx(expected[reaches])


def test_a_cosine_may_hold_for_a_whole_epoch() -> None:
    """MoCo counts its epochs from 0; its demonstration from 1, and ends with an epoch that learns nothing."""
    for by, first in (("epoch", 0), ("epoch_end", 1)):
        config = SGD(lr=0.3, warmup_epochs=0, cosine_by=by)
        rates = [config.rate(s, steps_per_epoch=3, epochs=5, batch=256) for s in range(15)]
        published = [0.3 * 0.5 * (1 + math.cos(math.pi * (first + epoch) / 5)) for epoch in range(5)]
        assert rates == pytest.approx([rate for rate in published for _ in range(3)], abs=1e-15)
    late = SGD(lr=0.3, warmup_epochs=2, cosine_by="epoch")
    assert [late.rate(s, steps_per_epoch=2, epochs=4, batch=256) for s in range(8)] == pytest.approx(
        [0, 0.1, 0.2, 0.3, 0.3, 0.3, 0.15, 0.15]
    )
    stays = SGD(lr=0.3, warmup_epochs=0, cosine_by="epoch_end", schedule="constant")
    assert stays.rate(5, steps_per_epoch=2, epochs=4, batch=256) == 0.3


def test_a_constant_rate_stays_after_its_warmup() -> None:
    rates = [
        learning_rate(s, steps=STEPS, warmup=WARMUP, peak=0.3, schedule="constant") for s in range(STEPS)
    ]
    cosine = [learning_rate(s, steps=STEPS, warmup=WARMUP, peak=0.3) for s in range(STEPS)]
    assert rates[:WARMUP] == cosine[:WARMUP]
    assert set(rates[WARMUP:]) == {0.3}


def test_at_each_milestone_the_rate_falls_to_a_tenth() -> None:
    config = SGD(lr=0.4, warmup_epochs=1, schedule="steps", milestones=(4, 6))
    rates = [config.rate(s, steps_per_epoch=5, epochs=8, batch=256) for s in range(40)]
    reference = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.4)
    published = torch.optim.lr_scheduler.MultiStepLR(reference, milestones=[20, 30], gamma=0.1)
    for step, rate in enumerate(rates):
        assert rate == pytest.approx(published.get_last_lr()[0] * min(1, step / 4), rel=1e-12)
        reference.step()
        published.step()


@pytest.mark.parametrize("config", EVERY)
def test_a_rate_is_the_schedules_at_the_batchs_peak(config: type[SGD]) -> None:
    made = config(lr=0.4, warmup_epochs=2)
    rates = [made.rate(s, steps_per_epoch=4, epochs=10, batch=512) for s in range(STEPS)]
    assert rates == [learning_rate(s, steps=STEPS, warmup=WARMUP, peak=0.8) for s in range(STEPS)]


@pytest.mark.parametrize(("scaling", "peak"), [("linear", 1.6), ("sqrt", 12.8), ("none", 0.4)])
@pytest.mark.parametrize("config", EVERY)
def test_the_peak_follows_the_batch_as_asked(config: type[SGD], scaling: str, peak: float) -> None:
    optimiser = config(lr=0.4, lr_scaling=scaling)
    assert optimiser.peak(1024) == pytest.approx(peak, rel=1e-15)
    assert Config(optimiser=optimiser, batch=1024).peak_lr == optimiser.peak(1024)


@pytest.mark.parametrize("config", EVERY)
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"schedule": "steps"}, "give both"),
        ({"milestones": (3,)}, "give both"),
        ({"schedule": "constant", "milestones": (3,)}, "give both"),
        ({"schedule": "steps", "milestones": (5, 3)}, "do not ascend"),
        ({"schedule": "steps", "milestones": (3, 3)}, "do not ascend"),
        ({"schedule": "steps", "milestones": (0, 3)}, "greater than or equal to 1"),
        ({"schedule": "linear"}, "'cosine', 'constant' or 'steps'"),
        ({"lr_scaling": "cubic"}, "'linear', 'sqrt' or 'none'"),
        ({"lr": 0.0}, "greater than 0"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(
    config: type, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        config(**fields)


def test_a_milestone_after_the_end_is_refused() -> None:
    steps = {"optimiser.schedule": "steps", "optimiser.milestones": [120, 199]}
    assert replace(Config(epochs=200), steps).optimiser.milestones == (120, 199)
    with pytest.raises(ValueError, match="the run ends after 199 epochs"):
        replace(Config(epochs=200), {**steps, "epochs": 199})


@pytest.mark.parametrize("config", EVERY)
def test_a_configuration_survives_json(config: type) -> None:
    union = TypeAdapter(Optimiser)
    made = config(lr=0.123, schedule="steps", milestones=(3, 5), lr_scaling="sqrt")
    assert union.validate_json(union.dump_json(made)) == made


def test_momentum_is_constant_or_reaches_one_at_the_last_step() -> None:
    assert {Momentum(start=0.9).at(s, STEPS) for s in range(STEPS)} == {0.9}
    cosine = [Momentum(start=0.9, schedule="cosine").at(s, STEPS) for s in range(STEPS)]
    assert cosine[0] == pytest.approx(0.9)
    assert cosine[-1] == pytest.approx(1.0)
    assert np.all(np.diff(cosine) > 0)


# Updates


@pytest.mark.parametrize("config", [SGD, Adam, AdamW])
def test_decay_of_vectors_can_be_left_out(config: type[SGD]) -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    for decays in (True, False):
        optimiser = config(weight_decay=0.5, decay_vectors=decays).build(network.parameters())
        matrices, vectors = optimiser.param_groups
        assert matrices["weight_decay"] == 0.5
        assert vectors["weight_decay"] == (0.5 if decays else 0)
        assert sum(p.numel() for p in matrices["params"]) == 6
        assert sum(p.numel() for p in vectors["params"]) == 9


def test_one_step_of_sgd_is_the_textbook_step() -> None:
    weight = nn.Parameter(torch.tensor([[2.0]]))
    optimiser = SGD(lr=0.1, momentum=0.0, weight_decay=0.0).build([weight])
    (weight**2).sum().backward()
    optimiser.step()
    assert weight.item() == pytest.approx(2.0 - 0.1 * 4.0)


@pytest.mark.parametrize(
    ("config", "kind"), [(SGD, torch.optim.SGD), (Adam, torch.optim.Adam), (AdamW, torch.optim.AdamW)]
)
def test_the_names_mean_torchs_optimisers(config: type[SGD], kind: type) -> None:
    assert type(config().build([nn.Parameter(torch.ones(2, 2))])) is kind


def test_sgds_momentum_is_handed_on() -> None:
    group = SGD(momentum=0.7, nesterov=True).build([nn.Parameter(torch.ones(2, 2))]).param_groups[0]
    assert (group["momentum"], group["nesterov"]) == (0.7, True)


@pytest.mark.parametrize("official", ["sce", "wcl"])
def test_lars_is_the_published_update(official: str) -> None:
    reference = golden("lars")
    weight, bias = nn.Parameter(reference["W0"].clone()), nn.Parameter(reference["b0"].clone())
    optimiser = LARS(
        lr=reference.number("lr"),
        momentum=reference.number("momentum"),
        weight_decay=reference.number("weight_decay"),
        trust=reference.number("trust"),
    ).build([weight, bias])
    for step in range(3):
        weight.grad, bias.grad = reference["gW"][step].clone(), reference["gb"][step].clone()
        optimiser.step()
        for parameter, name in ((weight, "W"), (bias, "b")):
            expected = reference[f"{name}_{official}"][step]
            torch.testing.assert_close(parameter.detach(), expected, rtol=1e-12, atol=1e-14)
        assert torch.equal(weight.grad, reference["gW"][step])


def solo_learn(
    start: np.ndarray, gradients: np.ndarray, rates: list[float], *, decay: float, trust: float, clip: bool
) -> list[np.ndarray]:
    """The weights after each step of solo-learn's LARS (lightly's, without clip), number by number."""
    weight, velocity, found = start.copy(), np.zeros_like(start), []
    for gradient, rate in zip(gradients, rates, strict=True):
        size, length = np.sqrt((weight**2).sum()), np.sqrt((gradient**2).sum())
        update = gradient
        if start.ndim > 1 and size and length:
            own = trust * size / (length + size * decay + 1e-8)
            if clip:
                own = min(own / rate, 1) if rate else 1
            update = own * (gradient + decay * weight)
        velocity = 0.9 * velocity + update
        weight = weight - rate * velocity
        found.append(weight)
    return found


@pytest.mark.parametrize("trust", [1e-3, 0.02, 20.0])  # the last one clips at every rate
@pytest.mark.parametrize("clip", [False, True])
def test_lars_is_that_of_solo_learn_and_lightly_too(clip: bool, trust: float) -> None:
    reference = golden("lars")
    rates = [0.0, 0.3, 1.0]
    settings = {"decay": 1e-2, "trust": trust, "clip": clip}
    parameters = [nn.Parameter(0.01 * reference[name]) for name in ("W0", "b0")]  # shorter than 1
    gradients = [reference[name] for name in ("gW", "gb")]
    expected = [
        solo_learn(p.detach().numpy(), g.numpy(), rates, **settings)
        for p, g in zip(parameters, gradients, strict=True)
    ]
    config = LARS(weight_decay=1e-2, trust=trust, norms="summed", clip=clip)
    optimiser = config.build(parameters)
    for step, rate in enumerate(rates):
        for group in optimiser.param_groups:
            group["lr"] = rate
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient[step].clone()
        optimiser.step()
        for parameter, steps in zip(parameters, expected, strict=True):
            found = parameter.detach().numpy()
            np.testing.assert_allclose(found, steps[step], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("norms", ["of_sum", "summed"])
def test_a_clipped_lars_step_is_never_longer_than_that_of_plain_descent(norms: str) -> None:
    # A length of 4, a gradient's of 0.2: 20 times the trust is the step's share of the gradient, however high the rate.
    for trust, step in ((1e-6, 20e-6 * 0.1), (1e6, 0.5 * 0.1)):
        weight = nn.Parameter(torch.full((2, 2), 2.0, dtype=torch.float64))
        weight.grad = torch.full((2, 2), 0.1, dtype=torch.float64)
        LARS(lr=0.5, weight_decay=0.0, trust=trust, norms=norms, clip=True).build([weight]).step()
        assert 2.0 - weight[0, 0].item() == pytest.approx(step, rel=1e-6)


def test_a_lars_step_does_not_depend_on_the_gradients_length() -> None:
    steps = []
    for length in (1.0, 1e6):
        kernel = nn.Parameter(torch.full((2, 3, 1, 1), 2.0))
        kernel.grad = length * torch.arange(6.0).view(2, 3, 1, 1)
        LARS(lr=0.5, weight_decay=0.0, trust=0.01).build([kernel]).step()
        steps.append(2.0 - kernel.detach())
    torch.testing.assert_close(steps[0], steps[1])
    assert steps[0].norm().item() == pytest.approx(0.5 * 0.01 * 2.0 * math.sqrt(6), rel=1e-5)


@pytest.mark.parametrize(("weight", "gradient"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
@pytest.mark.parametrize(
    "changes", [{}, {"norms": "summed"}, {"norms": "summed", "clip": True}, {"clip": True}]
)
def test_lars_takes_a_plain_step_where_a_norm_is_zero(
    weight: float, gradient: float, changes: dict[str, object]
) -> None:
    parameter = nn.Parameter(torch.full((2, 2), weight))
    parameter.grad = torch.full((2, 2), gradient)
    LARS(lr=0.5, weight_decay=0.0, **changes).build([parameter]).step()
    torch.testing.assert_close(parameter.detach(), torch.full((2, 2), weight - 0.5 * gradient))


def test_lars_leaves_what_has_no_gradient_and_goes_on_from_its_saved_state() -> None:
    def run(steps: int, saved: dict | None, start: torch.Tensor) -> tuple[torch.Tensor, dict]:
        learning, fixed = nn.Parameter(start.clone()), nn.Parameter(torch.ones(2, 2))
        optimiser = LARS(lr=0.5).build([learning, fixed])
        if saved:
            optimiser.load_state_dict(saved)
        for _ in range(steps):
            optimiser.zero_grad()
            (learning**3).sum().backward()
            optimiser.step()
        assert torch.equal(fixed.detach(), torch.ones(2, 2))
        return learning.detach(), optimiser.state_dict()

    start = torch.arange(1.0, 5.0).view(2, 2)
    half, saved = run(3, None, start)
    assert torch.equal(run(3, saved, half)[0], run(6, None, start)[0])


def descended(optimiser: torch.optim.Optimizer, weights: nn.Parameter, steps: int) -> torch.Tensor:
    for step in range(steps):
        optimiser.zero_grad()
        ((weights - step) ** 4).sum().backward()
        optimiser.step()
    return weights.detach().clone()


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_an_optimiser_without_the_compiler_is_torchs_to_the_bit(kind: type[torch.optim.Optimizer]) -> None:
    more = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    start = torch.linspace(-1, 1, 12).view(3, 4)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    plain, usual = eager(kind, [ours], lr=0.01, **more), kind([theirs], lr=0.01, **more)
    assert torch.equal(descended(plain, ours, 5), descended(usual, theirs, 5))
    plain.load_state_dict(deepcopy(usual.state_dict()))  # what was saved by the one goes on with the other
    usual.load_state_dict(deepcopy(plain.state_dict()))
    assert torch.equal(descended(plain, ours, 5), descended(usual, theirs, 5))


def test_a_step_does_not_import_the_compiler() -> None:
    program = (
        "import sys, torch; from contrastive.optimiser import OPTIMISERS\n"
        "for kind in OPTIMISERS:\n"
        "    weights = torch.nn.Parameter(torch.ones(2, 2)); optimiser = kind().build([weights])\n"
        "    weights.sum().backward(); optimiser.step(); optimiser.zero_grad()\n"
        "    optimiser.load_state_dict(optimiser.state_dict())\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
