"""The checkpoints of a sweep: how many are kept, how much disk they may take, and reuse of those of other sweeps."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


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
