"""Whether two arms can be told apart, given how much chance moves one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis import paired
from analysis.paired import ALPHA, MOST_SEEDS, POWER

DEVIATIONS = 3.0
"""How many seed deviations a difference on one seed must span; the difference of two runs has sqrt(2) itself."""

LEVEL = 1 - ALPHA


@dataclass(frozen=True)
class Comparison:
    """One arm less another, in points of the metric. `separable` is None where nothing can be said.

    What one seed cannot tell is None; what follows from the differences is described in `analysis.paired`.
    """

    difference: float
    interval: tuple[float, float] | None
    seeds: int
    separable: bool | None
    sentence: str
    probability_of_improvement: float
    p: float | None = None
    """Student's, of the same test as the interval."""
    p_flips: float | None = None
    """Of flipped signs, which needs no normality."""
    p_flips_smallest: float | None = None
    """Below which `p_flips` cannot come on so few seeds, however clear the difference."""
    p_equivalence: float | None = None
    """Of two one-sided tests, where a margin was given."""
    effect_size: float | None = None
    """Hedges' g_z."""
    deviation: float | None = None
    """Sample standard deviation of the paired differences, in points."""

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that so many seeds find with 80 % power, in points."""
        return paired.detectable(self.deviation, self.seeds) if self.deviation else None

    @property
    def seeds_needed(self) -> int | None:
        """How many seeds find the seen difference, if it is true, with 80 % power; None if a thousand do not."""
        return paired.seeds_needed(self.difference, self.deviation) if self.deviation else None


def compare(
    arm: Mapping[int, float],
    other: Mapping[int, float],
    seed_deviation: float | None,
    *,
    margin: float | None = None,
    generator: np.random.Generator | None = None,
) -> Comparison:
    """Compares scores by seed, on the seeds that both have.

    Several seeds: Student's interval of the paired differences. One seed: against the deviation over seeds
    that was measured before, if it was.

    Args:
        arm: score in points by seed.
        other: what it is compared with, likewise.
        seed_deviation: over seeds of one arm, in points.
        margin: differences up to so many points would not matter; says whether the arms are equivalent.
        generator: see `analysis.paired.sign_flips`.

    Raises:
        ValueError: the arms share no seed, or the margin is not above 0.
    """
    seeds = sorted(arm.keys() & other.keys())
    if not seeds:
        raise ValueError(
            f"arms on seeds {sorted(arm)} and {sorted(other)} share none; run them on the same seeds"
        )
    differences = np.array([arm[seed] - other[seed] for seed in seeds])
    if len(seeds) == 1:
        return _single(differences, seed_deviation)
    return _paired(differences, margin, generator)


def half_width(values: NDArray[np.float64]) -> float:
    """Half of Student's interval of the mean of two values or more."""
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error


def _paired(
    differences: NDArray[np.float64], margin: float | None, generator: np.random.Generator | None
) -> Comparison:
    count, mean, half = len(differences), float(differences.mean()), half_width(differences)
    low, high, deviation = mean - half, mean + half, float(differences.std(ddof=1))
    separable = low > 0 or high < 0
    interval = (
        f"the {LEVEL:.0%} interval, {low:+.2f} to {high:+.2f}, {'excludes' if separable else 'includes'} 0"
    )
    flips = paired.sign_flips(differences, generator)
    equivalence = None if margin is None else paired.equivalence(differences, margin)
    verdict = "separable" if separable else "not separable"
    if equivalence is not None and equivalence <= ALPHA:
        verdict += f", equivalent within ±{margin:g}"
    elif not separable and deviation:
        verdict += f"; {_prospect(mean, deviation, count)}"
    return Comparison(
        difference=mean,
        interval=(low, high),
        seeds=count,
        separable=separable,
        sentence=f"{mean:+.2f} points over {count} paired seeds; {interval}: {verdict}",
        probability_of_improvement=paired.probability_of_improvement(differences),
        p=paired.student(differences),
        p_flips=flips.p,
        p_flips_smallest=flips.smallest,
        p_equivalence=equivalence,
        effect_size=paired.effect_size(differences),
        deviation=deviation,
    )


def _prospect(mean: float, deviation: float, count: int) -> str:
    """What so many seeds could have shown, and how many would show what was seen if it is true."""
    needed = paired.seeds_needed(mean, deviation)
    seeds = f"more than {MOST_SEEDS:,}" if needed is None else needed
    shown = f"{count} seeds show {paired.detectable(deviation, count):.2f} or more"
    return f"{shown} with {POWER:.0%} power, {abs(mean):.2f} would take {seeds} seeds"


def _single(differences: NDArray[np.float64], deviation: float | None) -> Comparison:
    difference, improvement = float(differences[0]), paired.probability_of_improvement(differences)
    if deviation is None:
        sentence = (
            f"{difference:+.2f} points on one seed; one seed cannot tell, and no seed deviation is known"
        )
        return Comparison(difference, None, 1, None, sentence, improvement)
    threshold = DEVIATIONS * deviation
    separable = abs(difference) >= threshold
    verdict = "separable" if separable else "not separable"
    against = f"{'at least' if separable else 'less than'} {DEVIATIONS:.0f} seed deviations ({threshold:.2f})"
    sentence = f"{difference:+.2f} points on one seed, {against}: {verdict}"
    return Comparison(difference, None, 1, separable, sentence, improvement)
