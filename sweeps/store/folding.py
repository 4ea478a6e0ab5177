"""Folds what a running sweep has recorded, in a process of its own: the driver has better to do."""

import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

EVERY_SECONDS = 60.0
MANY = 500
"""So many segments are worth a fold: below it readers hardly notice them."""


@contextmanager
def folding(directory: Path, *, every: float = EVERY_SECONDS, many: int = MANY) -> Generator[None]:
    """While the block lasts, folds closed segments of the sweep in `directory` whenever there are many."""
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
    """What goes wrong there is told when the sweep has ended and is folded for good."""
    command = ["nice", sys.executable, "-m", "sweeps.store", "compact", str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if over.wait(0.2):
            process.terminate()  # at any moment it leaves the old parts or the new ones
            process.wait()
