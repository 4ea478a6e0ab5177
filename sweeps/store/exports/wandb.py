"""Export to offline runs of Weights & Biases; `wandb sync` uploads them."""

import importlib
import os
import re
from pathlib import Path
from typing import Any

from sweeps.store.exports.runs import ExportedRun, Recorded, recorded_sweeps

FAILED = 1
"""Exit code of a failed run."""


def write(path: Path, folder: Path, _place: Path) -> list[str]:
    """Write offline runs below a folder for each sweep: `wandb sync OUT/SWEEP/wandb/offline-run-*`.

    A project is a sweep, a group an arm; columns of a run that are no parameters are below `run` in its configuration.
    The step of a metric is its epoch, its `_timestamp` the time of the report. Weights & Biases shows the time of the
    export as the start of the run; it cannot be set.
    """
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nothing is sent anywhere
    library: Any = importlib.import_module("wandb")
    try:
        for sweep in recorded_sweeps(path):
            (folder / sweep.name).mkdir()
            for run in sweep.runs():
                _log(library, sweep, run, folder / sweep.name)
    finally:
        library.teardown()
    return ["."]


def _log(library: Any, sweep: Recorded, run: ExportedRun, folder: Path) -> None:
    settings, config = _settings(library, sweep, run, folder), {**run.config, "run": run.tags}
    begun = library.init(settings=settings, config=config, reinit="create_new")
    for report in run.reports:
        begun.log({**report.metrics, "_timestamp": report.time}, step=report.epoch)
    begun.finish(exit_code=FAILED if run.tags["state"] == "failed" else 0)


def _settings(library: Any, sweep: Recorded, run: ExportedRun, folder: Path) -> Any:
    """Return settings that record only the run itself, not this program or its machine."""
    return library.Settings(
        mode="offline",
        root_dir=str(folder),
        project=_name(sweep.name),
        run_id=_name(run.tags["run"]),
        run_name=run.name,
        run_group=run.tags["arm"],
        run_tags=(run.tags["state"],),
        console="off",
        silent=True,
        symlink=False,
        disable_code=True,
        disable_git=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )


def _name(text: str) -> str:
    """Return a name without the characters that are not allowed in names of projects and runs."""
    return re.sub(r"[/\\#?%:]", "_", text)[:128]
