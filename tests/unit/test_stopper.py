import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.stopper import Asha, Never, stopper

EPOCHS = 16
REPORTS = st.lists(st.tuples(st.integers(0, 7), st.integers(1, EPOCHS), st.floats(0, 100)), max_size=60)


def asha_by_hand(reports: list[tuple[int, int, float]], grace: int, reduction: int) -> list[bool]:
    """Which reports end their run: a slow reading of the rule, from the whole history each time."""
    rungs = [grace * reduction**j for j in range(20) if grace * reduction**j < EPOCHS]
    answers: list[bool] = []
    first: dict[tuple[int, int], bool] = {}
    for i, (run, epoch, value) in enumerate(reports):
        if epoch not in rungs:
            answers.append(False)
            continue
        if (run, epoch) not in first:
            come = {
                r: v for r, e, v in reversed(reports[: i + 1]) if e == epoch
            }  # the first value of each run
            allowed = math.ceil(len(come) / reduction)
            better = sum(other > value for other in come.values())
            first[run, epoch] = better >= allowed
        answers.append(first[run, epoch])
    return answers


@given(REPORTS, st.integers(1, 5), st.integers(2, 4))
def test_asha_decides_as_the_rule_read_slowly(
    reports: list[tuple[int, int, float]], grace: int, reduction: int
) -> None:
    judge = Asha(grace=grace, reduction=reduction).judge(EPOCHS)
    decisions = [judge.observe(str(run), epoch, value) is not None for run, epoch, value in reports]
    assert decisions == asha_by_hand(reports, grace, reduction)


@given(REPORTS, st.integers(0, 60))
def test_a_judge_fed_with_the_record_goes_on_as_the_first_one(
    reports: list[tuple[int, int, float]], cut: int
) -> None:
    first, resumed = Asha(grace=2).judge(EPOCHS), Asha(grace=2).judge(EPOCHS)
    whole = [first.observe(str(r), e, v) for r, e, v in reports]
    for r, e, v in reports[:cut]:
        resumed.observe(str(r), e, v)
    assert [resumed.observe(str(r), e, v) for r, e, v in reports[cut:]] == whole[cut:]


def test_the_first_to_come_to_a_rung_always_goes_on() -> None:
    assert Asha(grace=2).judge(EPOCHS).observe("a", 2, 0.0) is None


def test_a_stop_says_at_which_rung_and_why() -> None:
    judge = Asha(grace=2).judge(EPOCHS)
    judge.observe("a", 2, 40.0)
    assert judge.observe("b", 2, 30.0) == "rung 2: 30.0 below 40.0, the best 1 of 2"


def test_rungs_grow_by_the_reduction_and_end_before_the_horizon() -> None:
    assert Asha().rungs(24) == (4, 8, 16)
    assert Asha(grace=3, reduction=3).rungs(81) == (3, 9, 27)
    assert Asha(grace=4).rungs(16) == (4, 8)
    assert Asha().rungs(3) == (1, 2)


@given(st.integers(1, 500), st.none() | st.integers(1, 600), st.integers(2, 6))
def test_no_rung_lies_at_or_beyond_the_horizon(epochs: int, grace: int | None, reduction: int) -> None:
    rungs = Asha(grace=grace, reduction=reduction).rungs(epochs)
    assert all(0 < rung < epochs for rung in rungs)
    assert all(later == reduction * earlier for earlier, later in pairwise(rungs))
    if rungs:
        assert rungs[-1] * reduction >= epochs


@given(REPORTS)
def test_never_stops_never(reports: list[tuple[int, int, float]]) -> None:
    judge = Never().judge(EPOCHS)
    assert not any(judge.observe(str(run), epoch, value) for run, epoch, value in reports)


def test_an_unknown_stopper_is_refused_with_the_closest_names() -> None:
    with pytest.raises(ValueError, match="no stopper 'ahsa'. Did you mean asha"):
        stopper("ahsa")
