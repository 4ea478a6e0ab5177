"""Progress and cost of a run in a sweep."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sweeps.engine.runs import IssuedRun
from sweeps.store.schema import seconds

METRIC = "knn_top1"
Metrics = Mapping[str, float]


@dataclass
class RunProgress:
    """Progress of one run: its last epoch, sums over its epochs, and the epochs at which the stopper judged it."""

    run: IssuedRun
    epoch: int = 0
    last: dict[str, float] = field(default_factory=dict[str, float])
    total: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    rung: int = 0
    seconds: float = 0.0
    """Seconds trained in this sweep: epochs reused from another have cost nothing here."""
    host: str = ""
    """Host on which it was trained last, if known."""

    def add(self, epoch: int, metrics: Mapping[str, float], *, spent: bool) -> bool:
        """Count an epoch; return False if it was counted before."""
        if epoch <= self.epoch:
            return False
        self.epoch, self.last = epoch, dict(metrics)
        for name, value in metrics.items():
            self.total[name] += value
        if spent:
            self.seconds += seconds(metrics)
        return True
