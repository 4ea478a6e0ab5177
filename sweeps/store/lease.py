"""The lease of a compactor: a file with a name and a time, for places without file locks, such as some NFS."""

import json
import os
import platform
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FILE = "compact.lease"
SECONDS = 600.0
"""Seconds after which the holder counts as dead, wherever it runs, unless it has renewed the lease."""


class HeldError(Exception):
    """Raised if another process holds the lease; says which and until when."""


class Lease:
    """Lease of one sweep's folder, held by this object until it is given up or expires."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time):
        self.path, self.clock, self.token = directory / FILE, clock, uuid.uuid4().hex

    def take(self) -> None:
        """Take the lease, also from a dead holder.

        Raises:
            HeldError: somebody else holds it.
        """
        holder = _read(self.path)
        if holder is not None:
            if holder["until"] > self.clock() and not _dead(holder):
                until = time.strftime("%H:%M:%S", time.localtime(holder["until"]))
                raise HeldError(
                    f"process {holder['pid']} on {holder['host']} is compacting, at the latest until {until}"
                )
            self._bury(holder)
        draft = self._draft()
        try:
            os.link(draft, self.path)  # fails if another process was faster, on NFS, too
        except FileExistsError as error:
            raise HeldError("another process has just begun to compact") from error
        finally:
            draft.unlink()

    def check(self) -> None:
        """Renew the lease, before anything takes effect under it.

        Raises:
            HeldError: it has expired and another process has taken it.
        """
        holder = _read(self.path)
        if holder is None or holder["token"] != self.token:
            raise HeldError("this compaction took so long that another one has begun; it has changed nothing")
        self._draft().replace(self.path)

    def give_up(self) -> None:
        """Let others compact, if the lease is still ours."""
        holder = _read(self.path)
        if holder is not None and holder["token"] == self.token:
            self.path.unlink(missing_ok=True)

    def _draft(self) -> Path:
        until = self.clock() + SECONDS
        terms = {"pid": os.getpid(), "host": platform.node(), "until": until, "token": self.token}
        draft = self.path.with_name(f"{FILE}.{self.token}")
        draft.write_text(json.dumps(terms), encoding="utf-8")
        return draft

    def _bury(self, holder: dict[str, Any]) -> None:
        """Remove a dead holder's lease, and no other: of two processes that try, one moves it away."""
        grave = self.path.with_name(f"{FILE}.{self.token}")
        try:
            self.path.rename(grave)
        except FileNotFoundError:
            return
        if (moved := _read(grave)) is not None and moved["token"] != holder["token"]:
            os.link(grave, self.path)  # it belongs to a live process, which took it a moment ago
        grave.unlink()


@contextmanager
def lease_of(directory: Path, clock: Callable[[], float] = time.time) -> Generator[Lease]:
    """Hold the lease of a sweep's folder for as long as the block lasts.

    Raises:
        HeldError: somebody else holds it.
    """
    lease = Lease(directory, clock)
    lease.take()
    try:
        yield lease
    finally:
        lease.give_up()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return {"pid": None, "host": "", "until": 0.0, "token": ""}  # cut off by a crash


def _dead(holder: dict[str, Any]) -> bool:
    """Return whether the holder is a process of this machine that no longer runs."""
    if holder["host"] != platform.node() or holder["pid"] is None:
        return False
    try:
        os.kill(holder["pid"], 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False
