"""Readers of recordings, from the store and from files of curves."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import TypeAdapter

from analysis.load import Run, load, setting
from contrastive.config import in_words
from sweeps.replay.recording import Recording
from sweeps.stoppers import UNWELL
from sweeps.store.schema import SECONDS

NAMED = 5
"""Number of runs named in a refusal."""
_RECORDING = TypeAdapter(Recording)
T = TypeVar("T")


def of_file(path: Path) -> Recording:
    """Read the recording in a JSON file that holds the fields of one.

    Raises:
        ValueError: it does not, or is not ground truth.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        recording = in_words(lambda: _RECORDING.validate_python(content))
    except ValueError as error:
        raise ValueError(f"{path} holds no recorded curves: {error}") from None
    recording.check()
    return recording


def of_sweep(directory: Path) -> Recording:
    """Read the search of the finished sweep in a folder; confirmation runs are left out.

    Raises:
        ValueError: a run was stopped early, has failed or has not ended, or an arm lacks a seed.
    """
    record = load(directory)
    manifest, metric = record.manifest, record.metric
    runs = [run for run in record.runs if run.seed in manifest["seeds"]]
    _check_ended(manifest["id"], runs)
    numbers = {run.arm: str(run.number) for run in reversed(runs)}  # an arm is named by its first run

    def by_arm(values: dict[str, T]) -> dict[str, dict[str, T]]:
        """Arrange values of runs by arm and seed."""
        found: dict[str, dict[str, T]] = {}
        for run in runs:
            if run.identity in values:
                found.setdefault(numbers[run.arm], {})[str(run.seed)] = values[run.identity]
        return found

    recording = Recording(
        name=manifest["id"],
        command=re.sub(r" --(store|cache) \S+", "", manifest["command"]),  # places do not matter
        metric=metric,
        horizon=manifest["epochs"],
        arms=by_arm({run.identity: _values(run, metric) for run in runs}),
        seconds=by_arm({run.identity: _seconds(run) for run in runs if SECONDS[0] in run.curve}),
        unwell=by_arm({run.identity: run.reason for run in runs if _unwell(run)}),
        settings={numbers[run.arm]: setting(record, run) for run in runs},
        plan=manifest.get("plan", {}),
    )
    recording.check()
    return recording


def _check_ended(name: str, runs: Sequence[Run]) -> None:
    """Refuse, by their numbers, runs whose end is unknown."""
    mending = {
        "failed": f"try them again: sweeps resume {name} --retry-failed",
        "running": f"finish it: sweeps resume {name}",
        "paused": f"finish it: sweeps resume {name}",
    }
    for state, mend in mending.items():
        found = [str(run.number) for run in runs if run.state == state]
        if found:
            some = ", ".join(found[:NAMED]) + (", ..." if len(found) > NAMED else "")
            has = "have failed" if state == "failed" else f"are {state}"
            raise ValueError(
                f"{name}: {len(found)} of {len(runs)} runs {has} ({some}), so there is no ground truth; {mend}"
            )


def _unwell(run: Run) -> bool:
    return run.state == "stopped" and run.reason.startswith(UNWELL)


def _values(run: Run, metric: str) -> list[float]:
    """Return the metric after each epoch.

    Raises:
        ValueError: epochs are missing.
    """
    epochs, values = run.curve.get(metric, (np.empty(0), np.empty(0)))
    if not np.array_equal(epochs, np.arange(1, len(epochs) + 1)):
        raise ValueError(f"run {run.number} has no {metric} after each of its {run.epochs} epochs")
    return values.tolist()


def _seconds(run: Run) -> list[float]:
    """Return the seconds of each epoch, training and evaluation."""
    found: dict[int, float] = {}
    for name in SECONDS:
        for epoch, value in zip(*run.curve.get(name, ((), ())), strict=True):
            found[int(epoch)] = found.get(int(epoch), 0.0) + float(value)
    return [found[epoch] for epoch in sorted(found)]
