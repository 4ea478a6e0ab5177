"""Runs in the form of experiment trackers: parameters, tags, and metrics along epochs."""

# pyright: reportUnknownParameterType=false
# pyarrow's own types are compiled and carry no annotations.

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sweeps.store.layout import MARK, sweep_directories
from sweeps.store.schema import CONFIG, METRIC
from sweeps.store.snapshot import snapshot

TAGS = ("run", "number", "arm", "seed", "state", "reason", "dropped", "space", "commit", "host")
"""Columns of a run that a tracker can group or filter by, beside its parameters."""


@dataclass(frozen=True)
class ExportedReport:
    """The metrics of one epoch, with its time in Unix seconds."""

    epoch: int
    time: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class ExportedRun:
    """One run in its latest state."""

    name: str
    """Name that is unique in its sweep and valid for a file."""
    tags: dict[str, Any]
    config: dict[str, Any]
    """Values by path; lists are JSON."""
    varied: dict[str, Any]
    """The values that are not the same in all runs of the sweep."""
    reports: list[ExportedReport]
    """Reports in the order of epochs."""
    started: float
    """Start in Unix seconds."""
    ended: float


@dataclass(frozen=True)
class Recorded:
    """State of a sweep at one moment."""

    name: str
    states: pa.Table
    epochs: pa.Table

    @cached_property
    def metrics(self) -> list[str]:
        """Names of all metrics."""
        return [name.removeprefix(METRIC) for name in self.epochs.column_names if name.startswith(METRIC)]

    @cached_property
    def paths(self) -> list[str]:
        """Paths of all fields of configurations."""
        return [name.removeprefix(CONFIG) for name in self.states.column_names if name.startswith(CONFIG)]

    def runs(self) -> Iterator[ExportedRun]:
        """Yield its runs in order of issue."""
        names, first, counts = np.unique(self.epochs["run"].to_numpy(), return_index=True, return_counts=True)
        where = dict(zip(names, zip(first.tolist(), counts.tolist(), strict=True), strict=True))
        columns = {path: self.states[CONFIG + path] for path in self.paths}
        varied = {path for path, column in columns.items() if len(column.unique()) > 1}
        for batch in self.states.to_batches(max_chunksize=100):
            for row in batch.to_pylist():
                reports = self.epochs.slice(*where.get(row["run"], (0, 0))).to_pylist()
                told = [ExportedReport(one["epoch"], one["time"], _below(METRIC, one)) for one in reports]
                yield _run(row, told, varied)


def recorded_sweeps(path: Path) -> Iterator[Recorded]:
    """Yield the sweeps of a store, or the one in a folder."""
    for directory in sweep_directories(path) if (path / MARK).is_file() else [path]:
        taken = snapshot(directory)
        runs = taken.read("runs").sort_by("number")
        yield Recorded(directory.name, runs, taken.read("reports"))


def _run(row: dict[str, Any], reports: list[ExportedReport], varied: set[str]) -> ExportedRun:
    config = _below(CONFIG, row)
    times = [row["time"], *(report.time for report in reports)]
    return ExportedRun(
        name=f"{row['number']:04d}-{row['run']}",
        tags={name: row[name] for name in TAGS},
        config=config,
        varied={path: value for path, value in config.items() if path in varied},
        reports=reports,
        started=min(times),
        ended=max(times),
    )


def _below(prefix: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row has below a prefix, by the names without it."""
    known = (name for name, value in row.items() if name.startswith(prefix) and value is not None)
    return {name.removeprefix(prefix): row[name] for name in known}
