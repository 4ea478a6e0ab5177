"""The only way in: each process appends to segments of its own, a batch at a time, and shares no file."""

import json
import os
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from sweeps.store.schema import TABLES, State

END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""End of an Arrow IPC stream: a segment that has it is closed."""

SYNC_SECONDS = 5.0


class Writer:
    """Appends to `directory/segments/<table>-<name>.arrows`, opened when first needed.

    A batch reaches the operating system in one write before the call returns, so a killed process loses
    nothing that was reported; every few seconds it also reaches the disk, for power cuts. Batches are not
    compressed: at a few rows each, zstd made segments larger and 20 times slower to read.
    """

    def __init__(self, directory: Path, name: str, clock: Callable[[], float] = time.time):
        if not name or Path(name).name != name:
            raise ValueError(
                f"a writer's name becomes part of a file name, got '{name}'; leave out separators"
            )
        self._directory, self._name, self._clock = directory / "segments", name, clock
        self._segments: dict[str, _Segment] = {}
        self._sequence, self._time, self._synced = 0, float("-inf"), float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def report(self, trial: str, attempt: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Appends the metrics of one epoch of one run.

        Raises:
            OSError: the disk is full or gone; what was reported before is intact.
        """
        shared = {"trial": trial, "attempt": attempt, "epoch": epoch}
        self._append("reports", [{**shared, "metric": m, "value": float(v)} for m, v in metrics.items()])

    def trial(
        self,
        *,
        trial: str,
        number: int,
        arm: str,
        seed: int,
        attempt: int,
        config: Mapping[str, Any],
        state: State,
        reason: str = "",
        epochs: int = 0,
    ) -> None:
        """Appends a run's new state; `reason` says why it was stopped or failed, `epochs` how far it came.

        Raises:
            OSError: the disk is full or gone; what was recorded before is intact.
        """
        row = {"trial": trial, "number": number, "arm": arm, "seed": seed, "attempt": attempt}
        text = json.dumps(config, sort_keys=True, separators=(",", ":"))
        self._append("trials", [{**row, "config": text, "state": state, "reason": reason, "epochs": epochs}])

    def event(self, kind: str, trial: str = "", epoch: int = 0, **detail: Any) -> None:
        """Appends what was done, to which run at which epoch, and why.

        Raises:
            OSError: the disk is full or gone; what was recorded before is intact.
        """
        text = json.dumps(detail, sort_keys=True, separators=(",", ":"))
        self._append("events", [{"trial": trial, "epoch": epoch, "kind": kind, "detail": text}])

    def sync(self) -> None:
        """Waits until all that was appended is on disk."""
        for segment in self._segments.values():
            os.fsync(segment.file.fileno())
        self._synced = self._time

    def close(self) -> None:
        """Marks the segments as ended, on disk; a later report opens new ones."""
        for segment in self._segments.values():
            segment.append(END)
        self.sync()
        for segment in self._segments.values():
            segment.file.close()
        self._segments = {}

    def _append(self, table: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        self._time = max(self._time, self._clock())  # a clock that is set back must not reorder the rows
        stamped = [{**row, "time": self._time, "sequence": self._sequence} for row in rows]
        batch = pa.RecordBatch.from_pylist(stamped, schema=TABLES[table])
        if table not in self._segments:
            head = TABLES[table].serialize().to_pybytes()
            self._segments[table] = _Segment(self._directory, f"{table}-{self._name}", head)
        self._segments[table].append(batch.serialize())
        self._sequence += 1
        if self._time - self._synced >= SYNC_SECONDS:
            self.sync()


class _Segment:
    """A file of whole IPC messages."""

    def __init__(self, directory: Path, stem: str, head: bytes):
        directory.mkdir(parents=True, exist_ok=True)
        for suffix in count():
            path = directory / (f"{stem}.{suffix}.arrows" if suffix else f"{stem}.arrows")
            try:
                self.file = path.open("xb", buffering=0)
                break
            except FileExistsError:  # an earlier writer of this name: never append behind a possible tear
                continue
        self.head = head

    def append(self, message: Any) -> None:
        """Writes one message whole, or leaves the file as it was."""
        start = self.file.tell()
        left = memoryview((b"" if start else self.head) + bytes(message))
        try:
            while left:
                left = left[self.file.write(left) :]
        except BaseException:
            self.file.truncate(start)  # rows behind half a message could never be read
            self.file.seek(start)
            raise
