import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, stats

from analysis import paired
from analysis.compare import Comparison, compare, p_value
from analysis.noise import Noise

DIFFERENCES = st.lists(st.integers(-40, 40), min_size=2, max_size=9).map(lambda d: np.array(d) / 8)


def between(differences: list[float], margin: float | None = None) -> Comparison:
    """Of arms with these differences, on seeds that differ much more."""
    other = {seed: 50.0 + 8 * seed for seed in range(len(differences))}
    arm = {seed: other[seed] + difference for seed, difference in enumerate(differences)}
    return compare(arm, other, None, margin=margin)


def all_flips(differences: NDArray[np.float64]) -> float:
    """The share of all choices of signs whose sum is as far from 0 as that of the differences."""
    signs = itertools.product((1, -1), repeat=len(differences))
    sums = [sum(s * d for s, d in zip(choice, differences, strict=True)) for choice in signs]
    return float(np.mean([abs(total) >= abs(differences.sum()) - 1e-9 for total in sums]))


@given(DIFFERENCES)
def test_p_of_flipped_signs_counts_all_of_them(differences: NDArray[np.float64]) -> None:
    assert paired.sign_flips(differences).p == pytest.approx(all_flips(differences))


@given(DIFFERENCES)
def test_no_p_of_flipped_signs_is_below_the_smallest_that_is_told(differences: NDArray[np.float64]) -> None:
    found = paired.sign_flips(differences)
    assert found.smallest == 2.0 ** (1 - len(differences)) <= found.p <= 1
    clear = paired.sign_flips(np.arange(1.0, 1 + len(differences)))
    assert clear.p == clear.smallest


def test_five_seeds_cannot_come_below_a_sixteenth_by_flipping_signs() -> None:
    found = between([1.0, 1.1, 0.9, 1.0, 1.05])
    assert (found.p_flips, found.p_flips_smallest) == (0.0625, 0.0625)
    assert found.p
    assert found.p < 1e-4
    assert found.significant


def test_the_flips_of_many_seeds_are_drawn_and_can_be_drawn_again() -> None:
    differences = np.random.default_rng(5).normal(0.65, 1.0, 20)
    sums = np.zeros(1)
    for difference in differences:  # all 2^20, built up seed by seed
        sums = np.concatenate([sums + difference, sums - difference])
    exact = np.mean(abs(sums) >= abs(differences.sum()) - 1e-9)
    assert 0.01 < exact < 0.2
    found = paired.sign_flips(differences, np.random.default_rng(1))
    assert found.p == pytest.approx(exact, abs=5 * (exact / paired.FLIPS) ** 0.5)
    assert found == paired.sign_flips(differences, np.random.default_rng(1))
    assert found.p != exact
    # Not one of those drawn is as extreme, and still p is not 0.
    assert paired.sign_flips(np.ones(40)) == (found.smallest, 2 / (paired.FLIPS + 1))


@given(DIFFERENCES.filter(lambda d: d.std() > 0))
def test_students_p_and_interval_are_those_of_the_paired_t_test(differences: NDArray[np.float64]) -> None:
    other = 50 + np.arange(len(differences)) / 4
    expected = stats.ttest_rel(other + differences, other)
    assert paired.student_p(differences) == pytest.approx(expected.pvalue, abs=1e-9)
    found = compare(dict(enumerate(other + differences)), dict(enumerate(other)), None)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.significant == (expected.pvalue < 0.05)


def test_equal_differences_tell_nothing_of_how_much_they_vary() -> None:
    # Accuracies in tenths: 26.6 - 25.7 and 26.7 - 25.8 differ in the last bits of the floats.
    found = compare({0: 26.6, 1: 26.7, 2: 26.9}, {0: 25.7, 1: 25.8, 2: 26.0}, None, margin=1.0)
    assert (found.difference, found.interval, found.significant) == (pytest.approx(0.9), None, False)
    assert (found.p, found.p_equivalence, found.effect_size) == (None, None, None)
    assert (found.detectable, found.seeds_needed, found.p_flips) == (None, None, 0.25)
    assert found.sentence.endswith(
        "all differences are equal, which tells nothing of how much they vary: no significant difference"
    )


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_score_that_is_not_finite_is_refused_with_its_seed(wrong: float) -> None:
    for arm, other in (({3: wrong, 4: 50.0}, {3: 50.0, 4: 50.0}), ({3: 50.0}, {3: wrong})):
        for call in (lambda a, o: compare(a, o, None), lambda a, o: p_value(a, o, Noise(2.0))):
            with pytest.raises(
                ValueError, match=f"not finite cannot be compared: .*3.*{wrong}.*leave those seeds out"
            ):
                call(arm, other)


@pytest.mark.parametrize("deviation", [0.0, -1.0, math.nan, math.inf])
def test_a_deviation_that_is_no_noise_is_refused_and_0_in_a_manifest_is_not_known(deviation: float) -> None:
    with pytest.raises(
        ValueError, match="a seed deviation of .* points tells no difference from chance; give one above 0"
    ):
        Noise(deviation)
    assert Noise.of({"seed_deviation": 0.0, "seed_deviation_seeds": 2}) is None
    assert Noise.of({"seed_deviation": 2.3}) == Noise(2.3)


def test_an_end_that_is_not_0_is_not_written_as_0() -> None:
    values = np.array([0.5, 1.0, 1.5])
    low = values.mean() - half_of(values)
    for shift, words in (
        (0.002 - low, "+0.002 to +2.486, excludes 0: significantly better"),
        (-0.002 - low, "-0.002 to +2.482, includes 0: no significant difference"),
    ):
        found = between(list(values + shift))
        assert f"the 95% interval, {words}" in found.sentence


def half_of(values: NDArray[np.float64]) -> float:
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    return float(interval.high - interval.low) / 2


def test_what_changes_no_score_is_equivalent() -> None:
    same = between([0.0, 0.0, 0.0], 1.0)
    assert (same.p, same.p_equivalence, same.significant) == (None, 0.0, False)
    assert same.sentence.endswith("no significant difference, equivalent within ±1")


@given(DIFFERENCES, st.sampled_from([None, Noise(2.0), Noise(2.0, 5)]))
def test_p_alone_is_that_of_the_comparison(differences: NDArray[np.float64], noise: Noise | None) -> None:
    other = dict.fromkeys(range(len(differences)), 50.0)
    for count in (1, len(differences)):
        arm = {seed: 50.0 + difference for seed, difference in enumerate(differences[:count])}
        assert p_value(arm, other, noise) == compare(arm, other, noise).p


@pytest.mark.parametrize("seeds", [None, 3, 5])
def test_one_seed_is_called_significant_by_chance_once_in_twenty(seeds: int | None) -> None:
    generator = np.random.default_rng(0)
    called: list[bool | None] = []
    for _ in range(4000):
        known = 2.0 if seeds is None else float(generator.normal(0, 2.0, seeds).std(ddof=1))
        arm, other = generator.normal(50, 2.0, 2).tolist()
        found = compare({0: arm}, {0: other}, noise := Noise(known, seeds))
        assert found.significant == (abs(found.difference) >= noise.threshold)
        called.append(found.significant)
    assert np.mean(np.array(called, float)) == pytest.approx(0.05, abs=0.011)


def test_a_tie_is_half_an_improvement() -> None:
    assert between([1.0, 0.0, -1.0, 2.0]).probability_of_improvement == 0.625
    assert compare({0: 51.0}, {0: 50.0}, None).probability_of_improvement == 1.0


@given(DIFFERENCES)
def test_the_other_way_round_all_is_mirrored(differences: NDArray[np.float64]) -> None:
    found, mirrored = between(list(differences), 1.0), between(list(-differences), 1.0)
    assert found.probability_of_improvement == pytest.approx(1 - mirrored.probability_of_improvement)
    assert found.p == pytest.approx(mirrored.p)
    assert found.p_flips == pytest.approx(mirrored.p_flips)
    assert found.p_equivalence == pytest.approx(mirrored.p_equivalence)
    assert found.effect_size == (
        None if mirrored.effect_size is None else pytest.approx(-mirrored.effect_size)
    )


@pytest.mark.parametrize("seeds", [3, 5, 12])
def test_the_effect_size_is_right_on_average(seeds: int) -> None:
    draws = np.random.default_rng(0).normal(0.8, 1.0, (20_000, seeds))
    found = [paired.effect_size(draw) for draw in draws]
    known = [size for size in found if size is not None]
    assert np.mean(known) == pytest.approx(0.8, abs=5 * np.std(known) / 20_000**0.5)


def test_the_effect_size_of_five_seeds_is_the_textbooks() -> None:
    # Hedges' correction of four degrees of freedom is sqrt(2 / pi) by its gamma functions, 0.8 by the usual fraction.
    assert paired.effect_size(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(
        3 / 2.5**0.5 * math.sqrt(2 / math.pi)
    )
    assert paired.effect_size(np.array([1.0, 2.0])) is None


@given(DIFFERENCES.filter(lambda d: d.std() > 0), st.floats(0.1, 5))
def test_arms_are_equivalent_where_the_90_percent_interval_lies_within_the_margin(
    differences: NDArray[np.float64], margin: float
) -> None:
    low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    if min(abs(abs(low) - margin), abs(abs(high) - margin)) > 1e-9:
        assert (paired.equivalence(differences, margin) < 0.05) == (-margin < low and high < margin)


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_a_margin_of_nothing_is_refused(margin: float) -> None:
    for differences in ([1.0, 2.0], [1.0]):
        with pytest.raises(ValueError, match="give a margin above 0"):
            between(differences, margin)


def noncentral(difference: float, seeds: int) -> float:
    """Power by integrating the normal distribution of the mean over the chi distribution of the deviation."""
    freedom, shift = seeds - 1, difference * seeds**0.5
    critical = stats.t.ppf(0.975, freedom)

    def beyond(chi: float) -> float:
        edge = critical * chi / freedom**0.5
        return float(
            stats.chi.pdf(chi, freedom) * (stats.norm.sf(edge - shift) + stats.norm.cdf(-edge - shift))
        )

    return float(integrate.quad(beyond, 0, 60)[0])


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("difference", [0.0, 0.3, 1.0, 2.5])
def test_power_is_the_noncentral_t_distributions(difference: float, seeds: int) -> None:
    assert paired.power(difference * 1.7, 1.7, seeds) == pytest.approx(
        noncentral(difference, seeds), abs=1e-6
    )


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 200])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_the_detectable_difference_is_the_one_with_that_power(power: float, seeds: int) -> None:
    found = paired.detectable(1.7, seeds, alpha=0.01, power=power)
    assert paired.power(found, 1.7, seeds, alpha=0.01) == pytest.approx(power, abs=1e-9)


@given(st.floats(0.05, 20), st.floats(0.1, 5))
def test_so_many_seeds_as_are_needed_suffice_and_one_less_does_not(
    difference: float, deviation: float
) -> None:
    needed = paired.seeds_needed(difference, deviation)
    if needed is None:
        assert paired.power(difference, deviation, paired.MAX_SEEDS) < 0.8
        return
    assert needed == paired.seeds_needed(-difference, deviation)
    assert paired.power(difference, deviation, needed) >= 0.8 - 1e-9
    assert needed == 2 or paired.power(difference, deviation, needed - 1) < 0.8


def test_many_seeds_need_what_the_normal_approximation_says() -> None:
    assert paired.seeds_needed(0.1, 1.0) == pytest.approx(((1.96 + 0.8416) / 0.1) ** 2, abs=3)
    assert paired.seeds_needed(0.0, 1.0) is None


def test_who_cannot_be_told_apart_is_told_what_could_have_been_and_what_it_takes() -> None:
    found = between([1.0, -0.6, 0.7, 0.2, 0.2])
    assert found.detectable == pytest.approx(1.0231, abs=1e-4)
    assert found.sentence == (
        "+0.30 points over 5 paired seeds; the 95% interval, -0.46 to +1.06, includes 0: no significant difference; "
        "5 seeds show 1.02 or more with 80% power, 0.30 would take 35 seeds"
    )
    assert between([1.0, -1.0, 0.01]).sentence.endswith("0.00 would take more than 1,000 seeds")


def test_arms_may_differ_significantly_and_be_equivalent_or_neither() -> None:
    assert between([0.2, 0.21, 0.19, 0.2], 0.5).sentence.endswith(
        "excludes 0: significantly better, equivalent within ±0.5"
    )
    assert between([0.2, -0.21, 0.1, 0.0], 0.5).sentence.endswith(
        "includes 0: no significant difference, equivalent within ±0.5"
    )
    neither = between([2.0, -2.1, 1.0, 0.0], 0.5)
    assert neither.p_equivalence
    assert neither.p_equivalence > 0.05
    assert "equivalent" not in neither.sentence
