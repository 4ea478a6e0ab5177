"""Folds segments into Parquet. A segment is removed only when the file that holds its rows is on disk.

A crash before that leaves rows in both; rows are facts, each known by its key, so they are read once.
"""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from sweeps.store.layout import write_whole
from sweeps.store.query import rows, segments
from sweeps.store.schema import TABLES


def compact(directory: Path, *, ended: bool = False) -> int:
    """Folds a sweep's closed segments into reports.parquet and trials.parquet; may be called at any time.

    Args:
        directory: the sweep's folder.
        ended: the sweep has ended and nothing writes any more, so that segments whose writers were killed are
            folded too. Torn ones stay where they are, as evidence.

    Returns:
        how many segments were removed.
    """
    with _alone(directory):
        return sum(_fold(directory, table, ended) for table in TABLES)


def _fold(directory: Path, table: str, ended: bool) -> int:
    folded = [segment for segment in segments(directory, table) if segment.closed or ended]
    if not folded:
        return 0
    facts = rows(directory, table, folded)
    write_whole(directory / f"{table}.parquet", lambda file: pq.write_table(facts, file, compression="zstd"))
    done = [segment.path for segment in folded if not segment.torn]
    for path in done:
        path.unlink()
    return len(done)


@contextmanager
def _alone(directory: Path) -> Generator[None]:
    """Two compactors at once could each leave out the other's rows. The lock dies with its process."""
    with (directory / "compact.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
