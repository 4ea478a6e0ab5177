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

    def judge(self, epochs: int, *, deviation: float | None = None) -> Judge:
        """See `Settings`."""
        return PausingJudge(
            self.rungs(epochs), epochs, reduction=self.reduction, margin=self.margin(deviation)
        )
