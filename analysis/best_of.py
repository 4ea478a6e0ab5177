"""What so many arms may be expected to find: the best of n of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln

from analysis.arms import Arm
from analysis.compare import LEVEL
from analysis.load import Record
from analysis.summarise import summarise


@dataclass(frozen=True)
class BestOf:
    """The expected best of n = 1, 2, ... N of a sweep's arms, (N,), in points of the metric."""

    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """Ends of its 95 % interval; nan for all N, of which there is one choice only."""
    unfinished: int
    """How many of the arms were stopped and count by their last value."""
    failed: int
    """How many have failed and count as the worst of the others."""
    design: str
    """Where the arms come from: only those of `random` are draws."""

    @property
    def sentence(self) -> str:
        """What one arm is expected to reach, half of them, and all."""
        count = len(self.expected)
        parts = [
            f"{n}: {self.expected[n - 1]:.1f} ({self.low[n - 1]:.1f} to {self.high[n - 1]:.1f})"
            for n in dict.fromkeys((1, count // 2))
            if 0 < n < count
        ]
        parts.append(f"{count}: {self.expected[-1]:.1f}")
        draws = (
            "" if self.design == "random" else f"; '{self.design}' does not draw them, so order matters too"
        )
        return f"Expected best of n arms: {', '.join(parts)}{draws}."


def expected_best(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over all choices of n of N scores of the best among them, for n = 1 to N: (..., N) to (..., N).

    The U-statistic of Tang et al. (ACL 2020). Dodge et al. (EMNLP 2019), who asked for such curves, let the n be
    drawn from the N with replacement; the same arm is then drawn twice, and the estimate is too low.
    """
    count = scores.shape[-1]
    rank = np.arange(1, count + 1)
    size = rank[:, None]
    chance = np.exp(_log_choose(rank - 1, size - 1) - _log_choose(count, size))
    return np.sort(scores, axis=-1) @ chance.T


def best_of(records: Mapping[str, Record]) -> dict[str, BestOf]:
    """The expected best of n arms of each sweep, by its name; compare sweeps at equal n.

    Arms count by their mean over the search's seeds, so the best contains luck. Stopped arms count by their last
    value, which they would have passed, and failed ones as the worst of the others: to leave them out would draw from
    the good ones only. Of a random search the default and published settings are left out, which were not drawn.

    The interval is Student's with the jackknife's error, as for any U-statistic (Arvesen, 1969). Of 12 to 40 normal,
    exponential or beta scores it held the truth in 87 to 96 % of 300 samples for n up to a quarter of the arms, 81 to
    90 % for half of them; one from arms drawn anew 77 to 95 and 63 to 85 %, as it never sees a better arm.

    Raises:
        ValueError: no arm of a sweep has a score.
    """
    return {name: _best_of(name, record) for name, record in records.items()}


def _best_of(name: str, record: Record) -> BestOf:
    design = record.manifest.get("plan", {}).get("design", "unknown")
    arms = [arm for arm in summarise(record).arms if arm.state != "running" and _drawn(arm, record, design)]
    failed = [arm for arm in arms if arm.state == "failed"]
    others = [(arm, arm.last) for arm in arms if arm.state != "failed" and arm.last is not None]
    if not others:
        raise ValueError(f"{name}: no arm has a score; let some complete")
    known = [last for _, last in others]
    scores = np.array([*known, *[min(known)] * len(failed)])
    count = len(scores)
    half = np.full(count, np.nan)
    if count > 1:
        without = np.broadcast_to(scores, (count, count))[~np.eye(count, dtype=bool)].reshape(count, -1)
        error = expected_best(without).std(axis=0) * (count - 1) ** 0.5
        half[:-1] = stats.t.ppf((1 + LEVEL) / 2, count - 1) * error
    expected = expected_best(scores)
    unfinished = sum(arm.score is None for arm, _ in others)
    return BestOf(expected, expected - half, expected + half, unfinished, len(failed), design)


def _drawn(arm: Arm, record: Record, design: str) -> bool:
    """Whether an arm is one of the draws of a random search, which come after the default and published settings."""
    first = record.manifest.get("plan", {}).get("space", {}).get("first", ())
    return design != "random" or arm.number > len(first)


def _log_choose(of: Any, some: Any) -> Any:
    return gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1)
