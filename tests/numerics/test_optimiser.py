import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from contrastive.optimiser import SGD, AdamW, Momentum, learning_rate

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"
STEPS, WARMUP = 40, 8


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


def test_momentum_is_constant_or_reaches_one_at_the_last_step() -> None:
    assert {Momentum(start=0.9).at(s, STEPS) for s in range(STEPS)} == {0.9}
    cosine = [Momentum(start=0.9, schedule="cosine").at(s, STEPS) for s in range(STEPS)]
    assert cosine[0] == pytest.approx(0.9)
    assert cosine[-1] == pytest.approx(1.0)
    assert np.all(np.diff(cosine) > 0)


@pytest.mark.parametrize("config", [SGD(weight_decay=0.5), AdamW(weight_decay=0.5)])
def test_decay_of_vectors_can_be_left_out(config: SGD | AdamW) -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    for decays in (True, False):
        fields = {**vars(config), "decay_vectors": decays}
        fields = {name: value for name, value in fields.items() if not name.startswith("__")}
        matrices, vectors = type(config)(**fields).build(network.parameters()).param_groups
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
