"""Replays of recorded sweeps: the simulated clock, who is trained when, and what is counted."""

import dataclasses
import math
import random
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from analysis.intervals import student_interval
from sweeps.replay import (
    FRACTIONS,
    Delays,
    Listed,
    Recording,
    correlation_at,
    measure_replays,
    of_file,
    replay,
)
from sweeps.stoppers import STOPPERS, Asha, Never, OneEpoch, Optuna, Promote, by_text
from tests.benchmarks import stoppers as bench

RECORDINGS = {path.stem: of_file(path) for path in sorted(bench.FIXTURES.glob("*.json"))}
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


def test_a_place_is_held_from_the_start_of_a_run_until_it_has_stopped() -> None:
    """By hand: an epoch takes 1 s and its report 1, a start 2 and a stop 3.

    a and b report at 4, 6, 8 and 10 and leave their places at 13; c begins then, reports 0.0 at 17, is stopped and
    leaves at 20.
    """
    outcome = replay(RISING, Asha(grace=1, reduction=2), delays=Delays(start=2, report=1, stop=3))
    assert outcome.ended == {"a": 4, "b": 4, "c": 1}
    assert outcome.seconds == 20
    assert outcome.trace == ((7, 10, 4.0), (8, 10, 5.0))


def test_a_promoted_run_goes_on_as_soon_as_it_has_stopped() -> None:
    """By hand, with a third place free: b has paused at 1.5 and a is to go on, but leaves its place at 11 only.

    It reports epoch 2 at 12, pauses, leaves at 22, reports epoch 3 at 23 and leaves at 33.
    """
    level, seconds = {"a": [2.0] * 3, "b": [1.0] * 3}, {"b": 1.5}
    promote = Promote(grace=1, reduction=2)
    outcome = replay(level, promote, workers=3, seconds=seconds, delays=Delays(stop=10))
    assert outcome.ended == {"a": 3, "b": 1}
    assert outcome.trace == ((4, 23, 2.0),)
    assert outcome.seconds == 33


def test_every_promotion_costs_a_start() -> None:
    # Three runs begin, and two of them are taken up again.
    assert replay(RISING, OneEpoch(keep=2), workers=1, delays=Delays(start=10)).seconds == 9 + 5 * 10


def test_each_epoch_may_have_a_time_of_its_own() -> None:
    seconds = {"a": [1.0, 2.0, 3.0, 4.0], "b": 0.5}
    assert replay(RISING, Never(), workers=1, seconds=seconds).seconds == 10 + 2 + 4


@pytest.mark.parametrize("stopper", STOPPERS.values(), ids=STOPPERS.keys())
@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 99))
def test_without_checkpoints_one_worker_ends_alike_after_more_epochs(
    stopper: Never, runs: int, epochs: int, seed: int
) -> None:
    curves = many(runs, epochs, seed)
    kept, repeated = (replay(curves, stopper, workers=1, checkpoints=kept) for kept in (True, False))
    assert (kept.best, kept.ended, kept.reasons) == (repeated.best, repeated.ended, repeated.reasons)
    assert repeated.epochs >= kept.epochs


def test_without_checkpoints_a_promoted_run_repeats_what_it_has_had() -> None:
    # Runs a and b are promoted from their first epoch.
    assert replay(RISING, OneEpoch(keep=2), workers=1, checkpoints=False).epochs == 9 + 2


def test_a_run_that_the_guard_ended_ends_again_and_nobody_waits_for_it() -> None:
    diverged = {**RISING, "b": [7.0, math.nan]}
    outcome = replay(diverged, OneEpoch(keep=3), unwell={"b": "diverged: the loss is nan"})
    assert (outcome.best, outcome.value) == ("c", 9.0)
    assert outcome.ended == {"a": 4, "b": 2, "c": 4}
    assert outcome.reasons == {"b": "diverged: the loss is nan"}


def test_a_run_that_diverged_in_its_first_epoch_costs_one_and_is_compared_with_nobody() -> None:
    for stopper in STOPPERS.values():
        outcome = replay({**RISING, "b": []}, stopper, unwell={"b": "diverged: at once"}, seconds={"b": []})
        assert outcome.ended["b"] == 1
        assert outcome.reasons["b"] == "diverged: at once"
        assert outcome.best in ("a", "c") or stopper.name == "optuna"


class Greedy(Listed):
    """Issues a and, depending on how that went, c or b next."""

    def __init__(self) -> None:
        super().__init__(["a"])
        self.told: list[tuple[str, str]] = []
        self.seen: list[tuple[str, int, float]] = []

    def report(self, run: str, epoch: int, value: float) -> None:
        self.seen.append((run, epoch, value))

    def tell(self, run: str, state: str) -> None:
        self.told.append((run, state))
        if run == "a":
            self.left.extend("cb" if self.seen[-1][-1] > 3 else "bc")


def test_a_searcher_sees_every_report_and_ending_before_it_is_asked_again() -> None:
    searcher = Greedy()
    outcome = replay(RISING, Asha(grace=2, reduction=2), searcher=searcher, workers=1)
    assert searcher.told == [("a", "complete"), ("c", "stopped"), ("b", "complete")]
    assert searcher.seen[3:6] == [("a", 4, 4.0), ("c", 1, 0.0), ("c", 2, 1.0)]
    assert outcome.epochs == len(searcher.seen) == 10


def test_arms_that_a_searcher_does_not_choose_are_not_run() -> None:
    outcome = replay(RISING, Never(), searcher=Listed(["b"]))
    assert (outcome.best, outcome.epochs) == ("b", 4)
    assert outcome.ended == {"a": 0, "b": 4, "c": 0}


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
    with pytest.raises(ValueError, match="order and searcher both say which run is next"):
        replay(RISING, Never(), order=["a", "b", "c"], searcher=Listed(["a"]))
    with pytest.raises(ValueError, match=r"start = -1: a delay is 0 seconds or more"):
        Delays(start=-1)
    with pytest.raises(ValueError, match="no curves to replay"):
        replay({"a": [1.0]}, Never(), unwell={"a": "collapsed"})


@given(st.integers(2, 20), st.integers(2, 9), st.integers(0, 99))
def test_correlation_is_spearmans(runs: int, epochs: int, seed: int) -> None:
    curves = {run: [round(v) for v in curve] for run, curve in many(runs, epochs, seed).items()}
    early, final = ([curve[at] for curve in curves.values()] for at in (0, -1))
    if len(set(early)) > 1 and len(set(final)) > 1:
        assert correlation_at(curves, 1) == pytest.approx(spearmanr(early, final).statistic)
        assert correlation_at(curves, epochs) == pytest.approx(1)
    else:
        assert math.isnan(correlation_at(curves, 1))


def test_correlation_is_of_an_epoch_that_was_recorded() -> None:
    with pytest.raises(ValueError, match="epoch = 5: the runs have epochs 1 to 4"):
        correlation_at(RISING, 5)
    with pytest.raises(ValueError, match="epoch = 0"):
        correlation_at(RISING, 0)


def test_a_thousand_runs_are_replayed_in_a_fraction_of_a_second() -> None:
    curves, started = many(1000, 27), time.process_time()
    replay(curves, Asha(), delays=Delays(start=5, report=0.1, stop=1))
    assert time.process_time() - started < 0.6  # a hundred such sweeps in a minute; a tenth of it is usual


# What is measured over many replays


def recorded(arms: int, epochs: int, seeds: int = 1, seed: int = 0) -> Recording:
    curves = [many(arms, epochs, seed + number) for number in range(seeds)]
    return Recording(
        name="recorded",
        command="a test",
        metric="knn_top1",
        horizon=epochs,
        arms={arm: {str(s): curves[s][arm] for s in range(seeds)} for arm in curves[0]},
    )


@pytest.mark.parametrize("stopper", STOPPERS.values(), ids=STOPPERS.keys())
@given(st.integers(6, 12), st.integers(2, 9), st.integers(0, 99))
def test_the_regret_curve_never_rises_and_ends_at_the_regret(
    stopper: Never, arms: int, epochs: int, seed: int
) -> None:
    found = measure_replays(recorded(arms, epochs, seed=seed), stopper, replays=3, seed=seed)
    for curve, regret in zip(found.curve, found.regrets, strict=True):
        known = curve[~np.isnan(curve)]
        assert np.isnan(curve[: len(curve) - len(known)]).all()
        assert (np.diff(known) <= 0).all()
        assert known[-1] == regret >= 0


def test_without_stopping_nothing_is_lost_and_every_epoch_is_spent() -> None:
    recording = recorded(8, 5, seeds=2)
    found = measure_replays(recording, Never(), replays=4, workers=3, delays=Delays(stop=7))
    assert found.regrets.tolist() == [0.0] * 4
    assert (found.epochs, found.near) == (1.0, 1.0)
    # Eight runs on three places: three rounds, of five epochs and a stop.
    assert found.hours == pytest.approx(3 * (5 + 7) / 3600)


def test_the_curve_of_one_worker_without_stopping_is_the_best_of_so_many_arms() -> None:
    recording = recorded(10, 4)
    found, finals = measure_replays(recording, Never(), replays=2, workers=1), []
    chance, curves = random.Random(0), recording.curves("0")
    for row in found.curve:
        finals = [curves[arm][-1] for arm in chance.sample(list(curves), 10)]
        expected = [max(finals) - max(finals[: int(10 * share)]) for share in FRACTIONS if share >= 0.1]
        assert row[1:].tolist() == expected
        assert math.isnan(row[0])


def test_every_stopper_and_search_meets_the_same_orders() -> None:
    asked: list[list[str]] = []

    def searching(arms: list[str], _: random.Random) -> Listed:
        asked.append(arms)
        return Listed(arms)

    for stopper in (Never(), Asha(control=0.5)):
        measure_replays(recorded(8, 3), stopper, replays=2, searching=searching, seed=5)
    assert asked[:2] == asked[2:]
    assert asked[0] != asked[1]


def test_controls_are_not_stopped() -> None:
    recording, hard = recorded(40, 12), {"grace": 1, "reduction": 4}
    shares = [measure_replays(recording, Asha(**hard, control=c), replays=6).epochs for c in (0.0, 0.5, 1.0)]
    assert shares[0] < shares[1] < shares[2] == 1


def test_of_one_seed_the_deviation_is_not_known_and_nobody_is_near() -> None:
    recording = recorded(8, 3)
    assert recording.deviation is None
    assert measure_replays(recording, Asha(noise=1.0), replays=2).near is None


def test_arms_that_were_unwell_count_neither_as_the_best_nor_for_the_deviation() -> None:
    recording = recorded(8, 3, seeds=2)
    wild = {"0": [99.0], "1": recording.arms["3"]["1"]}
    broken = dataclasses.replace(
        recording, arms={**recording.arms, "3": wild}, unwell={"3": {"0": "diverged: the loss is nan"}}
    )
    broken.check()
    without = dataclasses.replace(recording, arms={a: c for a, c in recording.arms.items() if a != "3"})
    assert broken.deviation == without.deviation
    assert measure_replays(broken, Never(), replays=2).regrets.tolist() == [0.0, 0.0]
    assert measure_replays(broken, Never(), replays=2).epochs == 1


def test_measurements_that_say_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="replays = 1: an interval takes two or more"):
        measure_replays(recorded(8, 3), Never(), replays=1)
    nothing = Optuna(pruner="ThresholdPruner", options={"lower": 100.0})
    with pytest.raises(ValueError, match="optuna stopped every run of a replay of recorded"):
        measure_replays(recorded(8, 3), nothing, replays=2)


# What is true of the recorded sweeps. Their tables: python tests/benchmarks/stoppers.py


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_a_recording_holds_every_arm_whole_on_every_seed(recording: Recording) -> None:
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
    assert Recording("", "", "", 1, curves).deviation == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("recording", TOLD_EARLY, ids=lambda recording: recording.name)
def test_where_the_end_is_told_early_asha_finds_a_best_arm_in_a_quarter_of_the_epochs(
    recording: Recording,
) -> None:
    asha = by_text("promote:grace=1,reduction=6,noise=1")
    found = measure_replays(recording, asha, replays=REPLAYS)
    assert found.near >= 0.9
    # The first epoch of all runs is already a twelfth where a run has twelve.
    assert found.epochs <= (0.25 if recording.horizon >= 24 else 0.32)


def test_so_does_its_stopping_form_where_arms_are_many() -> None:
    recording = RECORDINGS["simclr_optimiser"]
    found = measure_replays(recording, by_text("asha:grace=1,reduction=12,noise=1"), replays=REPLAYS)
    assert found.near >= 0.9
    assert found.epochs <= 0.25


def test_whoever_comes_first_goes_on_so_that_the_stopping_form_costs_more_where_arms_are_few() -> None:
    few = RECORDINGS["methods"]
    stopping, pausing = (
        measure_replays(few, by_text(f"{name}:grace=1,reduction=12,noise=1"), replays=REPLAYS)
        for name in ("asha", "promote")
    )
    assert stopping.epochs > 1.5 * pausing.epochs


CAREFUL = ("asha", "promote", "promote:grace=3,reduction=3", "promote:grace=1,reduction=3,noise=1")


@pytest.mark.parametrize("text", CAREFUL)
@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_who_compares_late_or_allows_for_noise_is_as_good_as_one_epoch_at_equal_epochs_and_no_better(
    recording: Recording, text: str
) -> None:
    found = measure_replays(recording, by_text(text), replays=REPLAYS)
    plain = measure_replays(recording, bench.baseline(recording, found.epochs), replays=REPLAYS)
    assert abs(found.epochs - plain.epochs) < 0.06
    assert abs((found.regrets - plain.regrets).mean()) < 0.25 * recording.deviation


@pytest.mark.parametrize("text", ["promote:grace=1,reduction=3", "asha:grace=1,reduction=4", "pasha"])
@pytest.mark.parametrize("name", ["simclr_optimiser", "sce_temperatures"])
def test_who_compares_at_once_and_does_not_allow_for_noise_is_worse_than_one_epoch(
    name: str, text: str
) -> None:
    recording = RECORDINGS[name]
    found = measure_replays(recording, by_text(text), replays=REPLAYS)
    plain = measure_replays(recording, bench.baseline(recording, found.epochs), replays=REPLAYS)
    ends = student_interval(found.regrets - plain.regrets)
    assert ends
    assert ends[0] > 0


def test_the_usual_stopper_halves_the_epochs_and_stays_near_the_best_even_where_little_is_told_early() -> (
    None
):
    for recording in RECORDINGS.values():
        found = measure_replays(recording, STOPPERS["asha"], replays=REPLAYS)
        assert found.near >= 0.9
        assert found.epochs <= 0.6
