"""Stoppers as their papers describe them, and what all of them must keep to."""

import copy
import math
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sweeps.replay import replay
from sweeps.stoppers import (
    STOPPERS,
    AnyStopper,
    Asha,
    Guard,
    Hyperband,
    Median,
    Never,
    OneEpoch,
    Optuna,
    Pasha,
    Promote,
    Stopper,
    Verdict,
    by_text,
)

EPOCHS = 12
NOISY = [
    Asha(grace=1, noise=2),
    Promote(grace=1, noise=2),
    Hyperband(noise=1),
    Median(noise=1),
    Pasha(noise=1),
]
ALL = [
    *STOPPERS.values(),
    Asha(grace=2, reduction=3),
    Promote(grace=1, reduction=3),
    OneEpoch(epochs=3, keep=1),
]
ENDING = [stopper for stopper in [*ALL, *NOISY] if stopper.name != "optuna"]
PAUSING = [stopper for stopper in ENDING if stopper.name in ("promote", "pasha", "one_epoch")]

Row = tuple[str, int, float]
Curves = dict[str, list[float]]


@st.composite
def curves(draw: st.DrawFn, least: int = 1, most: int = 14) -> Curves:
    """Runs that rise at their own pace to their own height, with noise; ties are not rare."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(least, most))
    height, pace = generator.normal(50, 10, (count, 1)), generator.uniform(1, 8, (count, 1))
    values = height * (1 - np.exp(-np.arange(1, EPOCHS + 1) / pace)) + generator.normal(0, 3, (count, EPOCHS))
    return {f"run {i}": list(map(float, row)) for i, row in enumerate(values.round(draw(st.integers(0, 2))))}


@st.composite
def reports(draw: st.DrawFn) -> list[Row]:
    """Reports of a few runs in any order, some of them shown again; nobody heeds the verdicts."""
    steps = draw(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3), st.floats(0, 100)), max_size=60))
    epochs, rows = Counter[int](), list[Row]()
    for run, step, value in steps:
        epochs[run] = min(EPOCHS, max(1, epochs[run] + step))
        rows.append((str(run), epochs[run], value))
    return rows


class Sitting:
    """A sweep in which at each moment any run in training may be the next to report, or to be lost."""

    def __init__(self, judge: Any, curves: Curves, *, seed: int, workers: int = 3, losses: int = 0):
        self.judge, self.curves, self.chance = judge, curves, random.Random(seed)
        self.queue, self.training, self.losses = list(curves), list[str](), losses
        self.epochs, self.rows = Counter[str](), list[Row]()
        self.taken_up: set[str] = set()
        self.lost: set[str] = set()
        self.workers = workers

    def carry_out(self, rows: int | None = None) -> "Sitting":
        while rows is None or len(self.rows) < rows:
            while len(self.training) < self.workers and (run := self.next()):
                self.training.append(run)
            if not self.training:
                break
            self.step(self.chance.choice(self.training))
        return self

    def next(self) -> str | None:
        more = bool(self.queue) or any(not self.epochs[run] for run in self.training)
        promoted = self.judge.promote(more=more)
        if promoted:
            assert promoted not in self.training
            self.taken_up.add(promoted)
        return promoted or (self.queue.pop(0) if self.queue else None)

    def step(self, run: str) -> None:
        if self.losses and self.chance.random() < 0.1 and len(self.lost) < len(self.curves) - 1:
            self.losses -= 1
            self.lost.add(run)
            self.training.remove(run)
            self.judge.lost(run)
            return
        self.taken_up.discard(run)
        self.epochs[run] += 1
        row = (run, self.epochs[run], self.curves[run][self.epochs[run] - 1])
        self.rows.append(row)
        if self.judge.observe(*row) or self.epochs[run] == EPOCHS:
            self.training.remove(run)

    def complete(self) -> set[str]:
        return {run for run, epoch in self.epochs.items() if epoch == EPOCHS} - self.lost


def judge_of(stopper: AnyStopper) -> Any:
    return stopper.judge(EPOCHS, deviation=1.0)


def promotions(judge: Any, *, more: bool) -> list[str]:
    """All that it would promote now, one after the other."""
    judge = copy.deepcopy(judge)
    return list(iter(lambda: judge.promote(more=more), None))


# What holds for every stopper.


@pytest.mark.parametrize("stopper", [*ALL, *NOISY], ids=str)
@given(curves=curves(), seed=st.integers(0, 999), cut=st.integers(0, 150))
def test_a_judge_shown_the_record_goes_on_as_the_first_one(
    stopper: AnyStopper, curves: Curves, seed: int, cut: int
) -> None:
    sitting = Sitting(judge_of(stopper), curves, seed=seed).carry_out(rows=cut)
    first, resumed = sitting.judge, judge_of(stopper)
    for row in sitting.rows:
        resumed.observe(*row)
    if not sitting.taken_up and stopper.name != "optuna":  # a run taken up in vain is taken up again
        for more in (True, False):
            assert promotions(resumed, more=more) == promotions(first, more=more)
    later = Sitting(judge_of(stopper), curves, seed=seed).carry_out().rows[len(sitting.rows) :]
    assert [resumed.observe(*row) for row in later] == [first.observe(*row) for row in later]


@pytest.mark.parametrize("stopper", [*ALL, *NOISY], ids=str)
@given(rows=reports())
def test_a_report_that_is_shown_again_changes_nothing(stopper: AnyStopper, rows: list[Row]) -> None:
    once, twice = judge_of(stopper), judge_of(stopper)
    for run, epoch, value in rows:
        answer = once.observe(run, epoch, value)
        assert twice.observe(run, epoch, value) == answer
        assert twice.observe(run, epoch, value + 1) == answer
        assert twice.observe(run, epoch - 1, value) is None or epoch == 1


@pytest.mark.parametrize("stopper", ENDING, ids=str)
@given(curves=curves(), seed=st.integers(0, 999), workers=st.integers(1, 20))
def test_one_run_at_least_comes_to_the_end(
    stopper: AnyStopper, curves: Curves, seed: int, workers: int
) -> None:
    sitting = Sitting(judge_of(stopper), curves, seed=seed, workers=workers).carry_out()
    assert sitting.complete()
    assert set(sitting.epochs) == set(curves)


@pytest.mark.parametrize("stopper", PAUSING, ids=str)
@given(curves=curves(2), seed=st.integers(0, 999), workers=st.integers(1, 4), losses=st.integers(1, 14))
def test_where_runs_pause_one_comes_to_the_end_even_if_others_are_lost(
    stopper: AnyStopper, curves: Curves, seed: int, workers: int, losses: int
) -> None:
    sitting = Sitting(judge_of(stopper), curves, seed=seed, workers=workers, losses=losses).carry_out()
    assert sitting.complete()


@pytest.mark.parametrize("stopper", ENDING, ids=str)
@given(curves=curves(), seed=st.integers(0, 999))
def test_a_run_that_is_the_best_at_every_epoch_comes_to_the_end(
    stopper: AnyStopper, curves: Curves, seed: int
) -> None:
    best = [max(values) for values in zip(*curves.values(), strict=True)]
    curves["best"] = [max(best[:epoch]) + 1 for epoch in range(1, EPOCHS + 1)]
    names = random.Random(seed).sample(list(curves), len(curves))
    sitting = Sitting(judge_of(stopper), {name: curves[name] for name in names}, seed=seed).carry_out()
    assert "best" in sitting.complete()


@pytest.mark.parametrize("stopper", [Asha, Promote, Hyperband, Median])
@given(curves=curves(), seed=st.integers(0, 999))
def test_where_noise_is_large_nothing_is_stopped(stopper: Any, curves: Curves, seed: int) -> None:
    sitting = Sitting(judge_of(stopper(grace=1, noise=1e6)), curves, seed=seed).carry_out()
    assert sitting.complete() == set(curves)


@pytest.mark.parametrize("stopper", NOISY, ids=str)
@given(rows=reports())
def test_noise_means_nothing_where_the_deviation_is_not_known(stopper: AnyStopper, rows: list[Row]) -> None:
    without = TypeAdapter(type(stopper)).validate_python({**vars(stopper), "noise": 0})
    first, second = (s.judge(EPOCHS) for s in (stopper, without))
    assert [first.observe(*row) for row in rows] == [second.observe(*row) for row in rows]


@pytest.mark.parametrize("stopper", [*ALL, *NOISY], ids=str)
def test_a_judge_never_sees_what_is_not_finite(stopper: AnyStopper) -> None:
    with pytest.raises(AssertionError, match=r"run a, epoch 1: nan is for the guard"):
        judge_of(stopper).observe("a", 1, math.nan)


@pytest.mark.parametrize("stopper", [*ALL, *NOISY], ids=str)
def test_stoppers_are_json_both_ways(stopper: AnyStopper) -> None:
    adapter: TypeAdapter[AnyStopper] = TypeAdapter(Stopper)
    assert adapter.validate_json(adapter.dump_json(stopper)) == stopper


@pytest.mark.parametrize("stopper", [*ALL, *NOISY], ids=str)
@given(epochs=st.integers(1, 300), runs=st.integers(1, 1000))
def test_a_ladder_climbs_below_the_horizon_and_ever_fewer_go_on(
    stopper: AnyStopper, epochs: int, runs: int
) -> None:
    ladder = stopper.ladder(epochs, runs)
    rungs, shares = [rung for rung, _ in ladder], [float(runs), *(share for _, share in ladder)]
    assert all(lower < higher for lower, higher in pairwise([0, *rungs, epochs]))
    assert all(earlier >= later >= 1 for earlier, later in pairwise(shares))


# ASHA, stopping form.


def asha_by_hand(rows: list[Row], grace: int, reduction: int, margin: float) -> list[bool]:
    """Which reports end their run: a slow reading of the rule, from the whole history each time."""
    rungs = [grace * reduction**j for j in range(20) if grace * reduction**j < EPOCHS]
    answers: list[bool] = []
    for i, (run, epoch, _) in enumerate(rows):
        come: dict[str, float] = {}
        for other, at, value in rows[: i + 1]:
            if at == epoch:
                come.setdefault(other, value)
            if (other, at) == (run, epoch):
                break  # it is judged by those that had come when it came
        better = sorted(come.values(), reverse=True)[: math.ceil(len(come) / reduction)]
        answers.append(epoch in rungs and come[run] < better[-1] - margin)
    return answers


@given(reports(), st.integers(1, 5), st.integers(2, 4), st.sampled_from([0.0, 0.5, 3.0]))
def test_asha_decides_as_the_rule_read_slowly(
    rows: list[Row], grace: int, reduction: int, noise: float
) -> None:
    judge = Asha(grace=grace, reduction=reduction, noise=noise).judge(EPOCHS, deviation=2.0)
    assert [judge.observe(*row) is not None for row in rows] == asha_by_hand(
        rows, grace, reduction, 2 * noise
    )


def test_the_first_to_come_to_a_rung_always_goes_on() -> None:
    assert Asha(grace=2).judge(16).observe("a", 2, 0.0) is None


def test_a_stop_says_at_which_rung_and_why() -> None:
    judge = Asha(grace=2, noise=1).judge(16)
    judge.observe("a", 2, 40.0)
    stopped = Verdict("stop", "rung 2: 30.0 below 40.0, the best 1 of 2")
    assert judge.observe("b", 2, 30.0) == stopped
    judge = Asha(grace=2, noise=1).judge(16, deviation=1.5)
    judge.observe("a", 2, 40.0)
    assert judge.observe("c", 2, 38.5) is None
    said = judge.observe("b", 2, 30.0)
    assert said
    assert said.reason == "rung 2: 30.0 below 38.5 by more than 1.5, the best 2 of 3"


def test_rungs_grow_by_the_reduction_and_end_before_the_horizon() -> None:
    assert Asha(grace=None, reduction=2).rungs(24) == (4, 8, 16)
    assert Asha(grace=3, reduction=3).rungs(81) == (3, 9, 27)
    assert Asha(grace=4, reduction=2).rungs(16) == (4, 8)
    assert Asha(grace=None, reduction=2).rungs(3) == (1, 2)
    assert Asha(grace=3, reduction=3).ladder(81, 27) == ((3, 9), (9, 3), (27, 1))


@given(st.integers(1, 500), st.none() | st.integers(1, 600), st.integers(2, 6))
def test_no_rung_lies_at_or_beyond_the_horizon(epochs: int, grace: int | None, reduction: int) -> None:
    rungs = Asha(grace=grace, reduction=reduction).rungs(epochs)
    assert all(0 < rung < epochs for rung in rungs)
    assert all(later == reduction * earlier for earlier, later in pairwise(rungs))
    if rungs:
        assert rungs[-1] * reduction >= epochs


# ASHA as published: pauses and promotions.


def pauses(judge: Any, values: Mapping[str, float], epoch: int) -> None:
    for run, value in values.items():
        verdict = judge.observe(run, epoch, value)
        assert verdict
        assert verdict.action == "pause"


def test_every_run_pauses_at_a_rung_and_says_how_it_stands() -> None:
    judge = Promote(grace=2).judge(16)
    assert judge.observe("a", 1, 90.0) is None
    assert judge.observe("a", 2, 40.0) == Verdict("pause", "rung 2: waits with 40.0, 1 of 1")
    assert judge.observe("b", 2, 30.0) == Verdict("pause", "rung 2: waits with 30.0, 2 of 2")


def test_the_best_of_the_highest_rung_is_promoted_first() -> None:
    judge = Promote(grace=1, reduction=2).judge(16)
    pauses(judge, {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, 1)
    assert [judge.promote(more=True) for _ in range(3)] == ["d", "c", None]
    pauses(judge, {"c": 5.0, "d": 6.0}, 2)
    pauses(judge, {"e": 0.0, "f": 3.5}, 1)
    assert [judge.promote(more=True) for _ in range(3)] == ["d", "f", None]


def test_of_equal_runs_the_first_to_come_is_promoted() -> None:
    judge = Promote(grace=1, reduction=2).judge(16)
    pauses(judge, {"z": 1.0, "b": 1.0, "a": 1.0}, 1)
    assert [judge.promote(more=True) for _ in range(2)] == ["z", None]


def test_a_run_that_was_promoted_may_show_the_epoch_of_its_pause_once_more() -> None:
    judge = Promote(grace=1, reduction=2).judge(16)
    pauses(judge, {"a": 1.0, "b": 2.0}, 1)
    pauses(judge, {"b": 2.0}, 1)
    assert judge.promote(more=True) == "b"
    assert judge.observe("b", 1, 2.0) is None
    assert judge.promote(more=True) is None


def test_the_last_rungs_wait_for_all_that_are_under_way_to_them() -> None:
    judge = Promote(grace=2, reduction=3).judge(16)
    assert judge.observe("slow", 1, 50.0) is None
    pauses(judge, {"a": 40.0}, 2)
    assert judge.promote(more=False) is None
    pauses(judge, {"slow": 60.0}, 2)
    assert judge.promote(more=True) is None
    assert [judge.promote(more=False) for _ in range(2)] == ["slow", None]


def test_noise_promotes_those_near_the_cutoff_and_nobody_where_the_share_is_nobody() -> None:
    judge = Promote(grace=1, reduction=3, noise=0.25).judge(16, deviation=2.0)
    pauses(judge, {"a": 8.75, "b": 8.75}, 1)
    assert judge.promote(more=True) is None
    pauses(judge, {"c": 9.0, "d": 8.5, "e": 8.25}, 1)
    assert [judge.promote(more=True) for _ in range(5)] == ["c", "a", "b", "d", None]


class Checked:
    """A judge whose promotions are checked against all that was shown to it."""

    def __init__(self, judge: Any, rungs: Sequence[int], reduction: int):
        self.judge, self.reduction = judge, reduction
        self.come: dict[int, dict[str, float]] = {rung: {} for rung in rungs}

    def observe(self, run: str, epoch: int, value: float) -> Verdict | None:
        if epoch in self.come:
            self.come[epoch][run] = value
        return self.judge.observe(run, epoch, value)

    def promote(self, *, more: bool) -> str | None:
        run = self.judge.promote(more=more)
        if run:
            come = [values for values in self.come.values() if run in values][-1]
            share = max(len(come) // self.reduction, not more)
            assert sum(other > come[run] for other in come.values()) < share
        return run


@pytest.mark.parametrize("reduction", [2, 3, 4])
@given(curves=curves(), seed=st.integers(0, 999), workers=st.integers(1, 5))
def test_who_goes_on_is_in_the_published_share_of_its_rung(
    reduction: int, curves: Curves, seed: int, workers: int
) -> None:
    stopper = Promote(grace=1, reduction=reduction)
    checked = Checked(judge_of(stopper), stopper.rungs(EPOCHS), reduction)
    Sitting(checked, curves, seed=seed, workers=workers).carry_out()


@pytest.mark.parametrize("reduction", [2, 3])
@given(curves(), st.integers(1, 4))
def test_of_runs_that_come_from_the_best_to_the_worst_no_more_go_on_than_the_share(
    reduction: int, curves: Curves, workers: int
) -> None:
    heights = [
        [height + epoch for epoch in range(EPOCHS)] for height, *_ in sorted(curves.values(), reverse=True)
    ]
    outcome = replay(
        {str(i): curve for i, curve in enumerate(heights)},
        Promote(grace=1, reduction=reduction),
        workers=workers,
    )
    for rung in Promote(grace=1, reduction=reduction).rungs(EPOCHS):
        come = sum(epoch >= rung for epoch in outcome.ended.values())
        assert sum(epoch > rung for epoch in outcome.ended.values()) == max(1, come // reduction)


@given(curves(), st.integers(0, 999), st.integers(2, 4))
def test_with_one_worker_promotions_are_those_of_the_rule_read_slowly(
    curves: Curves, seed: int, reduction: int
) -> None:
    stopper = Promote(grace=1, reduction=reduction)
    first = Sitting(judge_of(stopper), curves, seed=seed, workers=1)
    rungs, gone_on = stopper.rungs(EPOCHS), set[tuple[str, int]]()
    come: dict[int, list[str]] = {
        rung: [] for rung in rungs
    }  # in order: of equals the first to come is ahead
    while first.queue or first.training:
        expected = None
        for rung in reversed(rungs):
            best = sorted(come[rung], key=lambda run: -curves[run][rung - 1])[: len(come[rung]) // reduction]
            waiting = [run for run in best if (run, rung) not in gone_on and run not in first.training]
            if waiting:
                expected = expected or (curves[waiting[0]][rung - 1], rung)
        run = first.next()
        if run is None:
            break
        if first.epochs[run] and (first.queue or expected):
            assert (curves[run][first.epochs[run] - 1], first.epochs[run]) == expected
        gone_on.add((run, first.epochs[run]))
        first.training.append(run)
        while run in first.training:
            first.step(run)
        for rung in rungs:
            if first.epochs[run] >= rung and run not in come[rung]:
                come[rung].append(run)


# Hyperband.


def test_hyperband_has_the_brackets_of_the_paper() -> None:
    assert Hyperband(grace=1, reduction=3).weights(81) == (81, 34, 15, 8, 5)
    assert Hyperband(grace=1, reduction=3).weights(80) == (27, 12, 6, 4)
    assert Hyperband(grace=5, reduction=3).weights(5) == (1,)


def test_the_plan_of_hyperband_adds_up_what_each_bracket_keeps() -> None:
    assert Hyperband(grace=1, reduction=2).weights(4) == (4, 3, 3)
    assert Hyperband(grace=1, reduction=2).ladder(4, 10) == ((1, 2 + 3 + 3), (2, 1 + 1.5 + 3))
    assert Hyperband() == Hyperband(grace=1, reduction=3, noise=0)


@given(st.integers(1, 400))
def test_brackets_get_runs_in_proportion_by_order_of_appearance(runs: int) -> None:
    stopper = Hyperband(grace=1, reduction=3)
    judge: Any = stopper.judge(81)
    for i in range(runs):
        judge.observe(str(i), 1, float(i))
    for count, weight in zip(judge.counts, stopper.weights(81), strict=True):
        assert abs(count - runs * weight / 143) <= 2


def test_each_bracket_compares_its_own_runs_from_its_own_epoch() -> None:
    judge: Any = Hyperband(grace=1, reduction=2).judge(4)
    brackets = {}
    for i in range(9):
        judge.observe(str(i), 1, 9.0 - i)
        brackets[str(i)] = judge.brackets.index(judge.bracket[str(i)])
    assert Counter(brackets.values()) == {0: 4, 1: 3, 2: 2}
    bracket = {b: [run for run in brackets if brackets[run] == b] for b in range(3)}
    assert judge.observe(bracket[1][0], 2, 5.0) is None
    assert (
        judge.observe(bracket[1][1], 2, 4.0).reason == "rung 2: 4.0 below 5.0, the best 1 of 2 of bracket 2"
    )
    assert judge.observe(bracket[2][0], 2, 6.0) is None
    assert judge.observe(bracket[2][1], 2, 1.0) is None
    assert judge.observe(bracket[0][0], 2, 0.0) is None


# Median rule.


@given(reports(), st.integers(1, 4), st.integers(1, 4), st.sampled_from([0.0, 2.0]))
def test_the_median_rule_read_slowly(rows: list[Row], grace: int, startup: int, noise: float) -> None:
    judge = Median(grace=grace, startup=startup, noise=noise).judge(EPOCHS, deviation=1.0)
    history: dict[str, dict[int, float]] = {}
    for run, epoch, value in rows:
        answer = judge.observe(run, epoch, value)
        if epoch in history.setdefault(run, {}):
            continue
        history[run][epoch] = value
        others = [
            np.mean([v for e, v in curve.items() if e <= epoch])
            for other, curve in history.items()
            if other != run and epoch in curve
        ]
        compared = grace <= epoch < EPOCHS and len(others) >= startup
        below = compared and max(history[run].values()) < np.median(others) - noise
        near = compared and abs(max(history[run].values()) - np.median(others) + noise) < 1e-9
        assert near or (answer is not None) == below


def test_the_median_rule_says_why() -> None:
    judge = Median(grace=2, startup=2).judge(9)
    for run, values in {"a": (10.0, 30.0), "b": (20.0, 40.0)}.items():
        assert [judge.observe(run, i, v) for i, v in enumerate(values, 1)] == [None, None]
    judge.observe("c", 1, 24.0)
    assert judge.observe("c", 2, 23.0) == Verdict(
        "stop", "epoch 2: best 24.0 below 25.0, the median of 2 averages"
    )


def test_the_median_rule_waits_for_a_sixth_of_training_and_for_five_others() -> None:
    judge = Median(noise=1).judge(18)
    for run in "abcde":
        assert not any(judge.observe(run, epoch, 50.0) for epoch in range(1, 4))
    assert [judge.observe("f", epoch, 49.9) is None for epoch in range(1, 4)] == [True, True, False]
    early = Median(startup=1).judge(5)
    assert early.observe("a", 1, 2.0) is None
    assert early.observe("b", 1, 1.0) is not None
    late = Median().judge(18)
    assert not any(
        late.observe(run, 3, value) for run, value in zip("abcde", (5.0, 5.0, 5.0, 5.0, 1.0), strict=True)
    )


# PASHA.


def pasha_judge(before: Sequence[float], after: Sequence[float], noise: float = 1.0) -> Any:
    """A judge that has seen runs at epochs 1 and 3, until its ladder grew."""
    judge: Any = Pasha(grace=1, reduction=3, noise=noise).judge(100, deviation=1.0)
    for i, value in enumerate(before):
        judge.observe(str(i), 1, value)
    for i, value in enumerate(after):
        if judge.top == 1:
            judge.observe(str(i), 3, value)
    return judge


def test_a_ranking_that_is_settled_opens_no_rung() -> None:
    assert pasha_judge([1, 2, 3, 4], [10, 20, 30, 40], noise=0.0).top == 1
    assert pasha_judge([1.5, 1, 3, 2.5], [10, 20, 30, 40], noise=1.0).top == 1


def test_a_ranking_that_is_not_opens_one() -> None:
    assert pasha_judge([5, 2, 3, 4], [10, 20, 30, 40], noise=1.0).top == 2
    assert pasha_judge([1, 1.5], [20, 10], noise=0.0).top == 2
    assert pasha_judge([1.5, 1, 3, 2.5], [10, 20, 30, 40], noise=0.1).top == 2


def test_the_top_rung_promotes_nobody_until_all_have_come_and_then_the_best_alone() -> None:
    judge = pasha_judge([9, 8, 7, 6], [90, 80, 70, 60], noise=1.0)
    assert [judge.promote(more=True) for _ in range(2)] == [None, None]
    assert [judge.promote(more=False) for _ in range(2)] == ["0", None]


def test_a_rung_below_the_top_one_promotes_its_share() -> None:
    judge = pasha_judge([9, 8, 7, 6], [])
    assert [judge.promote(more=True) for _ in range(2)] == ["0", None]
    grown = pasha_judge([5, 2, 3, 4], [10, 20, 30, 40], noise=1.0)
    assert grown.top == 2
    # The upper of the two rungs has two runs, too few for its share, and the best of them goes on at the end.
    assert [grown.promote(more=True), grown.promote(more=False), grown.promote(more=False)] == [
        None,
        "1",
        None,
    ]


def test_the_plan_of_pasha_has_the_two_rungs_it_starts_with() -> None:
    assert Pasha(grace=1, reduction=3).ladder(30, 24) == ((1, 8), (3, 1))
    assert Pasha(grace=20, reduction=3).ladder(30, 24) == ((20, 8),)
    assert Pasha(grace=30, reduction=3).ladder(30, 24) == ()


SHORT = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99)), min_size=1, max_size=7)


@given(SHORT, st.integers(0, 4))
def test_soft_ranking_is_that_of_the_paper(pairs: list[tuple[int, int]], epsilon: int) -> None:
    """Settled: each run of the upper rung is in the group of those near the run of its place in the lower one."""
    before, after = [float(b) for b, _ in pairs], [float(a) for _, a in pairs]

    def settled(count: int) -> bool:
        lower = sorted(range(count), key=lambda i: -before[i])
        upper = sorted(range(count), key=lambda i: (-after[i], i))
        return all(abs(before[u] - before[l]) <= epsilon for u, l in zip(upper, lower, strict=True))

    grows = not all(settled(count) for count in range(1, len(pairs) + 1))
    judge = pasha_judge(before, after, noise=epsilon) if epsilon else None
    assert judge is None or (judge.top == 2) == grows


def test_epsilon_is_estimated_from_runs_whose_curves_have_crossed_twice() -> None:
    judge: Any = Pasha(grace=1, reduction=5).judge(100)
    told = {"a": (1, 3, 1, 3, 10.0), "b": (2, 2, 2, 2, 12.0), "c": (0, 0, 0, 0, 20.0)}
    for epoch in range(1, 6):
        for run, curve in told.items():
            judge.observe(run, epoch, float(curve[epoch - 1]))
    assert list(judge.distances) == [2.0]
    assert judge.epsilon == 2.0


def test_runs_beyond_the_top_rung_go_to_the_end_without_a_pause() -> None:
    settled = {str(i): [float(epoch - i) for epoch in range(30)] for i in range(9)}
    outcome = replay(settled, Pasha(grace=1, reduction=3), workers=1)
    assert outcome.best == "0"
    assert Counter(outcome.ended.values()) == {30: 1, 3: 2, 1: 6}


# The 1-epoch baseline.


@given(curves(), st.integers(0, 999), st.integers(1, 5), st.integers(1, 5), st.integers(1, 20))
def test_after_all_have_been_compared_the_best_go_on_to_the_end(
    curves: Curves, seed: int, epochs: int, keep: int, workers: int
) -> None:
    judge = judge_of(OneEpoch(epochs=epochs, keep=keep))
    sitting = Sitting(judge, curves, seed=seed, workers=workers).carry_out()
    assert set(sitting.epochs.values()) <= {epochs, EPOCHS}
    early = sorted((curve[epochs - 1] for curve in curves.values()), reverse=True)[:keep]
    assert sorted((curves[run][epochs - 1] for run in sitting.complete()), reverse=True) == early


def test_a_lost_run_leaves_its_place_to_the_next() -> None:
    judge = OneEpoch(keep=2).judge(9)
    pauses(judge, {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, 1)
    assert [judge.promote(more=False) for _ in range(3)] == ["d", "c", None]
    judge.lost("d")
    assert [judge.promote(more=False) for _ in range(2)] == ["b", None]


# Optuna's pruners.


@pytest.mark.parametrize(
    ("text", "pruner"),
    [
        ("optuna", optuna.pruners.MedianPruner()),
        (
            "optuna:pruner=PercentilePruner,percentile=30,n_startup_trials=2",
            optuna.pruners.PercentilePruner(30, n_startup_trials=2),
        ),
        (
            "optuna:pruner=SuccessiveHalvingPruner,min_resource=2",
            optuna.pruners.SuccessiveHalvingPruner(min_resource=2),
        ),
    ],
)
@given(rows=reports())
def test_a_pruner_decides_as_in_optuna(text: str, pruner: optuna.pruners.BasePruner, rows: list[Row]) -> None:
    judge, trials, epochs = judge_of(by_text(text)), dict[str, optuna.Trial](), Counter[str]()
    study = optuna.create_study(direction="maximize", pruner=copy.deepcopy(pruner))
    for run, epoch, value in rows:
        answer = judge.observe(run, epoch, value)
        if epoch > epochs[run]:
            epochs[run] = epoch
            trial = trials[run] = trials.get(run) or study.ask()
            trial.report(value, epoch)
            if epoch == EPOCHS:
                study.tell(trial, value)
            assert (answer is not None) == (epoch < EPOCHS and trial.should_prune())


def test_a_pruner_that_wraps_another_takes_its_name() -> None:
    stopper = by_text("optuna:pruner=PatientPruner,wrapped_pruner=NopPruner,patience=3")
    assert judge_of(stopper).observe("a", 1, 1.0) is None
    options = {"wrapped_pruner": {"pruner": "PercentilePruner", "percentile": 10}, "patience": 1}
    assert judge_of(Optuna(pruner="PatientPruner", options=options)).observe("a", 1, 1.0) is None
    with pytest.raises(ValueError, match="wrapped_pruner = 5: the name of a pruner"):
        Optuna(pruner="PatientPruner", options={"wrapped_pruner": 5, "patience": 1})


PATIENT = "optuna:pruner=PatientPruner,patience=2,wrapped_pruner"


@pytest.mark.parametrize(
    ("text", "wrapped"),
    [
        ("=MedianPruner", "MedianPruner"),
        ('={"pruner": "PercentilePruner", "percentile": 25, "n_startup_trials": 2}', None),
        ("=PercentilePruner,wrapped_pruner.percentile=25,wrapped_pruner.n_startup_trials=2", None),
        (".percentile=25,wrapped_pruner.n_startup_trials=2,wrapped_pruner=PercentilePruner", None),
        (".pruner=PercentilePruner,wrapped_pruner.percentile=25,wrapped_pruner.n_startup_trials=2", None),
        (
            "=PatientPruner,wrapped_pruner.patience=1,wrapped_pruner.wrapped_pruner=MedianPruner",
            {"pruner": "PatientPruner", "patience": 1, "wrapped_pruner": "MedianPruner"},
        ),
        ("=null", None),
    ],
)
def test_a_nested_pruner_is_written_in_a_line(text: str, wrapped: Any) -> None:
    inner = {"pruner": "PercentilePruner", "percentile": 25, "n_startup_trials": 2}
    expected = wrapped if wrapped or text == "=null" else inner
    made = by_text(PATIENT + text)
    assert made == Optuna(pruner="PatientPruner", options={"patience": 2, "wrapped_pruner": expected})
    assert judge_of(made).observe("a", 1, 1.0) is None


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@given(rows=reports())
def test_a_nested_pruner_decides_as_in_optuna(rows: list[Row]) -> None:
    inner = optuna.pruners.PercentilePruner(25, n_startup_trials=1)
    pruner = optuna.pruners.PatientPruner(inner, patience=1)
    text = "=PercentilePruner,wrapped_pruner.percentile=25,wrapped_pruner.n_startup_trials=1"
    test_a_pruner_decides_as_in_optuna.hypothesis.inner_test(PATIENT.replace("2", "1") + text, pruner, rows)


def test_options_of_a_wrapped_pruner_without_its_name_are_refused() -> None:
    with pytest.raises(
        ValueError, match="wrapped_pruner = .*: the name of a pruner, or its name and options"
    ):
        by_text(f"{PATIENT}.percentile=25")
    with pytest.raises(ValueError, match=r"MedianPruner: .*percentile"):
        by_text(f"{PATIENT}=MedianPruner,wrapped_pruner.percentile=25")


def test_a_pruner_that_cannot_be_built_is_refused_when_the_stopper_is_made() -> None:
    with pytest.raises(ValueError, match="no such pruner. Did you mean MedianPruner"):
        by_text("optuna:pruner=MedianPrunr")
    with pytest.raises(ValueError, match="missing 1 required positional argument: 'percentile'; it takes"):
        by_text("optuna:pruner=PercentilePruner")
    with pytest.raises(ValueError, match="Percentile must be between 0 and 100"):
        by_text("optuna:pruner=PercentilePruner,percentile=250")


def test_optuna_is_imported_only_by_who_uses_it() -> None:
    looked = (
        "import sys; from sweeps.stoppers import by_text; by_text('asha'); print('optuna' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", looked], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False"]


# By text.


def test_a_stopper_is_described_in_a_line() -> None:
    assert by_text("asha") == Asha()
    assert by_text("asha:reduction=3,grace=2,noise=1") == Asha(reduction=3, grace=2, noise=1.0)
    assert by_text("hyperband:grace=null") == Hyperband(grace=None)
    assert by_text("none:control=0.25") == Never(control=0.25)
    assert by_text("optuna:pruner=ThresholdPruner,lower=20") == Optuna(
        pruner="ThresholdPruner", options={"lower": 20}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ahsa", "no stopper 'ahsa'. Did you mean asha"),
        ("asha:redution=3", "asha has no field 'redution'. Did you mean reduction"),
        ("none:noise=1", "none has no field 'noise'. There is: control"),
        ("asha:reduction=1", "asha.reduction = 1: .*greater than or equal to 2"),
        ("asha:reduction", "'reduction': write NAME:FIELD=VALUE"),
        ("asha:grace=1,grace=2", "'grace=2': write NAME:FIELD=VALUE,FIELD=VALUE, each field once"),
        ("one_epoch:keep=some", "one_epoch.keep = 'some': .*integer"),
    ],
)
def test_what_describes_no_stopper_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        by_text(text)


def test_every_stopper_is_known_by_its_name() -> None:
    assert all(stopper.name == name for name, stopper in STOPPERS.items())
    assert all(by_text(name) == stopper for name, stopper in STOPPERS.items())
    assert {"none", "asha", "promote", "hyperband", "median", "pasha", "one_epoch", "optuna"} == set(STOPPERS)


# The guard.


def healthy(**changes: float) -> dict[str, float]:
    return {"loss": 4.0, "knn_top1": 40.0, "effective_rank": 20.0, **changes}


def test_a_run_whose_features_have_collapsed_ends() -> None:
    watch = Guard().watch()
    assert watch("a", 1, healthy(effective_rank=1.02)) is None
    assert (
        watch("a", 2, healthy(effective_rank=1.4)) == "collapsed: effective rank 1.40 below 1.5 for 2 epochs"
    )
    assert watch("b", 2, healthy(effective_rank=1.02)) is None


def test_a_rank_that_recovers_in_time_is_no_collapse() -> None:
    watch = Guard(patience=3).watch()
    assert not any(
        watch("a", i, healthy(effective_rank=r)) for i, r in enumerate((1.0, 1.2, 1.6, 1.0, 1.1), 1)
    )
    assert watch("a", 6, healthy(effective_rank=1.0)) is not None


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"loss": math.nan}, "diverged: the loss is nan"),
        ({"loss": -math.inf}, "diverged: the loss is -inf"),
        ({"knn_top1": math.nan}, "diverged: the kNN accuracy is nan"),
        ({"effective_rank": math.inf}, "diverged: the effective rank is inf"),
    ],
)
def test_what_is_not_finite_ends_a_run_at_once(metrics: dict[str, float], words: str) -> None:
    assert Guard().watch()("a", 1, healthy(**metrics)) == words
    assert Guard().watch()("a", 1, metrics) == words


def test_a_loss_far_beyond_all_it_has_been_ends_a_run() -> None:
    watch = Guard().watch()
    assert not any(watch("a", i, healthy(loss=loss)) for i, loss in enumerate((6.0, 5.0, 61.0), 1))
    said = watch("a", 4, healthy(loss=234.0))
    assert said == "diverged: loss 234 is more than 10 times 6, its size before, for 2 epochs"
    assert watch("a", 4, healthy(loss=234.0)) == said


def test_a_loss_is_measured_by_1_at_least() -> None:
    watch = Guard().watch()
    assert not any(watch("a", i, healthy(loss=loss)) for i, loss in enumerate((0.01, 9.9, 0.1), 1))
    watch = Guard(patience=1).watch()
    assert watch("a", 1, healthy(loss=-0.01)) is None
    assert watch("a", 2, healthy(loss=10.1)) == (
        "diverged: loss 10.1 is more than 10 times 1, its size before, for 1 epoch"
    )


LOSSES = {
    "align-uniform, from positive to negative": (0.5, -0.5, -1.5, -1.4, -2.0),
    "near nothing, then a little": (1e-6, 1e-9, 1e-3, 0.2, 0.9),
    "a queue that fills": (4.4, 4.5, 4.7, 4.5, 2.7),
    "a second term after the warm-up": (2.0, 1.5, 9.0, 8.0, 7.0),
    "one wild epoch": (5.0, 4.0, 90.0, 4.0, 95.0),
    "large from the start": (5e4, 4e4, 3e4, 9e4, 1e4),
}


@pytest.mark.parametrize("losses", LOSSES.values(), ids=LOSSES.keys())
def test_the_guard_lets_healthy_losses_be(losses: Sequence[float]) -> None:
    watch = Guard().watch()
    assert not any(watch("a", epoch, healthy(loss=loss)) for epoch, loss in enumerate(losses, 1))


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([-3.0, 2.0, 90.0, 8e4, math.nan]), st.floats(0, 3)),
        max_size=30,
    )
)
def test_a_report_that_the_guard_sees_again_changes_nothing(reports: list[tuple[int, float, float]]) -> None:
    once, twice, epochs = Guard().watch(), Guard().watch(), Counter[int]()
    for run, loss, rank in reports:
        epochs[run] += 1
        metrics = {"loss": loss, "effective_rank": rank}
        answer = once(str(run), epochs[run], metrics)
        assert twice(str(run), epochs[run], metrics) == answer
        assert twice(str(run), epochs[run], healthy()) == answer


def test_metrics_that_are_not_reported_are_not_missed() -> None:
    watch = Guard(patience=1).watch()
    assert not any(watch("a", epoch, {"images_per_second": 3.0}) for epoch in range(1, 9))
