"""Writing to a store: each process appends to segments of its own, a batch at a time, and shares no file."""

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from sweeps.store.schema import FILES, LOG, ORIGIN, State, as_kept, seconds

END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""End of an Arrow IPC stream: a segment that has it is closed."""

SYNC_SECONDS = 5.0
ROTATE_SECONDS, ROTATE_BYTES = 300.0, 32 * 2**20
"""Age and size at which a segment is closed, so that it can be folded while its writer goes on."""


class Writer:
    """Writer that appends to `directory/segments/<table>-<name>.<token>.arrows`, opened when first needed.

    A batch reaches the operating system in one write before the call returns, so a killed process loses
    nothing that was reported; every few seconds it also reaches the disk, for power cuts. Batches are not
    compressed: at a row each, zstd made segments larger and 20 times slower to read; folded, they are.

    Args:
        directory: the sweep's folder.
        name: of the writer; becomes part of file names.
        clock: returns Unix seconds.
        origin: origin of the runs that it records, if any: columns of schema.ORIGIN.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        clock: Callable[[], float] = time.time,
        origin: Mapping[str, str] | None = None,
    ):
        if not name or Path(name).name != name:
            raise ValueError(
                f"a writer's name becomes part of a file name, got '{name}'; leave out separators"
            )
        self._directory, self._name, self._clock = directory / "segments", name, clock
        self.origin: Mapping[str, str] = dict.fromkeys(ORIGIN, "") | dict(origin or {})
        """Origin of the runs that it records; "" for unknown columns."""
        self._segments: dict[str, _Segment] = {}
        self._sequence, self._time, self._synced = 0, float("-inf"), float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def report(
        self,
        run: str,
        attempt: int,
        epoch: int,
        metrics: Mapping[str, float],
        *,
        step: int = 0,
        devices: float = 1.0,
    ) -> None:
        """Append the metrics of one epoch of one run; `devices`: number of its GPUs, or of processes without any.

        Raises:
            ValueError: a metric has no name.
            OSError: the disk is full or gone; what was reported before is intact.
        """
        if not metrics:
            return
        if "" in metrics:
            raise ValueError(
                f"run {run}, epoch {epoch}: a metric has no name, among {list(metrics)}; name it"
            )
        row = {"run": run, "attempt": attempt, "epoch": epoch, "step": step}
        took = seconds(metrics)
        cost = {"seconds": took, "device_seconds": devices * took}
        values = [(name, float(value)) for name, value in metrics.items()]
        self._append("reports", {**row, **cost, "metrics": values})

    def run(
        self,
        *,
        run: str,
        number: int,
        arm: str,
        seed: int,
        attempt: int,
        config: Mapping[str, Any],
        state: State,
        reason: str = "",
        epochs: int = 0,
        rung: int = 0,
        seconds: float = 0.0,
        device_seconds: float = 0.0,
        checkpoint: str = "",
        dropped: str = "",
        host: str = "",
        origin: Mapping[str, str] | None = None,
    ) -> None:
        """Append a run's new state; schema.RUNS describes the columns.

        `reason` says why it was stopped or failed, `host` where it runs if not on its driver's machine, `origin` which
        other columns of its origin differ from those of the driver's other runs.

        Raises:
            OSError: the disk is full or gone; what was recorded before is intact.
        """
        row = {"run": run, "number": number, "arm": arm, "seed": seed, "attempt": attempt}
        text = json.dumps(config, sort_keys=True, separators=(",", ":"))
        stand = {"state": state, "reason": reason, "epochs": epochs, "rung": rung, "checkpoint": checkpoint}
        cost = {"seconds": seconds, "device_seconds": device_seconds}
        whence = {**self.origin, **({"host": host} if host else {}), **(origin or {})}
        self._append("runs", {**row, "config": text, **stand, **cost, "dropped": dropped, **whence})

    def event(self, kind: str, run: str = "", epoch: int = 0, **detail: Any) -> None:
        """Append an event: what was done, to which run at which epoch, and why.

        Raises:
            OSError: the disk is full or gone; what was recorded before is intact.
        """
        text = json.dumps(detail, sort_keys=True, separators=(",", ":"))
        self._append("events", {"run": run, "epoch": epoch, "kind": kind, "detail": text})

    def sync(self) -> None:
        """Wait until everything appended is on disk."""
        for segment in self._segments.values():
            os.fsync(segment.file.fileno())
        self._synced = self._time

    def close(self) -> None:
        """Close the segments, on disk; a later report opens new ones."""
        for table in list(self._segments):
            self._segments[table].close()
            del self._segments[table]

    def _append(self, table: str, row: dict[str, Any]) -> None:
        self._time = max(self._time, self._clock())  # a clock set back must not reorder the rows
        stamped = {**row, "time": self._time, "sequence": self._sequence}
        schema = LOG[table]
        batch = pa.RecordBatch.from_arrays(
            [pa.array([stamped[field.name]], field.type) for field in schema], schema=as_kept(schema)
        )
        self._segment(table).append(batch.serialize())
        self._sequence += 1
        if self._time - self._synced >= SYNC_SECONDS:
            self.sync()

    def _segment(self, table: str) -> "_Segment":
        """Return the open segment of a table, a new one where it has become old or large."""
        segment = self._segments.get(table)
        if segment is not None and segment.due(self._time):
            segment.close()
            segment = None
        if segment is None:
            head = as_kept(LOG[table]).serialize().to_pybytes()
            segment = _Segment(self._directory, f"{FILES[table]}-{self._name}", head, self._time)
            self._segments[table] = segment
        return segment


class _Segment:
    """A file of complete IPC messages."""

    def __init__(self, directory: Path, stem: str, head: bytes, now: float):
        directory.mkdir(parents=True, exist_ok=True)
        # A name is never used twice: a folded segment must not be mistaken for a new one.
        path = directory / f"{stem}.{uuid.uuid4().hex[:12]}.arrows"
        self.file = path.open("xb", buffering=0)
        self.head, self.opened = head, now

    def due(self, now: float) -> bool:
        """Whether it is time for a new segment."""
        return now - self.opened >= ROTATE_SECONDS or self.file.tell() >= ROTATE_BYTES

    def close(self) -> None:
        """Mark the end and close the file, on disk."""
        self.append(END)
        os.fsync(self.file.fileno())
        self.file.close()

    def append(self, message: Any) -> None:
        """Write one message completely, or leave the file as it was."""
        start = self.file.tell()
        left = memoryview((b"" if start else self.head) + bytes(message))
        try:
            while left:
                left = left[self.file.write(left) :]
        except BaseException:
            self.file.truncate(start)  # rows behind a partial message could never be read
            self.file.seek(start)
            raise
