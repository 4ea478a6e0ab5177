"""Runs as a sweep issues them, as its study knows them, and how far they have come."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contrastive.config import Config, to_dict
from sweeps.engine.sampler_view import Origin
from sweeps.store.schema import seconds

METRIC = "knn_top1"
Metrics = Mapping[str, float]


@dataclass(frozen=True)
class IssuedRun:
    """One arm on one seed, as issued."""

    number: int
    identity: str
    arm: str
    seed: int
    config: Config
    attempt: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {**vars(self), "config": to_dict(self.config)}

    def row(self) -> dict[str, Any]:
        """Return the columns of a row of runs that identify the run."""
        columns = {name: value for name, value in vars(self).items() if name not in ("identity", "config")}
        return {"run": self.identity, "config": to_dict(self.config), **columns}


@dataclass
class StudyEntry:
    """The study's entry of a run; `arm` is the key of its values, `trial` and `number` are Optuna's."""

    run: IssuedRun
    arm: str
    trial: int
    number: int
    state: str = "running"
    values: tuple[float, ...] = ()
    epoch: int = 0
    origin: Origin | None = None
    """What proposed the arm; None in studies older than this record."""
    unwell: bool = False
    """Stopped by the guard (collapse or divergence), not because others were better."""


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

    def add(self, epoch: int, metrics: Metrics, *, spent: bool) -> bool:
        """Count an epoch; return False if it was counted before."""
        if epoch <= self.epoch:
            return False
        self.epoch, self.last = epoch, dict(metrics)
        for name, value in metrics.items():
            self.total[name] += value
        if spent:
            self.seconds += seconds(metrics)
        return True
