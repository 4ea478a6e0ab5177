"""Incremental reading of a running sweep: hardly anything is read twice."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from sweeps.store import fold, parts
from sweeps.store.parts import Index
from sweeps.store.segments import paths
from sweeps.store.snapshot import before, steadily


@dataclass
class Follower:
    """Incremental reader of one table of a sweep. In each segment it continues where it stopped.

    Rows that the compactor has folded are returned again with the part; they are identified by run, attempt, time
    and sequence.
    """

    directory: Path
    table: str
    read: dict[Path, int] = field(default_factory=dict[Path, int], init=False)
    """Number of bytes read of each segment."""
    schemas: dict[Path, pa.Schema] = field(default_factory=dict[Path, pa.Schema], init=False)
    folded: set[str] = field(default_factory=set[str], init=False)
    """Parts that have been read."""

    def new(self) -> pa.Table:
        """Return the rows recorded since the last call (at first all), as folded (fold.widen), in the order of time."""
        # Segments come first: one that is folded in the meantime is found in a part.
        batches = [batch for path in paths(self.directory, self.table) for batch in self._read_on(path)]
        appended = [fold.widen(pa.Table.from_batches([batch]), self.table) for batch in batches]
        rows = [*appended, *steadily(self.directory, self._parts)]
        found = fold.joined([fold.current(fold.empty(self.table)), *rows], self.table)
        return found.sort_by([("time", "ascending"), ("sequence", "ascending")])

    def _read_on(self, path: Path) -> list[pa.RecordBatch]:
        start = self.read.get(path, 0)
        try:
            with path.open("rb") as file:
                file.seek(start)
                source = pa.BufferReader(file.read())
        except FileNotFoundError:
            return []
        batches: list[pa.RecordBatch] = []
        end = 0
        while (message := _next(source)) is not None:
            if message.type == "schema":
                self.schemas[path] = ipc.read_schema(message)
            elif message.type == "record batch":
                batches.append(ipc.read_record_batch(message, self.schemas[path]))
            end = source.tell()
        self.read[path] = start + end
        return batches

    def _parts(self, index: Index) -> list[pa.Table]:
        new = [part for part in index.of(self.table) if part.file not in self.folded]
        found = [fold.without_mark(rows) for rows in parts.read_parts(self.directory, new)]
        legacy = parts.legacy(self.directory, self.table)
        if legacy.name not in self.folded:
            found += before(self.directory, self.table, index)
            self.folded |= {legacy.name} if legacy.is_file() else set()
        self.folded |= {part.file for part in new}
        return found


def _next(source: pa.BufferReader) -> ipc.Message | None:
    """Return the next complete message, or None at the end mark, at the end and before a partly written one."""
    try:
        return ipc.read_message(source)
    except (EOFError, pa.ArrowInvalid, OSError):
        return None
