"""Results of a recorded sweep, with its trained encoders."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.arms import Arm
from analysis.results import Results

if TYPE_CHECKING:
    import torch

    from contrastive.checkpoint import Pretrained


@dataclass(frozen=True)
class TrainedArm(Arm):
    """An arm whose runs may have kept their checkpoints."""

    checkpoints: dict[int, Path] = field(default_factory=dict[int, Path], repr=False)
    """Of its complete runs, by seed."""

    def encoder(self, *, seed: int | None = None, device: "str | torch.device" = "cpu") -> "Pretrained":
        """Load a trained encoder of the arm, with its configuration and what standardises its images.

        Args:
            seed: of which run; by default of the first that has a checkpoint.
            device: where its modules shall be.

        Raises:
            ValueError: no checkpoint of it is kept; says which are.
        """
        from contrastive.checkpoint import load_encoder

        kept = [one for one in sorted(self.checkpoints) if self.checkpoints[one].is_file()]
        wanted = next(iter(kept), None) if seed is None else seed
        if wanted is None or wanted not in kept:
            raise ValueError(
                f"seed = {seed}: arm {self.number} has checkpoints of the seeds {kept or 'none'}; sweeps keep those "
                "of their best arms (keep=3), and a run that was reused has its own in its sweep"
            )
        return load_encoder(self.checkpoints[wanted], device=device)


class Sweep(Results):
    """A sweep as it is recorded, also while it runs, whose best arm gives its trained encoder."""

    @property
    def best(self) -> TrainedArm | None:
        """The best complete arm, on fresh seeds where there are any; None while there is none."""
        best = super().best
        if best is None:
            return None
        runs = [row for row in self.runs if row["arm"] == best.digest and row["seed"] in best.scores]
        folders = {row["seed"]: self.directory / "checkpoints" / row["run"] for row in runs}
        found = {seed: folder / "checkpoint.pt" for seed, folder in folders.items()}
        return TrainedArm(**{f.name: getattr(best, f.name) for f in fields(best)}, checkpoints=found)
