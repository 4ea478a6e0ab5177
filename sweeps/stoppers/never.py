"""No early stopping."""

from typing import Literal

from contrastive.types import strict
from sweeps.stoppers.judge import Judge, Observer, Verdict
from sweeps.stoppers.settings import Ladder, Settings


@strict(kw_only=True)
class Never(Settings):
    """No early stopping: every run is trained to its end."""

    name: Literal["none"] = "none"

    def judge(self, epochs: int, *, runs: int, deviation: float | None = None) -> Judge:
        """Return a new judge of runs that are compared with each other."""
        return _NeverJudge()

    def meetings(self, epochs: int) -> tuple[int, ...]:
        """Return no meetings; see `Settings`."""
        return ()

    def ladder(self, epochs: int, runs: int) -> Ladder:
        """Return no rungs."""
        return ()


class _NeverJudge(Observer):
    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        return None
