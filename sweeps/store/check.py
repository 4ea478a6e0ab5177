"""Read-only check of every file of a store."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sweeps.store import lease, parts, segments
from sweeps.store.layout import MANIFEST, StoreError, read_manifest
from sweeps.store.parts import Index
from sweeps.store.schema import LOG
from sweeps.store.snapshot import snapshot, sources


@dataclass
class Checked:
    """Result of the check of one sweep: its contents, notes and errors; one sentence each, with what to do."""

    name: str
    runs: int = 0
    reports: int = 0
    parts: int = 0
    segments: int = 0
    notes: list[str] = field(default_factory=list[str])
    """Findings without loss of complete rows."""
    errors: list[str] = field(default_factory=list[str])
    """Findings of rows that cannot be read."""

    def text(self) -> str:
        """Return the result as text."""
        held = f"{self.runs} runs, {self.reports} reports in {self.parts} parts and {self.segments} segments"
        lines = [f"{self.name}: {held}", *(f"  note: {note}" for note in self.notes)]
        return "\n".join([*lines, *(f"  error: {error}" for error in self.errors)])


def check(directory: Path) -> Checked:
    """Read every file of the sweep in `directory`."""
    found = Checked(directory.name)
    try:
        index = parts.read_index(directory)
        read_manifest(directory)
    except StoreError as error:
        found.errors.append(str(error))
        return found
    except ValueError as error:
        found.errors.append(f"{MANIFEST} is no JSON ({error}); put back a copy of it: it cannot be made anew")
        return found
    _check_parts(directory, index, found)
    _check_segments(directory, index, found)
    found.notes += _left_behind(directory, index)
    if not found.errors:
        taken = snapshot(directory)
        found.runs, found.reports = len(taken.read("runs")), len(taken.read("reports"))
    return found


def _check_parts(directory: Path, index: Index, found: Checked) -> None:
    for part in index.parts:
        found.parts += 1
        path = parts.part_path(directory, part)
        try:
            rows = sum(len(batch) for batch in pq.ParquetFile(path).iter_batches())
        except FileNotFoundError:
            found.errors.append(f"{path} is missing, {part.rows} rows of {part.table}; put back a copy of it")
            continue
        except (OSError, pa.ArrowInvalid) as error:
            found.errors.append(
                f"{path} cannot be read ({' '.join(str(error).split())}); put back a copy of it"
            )
            continue
        if rows != part.rows:
            found.errors.append(f"{path} has {rows} rows instead of {part.rows}; put back a copy of it")


def _check_segments(directory: Path, index: Index, found: Checked) -> None:
    for table in LOG:
        for path in sources(directory, table, index):
            found.segments += 1
            segment = segments.read_segment(path)
            if segment and segment.torn and not segment.batches:
                found.notes.append(f"{path.name} holds no whole record: its writer was killed in its first")
    found.notes += map(str, segments.torn(directory))


def _left_behind(directory: Path, index: Index) -> list[str]:
    notes = [
        f"{path.relative_to(directory)} is of a compaction that was cut off before it took effect; no row is in it "
        "alone, so it can be removed"
        for path in parts.strays(directory, index)
    ]
    notes += [
        f"{path.name} was left by a write that was cut off; it can be removed"
        for path in sorted(directory.glob("*.partial"))
    ]
    if (directory / lease.FILE).is_file():
        notes.append(f"{lease.FILE}: somebody is compacting, or was killed doing it; the next one takes over")
    return notes
