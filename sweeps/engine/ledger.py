"""What each run of a sweep has reported, what that has cost, and what the store is told of it."""

import json
import math
from dataclasses import replace
from typing import Any

from sweeps.engine.checkpoints import Checkpoints
from sweeps.engine.history import Finished, History
from sweeps.engine.run_progress import METRIC, Metrics, RunProgress
from sweeps.engine.runs import IssuedRun
from sweeps.engine.study import Study
from sweeps.store import Writer
from sweeps.store.schema import State, seconds


class Watcher:
    """Is told what happens; a table on the screen, for one."""

    def state(self, run: IssuedRun, state: State, reason: str, epochs: int) -> None:
        """A run has started or ended."""

    def report(self, run: IssuedRun, epoch: int, value: float) -> None:
        """A run has finished an epoch."""

    def training(self) -> None:
        """The first run of a session begins to train; before that its processes were being started."""


class Ledger:
    """The progress of every run, and its rows in the store; `devices` are those of one run."""

    def __init__(
        self, study: Study, writer: Writer, history: History, *, checkpoints: Checkpoints, devices: float
    ):
        self.study, self.writer, self.checkpoints, self.devices = study, writer, checkpoints, devices
        self.watcher = Watcher()
        self.progress: dict[str, RunProgress] = {}
        self.attempts, self.reused = history.attempts, set(history.reused)
        self.origins, self.started = dict(history.origins), set[str]()
        self.epochs_spent, self.seconds_spent = 0, 0.0

    def of(self, run: IssuedRun) -> RunProgress:
        """The progress of a run, which may have none yet."""
        return self.progress.setdefault(run.identity, RunProgress(run))

    def left(self, run: IssuedRun) -> int:
        """Epochs that a run has to go."""
        return run.config.epochs - self.of(run).epoch

    def is_new(self, run: IssuedRun) -> bool:
        """Whether nothing of a run was trained in this sweep."""
        return run.identity not in self.progress or run.identity in self.reused

    def start(self, run: IssuedRun) -> IssuedRun:
        """Record that a run is trained from now on; returns its attempt."""
        attempt = self.attempts.get(run.identity, -1) + 1
        self.attempts[run.identity] = attempt
        self.started.add(run.identity)
        if attempt == 0:
            arm = json.loads(self.study.entries[run.identity].arm)
            detail: dict[str, Any] = {"design": self.study.plan.design, "arm": arm, "seed": run.seed}
            self.writer.event("asked", run.identity, **detail, **self._proposer(run))
        self.note(run, "running", "")
        return replace(run, attempt=attempt)

    def take_over(self, run: IssuedRun, finished: Finished) -> None:
        """Record that a run has been trained in another sweep, all but its epochs."""
        detail: dict[str, Any] = {"sweep": finished.sweep, **self._proposer(run)}
        self.writer.event("reused", run.identity, len(finished.epochs), **detail)
        self.reused.add(run.identity)
        self.attempts[run.identity] = 0
        self.origins[run.identity] = finished.origin
        self.checkpoints.link(run.identity, finished.checkpoint)

    def count(self, run: IssuedRun, epoch: int, metrics: Metrics, *, spent: bool = True) -> bool:
        """Count an epoch; False if it was counted before."""
        if not self.of(run).add(epoch, metrics, spent=spent):
            return False
        if spent:
            self.epochs_spent += 1
            self.seconds_spent += seconds(metrics)
        if math.isfinite(value := metrics.get(METRIC, math.nan)):
            self.study.report(run.identity, epoch, value, self.values(run)[1:])
            self.watcher.report(run, epoch, value)
        return True

    def values(self, run: IssuedRun) -> tuple[float, ...]:
        """The objectives of a run by what it has reported; nan where that is missing."""
        progress = self.of(run)
        return tuple(
            (progress.total if objective.total else progress.last).get(objective.metric, math.nan)
            for objective in self.study.plan.objectives
        )

    def note(self, run: IssuedRun, state: State, reason: str) -> None:
        """Write the row of a run as it stands now."""
        progress, kept = self.of(run), self.checkpoints.of(run.identity)
        epochs = progress.epoch if state != "running" else 0
        self.writer.run(
            **replace(run, attempt=self.attempts.get(run.identity, 0)).row(),
            state=state,
            reason=reason,
            epochs=epochs,
            rung=progress.rung,
            seconds=progress.seconds,
            device_seconds=progress.seconds * self.devices,
            checkpoint=str(kept.relative_to(self.study.directory)) if kept else "",
            dropped=self._dropped(run),
            host=progress.host,
            origin=self._whence(run),
        )
        self.watcher.state(run, state, reason, epochs)

    def _dropped(self, run: IssuedRun) -> str:
        """What an arm of a space that lists its arms leaves out, or whatever else it is called; "" of the default."""
        space = self.study.plan.space
        if not space.alternatives:
            return ""
        name = space.named_arms.name_of(json.loads(self.study.entries[run.identity].arm))
        return "" if name == space.base_name else name

    def _proposer(self, run: IssuedRun) -> dict[str, Any]:
        """Who has proposed its arm, where that is known."""
        origin = self.study.entries[run.identity].origin
        return {"origin": origin} if origin else {}

    def _whence(self, run: IssuedRun) -> dict[str, str]:
        """Where a run comes from if not from this session alone: columns of schema.WHENCE.

        One that other code has begun is of both: its numbers are of neither alone.
        """
        before, now = self.origins.get(run.identity), self.writer.origin
        if not before or run.identity not in self.started:
            return dict(before or {})
        if now["code"] in before["code"].split("+"):
            return {"code": before["code"]}
        return {name: f"{before[name] or 'unknown'}+{now[name] or 'unknown'}" for name in ("code", "commit")}
