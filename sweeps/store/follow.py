"""Reads what writers append as they append it, and none of it twice."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from sweeps.store.schema import TABLES


@dataclass
class Follower:
    """Follows one table of a sweep. Of each segment it reads on from where it stopped.

    What the compactor folds comes again with the Parquet file: rows are facts, each known by its key.
    """

    directory: Path
    table: str
    read: dict[Path, int] = field(default_factory=dict[Path, int], init=False)
    """How many bytes of each segment have been read."""
    folded: tuple[int, int] | None = field(default=None, init=False)
    """Inode and size of the Parquet file that was read last; a new one has another inode."""

    def new(self) -> pa.Table:
        """The rows recorded since the last call, at first all, in the order of time."""
        # Segments first, as in query.rows: one that is folded in the meantime is found in the Parquet file.
        paths = sorted(self.directory.glob(f"segments/{self.table}-*.arrows"))
        batches = [batch for path in paths for batch in self._appended(path)]
        parts = [pa.Table.from_batches(batches, schema=TABLES[self.table]), *self._parquet()]
        return pa.concat_tables(parts).sort_by([("time", "ascending"), ("sequence", "ascending")])

    def _appended(self, path: Path) -> list[pa.RecordBatch]:
        try:
            with path.open("rb") as file:
                start = self.read.get(path, 0)
                if file.seek(0, 2) < start:  # another segment of the same name, after a fold
                    start = 0
                file.seek(start)
                source = pa.BufferReader(file.read())
        except FileNotFoundError:
            return []
        batches, end = [], 0
        while (message := _next(source)) is not None:
            if message.type == "record batch":
                batches.append(ipc.read_record_batch(message, TABLES[self.table]))
            end = source.tell()
        self.read[path] = start + end
        return batches

    def _parquet(self) -> list[pa.Table]:
        path = self.directory / f"{self.table}.parquet"
        if not path.is_file():
            return []
        stat = path.stat()
        known, self.folded = self.folded, (stat.st_ino, stat.st_size)
        return [] if known == self.folded else [pq.read_table(path, schema=TABLES[self.table])]


def _next(source: pa.BufferReader) -> ipc.Message | None:
    """The next whole message, or None at the end mark, at the end and before what is half written."""
    try:
        return ipc.read_message(source)
    except (EOFError, pa.ArrowInvalid, OSError):
        return None
