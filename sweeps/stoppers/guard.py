"""The guard: detection of collapsed and diverged runs, each by itself."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass as plain
from typing import Annotated

from pydantic import Field

from contrastive.types import Count, NonNegative, strict

Watch = Callable[[str, int, Mapping[str, float]], str | None]
"""Function of run, epoch and metrics that returns why the run is to end, or None."""
UNWELL = ("collapsed:", "diverged:")
"""First words of the guard's reasons."""
FINITE = {"loss": "the loss", "knn_top1": "the kNN accuracy", "effective_rank": "the effective rank"}


@strict(kw_only=True)
class Guard:
    """Guard that ends collapsed and diverged runs, independent of other runs.

    Collapsed: the features have fallen to about one direction (Jing et al., ICLR 2022, call it dimensional
    collapse; effective rank after Roy & Vetterli 2007). Diverged: loss or accuracy is not finite, or the loss is
    far beyond all it has been.
    """

    collapse_rank: NonNegative = 1.5
    """An effective rank below this is a collapse; healthy runs have 10 and more. 0: no check."""
    patience: Count = 2
    """Consecutive epochs of a low rank or a high loss, either of which may recover, after which a run is ended."""
    divergence: Annotated[float, Field(gt=1, allow_inf_nan=False)] = 10.0
    """A loss above this multiple of its size so far is a divergence.

    Its size is the largest magnitude of the epochs before, at least 1. Losses may be negative (align-uniform,
    CACR), come close to 0 (SCE with a large batch) or rise for a while (MoCo fills its queue), so neither their
    ratio to the least so far nor to the range so far can be asked for. Cross-entropies and distances of unit
    vectors are of order 1: below that a rise means nothing, and healthy runs have stayed below 1.2 times their
    size.
    """

    def watch(self) -> Watch:
        """Return a new watch over any number of runs; a repeated report changes nothing."""
        return _Watch(self).observe


@plain
class _Health:
    epoch: int = 0
    size: float = 1.0
    low: int = 0
    """Consecutive epochs with too low a rank."""
    high: int = 0
    """Consecutive epochs with too high a loss."""
    reason: str | None = None


class _Watch:
    def __init__(self, guard: Guard):
        self.guard = guard
        self.runs: dict[str, _Health] = {}

    def observe(self, run: str, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """See `Watch`."""
        health = self.runs.setdefault(run, _Health())
        if epoch > health.epoch:
            first, health.epoch = health.epoch == 0, epoch
            health.reason = (
                _not_finite(metrics)
                or self._collapse(health, metrics)
                or self._divergence(health, metrics, first)
            )
        return health.reason if epoch == health.epoch else None

    def _collapse(self, health: _Health, metrics: Mapping[str, float]) -> str | None:
        rank, limit = metrics.get("effective_rank", math.inf), self.guard.collapse_rank
        health.low = health.low + 1 if rank < limit else 0
        if health.low < self.guard.patience:
            return None
        return f"collapsed: effective rank {rank:.2f} below {limit:g} for {_epochs(health.low)}"

    def _divergence(self, health: _Health, metrics: Mapping[str, float], first: bool) -> str | None:
        loss, limit = metrics.get("loss", 0.0), self.guard.divergence
        if first or loss <= limit * health.size:
            health.high, health.size = 0, max(health.size, abs(loss))
            return None
        health.high += 1
        if health.high < self.guard.patience:
            return None
        size = f"more than {limit:g} times {health.size:.3g}, its size before"
        return f"diverged: loss {loss:.4g} is {size}, for {_epochs(health.high)}"


def _not_finite(metrics: Mapping[str, float]) -> str | None:
    for name, words in FINITE.items():
        if not math.isfinite(metrics.get(name, 0.0)):
            return f"diverged: {words} is {metrics[name]}"
    return None


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' * (count > 1)}"
