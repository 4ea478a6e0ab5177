"""Student's 95 % interval of a mean over seeds, and the formatting of intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analysis.paired import ALPHA, spread

LEVEL = 1 - ALPHA
Ends = tuple[float, float]
EVERYWHERE = (-np.inf, np.inf)
MAX_DIGITS = 6
HALF = f" ± {LEVEL:.0%} interval"
"""Head of a column whose cells end in half of an interval."""


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and half of Student's 95 % interval; none of one seed or of equal ones."""

    mean: float
    half: float | None
    within: Ends = EVERYWHERE
    """Where the mean can lie."""

    def __str__(self) -> str:
        half = self.half or 0.0
        low, high = clipped(self.mean - half, self.mean + half, self.within)
        if high - low < 2 * half - 1e-9:
            return f"{self.mean:.1f} ({span(low, high)})"
        return plus_minus(self.mean, half)


def half_width(values: NDArray[np.float64]) -> float | None:
    """Half of Student's interval of the mean; None of one value, or of equal ones, which tell nothing of their spread.

    Accuracies of a thousand images are tenths of a point, so two or three equal ones are chance.
    """
    if len(values) < 2 or not (deviation := spread(values)):
        return None
    return float(special.stdtrit(len(values) - 1, 1 - ALPHA / 2)) * deviation / len(values) ** 0.5


def student_interval(values: Sequence[float] | NDArray[np.float64], within: Ends = EVERYWHERE) -> Ends | None:
    """Student's interval of the mean, cut where no mean can lie; None where `half_width` is.

    >>> low, high = student_interval([50.0, 52.0, 51.0])
    >>> print(span(low, high))
    48.5 to 53.5
    >>> print(interval([99.0, 99.8], within=(0, 100)))
    99.4 (94.3 to 100.0)

    Cutting takes nothing from its coverage. But percentages near 100 are skewed: of accuracies of a thousand images
    that scatter over 5 or 10 seeds as their number alone makes them, or by half as much again, it covers a mean of 99
    94 to 95 % of the time, and one of 99.8 or 99.9 91 to 96 % (tests/analysis/test_coverage.py).
    """
    known = np.asarray(values, np.float64)
    half = half_width(known)
    return None if half is None else clipped(known.mean() - half, known.mean() + half, within)


def interval(values: Sequence[float], within: Ends = EVERYWHERE) -> Interval:
    """Format a mean with the half-width of Student's 95 % interval.

    Raises:
        ValueError: no value is given.
    """
    if not values:
        raise ValueError("an interval of no value; give one or more")
    return Interval(float(np.mean(values)), half_width(np.array(values)), within)


def clipped(low: float, high: float, within: Ends) -> Ends:
    """Clip an interval to the possible range."""
    return max(float(low), within[0]), min(float(high), within[1])


def span(low: float, high: float, digits: int = 1, *, signed: bool = False) -> str:
    """An interval in words; with more digits where its ends would look alike, or one that is not 0 like 0."""
    sign = "+" if signed else ""
    for decimals in range(digits, MAX_DIGITS):
        ends = {f"{end:{sign}.{decimals}f}": end for end in (low, high)}
        if len(ends) == 2 and all(float(text) or not end for text, end in ends.items()):
            break
        digits = decimals + 1
    return f"{low:{sign}.{digits}f} to {high:{sign}.{digits}f}"


def chance(p: float) -> str:
    """Format a p in two digits; in three where it is above the level and two would round it to the level."""
    return f"{p:.3g}" if p > ALPHA >= float(f"{p:.2g}") else f"{p:.2g}"


def plus_minus(mean: float, half: float | None, digits: int = 1) -> str:
    """Format a mean with "±" and the half-width of its interval, or an sd, if it has one."""
    return f"{mean:.{digits}f}{reach(half, digits)}"


def reach(half: float | None, digits: int = 1) -> str:
    """What stands behind a mean for half an interval: in one figure where it would look like 0, nothing if it is."""
    if not half or np.isnan(half):
        return ""
    return f" ± {half:.1g}" if half < 0.5 * 10**-digits else f" ± {half:.{digits}f}"


def signed(value: float, digits: int = 2) -> str:
    """Format a number with its sign, of the width of a digit column."""
    return f"{value:+.{digits}f}".replace("-", "−")


def spanned(low: float | None, high: float | None) -> str:
    """An interval with its signs; nothing where there is none."""
    return "" if low is None or high is None else span(low, high, 2, signed=True).replace("-", "−")
