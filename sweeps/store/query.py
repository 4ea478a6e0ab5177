"""The only way out. Readers take no lock and disturb nobody: a sweep can be read while it runs."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from sweeps.store.layout import MARK, sweep_directories
from sweeps.store.schema import FACT, KEY, TABLES
from sweeps.store.writer import END


@dataclass(frozen=True)
class Torn:
    """A segment whose last batch was cut off by a crash; all batches before it are kept."""

    path: Path
    batches_kept: int


@dataclass(frozen=True)
class Segment:
    """The whole batches of a segment, and whether its writer ended it or was cut off in mid-write."""

    path: Path
    batches: tuple[pa.RecordBatch, ...]
    closed: bool
    torn: bool


def reports(directory: Path) -> pa.Table:
    """Every metric of every epoch of a sweep (schema.REPORTS), sorted; a repeated epoch's last attempt."""
    return _latest(rows(directory, "reports"), "reports")


def trials(directory: Path) -> pa.Table:
    """The runs of a sweep in their latest state (schema.TRIALS), in order of issue."""
    return _latest(rows(directory, "trials"), "trials").sort_by("number")


def events(directory: Path) -> pa.Table:
    """What the drivers of a sweep did (schema.EVENTS), in order."""
    return rows(directory, "events")


def torn(directory: Path) -> list[Torn]:
    """The segments of a sweep that a crash cut off."""
    found = [s for table in TABLES for s in segments(directory, table) if s.torn]
    return [Torn(segment.path, len(segment.batches)) for segment in found]


def last_epoch(directory: Path, trial: str) -> int:
    """The last epoch that any attempt of a run has recorded; 0 if none has.

    Its writers carry its name: a sweep of thousands must not read all segments for each run.
    """
    of_run = segments(directory, "reports", f"{trial}-*")
    epochs = [batch["epoch"].to_numpy() for segment in of_run for batch in segment.batches]
    folded = directory / "reports.parquet"
    if folded.is_file():
        found = pq.read_table(folded, columns=["epoch"], filters=[("trial", "==", trial)])
        epochs.append(found["epoch"].to_numpy())
    return max((int(column.max(initial=0)) for column in epochs), default=0)


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory database of a sweep as it is now, or of all sweeps of a store with a column `sweep`.

    Its views are `reports`, `trials`, `events`, and `final`: a row for each run with its state and a column for each
    metric at its last epoch.
    """
    whole = (path / MARK).is_file()
    directories = sweep_directories(path) if whole else [path]
    connection = duckdb.connect()
    tables = {"reports": reports, "trials": trials, "events": events}
    for name, read in tables.items():
        empty = TABLES[name].empty_table()
        found = [read(directory) for directory in directories] or [empty]
        if whole:
            names = [directory.name for directory in directories] or [""]
            found = [_named(table, name) for table, name in zip(found, names, strict=True)]
        connection.register(name, pa.concat_tables(found))
    connection.execute(_final(connection, "sweep, trial" if whole else "trial"))
    return connection


def rows(directory: Path, table: str, only: Iterable[Segment] | None = None) -> pa.Table:
    """All facts of a table, sorted, each once: those of the segments (or of `only`) and of the Parquet file.

    The segments are read first: one that is folded in the meantime is then found in the Parquet file.
    """
    found = segments(directory, table) if only is None else only
    parts = [pa.Table.from_batches(segment.batches, schema=TABLES[table]) for segment in found]
    folded = directory / f"{table}.parquet"
    if folded.is_file():
        parts.append(pq.read_table(folded, schema=TABLES[table]))
    everything = pa.concat_tables(parts) if parts else TABLES[table].empty_table()
    return _last_of_each(everything, FACT[table])


def segments(directory: Path, table: str, writer: str = "*") -> list[Segment]:
    """The segments of a table, by name; of all writers, or of those whose names match the pattern."""
    found: list[Segment] = []
    for path in sorted(directory.glob(f"segments/{table}-{writer}.arrows")):
        try:
            found.append(_read(path))
        except FileNotFoundError:
            continue  # folded since it was listed
    return found


def _read(path: Path) -> Segment:
    data = path.read_bytes()
    source, batches, end = pa.BufferReader(data), [], 0
    try:
        reader = ipc.open_stream(source, options=ipc.IpcReadOptions(use_threads=False))
        end = source.tell()
        while True:
            batches.append(reader.read_next_batch())
            end = source.tell()
    except (StopIteration, pa.ArrowInvalid, OSError):
        rest = data[end:]
    return Segment(path, tuple(batches), closed=rest == END, torn=rest not in (b"", END))


def _latest(table: pa.Table, name: str) -> pa.Table:
    return _last_of_each(table, KEY[name], FACT[name])


def _last_of_each(table: pa.Table, keys: list[str], order: list[str] | None = None) -> pa.Table:
    """The last row, in the given order, of those that share the keys."""
    ordered = table.sort_by([(name, "ascending") for name in order or keys])
    columns = [ordered[key].to_numpy() for key in keys]
    last = np.ones(len(ordered), bool)
    last[:-1] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return ordered.filter(pa.array(last))


def _named(table: pa.Table, sweep: str) -> pa.Table:
    return table.add_column(0, "sweep", pa.array([sweep] * len(table), pa.string()))


def _final(connection: duckdb.DuckDBPyConnection, run: str) -> str:
    metrics = connection.execute("SELECT DISTINCT metric FROM reports ORDER BY metric").fetchall()
    columns = "".join(
        ", max(value) FILTER (metric = '{}') AS \"{}\"".format(
            name.replace("'", "''"), name.replace('"', '""')
        )
        for (name,) in metrics
    )
    return f"""
        CREATE VIEW final AS
        WITH last AS (SELECT * FROM reports QUALIFY epoch = max(epoch) OVER (PARTITION BY {run}))
        SELECT trials.*, any_value(last.epoch) AS epoch {columns}
        FROM trials LEFT JOIN (SELECT {run}, epoch, metric, value FROM last) AS last USING ({run})
        GROUP BY ALL ORDER BY {run.replace("trial", "number")}
    """
