"""A run as a sweep issues it, and what the study knows of it."""

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
        """As JSON-ready values."""
        return {**vars(self), "config": to_dict(self.config)}

    def row(self) -> dict[str, Any]:
        """The columns of a row of runs that say which run it is of."""
        columns = {name: value for name, value in vars(self).items() if name not in ("identity", "config")}
        return {"run": self.identity, "config": to_dict(self.config), **columns}


@dataclass
class StudyEntry:
    """What the study knows of a run; `arm` is the key of its values, `trial` and `number` are Optuna's."""

    run: IssuedRun
    arm: str
    trial: int
    number: int
    state: str = "running"
    values: tuple[float, ...] = ()
    epoch: int = 0
    origin: Origin | None = None
    """Who has proposed the arm; None in studies that were begun before this was kept."""
    unwell: bool = False
    """It was stopped for its own health, not for others that were better."""
