"""Asynchronous successive halving that stops runs for good."""

from bisect import insort
from typing import Literal

from contrastive.types import strict
from sweeps.stoppers.judge import Judge, Peers, Verdict
from sweeps.stoppers.settings import Rungs


@strict(kw_only=True)
class Asha(Rungs):
    """Asynchronous successive halving, stopping form: at a rung the best 1/reduction of those that reached it go on.

    Li et al., MLSys 2020, in the variant without pauses; the share is rounded up, so the first run to come to a
    rung goes on. `grace` None means a sixth of the horizon: earlier, accuracy may say how fast a run warms up, not
    where it ends.
    """

    name: Literal["asha"] = "asha"

    def judge(self, epochs: int, *, deviation: float | None = None) -> Judge:
        """See `Settings`."""
        return AshaJudge(self.rungs(epochs), self.reduction, self.margin(deviation))


class AshaJudge(Judge):
    """Judge that compares a run with those that reached the same rung before it."""

    def __init__(self, rungs: tuple[int, ...], reduction: int, margin: float, among: str = ""):
        super().__init__()
        self.reduction, self.margin, self.among = reduction, margin, among
        self.values: dict[int, list[float]] = {rung: [] for rung in rungs}

    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        """See `Judge`."""
        rung = self.values.get(epoch)
        if rung is None:
            return None
        insort(rung, value)
        kept = -(-len(rung) // self.reduction)
        cutoff = rung[-kept]
        self.comparison = Peers(cutoff, len(rung))
        if value >= cutoff - self.margin:
            return None
        noise = f" by more than {self.margin:.1f}" if self.margin else ""
        best = f"the best {kept} of {len(rung)}{self.among}"
        return Verdict("stop", f"rung {epoch}: {value:.1f} below {cutoff:.1f}{noise}, {best}")
