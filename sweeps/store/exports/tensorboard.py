"""Export to TensorBoard's event files: curves and, as hyperparameters, the values in which runs differ."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sweeps.store.exports.runs import ExportedRun, recorded_sweeps

STATUS = {"complete": "STATUS_SUCCESS", "stopped": "STATUS_SUCCESS", "failed": "STATUS_FAILURE"}
"""The hyperparameter view's names of states; any other is STATUS_RUNNING."""
SHOWN = ("arm", "seed", "state")
"""Tags shown beside the hyperparameters."""


def write(path: Path, folder: Path, _place: Path) -> list[str]:
    """Write a folder for each run below one for each sweep: `tensorboard --logdir OUT`.

    The step of a metric is its epoch, its wall time that of the report. TensorBoard keeps values as float32.
    """
    for sweep in recorded_sweeps(path):
        for run in sweep.runs():
            _write(run, folder / sweep.name / run.name)
    return ["."]


def _write(run: ExportedRun, folder: Path) -> None:
    folder.mkdir(parents=True)
    file = folder / f"events.out.tfevents.{run.started:.0f}.{run.name}"
    writer = _library("record_writer").RecordWriter(str(file))
    try:
        for event in _events(run):
            writer.write(event.SerializeToString())
    finally:
        writer.close()


def _events(run: ExportedRun) -> Iterator[Any]:
    event, summary = _library("proto.event_pb2").Event, _library("proto.summary_pb2").Summary
    start, end = _session(run)
    yield event(wall_time=run.started, file_version="brain.Event:2")
    yield event(wall_time=run.started, summary=start)
    for report in run.reports:
        values = [summary.Value(tag=name, simple_value=value) for name, value in report.metrics.items()]
        yield event(wall_time=report.time, step=report.epoch, summary=summary(value=values))
    yield event(wall_time=run.ended, summary=end)


def _session(run: ExportedRun) -> tuple[Any, Any]:
    """Summarise a run's hyperparameters and end. TensorBoard finds the metrics by itself."""
    shown = {name: run.tags[name] for name in SHOWN}
    _, start, end = _library("summary").hparams({**shown, **run.varied}, {})
    ending = end.value[0].metadata.plugin_data  # it says success whatever happened
    content = _library("proto.plugin_hparams_pb2").HParamsPluginData.FromString(ending.content)
    status = STATUS.get(run.tags["state"], "STATUS_RUNNING")
    content.session_end_info.status = _library("proto.api_pb2").Status.Value(status)
    ending.content = content.SerializeToString()
    return start, end


def _library(module: str) -> Any:
    return importlib.import_module(f"tensorboardX.{module}")
