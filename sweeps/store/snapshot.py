"""Snapshots: a sweep's rows at one moment, without locks, also while writers append and a compactor folds."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from sweeps.store import fold, parts, segments
from sweeps.store.parts import Index
from sweeps.store.schema import LOG

Found = TypeVar("Found")
TRIES = 100


@dataclass(frozen=True)
class Snapshot:
    """The valid parts, and all rows of the runs that have further rows outside the parts."""

    directory: Path
    index: Index
    live: dict[str, pa.Table] = field(repr=False)

    def facts(self, table: str) -> pa.Table:
        """Return all rows, with a column that marks those replaced by later ones."""
        live, outside = self.live[table], parts.read_parts(self.directory, self.index.of(table))
        if table != "events" and len(live):
            again = pc.field("run").isin(live["run"].unique())
            outside = [rows.filter(~again) for rows in outside]
        return fold.settle([*outside, live], table)

    def read(self, table: str) -> pa.Table:
        """Return the current rows."""
        return fold.current(self.facts(table))


def snapshot(directory: Path) -> Snapshot:
    """Take a snapshot of a table of the sweep in `directory`.

    Raises:
        StoreError: its list of parts cannot be read.
    """

    def look(index: Index) -> Snapshot:
        return Snapshot(directory, index, {table: _live(directory, index, table) for table in LOG})

    return steadily(directory, look)


def facts(directory: Path, table: str) -> pa.Table:
    """Return all rows of one table (Snapshot.facts)."""

    def look(index: Index) -> pa.Table:
        return Snapshot(directory, index, {table: _live(directory, index, table)}).facts(table)

    return steadily(directory, look)


def steadily(directory: Path, look: Callable[[Index], Found]) -> Found:
    """Return the result of `look` without a compaction in between; it is repeated if one took effect."""
    for _ in range(TRIES):
        index = parts.read_index(directory)
        try:
            found = look(index)
        except FileNotFoundError:
            if parts.read_index(directory).generation == index.generation:
                raise
            continue
        if parts.read_index(directory).generation == index.generation:
            return found
    raise TimeoutError(f"{directory} has been compacted {TRIES} times while it was read; read it again")


def sources(directory: Path, table: str, index: Index, writer: str = "*") -> list[Path]:
    """Return the segments not folded yet; of all writers, or of those whose names match the pattern."""
    folded = set(index.folded)
    return [
        p for p in segments.paths(directory, table, writer) if str(p.relative_to(directory)) not in folded
    ]


def before(directory: Path, table: str, index: Index, *, runs: Iterable[str] | None = None) -> list[pa.Table]:
    """Return the rows of a table that version 1 has folded, of all runs or of some, if they were not folded anew."""
    path = parts.legacy(directory, table)
    known = path.name in index.folded or not path.is_file()
    return [] if known else [fold.widen(parts.load_part(path, runs=runs), table)]


def _live(directory: Path, index: Index, table: str) -> pa.Table:
    found = [segments.read_segment(path) for path in sources(directory, table, index)]
    rows = [fold.widen(one.table, table) for one in found if one and one.table is not None]
    rows += before(directory, table, index)
    if not rows:
        return fold.empty(table)
    held = index.of(table) if table != "events" else []  # events replace nothing
    runs = {run for one in rows for run in one["run"].unique().to_pylist()}
    return fold.settle([*rows, *parts.read_parts(directory, held, runs=runs)], table)
