"""Importance of parameters for the score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import LEVEL
from analysis.observed import Observed


@dataclass(frozen=True)
class Share:
    """Of one parameter, or of two together beyond what each does alone.

    From `low` to `high` are the middle 95 % of what `Importance.over` says: no confidence interval. A share is never
    below 0, so that of a parameter which does nothing lies above 0 in all of them.
    """

    keys: tuple[str, ...]
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Importance:
    """Shares that sum to 1, the largest first."""

    method: str
    shares: tuple[Share, ...]
    arms: int
    left_out: int
    over: str = "arms drawn anew"
    """What `low` and `high` of a share are over."""
    fit: float | None = None
    """R² of the forest behind it on arms that its trees have not seen; at most 1, above 0."""
    chance: float | None = None
    """How often shuffled scores give as large a value to some parameter, in place of the forest's fit."""

    @property
    def alone(self) -> tuple[Share, ...]:
        """Of single parameters, the largest first."""
        return tuple(share for share in self.shares if len(share.keys) == 1)

    @property
    def grounds(self) -> str:
        """What speaks for it being more than noise, and what its ranges are."""
        fit = "" if self.fit is None else f"out-of-bag R² {self.fit:.2f}; "
        chance = "" if self.chance is None else f"as large in {self.chance:.0%} of shuffles of the scores; "
        return f"{fit}{chance}ranges: the middle {LEVEL:.0%} over {self.over}, no confidence intervals"

    @property
    def sentence(self) -> str:
        """The shares for people."""
        parts = [f"{' with '.join(s.keys)} {s.share:.0%} ({s.low:.0%} to {s.high:.0%})" for s in self.shares]
        others = f", {self.left_out} that are not complete left out" if self.left_out else ""
        return f"{self.method} over {self.arms} arms{others}: {', '.join(parts)}; {self.grounds}."


def require(observed: Observed, fewest: int, what: str) -> None:
    """See whether there is enough to say which parameters matter.

    Raises:
        ValueError: fewer than `fewest` arms are complete, all have one score, or no parameter varies.
    """
    count = len(observed.scores)
    if count < fewest:
        raise ValueError(f"{what}: {count} arms are complete, it needs {fewest}; let the sweep grow (--arms)")
    if not np.ptp(observed.scores):
        score = f"{observed.scores[0]:g}"
        raise ValueError(f"{what}: all {count} arms score {score}; take a metric that tells them apart")
    if not any(len(np.unique(axis.positions)) > 1 for axis in observed.axes):
        raise ValueError(f"{what}: no parameter has two values in {count} arms; let something vary")


def importance(
    method: str,
    observed: Observed,
    keys: Sequence[tuple[str, ...]],
    values: NDArray[np.float64],
    draws: NDArray[np.float64],
) -> Importance:
    """Shares of `values` (terms,), with a range over those of `draws` (draws, terms) that are not all 0.

    Raises:
        ValueError: all values are 0: no parameter matters.
    """
    if not values.sum():
        count = len(observed.scores)
        raise ValueError(f"{method}: no parameter makes a difference in {count} arms; run more")
    draws = draws[draws.sum(axis=1) > 0]
    ends = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    low, high = np.quantile(draws / draws.sum(axis=1, keepdims=True), ends, axis=0)
    rows = zip(keys, values / values.sum(), low, high, strict=True)
    shares = sorted((Share(k, float(s), float(a), float(b)) for k, s, a, b in rows), key=lambda s: -s.share)
    return Importance(method, tuple(shares), len(observed.scores), observed.left_out)


def disagreement(one: Importance, other: Importance) -> str | None:
    """A sentence where two methods put another parameter first; None where they agree."""
    first, second = one.alone[0], other.alone[0]
    if first.keys == second.keys:
        return None
    places = f"{one.method} puts {first.keys[0]} first ({first.share:.0%}), {other.method} {second.keys[0]}"
    return (
        f"The two disagree: {places} ({second.share:.0%}). fANOVA asks what moves the score over the whole space, "
        "PED-ANOVA what tells the best arms from all; of few arms either may be chance."
    )
