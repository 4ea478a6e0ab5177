"""The driver of a sweep, and command lines on its store."""

import fcntl
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sweeps.store.layout import LOCK, being_written

STOP = "stop"
"""The file in a sweep's folder whose presence asks its driver to end."""
DEFAULT_STORE = Path("results")


@dataclass(frozen=True)
class Driver:
    """The process that carries a sweep out, as recorded in its lock file; None where that says nothing."""

    pid: int | None = None
    host: str | None = None

    def __str__(self) -> str:
        process = "a process" if self.pid is None else f"process {self.pid}"
        return process if self.host is None else f"{process} on {self.host}"


def driver(directory: Path) -> Driver | None:
    """Return the holder of a sweep's lock (`alone`), or None."""
    return _named((directory / LOCK).read_text()) if being_written(directory) else None


def ask_to_stop(directory: Path) -> Driver:
    """Ask the driver of a sweep to end, as one Ctrl-C does; return the driver.

    Raises:
        ValueError: no process is carrying the sweep out.
    """
    found = driver(directory)
    if found is None:
        raise ValueError(f"{directory.name} is not running, so there is nothing to stop")
    (directory / STOP).touch()
    return found


def asked_to_stop(directory: Path) -> bool:
    """Return whether another process has asked the sweep's driver to end."""
    return (directory / STOP).exists()


@contextmanager
def alone(directory: Path) -> Generator[None]:
    """Lock a sweep against a second driver for as long as this one lives.

    Raises:
        ValueError: another process is carrying the sweep out.
    """
    # Opened for appending: a second driver must not overwrite the first one's entry.
    with (directory / LOCK).open("a") as file:
        if not any(map(_locked, [file] * 3)):
            raise ValueError(
                f"another process is running {directory.name}; wait for it, or end it: sweeps stop {directory.name}"
            )
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": platform.node()}))
        file.flush()
        (directory / STOP).unlink(missing_ok=True)
        yield


@dataclass(frozen=True)
class Program:
    """A command line, as the user called it."""

    name: str = "sweeps"
    flags: bool = False
    """Whether it takes `--resume SWEEP` where `sweeps` takes `resume SWEEP`."""

    def line(self, words: str, store: Path) -> str:
        """Return what to type for a subcommand of `sweeps` and its words, on a store.

        >>> Program().line("resume ID", Path("my store"))
        "sweeps resume ID --store 'my store'"
        >>> script = Program("python sweeps/run.py", flags=True)
        >>> script.line("resume ID", DEFAULT_STORE), script.line("run --design grid", Path("mine"))
        ('python sweeps/run.py --resume ID', 'python sweeps/run.py --store mine --design grid')
        """
        place = "" if store == DEFAULT_STORE else f" --store {shlex.quote(str(store))}"
        if not self.flags:
            return f"{self.name} {words}{place}"
        command, _, rest = words.partition(" ")
        return f"{self.name}{place} {rest if command == 'run' else f'--{words}'}"


def called(*, flags: bool = False) -> Program:
    """Return the command line of this process; `flags` as in `Program`."""
    path = Path(sys.argv[0])
    if path.name in ("sweeps", "__main__.py"):
        return Program("sweeps" if path.name == "sweeps" else "python -m sweeps", flags)
    return Program(f"python {path}", flags)


def _named(text: str) -> Driver:
    try:
        content = json.loads(text)
        return Driver(content.get("pid"), content.get("host"))
    except (ValueError, AttributeError):  # just started, or of a version that did not record itself
        return Driver()


def _locked(file: IO[str]) -> bool:
    """Take the lock; return whether that succeeded. A mere look holds it for an instant, so it is tried twice."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        time.sleep(0.1)
        return False
    return True
