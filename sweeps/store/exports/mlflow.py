"""Export to MLflow, as an SQLite database that needs no server."""

import importlib
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice, zip_longest
from pathlib import Path
from typing import Any, TypeVar

from sweeps.store.exports.runs import ExportedRun, recorded_sweeps

Item = TypeVar("Item")

FILE = "mlflow.db"
STATUS = {"complete": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
"""MLflow's names of states; any other is RUNNING. The tag `state` has our own."""
METRICS_A_BATCH, PARAMETERS_A_BATCH = 800, 100
"""MLflow takes 1,000 items at once, of which 100 may be parameters."""
LONGEST_NAME, LONGEST_TEXT = 250, 6000
"""Maximum characters of a metric's or parameter's name, and of a parameter's or tag's value."""


def write(path: Path, folder: Path, place: Path) -> list[str]:
    """Write an experiment for each sweep, with its runs: `mlflow ui --backend-store-uri sqlite:///OUT/mlflow.db`.

    All fields of a configuration are parameters; the step of a metric is its epoch, its timestamp the time of the
    report. An infinite value becomes the largest finite one. Characters that MLflow does not allow in a name become
    underscores, and a tag of the experiment has the original name.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # no telemetry about each run
    client = importlib.import_module("mlflow").MlflowClient(tracking_uri=f"sqlite:///{folder / FILE}")
    for sweep in recorded_sweeps(path):
        metrics, parameters = legal(sweep.metrics), legal(sweep.paths)
        renamed = [*metrics.items(), *parameters.items()]
        changed = {f"name of {new}": old for old, new in renamed if old != new}
        artifacts = (place / "artifacts" / sweep.name).as_uri()
        experiment = client.create_experiment(sweep.name, artifact_location=artifacts, tags=changed)
        for run in sweep.runs():
            _log(client, experiment, run, metrics, parameters)
    return [FILE]


def legal(names: Iterable[str]) -> dict[str, str]:
    """Map names to names that MLflow allows, each different."""
    found: dict[str, str] = {}
    # Those that need no change come first, and keep theirs.
    for name in sorted(names, key=lambda name: (_legal(name) != name, name)):
        wanted, taken = _legal(name), set(found.values())
        others = (f"{wanted[: LONGEST_NAME - 8]}_{number}" for number in count(2))
        found[name] = next(new for new in chain([wanted], others) if new not in taken)
    return found


def _legal(name: str) -> str:
    plain = re.sub(r"[^/\w.\- :]", "_", name)[:LONGEST_NAME]
    # A path must be written as short as it can be, and not lead out of its folder.
    bad = posixpath.normpath(plain) != plain or plain.startswith(("/", ".."))
    return re.sub(r"[/.]", "_", plain) or "_" if bad or plain == "." else plain


def _log(
    client: Any, experiment: str, run: ExportedRun, metrics: dict[str, str], parameters: dict[str, str]
) -> None:
    entities = importlib.import_module("mlflow.entities")
    tags = {name: str(value)[:LONGEST_TEXT] for name, value in run.tags.items()}
    begun = client.create_run(experiment, start_time=_milliseconds(run.started), tags=tags, run_name=run.name)
    values = (
        entities.Metric(metrics[name], value, _milliseconds(report.time), report.epoch)
        for report in run.reports
        for name, value in report.metrics.items()
    )
    given = (
        entities.Param(parameters[path], str(value)[:LONGEST_TEXT]) for path, value in run.config.items()
    )
    batches = _batches(values, METRICS_A_BATCH), _batches(given, PARAMETERS_A_BATCH)
    for one, other in zip_longest(*batches, fillvalue=list[Any]()):
        client.log_batch(begun.info.run_id, metrics=one, params=other)
    if run.tags["state"] in STATUS:
        client.set_terminated(begun.info.run_id, STATUS[run.tags["state"]], _milliseconds(run.ended))


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
