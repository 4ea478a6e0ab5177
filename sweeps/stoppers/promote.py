"""Asynchronous successive halving as published: runs pause and the best are promoted."""

from typing import Literal

from contrastive.types import strict
from sweeps.stoppers.judge import Judge
from sweeps.stoppers.rung import PausingJudge
from sweeps.stoppers.settings import Rungs


@strict(kw_only=True)
class Promote(Rungs):
    """Asynchronous successive halving as published: runs pause at rungs, free places promote the best.

    Li et al., MLSys 2020, algorithm 2: of the runs that have come to a rung the best 1/reduction (rounded down)
    are promoted, from the highest rung first; otherwise a new run begins. Once none is to come, the best of every
    rung goes on, even of one with fewer than `reduction` runs: one at least is trained to the end.
    """

    name: Literal["promote"] = "promote"

    def judge(self, epochs: int, *, runs: int, deviation: float | None = None) -> Judge:
        """Return a new judge of runs that are compared with each other; `deviation` is the metric's sd over seeds."""
        return _PromoteJudge(self.rungs(epochs), epochs, self.margin(deviation), self.reduction)


class _PromoteJudge(PausingJudge):
    def __init__(self, rungs: tuple[int, ...], epochs: int, margin: float, reduction: int):
        super().__init__(rungs, epochs, margin)
        self.reduction = reduction

    def places(self, level: int) -> int:
        return len(self.rungs[level].order) // self.reduction

    def last_places(self, level: int) -> int:
        return max(1, self.places(level))
