"""Compaction of a running sweep's segments in a process of its own, so that the driver is not held up."""

import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

EVERY_SECONDS = 60.0
MANY = 500
"""Number of segments worth a fold: fewer hardly slow readers."""


@contextmanager
def folding(directory: Path, *, every: float = EVERY_SECONDS, many: int = MANY) -> Generator[None]:
    """Fold closed segments of the sweep in `directory`, whenever there are many, while the block lasts."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(every):
            if sum(1 for _ in directory.glob("segments/*.arrows")) >= many:
                _fold(directory, over)

    thread = threading.Thread(target=watch, name="folding", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _fold(directory: Path, over: threading.Event) -> None:
    """Fold, ignoring errors: these are reported by the last compaction, when the sweep has ended."""
    command = ["nice", sys.executable, "-m", "sweeps.store", "compact", str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if over.wait(0.2):
            process.terminate()  # killed at any moment, it leaves the old parts or the new ones
            process.wait()
