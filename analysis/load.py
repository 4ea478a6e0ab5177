"""A sweep as plain frozen data, read from its folder; the same while it runs and after it has ended."""

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from sweeps import store
from sweeps.store.schema import METRIC, REUSED

ARM = "alternative"
"""What stands in the place of parameters where a space lists its arms by name."""
LABEL = re.compile(r" \([^()]*\)$")
"""Of a domain's key, what tells it from others of the same path."""
RUN_COLUMNS = [
    *("run", "number", "arm", "seed", "attempt", "config", "state", "reason", "epochs"),
    *("rung", "seconds", "device_seconds", "dropped", "code", "commit"),
]
FULL = "default"
"""What the full method is called where a space lists its parts."""
PERCENTAGE = "knn_top1"
"""The metric of every sweep so far."""
Curve = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Epochs, ascending, and the value at each."""


@dataclass(frozen=True, repr=False)
class Run:
    """One arm on one seed. `epochs` counts those recorded so far; `curve` holds each metric by name."""

    identity: str
    number: int
    arm: str
    seed: int
    attempt: int
    config: dict[str, Any]
    state: str
    reason: str
    epochs: int
    curve: dict[str, Curve]
    rung: int = 0
    """The last epoch at which the stopper has judged it; 0 if none has."""
    seconds: float = 0.0
    """Training and evaluation by the clock, all attempts."""
    device_seconds: float = 0.0
    """The same times its devices: GPUs, or processes where there is none."""
    dropped: str = ""
    """The component that this arm leaves out, by the name the space has for it."""
    origin: str = ""
    """Who has proposed its arm; "" where that was not recorded."""
    code: str | None = None
    """Digest of the code that has trained it; empty where that was not recorded."""
    commit: str | None = None

    def __repr__(self) -> str:
        return f"<Run {self.number}: arm {self.arm[:8]} on seed {self.seed}, {self.state} after {self.epochs} epochs>"

    @property
    def reused(self) -> bool:
        """Whether it was taken from another sweep: its epochs are there, and cost nothing here."""
        return self.reason.startswith(REUSED)

    def last(self, metric: str) -> float | None:
        """The value at the last epoch that has one; None without any, or if it is not finite."""
        values = self.curve[metric][1] if metric in self.curve else np.empty(0)
        return float(values[-1]) if values.size and np.isfinite(values[-1]) else None


@dataclass(frozen=True, repr=False)
class Record:
    """A sweep's manifest and its runs in order of issue."""

    manifest: dict[str, Any]
    runs: tuple[Run, ...]

    def __repr__(self) -> str:
        return f"<Record of {self.manifest.get('id', 'a sweep')}: {len(self.runs)} runs>"

    @property
    def metric(self) -> str:
        """Name of the metric that runs are judged by; more is better."""
        return self.manifest.get("metric", PERCENTAGE)

    @property
    def within(self) -> tuple[float, float]:
        """Between what the metric lies: percentages from 0 to 100, others anywhere."""
        percent = "%" in self.manifest.get("metric_label", "") or self.metric == PERCENTAGE
        return (0.0, 100.0) if percent else (-np.inf, np.inf)

    @property
    def search(self) -> "Record":
        """Without the runs on fresh seeds."""
        fresh = self.manifest.get("confirm_seeds") or []
        return replace(self, runs=tuple(run for run in self.runs if run.seed not in fresh))

    @property
    def result(self) -> "Record":
        """The runs that may be judged: those on fresh seeds where there are any, else all."""
        fresh = self.manifest.get("confirm_seeds") or []
        again = tuple(run for run in self.runs if run.seed in fresh)
        return Record({**self.manifest, "seeds": fresh}, again) if again else self

    @property
    def by_arm(self) -> dict[str, list[Run]]:
        """The runs of each arm, in order of issue."""
        found = {run.arm: list[Run]() for run in self.runs}
        for run in self.runs:
            found[run.arm].append(run)
        return found

    @property
    def states(self) -> Counter[str]:
        """How many runs are in each state; one that has come to its end with no finite value has failed."""
        return Counter(
            "failed" if run.state == "complete" and run.last(self.metric) is None else run.state
            for run in self.runs
        )


def load(directory: str | Path) -> Record:
    """Read the sweep in `directory` (STORE/sweeps/<id>).

    Raises:
        StoreError: there is no sweep in that folder.
    """
    directory = Path(directory)
    manifest, curves, origins = store.read_manifest(directory), _curves(directory), _origins(directory)
    rows: list[dict[str, Any]] = store.runs(directory).select(RUN_COLUMNS).to_pylist()
    runs: list[Run] = []
    for row in rows:
        curve = curves.get(row["run"], {})
        epochs = max([row["epochs"], *(int(epochs[-1]) for epochs, _ in curve.values())])
        runs.append(replace(run_of(row | {"epochs": epochs}, curve), origin=origins.get(row["run"], "")))
    return Record(manifest, tuple(runs))


def run_of(row: dict[str, Any], curve: dict[str, Curve]) -> Run:
    """A run by its row of the table of runs."""
    columns: dict[str, Any] = {name: row.get(name) for name in RUN_COLUMNS if name != "run"}
    return Run(row["run"], **columns | {"config": json.loads(row["config"])}, curve=curve)


def parameters(record: Record) -> tuple[str, ...]:
    """What tells the arms apart: the dotted paths that the space varies, or the names of the arms it lists."""
    space = record.manifest.get("space", {})
    return (ARM,) if space.get("alternatives") else tuple(_paths(space))


def setting(record: Record, run: Run) -> dict[str, Any]:
    """The value of each of `parameters` in a run; "" where it has no such field.

    A run of a space that lists its arms is called by the name of its arm, or by what it changes if it has none.
    """
    space = record.manifest.get("space", {})
    values = {path: _value_or_empty(run.config, path) for path in _paths(space)}
    if not space.get("alternatives"):
        return values
    names = [name for name, arm in space["alternatives"].items() if arm == values]
    defaults = {path: d["values"][0] for path, d in space["domains"].items() if "values" in d}
    changed = [f"{path} = {value}" for path, value in values.items() if value != defaults.get(path, value)]
    return {ARM: names[0] if names else " & ".join(changed) or space.get("base_name", "default")}


def recorded_value(config: dict[str, Any], path: str) -> Any:
    """The value at a dotted path of a run's configuration.

    Raises:
        ValueError: the configuration has no such field.
    """
    node: Any = config
    for name in path.split("."):
        if not isinstance(node, dict) or name not in node:
            has = ", ".join(node) if isinstance(node, dict) else repr(node)
            raise ValueError(f"{path}: a run of this sweep has no field '{name}' there, only {has}")
        node = node[name]
    return node


def paths_of(key: str) -> list[str]:
    """The paths of a domain by its key, without the label that tells it from others of the same path."""
    return LABEL.sub("", key).split(", ")


def _paths(space: dict[str, Any]) -> list[str]:
    """The paths of a space's domains; those that change together have one domain, under all their paths."""
    return list(dict.fromkeys(path for key in space.get("domains", {}) for path in paths_of(key)))


def _value_or_empty(config: Any, path: str) -> Any:
    for name in path.split("."):
        config = config[name] if isinstance(config, dict) and name in config else ""
    return config


def _origins(directory: Path) -> dict[str, str]:
    """Who has proposed the arm of each run, as was recorded when it was begun."""
    events = store.events(directory).select(["run", "kind", "detail"])
    begun = events.filter(pc.field("kind").isin(["asked", "reused"])).to_pylist()
    return {event["run"]: json.loads(event["detail"]).get("origin", "") for event in begun}


def _curves(directory: Path) -> dict[str, dict[str, Curve]]:
    table = store.epochs(directory)  # sorted by run and epoch
    runs, starts = np.unique(table["run"].to_numpy(), return_index=True)
    epochs = table["epoch"].to_numpy().astype(np.int64)
    found: dict[str, dict[str, Curve]] = {str(run): {} for run in runs}
    for name in (name for name in table.column_names if name.startswith(METRIC)):
        values, valid = table[name].to_numpy(), table[name].is_valid().to_numpy()
        for run, start, end in zip(runs, starts, [*starts[1:], len(table)], strict=True):
            there = valid[start:end]
            if there.any():
                has = slice(start, end) if there.all() else start + np.flatnonzero(there)
                found[str(run)][name.removeprefix(METRIC)] = epochs[has], values[has]
    return found
