"""Differences paired by seed: how sure, how large and how alike two arms are, and how many seeds it takes to see it.

`differences` are always one arm's scores less another's, in points of the metric, shape (seeds,), two or more.
"""

import bisect
import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, optimize, special, stats

Differences = NDArray[np.float64]

ALPHA = 0.05
"""Significance level."""
POWER = 0.8
"""Power: how often a true difference should be found."""
FLIPS = 2**16
"""Maximum number of sign flips: all of 16 seeds are enumerated; for more seeds this many are drawn."""
MAX_SEEDS = 1000
"""Largest number of seeds considered."""
FAR = 12.0
"""Standard deviations beyond which no normal value lies."""
RESIDUE = 9
"""Decimals that are kept: scores are tenths or hundredths of a point, and what floats leave of the difference of two
must not look like noise."""


class Flips(NamedTuple):
    """Two-sided p of the sign-flip test, and the smallest p that this number of seeds can give."""

    p: float
    smallest: float


def spread(differences: Differences) -> float:
    """Return the sample standard deviation; exactly 0 where all values are equal."""
    return float(differences.std(ddof=1)) if np.ptp(differences) > 0.5 * 10**-RESIDUE else 0.0


def student_p(differences: Differences) -> float | None:
    """Return the two-sided p of Student's paired t test, which matches Student's interval.

    >>> gains = np.array([1.2, 0.8, 1.5, 0.4, 1.1])
    >>> print(f"{student_p(gains):.4f}, by flipped signs {sign_flips(gains).p}, effect {effect_size(gains):.2f}")
    0.0059, by flipped signs 0.0625, effect 1.91

    None where all are equal: accuracies of a thousand images are tenths of a point, so two or three equal differences
    are chance, and tell nothing of how much they vary.
    """
    if not spread(differences):
        return None
    return float(2 * special.stdtr(len(differences) - 1, -abs(_t(differences, 0.0))))


def sign_flips(differences: Differences, generator: np.random.Generator | None = None) -> Flips:
    """Return the two-sided p of the sign-flip test of the mean (Fisher 1935, §21).

    It assumes symmetry, not normality, and keeps its level. But n seeds have only 2^n flips, so p is never below
    2 / 2^n: 0.0625 is the smallest for five seeds, and no evidence of absence. Exact for
    16 seeds or fewer; for more, (b + 1) / (m + 1) of m random flips on each side (Phipson and Smyth 2010).

    Args:
        differences: arm less other, by seed.
        generator: draws the flips of more than 16 seeds; one of seed 0 unless given, so that p can be had again.
    """
    rng = generator or np.random.default_rng(0)
    how: Any = {"permutation_type": "samples", "vectorized": True, "n_resamples": FLIPS, "rng": rng}
    found = stats.permutation_test((differences,), np.mean, **how)
    exact = 2 ** len(differences) <= FLIPS
    return Flips(float(found.pvalue), 2 / (2 ** len(differences) if exact else FLIPS + 1))


def probability_of_improvement(differences: Differences) -> float:
    """Return the share of seeds on which the arm is ahead; a tie counts half (Agarwal et al. 2021, by pairs)."""
    return float(np.mean((np.sign(differences) + 1) / 2))


def effect_size(differences: Differences) -> float | None:
    """Return Hedges' g_z: the mean in standard deviations of the differences (Cohen's d_z), corrected for bias.

    Corrected exactly (Hedges 1981), with n - 1 degrees of freedom. None for two seeds, where d_z has no
    expectation, and where all differences are equal.
    """
    freedom, deviation = len(differences) - 1, spread(differences)
    if freedom < 2 or not deviation:
        return None
    logarithm = special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)
    return float(differences.mean()) / deviation * math.sqrt(2 / freedom) * math.exp(logarithm)


def check_margin(margin: float | None) -> None:
    """Refuse a margin within which nothing could be equivalent; None asks for no equivalence.

    Raises:
        ValueError: the margin is not above 0.
    """
    if margin is not None and not margin > 0:
        raise ValueError(f"equivalence within ±{margin} points; give a margin above 0")


def equivalence(differences: Differences, margin: float) -> float | None:
    """Return the p of two one-sided t tests: small if the true difference is within the margin (Schuirmann 1987).

    None if all differences are equal, as for `student_p`; but 0 if all are 0: equal scores are equivalent.

    Raises:
        ValueError: the margin is not above 0.
    """
    check_margin(margin)
    if not spread(differences):
        return None if differences.any() else 0.0
    freedom = len(differences) - 1
    above = stats.t.sf(_t(differences, -margin), freedom)
    below = stats.t.cdf(_t(differences, margin), freedom)
    return float(max(above, below))


def power(difference: float, deviation: float, seeds: int, alpha: float = ALPHA) -> float:
    """Return the power of the two-sided paired t test: t² is noncentral F (Cohen 1988, chapter 2).

    Args:
        difference: the true one, in points.
        deviation: of the paired differences over seeds, in points; above 0.
        seeds: two or more.
        alpha: level of the test.
    """
    if not difference:
        return alpha
    noncentrality = seeds * (difference / deviation) ** 2
    return float(stats.ncf.sf(stats.f.isf(alpha, 1, seeds - 1), 1, seeds - 1, noncentrality))


def detectable(deviation: float, seeds: int, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the smallest true difference, in points, that these seeds find with that power."""
    return deviation * _in_deviations(seeds, alpha, power)


def seeds_needed(
    difference: float, deviation: float, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """Return how many seeds (two or more) find such a difference with that power; None if a thousand do not.

    >>> seeds_needed(1.0, deviation=1.0)
    10
    """
    counts = range(2, MAX_SEEDS + 1)
    # The detectable difference falls with the number of seeds, so its negative is sorted.
    smallest = -abs(difference)
    place = bisect.bisect_left(counts, smallest, key=lambda n: -detectable(deviation, n, alpha, power))
    return counts[place] if place < len(counts) else None


def expected_lead(others: int, deviation: float, seeds: int) -> float:
    """Return the expected lead, in points, of the best of several equally good arms over another.

    >>> round(expected_lead(11, deviation=2.3, seeds=1), 1)
    3.6

    The mean of the largest of `others` standard normal values, FAR less the integral of `Phi(x)^others` from -FAR to
    FAR, in standard errors of an arm's mean. What chance does to the other arm is 0 on average.

    Args:
        others: number of arms except the one that is led.
        deviation: of one arm over seeds, in points.
        seeds: of each arm.
    """

    def all_below(value: float) -> float:
        return float(special.ndtr(value)) ** others

    largest: float = FAR - integrate.quad(all_below, -FAR, FAR)[0]
    return largest * deviation / math.sqrt(seeds)


def _t(differences: Differences, null: float) -> float:
    """Student's statistic of the mean against `null`, of differences that vary."""
    return (float(differences.mean()) - null) * math.sqrt(len(differences)) / spread(differences)


@functools.cache
def _in_deviations(seeds: int, alpha: float, target: float) -> float:
    """The detectable difference where the deviation is 1."""
    most = 1.0
    while power(most, 1.0, seeds, alpha) < target:
        most *= 2

    def short(shift: float) -> float:
        return target - power(shift, 1.0, seeds, alpha)

    return float(optimize.root_scalar(short, bracket=(0.0, most)).root)
