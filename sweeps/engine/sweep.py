"""Sweeps in the store: folder, plan and images."""

from dataclasses import dataclass
from pathlib import Path

from contrastive.config import arm
from contrastive.data import Dataset
from sweeps.planning.plan import Plan


@dataclass(frozen=True)
class Sweep:
    """A sweep's folder in the store, its plan and its images."""

    directory: Path
    plan: Plan
    dataset: Dataset
    cache: Path

    @property
    def default_arm(self) -> str:
        """Arm that everything is compared with."""
        return arm(self.plan.space.base, self.dataset.fingerprint)

    def checkpoint(self, run: str) -> Path:
        """Return the path of a run's checkpoint, if it is kept."""
        return self.directory / "checkpoints" / run / "checkpoint.pt"
