"""One-epoch successive halving: the baseline that every other stopper has to beat."""

from typing import Literal

from contrastive.types import Count, strict
from sweeps.stoppers.judge import Judge
from sweeps.stoppers.rung import PausingJudge
from sweeps.stoppers.settings import Ladder, Settings


@strict(kw_only=True)
class OneEpoch(Settings):
    """The baseline: all runs are trained for one epoch (or a few), then the best of them to the end.

    Egele et al. 2023, "Is one epoch all you need for multi-fidelity hyperparameter optimization?"; with more
    epochs, their i-Epoch (Egele et al. 2024).
    """

    name: Literal["one_epoch"] = "one_epoch"
    epochs: Count = 1
    """Number of epochs after which each run pauses."""
    keep: Count = 3
    """Number of runs that go on, once all have been compared."""

    def judge(self, epochs: int, *, deviation: float | None = None) -> Judge:
        """See `Settings`."""
        return _OneEpochJudge(self.meetings(epochs), epochs, self.keep)

    def meetings(self, epochs: int) -> tuple[int, ...]:
        """Return the epoch at which runs pause; see `Settings`."""
        return (self.epochs,) if self.epochs < epochs else ()

    def ladder(self, epochs: int, runs: int) -> Ladder:
        """Return the epoch at which all runs are compared, and how many go on."""
        return ((self.epochs, float(min(self.keep, runs))),) if self.epochs < epochs else ()


class _OneEpochJudge(PausingJudge):
    def __init__(self, rungs: tuple[int, ...], epochs: int, keep: int):
        super().__init__(rungs, epochs)
        self.keep = keep

    def places(self, level: int) -> int:
        return 0

    def last_places(self, level: int) -> int:
        return self.keep
