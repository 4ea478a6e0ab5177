"""The checkpoints of a sweep: which are kept, how much disk they may take, and reuse of those of other sweeps."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sweeps.engine.retention import checkpoint_sizes, removable


@dataclass(frozen=True)
class Checkpoints:
    """Checkpoints of a sweep, one folder per run under `directory`.

    The `keep` best arms and the default keep theirs; `room` is the bytes that all together may take.
    """

    directory: Path
    keep: int
    room: int | None = None

    def of(self, run: str) -> Path | None:
        """Return the checkpoint of a run, or None."""
        path = self.directory / run / "checkpoint.pt"
        return path if path.is_file() else None

    def measure(self) -> dict[str, int]:
        """Measure the bytes of each checkpoint, by run."""
        return checkpoint_sizes(self.directory)

    def tidy(
        self,
        sizes: Mapping[str, int],
        states: Mapping[str, str],
        *,
        arm: Callable[[str], str],
        worth: Callable[[str], tuple[float, float]],
        default: str,
    ) -> None:
        """Remove the checkpoints that are no longer needed.

        Args:
            sizes: as measured just now.
            states: of these runs: "occupied" (never touched), "running" (here: paused), "complete",
                "undecided" (complete, but its arm is not), "stopped", "failed".
            arm: of a run.
            worth: of a run's checkpoint, by which the best are kept.
            default: the arm that everything is compared with.
        """
        ranked = sorted(states, key=worth, reverse=True)
        arms: dict[str, list[str]] = {}
        for run in ranked:
            if states[run] == "complete":
                arms.setdefault(arm(run), []).append(run)
        # An arm that is not complete on every seed may still become one of the best.
        waiting = [run for run in ranked if states[run] in ("running", "undecided")]
        gone = removable(
            sizes,
            running=[run for run in ranked if states[run] == "occupied"],
            paused=waiting,
            failed=[run for run in ranked if states[run] == "failed"],
            complete=list(arms.values()),
            default=arms.get(default, []),
            keep=self.keep,
            budget=self.room,
        )
        for run in gone:
            shutil.rmtree(self.directory / run, ignore_errors=True)

    def link(self, run: str, source: Path) -> None:
        """Reuse the checkpoint of an equal run, if it still exists; a hard link where both lie on one disk."""
        target = self.directory / run
        if not source.is_dir() or target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copytree(source, target, copy_function=os.link)
        except OSError:  # another file system
            shutil.copytree(source, target, dirs_exist_ok=True)
