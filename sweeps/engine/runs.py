"""Runs as a sweep issues them, and as its study knows them."""

from dataclasses import dataclass
from typing import Any

from contrastive.config import Config, to_dict
from sweeps.engine.sampler_view import Origin


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
