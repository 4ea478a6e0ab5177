"""The epochs that a plan is expected to take, against sweeps simulated with other curves."""

from statistics import fmean

import numpy as np
import pytest

from sweeps.planning.plan import Confirm, expected_epochs_of
from sweeps.planning.simulation.expected import expected_epochs
from sweeps.replay import replay
from sweeps.stoppers import STOPPERS, by_text
from tests.crew import plan

STOPPED = [
    *(name for name in STOPPERS if name != "none"),
    "promote:grace=1,reduction=6,noise=1",
    "asha:grace=1,reduction=3",
    "asha:control=0.3",
    "optuna:pruner=PercentilePruner,percentile=25",
    "optuna:pruner=HyperbandPruner",
]


def simulated(stopper: str, *, arms: int, seeds: int, epochs: int, sweeps: int) -> float:
    """The mean epochs of sweeps whose curves start lower, rise otherwise and are noisier than the estimate's."""
    chance, spent, chosen = np.random.default_rng(99), list[int](), by_text(stopper)
    for _ in range(sweeps):
        final = 55 + chance.normal(0, 3, (arms, 1)) + chance.normal(0, 2, (arms, seeds))
        pace = chance.uniform(0.15, 0.35, (arms, 1, 1)) * epochs
        curve = final[:, :, None] * (1 - 0.5 * np.exp(-np.arange(1, epochs + 1) / pace))
        curve = curve + chance.normal(0, 0.6, curve.shape)
        runs = {f"{a}-{s}": curve[a, s].tolist() for a in range(arms) for s in range(seeds)}
        spared = {a for a in range(arms) if a == 0 or chance.random() < chosen.control}
        arm = {run: run.split("-")[0] for run in runs}
        left = [run for run in runs if int(arm[run]) in spared]
        spent.append(replay(runs, chosen, arms=arm, spared=left, deviation=2.0).epochs)
    return fmean(spent)


# How many deviations arms are apart is the same: a margin of noise hangs on nothing else so much.
@pytest.mark.parametrize("stopper", STOPPED)
@pytest.mark.parametrize(("arms", "seeds", "epochs"), [(12, 1, 24), (16, 3, 24), (30, 1, 60)])
def test_the_expected_epochs_are_those_of_simulated_sweeps(
    stopper: str, arms: int, seeds: int, epochs: int
) -> None:
    found = expected_epochs(by_text(stopper), arms=arms, seeds=seeds, epochs=epochs, deviation=2.0)
    sweeps = 200 if arms * seeds * epochs < 1000 else 60
    wanted = simulated(stopper, arms=arms, seeds=seeds, epochs=epochs, sweeps=sweeps)
    assert found == pytest.approx(wanted, rel=0.1)


def test_without_a_stopper_nothing_is_simulated() -> None:
    assert expected_epochs(by_text("none"), arms=10**6, seeds=5, epochs=1000) == 5e9


def test_the_same_plan_is_expected_to_take_the_same() -> None:
    first, again = (expected_epochs(by_text("asha"), arms=12, seeds=1, epochs=24) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("stopper", STOPPED)
def test_a_large_plan_is_bounded(stopper: str) -> None:
    found = expected_epochs(by_text(stopper), arms=1000, seeds=3, epochs=200)
    assert 0.01 * 600_000 < found <= 600_000


def test_runs_that_confirm_are_trained_to_their_end() -> None:
    search = plan(arms=8, stopper=by_text("asha:grace=2"))
    full, expected = expected_epochs_of(search)
    confirmed = plan(arms=8, stopper=by_text("asha:grace=2"), confirm=Confirm(arms=2, seeds=3))
    assert expected_epochs_of(confirmed) == (full + 9 * 8, expected + 9 * 8)
    assert 8 * 2 < expected < full
