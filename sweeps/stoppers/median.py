"""The median stopping rule."""

from bisect import insort
from typing import Literal

from contrastive.types import Count, NonNegative, strict
from sweeps.stoppers.judge import Judge, Peers, Verdict
from sweeps.stoppers.settings import Settings


@strict(kw_only=True)
class Median(Settings):
    """Median rule: a run ends if its best value is below the median of the other runs' averages up to that epoch.

    Golovin et al., KDD 2017 (Vizier), section 3.2.2. It compares a best value with averages over all epochs so
    far, hence it stops late and little on curves that rise.
    """

    name: Literal["median"] = "median"
    grace: Count | None = None
    """First epoch at which runs are compared; None means a sixth of the horizon."""
    startup: Count = 5
    """Number of other runs that must have reached an epoch before a run is stopped there."""
    noise: NonNegative = 0.0
    """Margin, in standard deviations over seeds, by which runs below the median still go on, where the sd is known."""

    def judge(self, epochs: int, *, deviation: float | None = None) -> Judge:
        """See `Settings`."""
        grace = self.grace or max(1, epochs // 6)
        return _MedianJudge(grace, epochs, self.startup, self.noise * (deviation or 0.0))


class _MedianJudge(Judge):
    def __init__(self, grace: int, epochs: int, startup: int, margin: float):
        super().__init__()
        self.grace, self.epochs, self.startup, self.margin = grace, epochs, startup, margin
        self.curves: dict[str, tuple[float, int, float]] = {}
        """Sum, number and maximum of each run's values."""
        self.averages: dict[int, list[float]] = {}

    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        """See `Judge`."""
        total, count, best = self.curves.get(run, (0.0, 0, value))
        total, count, best = total + value, count + 1, max(best, value)
        self.curves[run] = total, count, best
        if not self.grace <= epoch < self.epochs:
            return None
        averages = self.averages.setdefault(epoch, [])
        others = len(averages)
        middle = (averages[(others - 1) // 2] + averages[others // 2]) / 2 if others else best
        insort(averages, total / count)
        self.comparison = Peers(middle if others >= self.startup else None, len(averages))
        if others < self.startup or best >= middle - self.margin:
            return None
        noise = f" by more than {self.margin:.1f}" if self.margin else ""
        return Verdict(
            "stop",
            f"epoch {epoch}: best {best:.1f} below {middle:.1f}{noise}, the median of {others} averages",
        )
