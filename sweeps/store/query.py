"""Reading of a store. Readers take no lock, so a sweep can be read while it runs."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sweeps.store import fold, parts, segments
from sweeps.store.layout import MARK, check_version, is_smoke_test, read_manifest, sweep_directories
from sweeps.store.parts import Index
from sweeps.store.schema import FORMER, LOG, METRIC, WIDE
from sweeps.store.snapshot import Snapshot, before, facts, snapshot, sources, steadily

if TYPE_CHECKING:
    import duckdb

VIEWS = ["reports", "epochs", "runs", "final", "events", "sweeps"]
SWEEP = "regexp_extract(filename, '([^/]+)/[^/]+/[^/]+$', 1)"
"""Expression for the sweep's folder, two above a part's file."""


def epochs(directory: Path) -> pa.Table:
    """Read every report of a sweep: a row per epoch, sorted by run and epoch, a column `metric.NAME` for each metric.

    Of a repeated epoch the last attempt is returned. A metric that a report did not have is null.
    """
    return fold.current(facts(directory, "reports"))


def reports(directory: Path) -> pa.Table:
    """Read the same in long form: a row per metric of an epoch, sorted by run, epoch and metric."""
    wide = epochs(directory)
    names = [name for name in wide.column_names if name.startswith(METRIC)]
    long = [_one_metric(wide.filter(wide[name].is_valid()), name) for name in names]
    if not long:
        long = [
            _one_metric(wide.append_column(METRIC, pa.nulls(len(wide), pa.float64())).slice(0, 0), METRIC)
        ]
    return pa.concat_tables(long).sort_by([(name, "ascending") for name in ("run", "epoch", "metric")])


def runs(directory: Path) -> pa.Table:
    """Read the runs of a sweep in their latest state (schema.RUNS, `config.PATH`), in order of issue."""
    return fold.current(facts(directory, "runs")).sort_by("number")


def events(directory: Path) -> pa.Table:
    """Read the events of a sweep (schema.EVENTS), in order."""
    return fold.current(facts(directory, "events"))


def last_epoch(directory: Path, run: str) -> int:
    """Return the last epoch that any attempt of a run has recorded; 0 if none has.

    Only the run's own writers are read: a sweep of thousands must not read all segments for each run.
    """

    def look(index: Index) -> int:
        found = [segments.read_segment(path) for path in sources(directory, "reports", index, f"{run}-*")]
        rows = [one.table for one in found if one and one.table is not None]
        rows += parts.read_parts(directory, index.of("reports"), runs=[run])
        rows += before(directory, "reports", index, runs=[run])
        mine = [one["epoch"].to_numpy()[one["run"].to_numpy() == run] for one in rows]
        return max((int(column.max(initial=0)) for column in mine), default=0)

    return steadily(directory, look)


def curve(directory: Path, run: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Return epochs, ascending, and the values of one metric of one run; empty where it has none."""
    with connect(directory) as connection:
        found = connection.execute(
            "SELECT epoch, value FROM reports WHERE run = ? AND metric = ? ORDER BY epoch", [run, metric]
        ).fetchnumpy()
    return np.asarray(found["epoch"]), np.asarray(found["value"])


def connect(path: Path, *, shut: bool = False) -> "duckdb.DuckDBPyConnection":
    """Return an in-memory database of a sweep, or of all sweeps of a store, as it is now.

    Its views, each with a column `sweep`:

    - `reports`: a row for each metric of each epoch of each run
    - `epochs`: a row for each epoch of each run, a column for each metric
    - `runs`: a row for each run in its latest state, a column `config.PATH` for each field of its configuration
    - `final`: the same with a column for each metric, at the run's last epoch
    - `events`: what was done, and every report as an event of kind `reported`
    - `sweeps`: a row for each sweep

    A metric whose name is taken by another column is called `metric.NAME`.

    Smoke tests stand among the sweeps alone: of a whole store the other views leave them out.

    Args:
        path: a store, or the folder of one sweep.
        shut: refuse queries any file except those of the views. A query could still write to these:
            see `sql.ask`, which takes no statement that writes.

    Raises:
        StoreError: a sweep's list of parts cannot be read, or the store is of a newer program.
    """
    check_version(path)
    directories = sweep_directories(path) if (path / MARK).is_file() else [path]
    real = [one for one in directories if one == path or not is_smoke_test(one)]
    snapshots = [snapshot(directory) for directory in real]
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET parquet_metadata_cache = true")
    # Only where it is on: in Jupyter without ipywidgets it is off, and DuckDB refuses to be told so.
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(True,)]:
        connection.execute("SET enable_progress_bar = false")
    for table in LOG:
        _define(connection, table, snapshots)
    for statement in _views(connection):
        connection.execute(statement)
    connection.register("sweeps", _sweeps(directories))
    if shut:
        files = ", ".join(sql_text(file) for table in LOG for file in _files(snapshots, table))
        connection.execute(f"SET allowed_paths = [{files}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    return connection


def _files(snapshots: Sequence[Snapshot], table: str) -> list[str]:
    return [str(parts.part_path(s.directory, part)) for s in snapshots for part in s.index.of(table)]


def _define(connection: "duckdb.DuckDBPyConnection", table: str, snapshots: Sequence[Snapshot]) -> None:
    """Define the views `table_facts`, which mark replaced rows, and `table_rows`, without these."""
    found = [_of(s.directory, s.live[table]) for s in snapshots]
    live = fold.joined(found or [_of(Path(), fold.empty(table))], table)
    connection.register(f"{table}_live", live)
    files = _files(snapshots, table)
    facts = f"SELECT * FROM {table}_live"
    if files:
        # A sweep has the name of its folder, which may have been copied: its files do not record it.
        listed = ", ".join(map(sql_text, files))
        read = f"read_parquet([{listed}], union_by_name = true, filename = true)"
        kept = FORMER["run"]
        held = f"SELECT {SWEEP} AS sweep, {kept} AS run, * EXCLUDE (filename, {kept}) FROM {read}"
        if len(live) and table != "events":
            held += f" WHERE ({SWEEP}, {kept}) NOT IN (SELECT (sweep, run) FROM {table}_live)"
        facts = f"{held} UNION ALL BY NAME {facts}"  # even without rows, for the columns that old parts lack
    connection.execute(f"CREATE VIEW {table}_facts AS {facts}")
    current = f"SELECT * EXCLUDE ({fold.SUPERSEDED}) FROM {table}_facts WHERE NOT {fold.SUPERSEDED}"
    connection.execute(f"CREATE VIEW {table}_rows AS {current}")


def _of(directory: Path, rows: pa.Table) -> pa.Table:
    return rows.add_column(0, "sweep", pa.array([directory.name] * len(rows), pa.string()))


def _views(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    """Return the definitions of the public views over the rows."""
    reported, of_runs = (connection.table(f"{table}_rows").columns for table in ("reports", "runs"))
    metrics = [name for name in reported if name.startswith(METRIC)]
    shared = ", ".join(["sweep", *WIDE.names])
    long = [
        f"SELECT {shared}, {sql_text(m.removeprefix(METRIC))} AS metric, {sql_name(m)} AS value "
        f"FROM reports_rows WHERE {sql_name(m)} IS NOT NULL"
        for m in metrics
    ] or [f"SELECT {shared}, '' AS metric, 0.0::DOUBLE AS value FROM reports_rows WHERE false"]
    views = {
        "reports": " UNION ALL ".join(long),
        "epochs": f"SELECT {shared}{_renamed(metrics, ['sweep', FORMER['run'], *WIDE.names])} FROM reports_rows",
        "runs": "SELECT * FROM runs_rows",
        "events": """SELECT * FROM events_rows UNION ALL BY NAME
        SELECT sweep, run, epoch, 'reported' AS kind, '' AS detail, time, sequence FROM reports_rows
        UNION ALL BY NAME SELECT sweep, run, epochs AS epoch, if(state = 'running', 'started', state) AS kind,
        json_object('attempt', attempt, 'reason', reason, 'host', host)::VARCHAR AS detail, time, sequence
        FROM runs_facts""",
        "final": f"""SELECT t.*, r.epoch{_renamed(metrics, [*of_runs, FORMER["run"], "epoch"], "r")}
        FROM runs_rows AS t LEFT JOIN (
            SELECT * FROM reports_rows SEMI JOIN
            (SELECT sweep, run, max(epoch) AS epoch FROM reports_rows GROUP BY ALL) USING (sweep, run, epoch)
        ) AS r USING (sweep, run) ORDER BY t.sweep, t.number""",
    }
    views["trials"] = views["runs"]  # former name, as is the column: old queries still work
    return [f"CREATE VIEW {name} AS SELECT *, run AS {FORMER['run']} FROM ({v})" for name, v in views.items()]


def _renamed(metrics: Iterable[str], taken: Iterable[str], table: str = "reports_rows") -> str:
    """Name the metrics as columns, by their own names where those are free."""
    others = {name.lower() for name in taken}  # SQL's names have no case
    pairs = ((metric, metric.removeprefix(METRIC)) for metric in metrics)
    return "".join(
        f", {table}.{sql_name(m)} AS {sql_name(m if name.lower() in others else name)}" for m, name in pairs
    )


def _sweeps(directories: Iterable[Path]) -> pa.Table:
    rows = [_sweep(directory) for directory in directories]
    names = ("sweep", "created", "space", "question", "metric", "data", "commit", "command")
    columns = [*((name, pa.string()) for name in names), ("smoke", pa.bool_())]
    return pa.Table.from_pylist(rows, schema=pa.schema(columns))


def _sweep(directory: Path) -> dict[str, Any]:
    try:
        manifest = read_manifest(directory)
    except ValueError:
        manifest = {}  # reports without a sweep, as a test or a tool may write them
    space, provenance = manifest.get("space", {}), manifest.get("provenance", {})
    plain = {name: manifest.get(name) for name in ("created", "metric", "data", "command")}
    more = {"space": space.get("name"), "question": space.get("question"), "commit": provenance.get("commit")}
    return {"sweep": directory.name, **plain, **more, "smoke": is_smoke_test(directory)}


def _one_metric(rows: pa.Table, name: str) -> pa.Table:
    metric = pa.array([name.removeprefix(METRIC)] * len(rows), pa.string())
    return rows.select(WIDE.names).append_column("metric", metric).append_column("value", rows[name])


def sql_name(name: str) -> str:
    """Quote a name for SQL."""
    return '"{}"'.format(name.replace('"', '""'))


def sql_text(text: str) -> str:
    """Quote a text for SQL."""
    return "'{}'".format(text.replace("'", "''"))
