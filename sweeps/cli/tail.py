"""What happens in a sweep, line by line, as its processes record it."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from analysis.load import Record, Run, run_of, setting
from analysis.naming import name_of
from sweeps import store
from sweeps.engine.history import last_line
from sweeps.store.driver import driver
from sweeps.store.follow import Follower
from sweeps.store.schema import METRIC

POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """A report of a run, or a change of its state."""

    time: float
    run: int | None
    """Its number; None of a run whose issue has not been recorded."""
    seed: int | None
    state: str
    """ "report", or the new state."""
    epoch: int
    metric: str
    """What runs are judged by."""
    value: float | None
    reason: str = ""
    setting: dict[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready values; a value that is not finite becomes null."""
        return {**asdict(self), "value": self.value if math.isfinite(self.value or 0.0) else None}

    def text(self) -> str:
        """For people."""
        head = f"{datetime.fromtimestamp(self.time):%H:%M:%S}  run {self.run}  seed {self.seed}"
        if self.state == "report":
            return f"{head}  epoch {self.epoch}  {self.metric} {self.value:.2f}"
        why = f" ({self.reason})" if self.reason else ""
        return f"{head}  {name_of(self.setting)}: {self.state}{why}"


@dataclass
class Tail:
    """Follows the record of one sweep."""

    directory: Path
    runs: dict[str, Run] = field(default_factory=dict[str, Run], init=False)
    seen: set[tuple[Any, ...]] = field(default_factory=set[tuple[Any, ...]], init=False)

    def __post_init__(self) -> None:
        self.record = Record(store.read_manifest(self.directory), ())
        self.reports = Follower(self.directory, "reports")
        self.states = Follower(self.directory, "runs")

    def new(self) -> list[Line]:
        """What was recorded since the last call, in order of time."""
        # Reports first: the issue of a run is recorded before any report of it, so that it is found below.
        reports = self._judged(self.reports.new())
        lines = [self._state(row) for row in self.states.new().to_pylist() if self._is_new(row, "state")]
        lines += [self._report(row) for row in reports if self._is_new(row, "epoch")]
        return sorted(lines, key=lambda line: line.time)

    def _judged(self, reports: Any) -> list[dict[str, Any]]:
        """What runs are judged by, of those reports that have it."""
        metric = METRIC + self.record.metric
        if metric not in reports.column_names:
            return []
        columns = reports.select(["run", "attempt", "epoch", "time", "sequence", metric])
        return columns.filter(pc.field(metric).is_valid()).rename_columns({metric: "value"}).to_pylist()

    def _is_new(self, row: dict[str, Any], what: str) -> bool:
        before = len(self.seen)
        self.seen.add(tuple(row[name] for name in ("run", "attempt", "time", "sequence", what)))
        return len(self.seen) > before

    def _state(self, row: dict[str, Any]) -> Line:
        run = self.runs[row["run"]] = run_of(row, {})
        return Line(
            time=row["time"],
            run=run.number,
            seed=run.seed,
            state=run.state,
            epoch=run.epochs,
            metric=self.record.metric,
            value=None,
            reason=last_line(run.reason),
            setting=setting(self.record, run),
        )

    def _report(self, row: dict[str, Any]) -> Line:
        run = self.runs.get(row["run"])
        return Line(
            time=row["time"],
            run=run and run.number,
            seed=run and run.seed,
            state="report",
            epoch=row["epoch"],
            metric=self.record.metric,
            value=row["value"],
        )


def tail(directory: Path, *, last: int = 20, pause: Callable[[float], None] = time.sleep) -> Iterator[Line]:
    """The last lines of a sweep's record, then each as it comes, until nobody carries the sweep out any more.

    Args:
        directory: the sweep's folder.
        last: how many lines of what was before.
        pause: waits so many seconds between two looks.

    Raises:
        StoreError: there is no sweep in that folder.
    """
    following = Tail(directory)
    running = driver(directory) is not None
    yield from deque(following.new(), maxlen=last)
    while running:
        pause(POLL_SECONDS)
        running = driver(directory) is not None  # before the look: what a driver records last is still shown
        yield from following.new()
