"""Segments as writers have appended them: complete batches, up to one that a crash has cut off."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from sweeps.store.schema import FILES, as_read
from sweeps.store.writer import END

SEGMENTS, QUARANTINE = "segments", "quarantine"


@dataclass(frozen=True)
class Segment:
    """The complete batches of a segment, and whether its writer has closed it."""

    path: Path
    batches: tuple[pa.RecordBatch, ...]
    closed: bool
    bytes_lost: int
    """Bytes of the batch that was cut off."""

    @property
    def torn(self) -> bool:
        """Whether its writer was interrupted in mid-write."""
        return self.bytes_lost > 0

    @property
    def table(self) -> pa.Table | None:
        """Return its rows, with the columns that they were written with; None if there are none."""
        return as_read(pa.Table.from_batches(self.batches)) if self.batches else None


@dataclass(frozen=True)
class Torn:
    """A segment whose last batch was cut off by a crash; all batches before it are kept."""

    path: Path
    batches_kept: int
    bytes_lost: int

    def __str__(self) -> str:
        name = f"{self.path.parent.name}/{self.path.name}"
        kept = f"{self.batches_kept} records kept, {self.bytes_lost} bytes of the next lost"
        return f"{name} was cut off by a crash: {kept}"


def paths(directory: Path, table: str, writer: str = "*") -> list[Path]:
    """Return the segments of a table, by name; of all writers, or of those whose names match the pattern."""
    return sorted(directory.glob(f"{SEGMENTS}/{FILES[table]}-{writer}.arrows"))


def read_segment(path: Path) -> Segment | None:
    """Read a segment; None if it was folded and removed since it was listed."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    batches, end = _whole(data)
    rest = data[end:]
    closed = rest == END
    return Segment(path, tuple(batches), closed, bytes_lost=0 if closed else len(rest))


def torn(directory: Path) -> list[Torn]:
    """Return the segments of a sweep that a crash has cut off: those in use, then those in quarantine."""
    listed = (
        path for place in (SEGMENTS, QUARANTINE) for path in sorted(directory.glob(f"{place}/*.arrows"))
    )
    found = [segment for path in listed if (segment := read_segment(path))]
    return [Torn(one.path, len(one.batches), one.bytes_lost) for one in found if one.torn]


def _whole(data: bytes) -> tuple[list[pa.RecordBatch], int]:
    """Return the complete batches at the beginning of a stream, and where the last of them ends."""
    source, batches, end = pa.BufferReader(data), list[pa.RecordBatch](), 0
    with suppress(StopIteration, pa.ArrowInvalid, OSError):  # at the end, or before a partly written batch
        reader = ipc.open_stream(source, options=ipc.IpcReadOptions(use_threads=False))
        end = source.tell()
        while True:
            batches.append(reader.read_next_batch())
            end = source.tell()
    return batches, end
