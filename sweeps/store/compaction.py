"""Compaction of segments into Parquet. A segment is removed only once the part with its rows is on disk and listed.

A crash at any moment leaves the old list or the new one, and with either each row is read once.
"""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from sweeps.store import fold, lease, parts, segments
from sweeps.store.layout import mark_version
from sweeps.store.parts import Index, Part
from sweeps.store.schema import EVENTS, LOG
from sweeps.store.segments import QUARANTINE, Segment
from sweeps.store.snapshot import before, sources

MAX_ROWS = 2_000_000
"""Rows above which a part is no longer merged for its size."""
GRACE_SECONDS = 60.0
"""Seconds for which a merged part stays, for readers that have it open."""


def compact(directory: Path, *, ended: bool = False, clock: Callable[[], float] = time.time) -> int:
    """Fold a sweep's closed segments into Parquet; may be called at any time.

    Args:
        directory: the sweep's folder.
        ended: the sweep has ended and has no writers, so that segments whose writers were killed are folded, too.
            Torn ones are moved to the folder `quarantine`, as evidence.
        clock: returns Unix seconds.

    Returns:
        the number of segments folded.

    Raises:
        HeldError: another process is compacting this sweep.
        StoreError: the list of its parts cannot be read.
    """
    if not directory.is_dir():
        return 0
    with lease.lease_of(directory, clock) as ours:
        index = _cleared(directory, parts.read_index(directory), clock())
        waiting = {table: _waiting(directory, table, index, ended=ended) for table in LOG}
        taken = [path for paths, _ in waiting.values() for path in paths]
        if not taken:
            return 0
        waiting["events"][1].append(_event(len(taken), clock()))
        found = [_fold(directory, table, index, rows) for table, (_, rows) in waiting.items()]
        ours.check()
        mark_version(directory.parent.parent)
        now, names = clock(), [str(path.relative_to(directory)) for path in taken]
        done = Index(
            generation=index.generation + 1,
            parts=tuple(part for held, _ in found for part in held),
            folded=tuple(sorted({*index.folded, *names})),
            merged=(*index.merged, *((part.file, now) for _, merged in found for part in merged)),
        )
        parts.write_index(directory, done)
        _remove(directory, done)
        return sum(path.suffix == ".arrows" for path in taken)


def _waiting(directory: Path, table: str, index: Index, *, ended: bool) -> tuple[list[Path], list[pa.Table]]:
    """Return the files of one table to be folded, and their rows."""
    found = [segments.read_segment(path) for path in sources(directory, table, index)]
    closed = [segment for segment in found if segment and (segment.closed or ended)]
    rows = [fold.widen(s.table, table) for s in closed if s.table is not None]
    old = before(directory, table, index)
    legacy = [parts.legacy(directory, table)] * len(old)
    return [*(segment.path for segment in closed), *legacy], [*rows, *old]


def _event(count: int, now: float) -> pa.Table:
    row = {"run": "", "epoch": 0, "kind": "compacted", "detail": json.dumps({"files": count})}
    return pa.Table.from_pylist([{**row, "time": now, "sequence": 0}], schema=EVENTS)


def _fold(directory: Path, table: str, index: Index, rows: list[pa.Table]) -> tuple[list[Part], list[Part]]:
    """Return the parts of one table after a fold, and the parts that it has replaced."""
    held, name = index.of(table), f"{index.generation + 1:06d}"
    if not rows:
        return held, []
    merged = _to_merge(directory, table, held, rows)
    whole = fold.settle([*rows, *parts.read_parts(directory, merged)], table)
    kept = [part for part in held if part not in merged]
    return [*kept, parts.write_part(directory, table, whole, name)], merged


def _to_merge(directory: Path, table: str, held: list[Part], rows: list[pa.Table]) -> list[Part]:
    """Return the parts with earlier rows of the same runs, and those small enough to be merged."""
    size = sum(map(len, rows))
    runs = {run for one in rows for run in one["run"].unique().to_pylist()}
    merged: list[Part] = []
    for part in sorted(held, key=lambda part: part.rows):
        shared = table != "events" and any(map(len, parts.read_parts(directory, [part], runs=runs)))
        if shared or (part.rows <= 2 * size and part.rows + size <= MAX_ROWS):
            merged.append(part)
            size += part.rows
    return merged


def _cleared(directory: Path, index: Index, now: float) -> Index:
    """Finish the cleanup of an earlier compaction, and drop removed files from the index."""
    _remove(directory, index)
    old = {file for file, since in index.merged if now - since >= GRACE_SECONDS}
    for file in old:
        (directory / parts.PARTS / file).unlink(missing_ok=True)
    left = tuple(name for name in index.folded if (directory / name).exists())
    merged = tuple(one for one in index.merged if one[0] not in old)
    return replace(index, folded=left, merged=merged)


def _remove(directory: Path, index: Index) -> None:
    """Remove what was folded; move torn segments aside."""
    for name in index.folded:
        path = directory / name
        segment: Segment | None = segments.read_segment(path) if path.suffix == ".arrows" else None
        if segment is not None and segment.torn:
            (directory / QUARANTINE).mkdir(exist_ok=True)
            path.replace(directory / QUARANTINE / path.name)
        else:
            path.unlink(missing_ok=True)
