"""What a run has reported so far in a sweep, and what it has cost."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sweeps.engine.runs import IssuedRun
from sweeps.store.schema import seconds

METRIC = "knn_top1"
Metrics = Mapping[str, float]


@dataclass
class RunProgress:
    """Of one run: its last epoch, sums over its epochs, and at which of them the stopper has judged it."""

    run: IssuedRun
    epoch: int = 0
    last: dict[str, float] = field(default_factory=dict[str, float])
    total: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    rung: int = 0
    seconds: float = 0.0
    """Trained in this sweep: epochs that were taken over from another have cost nothing here."""
    host: str = ""
    """Where it was trained last, if its driver was told."""

    def add(self, epoch: int, metrics: Mapping[str, float], *, spent: bool) -> bool:
        """Counts an epoch; False if it was counted before."""
        if epoch <= self.epoch:
            return False
        self.epoch, self.last = epoch, dict(metrics)
        for name, value in metrics.items():
            self.total[name] += value
        if spent:
            self.seconds += seconds(metrics)
        return True
