"""Student's interval where there is one, and how it is written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.intervals import half_width, plus_minus, reach, span, student_interval

SCORES = st.lists(st.integers(0, 1000).map(lambda tenths: tenths / 10), min_size=2, max_size=9)


@given(SCORES)
def test_an_interval_is_scipys_and_there_is_none_of_equal_values(scores: list[float]) -> None:
    found = student_interval(scores)
    if len(set(scores)) == 1:
        assert found is None
        assert half_width(np.array(scores)) is None
        return
    expected = stats.ttest_1samp(scores, 0).confidence_interval(0.95)
    assert found == pytest.approx((expected.low, expected.high))


@given(st.floats(0, 100), st.floats(0, 100), st.integers(2, 9))
def test_what_floats_leave_of_equal_differences_is_no_spread(low: float, step: float, seeds: int) -> None:
    differences = [(low + 0.1 * seed + step) - (low + 0.1 * seed) for seed in range(seeds)]
    assert student_interval(differences) is None


def test_one_value_has_no_interval() -> None:
    assert student_interval([50.0]) is None


@given(SCORES)
def test_an_interval_of_percentages_lies_within_0_to_100_around_their_mean(scores: list[float]) -> None:
    found = student_interval(scores, (0.0, 100.0))
    if found:
        assert 0.0 <= found[0] <= np.mean(scores) + 1e-9
        assert np.mean(scores) - 1e-9 <= found[1] <= 100.0


@pytest.mark.parametrize(
    ("ends", "digits", "words"),
    [
        ((25.31, 27.94), 1, "25.3 to 27.9"),
        ((26.61, 26.63), 1, "26.61 to 26.63"),
        ((26.6012, 26.6018), 1, "26.601 to 26.602"),
        ((-0.5, 0.0), 2, "-0.50 to 0.00"),
        ((0.003, 2.3), 2, "0.003 to 2.300"),
    ],
)
def test_ends_are_written_with_as_many_digits_as_tell_them_apart_and_from_0(
    ends: tuple[float, float], digits: int, words: str
) -> None:
    assert span(*ends, digits) == words


def test_a_deviation_that_is_not_0_is_not_written_as_0_and_one_that_is_not_at_all() -> None:
    assert plus_minus(26.6, 0.83) == "26.6 ± 0.8"
    assert plus_minus(26.6, 0.04) == "26.6 ± 0.04"
    assert plus_minus(26.6, 0.0) == plus_minus(26.6, None) == "26.6"
    assert plus_minus(0.214, 0.0021, 2) == "0.21 ± 0.002"
    assert reach(float("nan")) == ""
