"""Reports and cost of each run of a sweep, and its rows in the store."""

import json
import math
from dataclasses import replace
from typing import Any

from sweeps.engine.checkpoints import Checkpoints
from sweeps.engine.history import Finished, History
from sweeps.engine.runs import METRIC, IssuedRun, Metrics, RunProgress
from sweeps.engine.study import Study
from sweeps.store import Writer
from sweeps.store.schema import State, seconds


class Watcher:
    """Observer of a sweep, such as a table on the screen."""

    def state(self, run: IssuedRun, state: State, reason: str, epochs: int) -> None:
        """Handle the start or end of a run."""

    def report(self, run: IssuedRun, epoch: int, value: float) -> None:
        """Handle a finished epoch of a run."""

    def training(self) -> None:
        """Handle the start of training in a session; before that its processes were being started."""


class Ledger:
    """Progress of every run and its rows in the store; `gpus` is the number of GPUs of one run."""

    def __init__(
        self, study: Study, writer: Writer, history: History, *, checkpoints: Checkpoints, gpus: float
    ):
        self.study, self.writer, self.checkpoints, self.gpus = study, writer, checkpoints, gpus
        self.watcher = Watcher()
        self.progress: dict[str, RunProgress] = {}
        self.attempts, self.reused = history.attempts, set(history.reused)
        self.origins, self.started = dict(history.origins), set[str]()
        self.epochs_spent, self.seconds_spent = 0, 0.0

    def of(self, run: IssuedRun) -> RunProgress:
        """Return the progress of a run; empty if it has not reported yet."""
        return self.progress.setdefault(run.identity, RunProgress(run))

    def left(self, run: IssuedRun) -> int:
        """Return the number of epochs that a run has left."""
        return run.config.epochs - self.of(run).epoch

    def is_new(self, run: IssuedRun) -> bool:
        """Return whether no epoch of a run was trained in this sweep."""
        return run.identity not in self.progress or run.identity in self.reused

    def start(self, run: IssuedRun) -> IssuedRun:
        """Record that a run is trained from now on; return its attempt."""
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
        """Record that a run was trained in another sweep; its epochs are recorded separately."""
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
        """Return the objectives of a run from its reports; nan where one is missing."""
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
            device_seconds=progress.seconds * (self.gpus or self.study.plan.workers_per_run),
            checkpoint=str(kept.relative_to(self.study.directory)) if kept else "",
            dropped=self._dropped(run),
            host=progress.host,
            origin=self._whence(run),
        )
        self.watcher.state(run, state, reason, epochs)

    def _dropped(self, run: IssuedRun) -> str:
        """Name an arm of a space that lists its arms, for an ablation by what it leaves out; "" for the default."""
        space = self.study.plan.space
        if not space.alternatives:
            return ""
        name = space.named_arms.name_of(json.loads(self.study.entries[run.identity].arm))
        return "" if name == space.base_name else name

    def _proposer(self, run: IssuedRun) -> dict[str, Any]:
        """Return what proposed its arm, where that is known."""
        origin = self.study.entries[run.identity].origin
        return {"origin": origin} if origin else {}

    def _whence(self, run: IssuedRun) -> dict[str, str]:
        """Return the origin of a run that reported before this session, or {}: columns of schema.WHENCE.

        A run that other code has started records both: its results come from neither alone.
        """
        before, now = self.origins.get(run.identity), self.writer.origin
        if not before or run.identity not in self.started:
            return dict(before or {})
        if now["code"] in before["code"].split("+"):
            return {"code": before["code"]}
        return {name: f"{before[name] or 'unknown'}+{now[name] or 'unknown'}" for name in ("code", "commit")}
