import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analysis.estimate import MIN_SEEDS, bootstrap, estimate, iqm
from analysis.intervals import student_interval
from analysis.paired import ALPHA, spread

SCORES = st.lists(st.floats(0, 100), min_size=1, max_size=24)


@given(SCORES)
def test_the_interquartile_mean_leaves_a_quarter_of_the_values_at_each_end_out(scores: list[float]) -> None:
    cut = len(scores) // 4
    kept = sorted(scores)[cut : len(scores) - cut]
    assert iqm(np.array(scores)) == pytest.approx(sum(kept) / len(kept))


def test_one_lucky_seed_moves_the_mean_and_not_the_interquartile_mean() -> None:
    found = estimate([[50.0, 51.0, 52.0, 53.0, 94.0]], np.random.default_rng(0))
    assert (found.values, found.mean, found.iqm) == (5, 60.0, 52.0)
    assert found.deviation == pytest.approx(np.std([50.0, 51.0, 52.0, 53.0, 94.0], ddof=1))


def test_one_seed_has_a_mean_and_neither_spread_nor_interval() -> None:
    found = estimate([[50.0]], np.random.default_rng(0))
    assert (found.mean, found.iqm, found.deviation, found.interval) == (50.0, 50.0, None, None)
    # In one of two data sets it is still unknown what a seed does.
    assert estimate([[50.0, 51.0, 52.0], [80.0]], np.random.default_rng(0)).interval is None


def test_what_data_sets_differ_by_is_no_spread_over_seeds() -> None:
    together = estimate([[50.0, 51.0, 52.0, 90.0, 91.0, 92.0]], np.random.default_rng(0))
    apart = estimate([[50.0, 51.0, 52.0], [90.0, 91.0, 92.0]], np.random.default_rng(0))
    assert apart.mean == together.mean == 71.0
    assert apart.deviation == pytest.approx(1.0)
    assert apart.interval
    assert together.interval
    assert apart.interval[1] - apart.interval[0] < 4
    assert together.interval[1] - together.interval[0] > 30


@pytest.mark.parametrize("sizes", [(5,), (10,), (4, 9, 6)])
def test_the_interval_of_the_mean_comes_close_to_students_with_satterthwaites_freedom(
    sizes: tuple[int, ...],
) -> None:
    # Both rest on the same error and the same quantile; what remains is that a few values are not quite normal.
    generator = np.random.default_rng(3)
    groups = [generator.normal(50, 1 + place, size) for place, size in enumerate(sizes)]
    total = sum(sizes)
    parts = [(len(g) / total) ** 2 * np.var(g, ddof=1) / len(g) for g in groups]
    freedom = sum(parts) ** 2 / sum(part**2 / (len(g) - 1) for part, g in zip(parts, groups, strict=True))
    quantile = students_quantile(freedom)
    found = bootstrap(groups, generator, resamples=200_000)
    assert found
    middle, half = np.concatenate(groups).mean(), quantile * sum(parts) ** 0.5
    assert found == pytest.approx((middle - half, middle + half), abs=0.1 * half)


def students_quantile(freedom: float) -> float:
    """The upper 2.5 % of Student's distribution, from draws of its definition."""
    generator = np.random.default_rng(4)
    draws = generator.normal(size=2_000_000) / np.sqrt(generator.chisquare(freedom, 2_000_000) / freedom)
    return float(np.quantile(draws, 1 - ALPHA / 2))


@given(
    st.lists(st.lists(st.floats(0, 100), min_size=MIN_SEEDS, max_size=9), min_size=1, max_size=3),
    st.floats(-50, 50),
    st.integers(0, 9),
)
def test_the_interval_moves_with_the_scores_and_is_drawn_from_the_generator_alone(
    strata: list[list[float]], shift: float, seed: int
) -> None:
    def drawn(by: float) -> tuple[float, float]:
        moved = [[score + by for score in scores] for scores in strata]
        found = estimate(moved, np.random.default_rng(seed), statistic="iqm", resamples=300)
        assert found.interval
        return found.interval

    assume(all(spread(np.array(scores) + by) for scores in strata for by in (0.0, shift)))
    low, high = drawn(0.0)
    assert low < high
    assert drawn(0.0) == (low, high)
    assert drawn(shift) == pytest.approx((low + shift, high + shift), abs=1e-6)


@given(st.lists(SCORES.filter(lambda s: len(s) > 1), min_size=1, max_size=3))
def test_few_scores_have_students_interval_of_their_mean_and_none_of_their_middle(
    strata: list[list[float]],
) -> None:
    few = [scores[: MIN_SEEDS - 1] for scores in strata]
    assert estimate(few, np.random.default_rng(0), statistic="iqm").interval is None
    interval = estimate(few, np.random.default_rng(0)).interval
    assert (interval is not None) == all(spread(np.array(scores)) for scores in few)
    if len(few) == 1 and interval:
        assert interval == pytest.approx(student_interval(few[0]))


@pytest.mark.parametrize("strata", [[[26.6] * 3], [[26.6] * 5], [[50.0, 51.0, 52.0], [26.6] * 3]])
def test_equal_scores_have_no_interval_as_they_tell_nothing_of_how_much_they_vary(
    strata: list[list[float]],
) -> None:
    found = estimate(strata, np.random.default_rng(0))
    assert found.interval is None
    assert found.mean == pytest.approx(np.mean(np.concatenate(strata)))


def test_the_interval_of_percentages_stays_within_them() -> None:
    scores = [[99.9, 100.0, 99.0, 100.0, 99.9]]
    free = estimate(scores, np.random.default_rng(0)).interval
    cut = estimate(scores, np.random.default_rng(0), within=(0.0, 100.0)).interval
    assert free
    assert cut
    assert cut == (free[0], 100.0)
    assert free[1] > 100.0


def test_an_outlier_moves_the_interval_of_the_mean_and_hardly_that_of_the_middle() -> None:
    scores = [*np.linspace(50, 54, 19), 94.0]
    of_mean = estimate([scores], np.random.default_rng(0)).interval
    of_middle = estimate([scores], np.random.default_rng(0), statistic="iqm").interval
    assert of_mean
    assert of_middle
    assert of_mean[1] > 58
    assert 50.5 < of_middle[0] < iqm(np.array(scores)) < of_middle[1] < 53.5


@pytest.mark.parametrize("strata", [[], [[]], [[50.0], []], [[50.0, float("nan")]]])
def test_scores_that_are_none_are_refused(strata: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="give one finite score or more in each stratum"):
        estimate(strata, np.random.default_rng(0))
