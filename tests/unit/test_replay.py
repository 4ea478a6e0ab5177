"""Replays of recorded sweeps: the simulated clock, who is trained when, and what is counted."""

import math
import random
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from sweeps.replay import correlation, replay
from sweeps.stoppers import STOPPERS, Asha, Never, OneEpoch, Optuna, Promote, by_text
from tests.benchmarks import stoppers as bench

RECORDINGS = {path.stem: bench.load(path) for path in sorted(bench.FIXTURES.glob("*.json"))}
TOLD_EARLY = [r for r in RECORDINGS.values() if r.correlation(max(1, r.horizon // 10)) >= 0.7]
REPLAYS = 60

RISING = {"a": [1.0, 2.0, 3.0, 4.0], "b": [2.0, 3.0, 4.0, 5.0], "c": [0.0, 1.0, 2.0, 9.0]}


def many(runs: int, epochs: int, seed: int = 0) -> dict[str, list[float]]:
    generator = np.random.default_rng(seed)
    height, pace = generator.normal(50, 8, (runs, 1)), generator.lognormal(1.4, 0.5, (runs, 1))
    curves = height * (1 - np.exp(-np.arange(1, epochs + 1) / pace)) + generator.normal(0, 1, (runs, epochs))
    return {str(i): list(map(float, curve)) for i, curve in enumerate(curves)}


def test_without_stopping_every_run_comes_to_its_end() -> None:
    outcome = replay(RISING, Never())
    assert (outcome.best, outcome.value) == ("c", 9.0)
    assert outcome.epochs == 12
    assert outcome.ended == {"a": 4, "b": 4, "c": 4}
    assert outcome.reasons == {}


def test_time_is_that_of_the_places_together() -> None:
    assert replay(RISING, Never(), workers=1).seconds == 12
    assert replay(RISING, Never(), workers=2).seconds == replay(RISING, Never()).seconds == 8
    assert replay(RISING, Never(), workers=9).seconds == 4
    assert replay(RISING, Never(), workers=2, seconds={"a": 5.0}).seconds == 20


def test_who_comes_to_a_rung_first_depends_on_the_order_and_on_the_speed_of_runs() -> None:
    stopper = Asha(grace=1, reduction=2)
    assert replay(RISING, stopper, workers=1).ended == {"a": 4, "b": 4, "c": 1}
    assert replay(RISING, stopper, workers=1, order=["b", "a", "c"]).ended == {"a": 1, "b": 4, "c": 1}
    assert replay(RISING, stopper, workers=3, seconds={"b": 0.5}).ended == {"a": 1, "b": 4, "c": 1}


def test_a_stop_is_told_with_its_reason() -> None:
    reasons = replay(RISING, Asha(grace=1, reduction=2), workers=1).reasons
    assert reasons == {"c": "rung 1: 0.0 below 1.0, the best 2 of 3"}


def test_a_promoted_run_goes_on_from_its_pause() -> None:
    outcome = replay(RISING, OneEpoch(keep=2), workers=1)
    assert outcome.ended == {"a": 4, "b": 4, "c": 1}
    assert outcome.epochs == 1 + 1 + 1 + 3 + 3
    assert outcome.seconds == outcome.epochs
    assert outcome.reasons == {"c": "rung 1: waits with 0.0, 3 of 3"}


def test_nobody_is_chosen_before_the_slowest_has_been_heard() -> None:
    assert replay(RISING, OneEpoch(keep=1), workers=3, seconds={"b": 9.0}).ended == {"a": 1, "b": 4, "c": 1}


def test_of_two_that_end_an_epoch_together_the_one_that_began_first_comes_first() -> None:
    level = {"a": [2.0] * 4, "b": [1.0] * 4}
    assert replay(level, Asha(grace=1, reduction=2), order=["b", "a"]).ended == {"a": 4, "b": 4}


def test_promotions_come_before_new_runs() -> None:
    names = [str(i) for i in range(8)]
    falling = {name: [10.0 - i] * 4 for i, name in enumerate(names)}
    # With two of two promoted as soon as possible, the first run ends before the last ones begin.
    outcome = replay(falling, Promote(grace=1, reduction=2), workers=1, seconds={"7": 1000.0})
    assert outcome.ended["0"] == 4
    assert Counter(outcome.ended.values()) == {4: 2, 2: 2, 1: 4}


def test_a_spared_run_goes_on_whatever_the_judge_says() -> None:
    for stopper in STOPPERS.values():
        assert replay(RISING, stopper, spared=["c"], workers=1).ended["c"] == 4


def test_where_every_run_is_stopped_there_is_no_best() -> None:
    nothing = Optuna(pruner="ThresholdPruner", options={"lower": 100.0})
    outcome = replay(RISING, nothing)
    assert (outcome.best, outcome.value, outcome.epochs) == (None, None, 3)


@pytest.mark.parametrize("stopper", STOPPERS.values(), ids=STOPPERS.keys())
@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 99), st.integers(1, 5))
def test_what_is_counted_adds_up(stopper: Never, runs: int, epochs: int, seed: int, workers: int) -> None:
    curves = many(runs, epochs, seed)
    order = random.Random(seed).sample(list(curves), runs)
    outcome = replay(curves, stopper, order=order, workers=workers, deviation=1.0)
    assert outcome.epochs == sum(outcome.ended.values())
    assert outcome.epochs / workers <= outcome.seconds <= outcome.epochs
    assert set(outcome.reasons) == {run for run, epoch in outcome.ended.items() if epoch < epochs}
    complete = [curves[run][-1] for run, epoch in outcome.ended.items() if epoch == epochs]
    assert outcome.value == max(complete, default=None)
    assert outcome == replay(curves, stopper, order=order, workers=workers, deviation=1.0)


def test_what_cannot_be_replayed_is_refused_in_words() -> None:
    with pytest.raises(
        ValueError,
        match=r"1 of 2 runs were stopped early \(run a after 1 of 2 epochs\), so there is no ground",
    ):
        replay({"a": [1.0], "b": [1.0, 2.0]}, Never())
    with pytest.raises(ValueError, match="run b has a value that is not finite"):
        replay({"a": [1.0], "b": [math.nan]}, Never())
    with pytest.raises(ValueError, match="no curves to replay"):
        replay({}, Never())
    with pytest.raises(ValueError, match="order has 2 runs, not the 3 recorded ones"):
        replay(RISING, Never(), order=["a", "b"])
    with pytest.raises(ValueError, match="workers = 0: nothing is trained"):
        replay(RISING, Never(), workers=0)


@given(st.integers(2, 20), st.integers(2, 9), st.integers(0, 99))
def test_correlation_is_spearmans(runs: int, epochs: int, seed: int) -> None:
    curves = {run: [round(v) for v in curve] for run, curve in many(runs, epochs, seed).items()}
    early, final = ([curve[at] for curve in curves.values()] for at in (0, -1))
    if len(set(early)) > 1 and len(set(final)) > 1:
        assert correlation(curves, 1) == pytest.approx(spearmanr(early, final).statistic)
        assert correlation(curves, epochs) == pytest.approx(1)
    else:
        assert math.isnan(correlation(curves, 1))


def test_correlation_is_of_an_epoch_that_was_recorded() -> None:
    with pytest.raises(ValueError, match="epoch = 5: the runs have epochs 1 to 4"):
        correlation(RISING, 5)
    with pytest.raises(ValueError, match="epoch = 0"):
        correlation(RISING, 0)


def test_a_thousand_runs_are_replayed_in_a_fraction_of_a_second() -> None:
    curves, started = many(1000, 27), time.process_time()
    replay(curves, Asha())
    assert time.process_time() - started < 0.6  # a hundred such sweeps in a minute; a tenth of it is usual


# What is true of the recorded sweeps. Their tables: python tests/benchmarks/stoppers.py


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_a_recording_holds_every_arm_whole_on_every_seed(recording: bench.Recording) -> None:
    assert len(recording.arms) > 10
    for curves in recording.arms.values():
        assert {seed: len(curve) for seed, curve in curves.items()} == dict.fromkeys(
            recording.seeds, recording.horizon
        )


def test_the_deviation_of_a_recording_is_that_of_one_seed_without_what_all_arms_share() -> None:
    generator = np.random.default_rng(0)
    arms, shared = generator.normal(0, 20, (4000, 1)), np.array([[0.0, 7.0]])
    finals = arms + shared + generator.normal(0, 2, (4000, 2))
    curves = {str(i): {"0": [float(a)], "1": [float(b)]} for i, (a, b) in enumerate(finals)}
    assert bench.Recording("", "", "", 1, curves).deviation == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("recording", TOLD_EARLY, ids=lambda recording: recording.name)
def test_where_the_end_is_told_early_asha_finds_a_best_arm_in_a_quarter_of_the_epochs(
    recording: bench.Recording,
) -> None:
    asha = by_text("promote:grace=1,reduction=6,noise=1")
    found = bench.measure(recording, asha, replays=REPLAYS)
    assert found.near >= 0.9
    # The first epoch of all runs is already a twelfth where a run has twelve.
    assert found.epochs <= (0.25 if recording.horizon >= 24 else 0.32)


def test_so_does_its_stopping_form_where_arms_are_many() -> None:
    recording = RECORDINGS["simclr_optimiser"]
    found = bench.measure(recording, by_text("asha:grace=1,reduction=12,noise=1"), replays=REPLAYS)
    assert found.near >= 0.9
    assert found.epochs <= 0.25


def test_whoever_comes_first_goes_on_so_that_the_stopping_form_costs_more_where_arms_are_few() -> None:
    few = RECORDINGS["methods"]
    stopping, pausing = (
        bench.measure(few, by_text(f"{name}:grace=1,reduction=12,noise=1"), replays=REPLAYS)
        for name in ("asha", "promote")
    )
    assert stopping.epochs > 1.5 * pausing.epochs


CAREFUL = ("asha", "promote", "promote:grace=3,reduction=3", "promote:grace=1,reduction=3,noise=1")


@pytest.mark.parametrize("text", CAREFUL)
@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_who_compares_late_or_allows_for_noise_is_as_good_as_one_epoch_at_equal_epochs_and_no_better(
    recording: bench.Recording, text: str
) -> None:
    found = bench.measure(recording, by_text(text), replays=REPLAYS)
    plain = bench.measure(recording, bench.baseline(recording, found.epochs), replays=REPLAYS)
    assert abs(found.epochs - plain.epochs) < 0.06
    assert abs((found.regrets - plain.regrets).mean()) < 0.25 * recording.deviation


@pytest.mark.parametrize("text", ["promote:grace=1,reduction=3", "asha:grace=1,reduction=4", "pasha"])
@pytest.mark.parametrize("name", ["simclr_optimiser", "sce_temperatures"])
def test_who_compares_at_once_and_does_not_allow_for_noise_is_worse_than_one_epoch(
    name: str, text: str
) -> None:
    recording = RECORDINGS[name]
    found = bench.measure(recording, by_text(text), replays=REPLAYS)
    plain = bench.measure(recording, bench.baseline(recording, found.epochs), replays=REPLAYS)
    loss = found.regrets - plain.regrets
    assert loss.mean() - bench.half_width(loss) > 0


def test_the_usual_stopper_halves_the_epochs_and_stays_near_the_best_even_where_little_is_told_early() -> (
    None
):
    for recording in RECORDINGS.values():
        found = bench.measure(recording, STOPPERS["asha"], replays=REPLAYS)
        assert found.near >= 0.9
        assert found.epochs <= 0.6
