"""Estimates of how long a sweep takes, before it starts and while it runs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from sweeps import store

if TYPE_CHECKING:
    from sweeps.planning.plan import Plan

PATIENCE = 30.0
"""Seconds after which a measurement is abandoned, imports and the reading of images included."""


@dataclass(frozen=True)
class Pace:
    """Seconds of one epoch of one run, training and evaluation; None if unknown. `source`: how it is known."""

    seconds: float | None
    source: str


@dataclass(frozen=True, kw_only=True)
class CostEstimate:
    """The cost of a plan; `epochs_expected` assumes that the stopper keeps its share at each rung."""

    epochs_full: int
    epochs_expected: int
    parallel: int
    """Number of runs trained at once on this machine."""
    pace: Pace

    @property
    def seconds_full(self) -> float | None:
        """Wall-clock time if no run is stopped."""
        return self._wall(self.epochs_full)

    @property
    def seconds_expected(self) -> float | None:
        """Wall-clock time with the runs that the stopper is expected to end."""
        return self._wall(self.epochs_expected)

    def _wall(self, epochs: int) -> float | None:
        return remaining(done=0, expected=epochs, seconds_per_epoch=self.pace.seconds, workers=self.parallel)


def remaining(*, done: int, expected: float, seconds_per_epoch: float | None, workers: int) -> float | None:
    """Estimate the seconds until `expected` epochs are done by parallel workers; None until an epoch has been timed."""
    if seconds_per_epoch is None:
        return None
    return max(0.0, expected - done) * seconds_per_epoch / max(1, workers)


def estimate_cost(
    plan: "Plan", root: Path, cache: Path, *, probe: Callable[["Plan", Path], Pace] | None = None
) -> CostEstimate:
    """Estimate the cost of a plan from earlier sweeps of the store at `root`, else from what `probe` measures now."""
    from sweeps.planning import plan as plans

    full, expected = plans.expected_epochs_of(plan)
    pace = recorded_pace(plan, root) or (probe or measured)(plan, cache)
    return CostEstimate(epochs_full=full, epochs_expected=expected, parallel=parallel(plan), pace=pace)


def parallel(plan: "Plan") -> int:
    """Return how many runs of a plan this machine trains at once; at least one."""
    places = (os.cpu_count() or 1) // plan.workers_per_run
    if plan.gpus:
        import torch

        places = min(places, int(torch.cuda.device_count() / plan.gpus))
    return max(1, min(places, plan.runs))


def recorded_pace(plan: "Plan", root: Path) -> Pace | None:
    """Return the mean pace of the latest sweep of a store with runs like this plan's; None without any.

    Alike are: images (wherever they lie), views, encoder, batch, precision and the names of the methods, workers
    and GPUs of a run. The machine may be another one; the source names it.
    """
    from contrastive.config import to_dict

    wanted = _kind(to_dict(plan.space.base))
    resources = (plan.workers_per_run, plan.gpus_per_worker)
    for directory, manifest in _latest_first(root):
        had = manifest.get("plan", {})
        if had.get("smoke"):
            continue
        if (had.get("workers_per_run"), had.get("gpus_per_worker")) != resources:
            continue
        rows = store.runs(directory).select(["run", "config"]).to_pylist()
        alike = [row["run"] for row in rows if _kind(json.loads(row["config"])) == wanted]
        found = _seconds_per_epoch(directory, alike) if alike else None
        if found:
            host = manifest.get("provenance", {}).get("host", "a machine without a name")
            return Pace(found[0], f"mean of {found[1]} epochs of {directory.name} on {host}")
    return None


def measured(plan: "Plan", cache: Path, *, patience: float = PATIENCE) -> Pace:
    """Time a few seconds of the plan's base configuration, by `sweeps.backend.probe` in a process of its own.

    So the largest step can be given up, and this process is left as it was. One run is measured by itself, on one
    core: with a run on every core of a machine each is rather slower than faster.
    """
    from contrastive.config import to_dict

    if plan.device != "cpu":
        return Pace(
            None, "no sweep in the store has timed such runs, and none is measured on GPUs beforehand"
        )
    wanted = json.dumps({"config": to_dict(plan.space.base), "cache": str(cache)})
    command = [sys.executable, "-m", "sweeps.backend.probe"]
    options: dict[str, Any] = {"timeout": patience, "env": {**os.environ, "OMP_NUM_THREADS": "1"}}
    try:
        done = subprocess.run(command, input=wanted, capture_output=True, text=True, check=True, **options)
    except subprocess.TimeoutExpired:
        return Pace(None, f"{patience:.0f} seconds were too few to read the images and time some steps")
    except subprocess.CalledProcessError as error:
        return Pace(None, f"it cannot be measured: {(error.stderr.strip().splitlines() or ['it died'])[-1]}")
    workers = plan.workers_per_run
    seconds, source = json.loads(done.stdout.splitlines()[-1])
    if workers == 1:
        return Pace(seconds, source)
    return Pace(seconds / workers, f"{source}, divided by {workers} workers, which may be too hopeful")


def duration(seconds: float) -> str:
    """Format a duration in its two largest units."""
    whole = round(seconds)
    for size, name, smaller, part in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {part}" if rest else "")
    return f"{whole} s"


def _kind(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a configuration that determine how long an epoch takes."""
    method = config["method"]
    return {
        "method": [method["name"], method.get("inner", {}).get("name")],
        "data": {name: value for name, value in config["data"].items() if name != "root"},
        **{name: config[name] for name in ("views", "encoder", "batch", "precision")},
    }


def _latest_first(root: Path) -> list[tuple[Path, dict[str, Any]]]:
    found = [(path, store.read_manifest(path)) for path in store.sweep_directories(root.expanduser())]
    return sorted(found, key=lambda sweep: sweep[1].get("created", ""), reverse=True)


def _seconds_per_epoch(directory: Path, runs: list[str]) -> tuple[float, int] | None:
    """Return the mean over all epochs of these runs, and the number of epochs."""
    epochs = store.epochs(directory).filter(pc.field("run").isin(runs) & (pc.field("seconds") > 0))
    return (float(epochs["seconds"].to_numpy().mean()), len(epochs)) if len(epochs) else None
