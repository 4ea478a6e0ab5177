"""Asynchronous Hyperband: several ladders of rungs at once, so that none has to be trusted alone."""

import math
from typing import Annotated, Literal

from pydantic import Field

from contrastive.types import Count, strict
from sweeps.stoppers.asha import AshaJudge
from sweeps.stoppers.judge import Judge, Verdict
from sweeps.stoppers.settings import Ladder, Rungs


@strict(kw_only=True)
class Hyperband(Rungs):
    """Asynchronous Hyperband: brackets of successive halving that begin to compare at different epochs.

    Li et al., JMLR 2018, with the asynchronous brackets of Li et al., MLSys 2020: bracket b is ASHA (stopping
    form) with the first b rungs left out. A bracket gets runs in proportion to the paper's numbers, so that all
    are meant to cost alike; the last does not stop anything, or only near the end.
    """

    name: Literal["hyperband"] = "hyperband"
    grace: Count | None = 1
    reduction: Annotated[int, Field(ge=2)] = 3

    def weights(self, epochs: int) -> tuple[int, ...]:
        """Return the relative number of runs of each bracket: ceil((s + 1) / (s - b + 1) reduction^(s - b))."""
        first = (*self.rungs(epochs), epochs)[0]
        largest = max(k for k in range(epochs.bit_length()) if first * self.reduction**k <= epochs)
        return tuple(
            math.ceil((largest + 1) / (left + 1) * self.reduction**left) for left in range(largest, -1, -1)
        )

    def judge(self, epochs: int, *, deviation: float | None = None) -> Judge:
        """See `Settings`."""
        rungs, weights = self.rungs(epochs), self.weights(epochs)
        brackets = [
            AshaJudge(rungs[b:], self.reduction, self.margin(deviation), f" of bracket {b + 1}")
            for b in range(len(weights))
        ]
        return _HyperbandJudge(brackets, weights)

    def ladder(self, epochs: int, runs: int) -> Ladder:
        """Return all rungs, and how many runs go on after each if every bracket keeps exactly its share."""
        weights = self.weights(epochs)
        # After rung k bracket b has compared k + 1 - b times.
        alive = [
            sum(w / self.reduction ** max(0, k + 1 - b) for b, w in enumerate(weights))
            for k in range(len(self.rungs(epochs)))
        ]
        shares = [runs * weight / sum(weights) for weight in alive]
        return tuple(zip(self.rungs(epochs), (max(1.0, share) for share in shares), strict=True))


class _HyperbandJudge(Judge):
    def __init__(self, brackets: list[AshaJudge], weights: tuple[int, ...]):
        super().__init__()
        self.brackets, self.weights = brackets, weights
        self.counts = [0] * len(brackets)
        self.bracket: dict[str, AshaJudge] = {}

    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        if run not in self.bracket:
            self.bracket[run] = self._assign()
        verdict = self.bracket[run].observe(run, epoch, value)
        self.comparison = self.bracket[run].comparison
        return verdict

    def _assign(self) -> AshaJudge:
        """Return the bracket furthest behind its share, of several the largest; none gets a run ahead of its share.

        The quota method (Balinski and Young 1975): without the second rule large brackets run ahead.
        """
        come, whole = sum(self.counts) + 1, sum(self.weights)
        within = [b for b, weight in enumerate(self.weights) if self.counts[b] * whole < come * weight]
        behind = min(within, key=lambda b: (self.counts[b] + 1) / self.weights[b])
        self.counts[behind] += 1
        return self.brackets[behind]
