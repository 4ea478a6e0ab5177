"""The three tables: as they are appended to a log, and as they are folded into Parquet.

The log is what writers append, a batch a fact. Strings are plain there: a stream without dictionaries is just its
schema, its batches and an end mark, so that each batch can be one write. Folded, a report is one row with a column
for each metric, `metric.NAME`; a run one with a column for each field of its configuration, `config.PATH`. So new
metrics and fields need no migration, and a query reads the columns that it asks for.
"""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

import json
from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa

State = Literal["running", "paused", "complete", "stopped", "failed"]

REUSED = "reused from "
"""First words of the reason of a run that was reused from another sweep."""

METRIC = "metric."
CONFIG = "config."

REPORTS = pa.schema(
    [
        ("run", pa.string()),  # digest of the run: arm and seed
        ("attempt", pa.int32()),
        ("epoch", pa.int32()),
        ("step", pa.int64()),  # of the optimiser; 0 if unknown
        ("time", pa.float64()),  # Unix seconds; never decreases within a segment
        ("sequence", pa.int32()),  # position in the writer's stream; breaks timestamp ties
        ("seconds", pa.float64()),  # seconds of the epoch, training and evaluation
        ("device_seconds", pa.float64()),  # the same times the number of GPUs, or of processes without any
        ("metrics", pa.map_(pa.string(), pa.float64())),
    ]
)
"""One row for each epoch of each attempt of a run."""

RUNS = pa.schema(
    [
        ("run", pa.string()),
        ("number", pa.int32()),  # order of issue in the sweep
        ("arm", pa.string()),  # digest of the run without its seed
        ("seed", pa.int64()),
        ("attempt", pa.int32()),
        ("config", pa.string()),  # canonical JSON
        ("state", pa.string()),
        ("reason", pa.string()),
        ("epochs", pa.int32()),
        ("rung", pa.int32()),  # the last epoch at which the stopper judged it; 0 if none
        ("seconds", pa.float64()),  # as in reports, summed over the epochs trained in this sweep
        ("device_seconds", pa.float64()),
        ("checkpoint", pa.string()),  # below the sweep's folder; empty until there is one
        ("dropped", pa.string()),  # the component that the arm leaves out, by its name in the space
        ("space", pa.string()),
        ("campaign", pa.string()),
        ("data", pa.string()),  # fingerprint of the images
        ("commit", pa.string()),
        ("diff", pa.string()),  # digest of the uncommitted changes
        ("code", pa.string()),  # digest of the training code and torch; A+B: started by A, ended by B
        ("packages", pa.string()),  # JSON
        ("host", pa.string()),
        ("device", pa.string()),
        ("time", pa.float64()),
        ("sequence", pa.int32()),
    ]
)
"""One row for each change of a run's state."""

ORIGIN = ("space", "campaign", "data", "commit", "diff", "code", "packages", "host", "device")
"""Columns of a run's origin; the same for all runs that a driver records, except for the host."""

WHENCE = ("commit", "diff", "code", "packages", "host", "device")
"""Columns that a run keeps when another sweep reuses it: what trained it, and where."""

EVENTS = pa.schema(
    [
        ("run", pa.string()),  # empty where it concerns the whole sweep
        ("epoch", pa.int32()),
        ("kind", pa.string()),
        ("detail", pa.string()),  # JSON
        ("time", pa.float64()),
        ("sequence", pa.int32()),
    ]
)
"""One row for each action and its reason: sessions; runs asked, started, judged, promoted, reused, retried."""

SECONDS = ("seconds", "evaluation_seconds")
"""Metrics of the duration of an epoch."""

FORMER = {"run": "trial"}
"""Columns by their names on disk, which are those of the first version: so every program reads every store."""

FILES = {"reports": "reports", "runs": "trials", "events": "events"}  # former
"""Prefixes of each table's files, as in the first version."""

LOG = {"reports": REPORTS, "runs": RUNS, "events": EVENTS}

WIDE = REPORTS.remove(REPORTS.get_field_index("metrics"))
"""Columns of a folded report except its metrics."""

BASE = {"reports": WIDE, "runs": RUNS, "events": EVENTS}
"""Columns of every folded table."""

ORDER = {
    "reports": ["run", "epoch", "attempt", "time", "sequence"],
    "runs": ["run", "attempt", "time", "sequence"],
    "events": ["time", "sequence"],
}
"""Sort order of rows, in which later ones replace earlier ones. An attempt comes after all of the one
before, whatever the clocks of their machines say."""

KEY = {"reports": ["run", "epoch"], "runs": ["run"]}
"""Columns of the key: of the rows that share it, readers return the latest."""


def as_kept(schema: pa.Schema) -> pa.Schema:
    """Return the schema with the names that its columns have on disk."""
    return pa.schema([field.with_name(FORMER.get(field.name, field.name)) for field in schema])


def as_read(rows: pa.Table) -> pa.Table:
    """Return the rows with present names for columns that have other names on disk."""
    names = {kept: name for name, kept in FORMER.items()}
    return rows.rename_columns([names.get(name, name) for name in rows.column_names])


def seconds(metrics: Mapping[str, float]) -> float:
    """Return the seconds of an epoch, training and evaluation."""
    return sum(metrics.get(name, 0.0) for name in SECONDS)


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten a configuration to values by dotted path; a list is one value, written as JSON."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{path}": leaf for path, leaf in flatten(value).items()}
        else:
            found[name] = json.dumps(value) if isinstance(value, list) else value
    return found


def typed(values: list[Any]) -> Any:
    """Return an Arrow column as narrow as the values allow: booleans, integers, numbers, else text; None if empty."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return None  # of no type: beside a column of numbers it must not become text
    if len(kinds) == 1:
        return pa.array(values)
    if kinds == {int, float}:
        return pa.array(values, pa.float64())
    return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values], pa.string())
