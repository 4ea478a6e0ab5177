"""Whether two arms can be told apart, given how much chance moves one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

DEVIATIONS = 3.0
"""How many seed deviations a difference on one seed must span; the difference of two runs has sqrt(2) itself."""

LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """One arm less another, in points of the metric. `separable` is None where nothing can be said."""

    difference: float
    interval: tuple[float, float] | None
    seeds: int
    separable: bool | None
    sentence: str


def compare(arm: Mapping[int, float], other: Mapping[int, float], seed_deviation: float | None) -> Comparison:
    """Compares scores by seed, on the seeds that both have.

    Several seeds: Student's interval of the paired differences. One seed: against the deviation over seeds
    that was measured before, if it was.

    Raises:
        ValueError: the arms share no seed.
    """
    seeds = sorted(arm.keys() & other.keys())
    if not seeds:
        raise ValueError(
            f"arms on seeds {sorted(arm)} and {sorted(other)} share none; run them on the same seeds"
        )
    differences = np.array([arm[seed] - other[seed] for seed in seeds])
    return _paired(differences) if len(seeds) > 1 else _single(float(differences[0]), seed_deviation)


def half_width(values: NDArray[np.float64]) -> float:
    """Half of Student's interval of the mean of two values or more."""
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error


def _paired(differences: NDArray[np.float64]) -> Comparison:
    count, mean, half = len(differences), float(differences.mean()), half_width(differences)
    low, high = mean - half, mean + half
    separable = low > 0 or high < 0
    interval = (
        f"the {LEVEL:.0%} interval, {low:+.2f} to {high:+.2f}, {'excludes' if separable else 'includes'} 0"
    )
    verdict = "separable" if separable else "not separable"
    sentence = f"{mean:+.2f} points over {count} paired seeds; {interval}: {verdict}"
    return Comparison(mean, (low, high), count, separable, sentence)


def _single(difference: float, deviation: float | None) -> Comparison:
    if deviation is None:
        sentence = (
            f"{difference:+.2f} points on one seed; one seed cannot tell, and no seed deviation is known"
        )
        return Comparison(difference, None, 1, None, sentence)
    threshold = DEVIATIONS * deviation
    separable = abs(difference) >= threshold
    verdict = "separable" if separable else "not separable"
    against = f"{'at least' if separable else 'less than'} {DEVIATIONS:.0f} seed deviations ({threshold:.2f})"
    return Comparison(
        difference, None, 1, separable, f"{difference:+.2f} points on one seed, {against}: {verdict}"
    )
