"""Expected best of n arms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, stdtrit

from analysis.arms import PLANNED, Arm
from analysis.intervals import Ends, span
from analysis.load import Record
from analysis.paired import ALPHA, spread
from analysis.summarise import summarise

BLOCKS = 4
"""Number of searches of n arms that N arms must contain for an interval of the best of n."""


@dataclass(frozen=True)
class BestOf:
    """The expected best of n = 1, 2, ... N of a sweep's arms, (N,), in points of the metric."""

    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """Ends of its 95 % interval, which never fall as n grows; nan beyond a quarter of the arms, where it would fail."""
    unfinished: int
    """Number of stopped arms, which count by their last value."""
    failed: int
    """Number of failed arms, which count as the worst of the others."""
    design: str
    """Design of the arms: only those of `random` are draws."""

    @property
    def sentence(self) -> str:
        """Say what one arm is expected to reach, and a quarter, half and all of them."""
        count = len(self.expected)
        if self.scored == 1:
            score = f"One arm has a score, {self.expected[0]:.1f}"
            return f"{score}: what the best of n reaches takes two or more."
        numbers = sorted({1, count // 4, count // 2, count} - {0})
        parts = [f"{n}: {self.expected[n - 1]:.1f}{self._interval(n)}" for n in numbers]
        draws = f"; '{self.design}' does not draw them, so order matters too"
        if self.design == "random":
            draws = ""
        elif self.known:
            draws = f"; the intervals are those of independent draws{draws}"
        return f"Expected best of n arms: {', '.join(parts)}{draws}."

    @property
    def scored(self) -> int:
        """Number of arms with a score of their own; where it is one, failed arms count by that score."""
        return len(self.expected) - self.failed

    @property
    def known(self) -> int:
        """Largest n with an interval."""
        return int(np.isfinite(self.low).sum())

    def _interval(self, number: int) -> str:
        low, high = self.low[number - 1], self.high[number - 1]
        return f" ({span(low, high)})" if np.isfinite(low) else ""


def expected_best(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected best of n of N scores, over all choices of n, for n = 1 to N: (..., N) to (..., N).

    The U-statistic of Tang et al. (ACL 2020). Dodge et al. (EMNLP 2019), who asked for such curves, let the n be
    drawn from the N with replacement; the same arm is then drawn twice, and the estimate is too low.
    """
    count = scores.shape[-1]
    rank = np.arange(1, count + 1)
    size = rank[:, None]
    chance = np.exp(_log_choose(rank - 1, size - 1) - _log_choose(count, size))
    return np.sort(scores, axis=-1) @ chance.T


def best_of(records: Mapping[str, Record]) -> dict[str, BestOf]:
    """Return the expected best of n arms of each sweep, by its name; compare sweeps at equal n.

    Arms count by their mean over the search's seeds, so the best contains luck. Stopped arms count by their last
    value, which they would have passed, and failed ones as the worst of the others: to leave them out would draw from
    the good ones only. Of a random search the default and published settings are left out, which were not drawn.

    The interval is Student's with the jackknife's error, as for any U-statistic (Arvesen, 1969), and N / n - 1 degrees
    of freedom: N arms are N / n searches of n. Of 8 to 80 normal, uniform or beta scores it covers 94 to 99 % for n up
    to a quarter of the arms, of exponential ones, whose one tail is long, 89 to 98 % (tests/analysis/test_coverage.py).
    Beyond that there is none: with N - 1 degrees of freedom it would cover 80 to 89 % at half of the arms.

    Raises:
        ValueError: no arm of a sweep has a score, or its arms were listed beforehand, so that n of them are no search.
    """
    return {name: _best_of(name, record) for name, record in records.items()}


def _best_of(name: str, record: Record) -> BestOf:
    design = record.manifest.get("plan", {}).get("design", "unknown")
    if design.partition(":")[0] in (*PLANNED, "rerun"):
        raise ValueError(
            f"{name}: its arms were listed beforehand (design '{design}'), so n of them are no search; "
            "see the table of arms, or take a sweep that draws them"
        )
    arms = [arm for arm in summarise(record).arms if arm.state != "running" and _drawn(arm, record, design)]
    failed = [arm for arm in arms if arm.state == "failed"]
    others = [(arm, arm.last) for arm in arms if arm.state != "failed" and arm.last is not None]
    if not others:
        raise ValueError(f"{name}: no arm has a score; let some complete")
    known = [last for _, last in others]
    scores = np.array([*known, *[min(known)] * len(failed)])
    unfinished = sum(arm.score is None for arm, _ in others)
    low, high = band(scores, record.within)
    return BestOf(expected_best(scores), low, high, unfinished, len(failed), design)


def band(scores: NDArray[np.float64], within: Ends) -> NDArray[np.float64]:
    """Ends of the 95 % interval of the expected best of n = 1, 2, ... N: (2, N), nan where there is none."""
    count, known = len(scores), len(scores) // BLOCKS
    ends = np.full((2, count), np.nan)
    if not known or not spread(scores):
        return ends
    without = np.broadcast_to(scores, (count, count))[~np.eye(count, dtype=bool)].reshape(count, -1)
    error = expected_best(without)[:, :known].std(axis=0) * (count - 1) ** 0.5
    half = stdtrit(count / np.arange(1, known + 1) - 1, 1 - ALPHA / 2) * error
    expected = expected_best(scores)[:known]
    # What n arms reach more of them reach, so a bound for n is one for more or fewer, too.
    ends[0, :known] = np.maximum.accumulate(expected - half)
    ends[1, :known] = np.minimum.accumulate((expected + half)[::-1])[::-1]
    return np.clip(ends, *within)


def _drawn(arm: Arm, record: Record, design: str) -> bool:
    """Return whether an arm was drawn by a random search: such arms come after the default and published settings."""
    first = record.manifest.get("plan", {}).get("space", {}).get("first", ())
    return design != "random" or arm.number > len(first)


def _log_choose(of: Any, some: Any) -> Any:
    return gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1)
