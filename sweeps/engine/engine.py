"""A sweep being carried out, without Ray or time: which run is next, what a report means, how a run ends.

All state follows from what was recorded, in order; so a killed sweep is resumed by replaying its record, and
what trains the runs may be Ray, a test or a simulation.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sweeps.engine.checkpoints import Checkpoints
from sweeps.engine.history import Finished, History, last_line
from sweeps.engine.run_progress import Tally
from sweeps.engine.study import IssuedRun, Study, StudyEntry
from sweeps.planning.plan import key
from sweeps.stoppers import UNWELL, ArmsJudge, Verdict, judge_of
from sweeps.store import Writer
from sweeps.store.schema import REUSED, State, seconds

METRIC = "knn_top1"
SAME_FAILURES = 10
"""So many runs in a row that fail with the same error end the sweep: the next would too."""
WAIT: Literal["wait"] = "wait"
"""Nothing to issue now, but perhaps when a run has ended."""
OUTDONE = "paused and never taken up again: others were better"
Metrics = Mapping[str, float]
Lacking = Callable[[int, int | None], str | None]


class Watcher:
    """Is told what happens; a table on the screen, for one."""

    def training(self) -> None:
        """The first run of a session begins to train; before that its processes were being started."""

    def state(self, run: IssuedRun, state: State, reason: str, epochs: int) -> None:
        """A run has started or ended."""

    def report(self, run: IssuedRun, epoch: int, value: float) -> None:
        """A run has finished an epoch."""


@dataclass(frozen=True)
class Closing:
    """Why no more runs are issued: somebody's wish, a budget that is spent, or runs that fail."""

    kind: Literal["interrupted", "spent", "failing"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a sweep is carried out, of which nothing shows in its results."""

    default_arm: str
    fail_fast: bool = False
    retry_failed: bool = False
    devices: float = 0.0
    """GPUs of a run."""


class Engine:
    """Issues the runs of a study, judges their reports and records all of it.

    `reusable` finds a finished equal run of another sweep.
    """

    def __init__(
        self,
        study: Study,
        writer: Writer,
        history: History,
        *,
        options: Options,
        checkpoints: Checkpoints,
        watcher: Watcher | None = None,
        reusable: Callable[[str], Finished | None] = lambda _: None,
    ):
        self.study, self.writer, self.options = study, writer, options
        self.plan, self.checkpoints, self.reusable = study.plan, checkpoints, reusable
        self.watcher = Watcher()  # of what was recorded before, nobody is told again
        self.tallies: dict[str, Tally] = {}
        self.running: dict[str, IssuedRun] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.wanted: set[str] = set()
        self.closing: Closing | None = None
        self.full: str | None = None
        """Why no run is begun that was not begun before, or None; those that were come to their end."""
        self.lacking: Lacking = lambda _runs, _epochs: None
        """Why so many runs and epochs more are not for the search, if the rest of a budget is kept; the arbiter's."""
        self.failures: list[str] = []
        self.epochs_spent, self.seconds_spent = 0, 0.0
        self.judge, self.order = self._judge(), history.order
        self.guard = self.plan.guard.watch()
        self.attempts, self.reused = history.attempts, set(history.reused)
        self.origins, self.started = dict(history.origins), set[str]()
        self.left_behind = self._take_up(history)
        self.watcher = watcher or self.watcher

    def _judge(self) -> ArmsJudge:
        plan, reference = self.plan, self.plan.space.reference
        return judge_of(
            plan.stopper,
            plan.epochs,
            arms=plan.arms,
            seeds=len(plan.seeds),
            deviation=reference.seed_deviation if reference else None,
            spared=self._spared,
        )

    def issue(self) -> IssuedRun | Literal["wait"] | None:
        """The next run to train; WAIT while there is none yet, None when there will be none."""
        while self.closing is None:
            run = self._next()
            if run is None:
                if self.running:
                    return WAIT
                run = self._promoted(ending=True)
            if run is None:
                if self.full and self.study.more():
                    self.close(Closing("spent", self.full))
                elif self._search_is_over():
                    return None
                continue
            new = run.identity not in self.tallies or run.identity in self.reused
            finished = self.reusable(run.identity) if new else None
            if finished is None:
                return self._start(run)
            self._reuse(run, finished)
        return None

    def report(self, run: IssuedRun, epoch: int, metrics: Metrics, *, host: str = "") -> bool:
        """Judges an epoch of a run that is being trained, on `host`; whether the run goes on."""
        if run.identity in self.verdicts:
            return False
        new = self._count(run, epoch, metrics)
        self._tally(run).host = host
        unwell, verdict = (
            self.guard(run.identity, epoch, metrics),
            self._verdict(run, epoch, metrics, new=new),
        )
        spared = verdict is not None and self._spared(run.arm)
        self._note_rungs()
        self._dismiss()
        searching = run.seed in self.plan.seeds and epoch < run.config.epochs
        if unwell:
            self.verdicts[run.identity] = Verdict("stop", unwell)
        elif searching and not self.study.confirming and (why := self.lacking(0, None)):
            self.verdicts[run.identity] = Verdict("stop", f"epoch {epoch}: {why}")
        elif verdict and spared:
            self.writer.event("spared", run.identity, epoch, reason=verdict.reason)
        elif verdict:
            self.verdicts[run.identity] = verdict
        return run.identity not in self.verdicts and self.closing is None

    def end(self, run: IssuedRun, *, failed: str | None = None, diverged: str | None = None) -> None:
        """The run is no longer trained: it is done, has been told to end, or has failed."""
        del self.running[run.identity]
        tally, verdict = self._tally(run), self.verdicts.pop(run.identity, None)
        if diverged is not None:
            self._record(run, "stopped", f"diverged: {diverged}")
        elif failed is not None:
            self._record(run, "failed", failed)
        elif verdict and verdict.action != "stop":
            self._record(run, "paused", verdict.reason)
            if run.identity in self.wanted:
                self.wanted.remove(run.identity)
                self.left_behind.append(self.study.entries[run.identity].run)
        elif verdict:
            self._record(run, "stopped", verdict.reason)
        elif tally.epoch >= run.config.epochs:
            self._complete(run)
        elif self.closing is None:
            self._record(run, "failed", f"ended after epoch {tally.epoch} without a word")
        self._tidy()

    def close(self, closing: Closing) -> None:
        """Issues no more; runs in training end at their next report and can be resumed."""
        if self.closing is None:
            self.closing = closing
            self.writer.event("closing", reason=closing.reason)

    def _take_up(self, history: History) -> list[IssuedRun]:
        """Replays what was recorded; the runs that were in training when the sweep was interrupted."""
        entries = self.study.entries
        self._replay(history)
        for run in self.study.unfinished():
            state = history.states.get(run.identity, "running")
            if state == "complete":
                self.study.tell(run.identity, state, self._values(self._tally(run)))
            elif state in ("stopped", "failed"):
                self.study.tell(run.identity, state)
        failed = [run for run in history.states if history.states[run] == "failed" and run in entries]
        again = [self.study.retry(run) for run in failed] if self.options.retry_failed else []
        for run in again:
            self.writer.event("retried", run.identity)
        elsewhere = {run for run, state in history.states.items() if state == "paused"}
        elsewhere |= {run.identity for run in again}
        self._dismiss()
        return again + [run for run in self.study.unfinished() if run.identity not in elsewhere]

    def _replay(self, history: History) -> None:
        """Shows the judge what it was shown, in the same order, and records the order of what it had not heard."""
        entries, searched = self.study.entries, self.plan.seeds
        begun = {entry.run.seed for entry in entries.values()} & set(searched)
        self.judge.seeds = len(begun) or len(searched)
        for number in range(len(history.reports) + 1):
            self.judge.seeds = history.seeds.get(number, self.judge.seeds)
            for identity, state, reason in history.losses.get(number, ()):
                self._lose(entries[identity].run, state, reason)
            if number < len(history.reports) and history.reports[number][0] in entries:
                identity, epoch, metrics = history.reports[number]
                run = entries[identity].run
                self._count(run, epoch, metrics, spent=identity not in history.reused)
                self.guard(identity, epoch, metrics)
                self._verdict(run, epoch, metrics, new=number >= history.heard)
        known = {identity for lost in history.losses.values() for identity, _, _ in lost}
        for identity, state in history.states.items():
            if identity in entries and identity not in known:
                self._lose(entries[identity].run, state, history.reasons[identity], new=True)
        if self.judge.seeds != len(searched) or not history.seeds:
            self.judge.seeds = len(searched)
            self._in_order("judging", seeds=len(searched))
        self._note_rungs(known=True)

    def _next(self) -> IssuedRun | None:
        if self.left_behind:
            return self.left_behind.pop(0)
        return self._promoted() or (None if self._full() else self.study.ask())

    def _full(self) -> str | None:
        """Why no new run is begun, or None: a search only begins what fits in beside the confirmation to its end."""
        return self.full or (None if self.study.confirming else self._no_room())

    def _no_room(self) -> str | None:
        runs = self.study.block()
        return self.lacking(runs, runs * self.plan.epochs)

    def _to_go(self, arm: str) -> int:
        """Epochs to go of the runs of an arm that wait."""
        waiting = [
            run for run in self.study.unfinished() if run.arm == arm and run.identity not in self.running
        ]
        return sum(
            run.config.epochs - self._tally(run).epoch for run in waiting if run.seed in self.plan.seeds
        )

    def confirmed(self) -> tuple[int, int]:
        """Runs of the confirmation and their epochs so far; while the search may yet find other arms, the default's."""
        if self.through:
            return self.plan.confirm_runs, self.plan.confirm_runs * self.plan.epochs
        again = [tally for tally in self.tallies.values() if tally.run.seed in self.plan.confirm_seeds]
        if not self.study.confirming:
            again = [tally for tally in again if tally.run.arm == self.options.default_arm]
        return len(again), sum(tally.epoch for tally in again)

    def under_way(self) -> int:
        """Epochs to go of the search's runs in training, and of those that an interruption left behind."""
        runs = {run.identity: run for run in (*self.running.values(), *self.left_behind)}.values()
        return sum(run.config.epochs - self._tally(run).epoch for run in runs if run.seed in self.plan.seeds)

    @property
    def through(self) -> bool:
        """Whether all runs, to the last of the confirmation, have had all their epochs."""
        left = any(self._tally(run).epoch < run.config.epochs for run in self.running.values())
        return bool(self.plan.confirm) and self.study.confirming and not (left or self.study.more())

    def _promoted(self, *, ending: bool = False) -> IssuedRun | None:
        """The paused run to resume now. One whose process has not ended yet is resumed as soon as it has.

        `ending`: no new run is to come, whatever the study hoped for.
        """
        if self.running and not self.study.confirming and self.lacking(0, self.plan.epochs):
            return None  # what these leave of the search's share decides who can still be resumed
        new = any(run.seed in self.plan.seeds and not self._tally(run).epoch for run in self.running.values())
        more = not ending and (new or (self.study.more() and not self._full()))
        while (paused := self.judge.promote(more=more)) is not None:
            entry = self.study.entries[paused]
            if paused in self.verdicts:
                self.wanted.add(paused)
            elif entry.state != "running" or paused in self.running:
                continue
            elif why := self.lacking(0, self._to_go(entry.run.arm)):
                self._record(entry.run, "stopped", f"paused and never taken up again: {why}")
            else:
                self.writer.event("promoted", paused, self._tally(entry.run).epoch)
                return entry.run
        return None

    def _dismiss(self) -> None:
        """Ends the runs that wait for an arm that has been stopped."""
        for identity, verdict in self.judge.dismissed():
            entry = self.study.entries[identity]
            if entry.state != "running" or self._spared(entry.run.arm):
                continue
            if identity in self.running:
                self.verdicts[identity] = verdict
                self.wanted.discard(identity)
            else:
                self.left_behind = [run for run in self.left_behind if run.identity != identity]
                self._record(entry.run, "stopped", verdict.reason)

    def _search_is_over(self) -> bool:
        """Ends what was never promoted; begins to confirm, once; whether nothing is left to do."""
        paused = self.study.unfinished()
        for run in paused:
            self._record(run, "stopped", OUTDONE)
        if paused and self.study.more():
            return False  # the next step of a path depends on how these have ended
        if self.study.confirming:
            return True
        if self.study.more() and (why := self._full()):
            self.writer.event("search_ended", reason=why)
            if not self.plan.confirm:
                self.close(Closing("spent", why))
                return False
        self.study.confirm()
        return False

    def _start(self, run: IssuedRun) -> IssuedRun:
        attempt = self.attempts.get(run.identity, -1) + 1
        self.attempts[run.identity] = attempt
        self.running[run.identity] = run
        self.started.add(run.identity)
        if attempt == 0:
            arm = json.loads(self.study.entries[run.identity].arm)
            detail: dict[str, Any] = {"design": self.plan.design, "arm": arm, "seed": run.seed}
            self.writer.event("asked", run.identity, **detail, **self._origin(run))
        self._note(run, "running", "")
        return replace(run, attempt=attempt)

    def _reuse(self, run: IssuedRun, finished: Finished) -> None:
        """Takes over the recorded epochs of an equal run of another sweep."""
        detail: dict[str, Any] = {"sweep": finished.sweep, **self._origin(run)}
        self.writer.event("reused", run.identity, len(finished.epochs), **detail)
        self.reused.add(run.identity)
        for epoch, metrics in finished.epochs:
            self.writer.report(run.identity, 0, epoch, metrics)
            self._verdict(run, epoch, metrics, new=self._count(run, epoch, metrics, spent=False))
        self.attempts[run.identity] = 0
        self.origins[run.identity] = finished.origin
        self.checkpoints.link(run.identity, finished.checkpoint)
        self._complete(run, f"{REUSED}{finished.sweep}")
        self._tidy()

    def _origin(self, run: IssuedRun) -> dict[str, Any]:
        """Who has proposed its arm, where that is known."""
        origin = self.study.entries[run.identity].origin
        return {"origin": origin} if origin else {}

    def _count(self, run: IssuedRun, epoch: int, metrics: Metrics, *, spent: bool = True) -> bool:
        """Counts an epoch; False if it was counted before."""
        if not self._tally(run).add(epoch, metrics, spent=spent):
            return False
        if spent:
            self.epochs_spent += 1
            self.seconds_spent += seconds(metrics)
        if math.isfinite(value := metrics.get(METRIC, math.nan)):
            self.study.report(run.identity, epoch, value, self._values(self._tally(run))[1:])
            self.watcher.report(run, epoch, value)
        return True

    def _verdict(self, run: IssuedRun, epoch: int, metrics: Metrics, *, new: bool) -> Verdict | None:
        """What the judge says of a report; None if the run goes on. `new`: its place in the order is to be kept."""
        if run.seed not in self.plan.seeds or not math.isfinite(metrics.get(METRIC, math.nan)):
            return None  # runs on fresh seeds are results: all are trained to their end
        if new:
            self._in_order("judged", run.identity, epoch)
        verdict = self.judge.observe(run.identity, run.arm, epoch, metrics[METRIC])
        return verdict if epoch < run.config.epochs else None

    def _in_order(self, kind: str, run: str = "", epoch: int = 0, **detail: Any) -> None:
        """Records what the judge is shown with its place: the clocks of machines do not agree on the order."""
        if self.judge.meetings:
            self.writer.event(kind, run, epoch, order=self.order, **detail)
            self.order += 1

    def _note_rungs(self, *, known: bool = False) -> None:
        """Records of the runs of arms what these were compared with, and what came of it; `known`: it was before."""
        for one in self.judge.compared():
            action = one.verdict.action if one.verdict else "goes on"
            decision = "spared" if one.verdict and self._spared(one.arm) else action
            found = {"value": one.value, "cutoff": one.comparison.cutoff, "peers": one.comparison.peers}
            for run in self.judge.runs(one.arm):
                tally = self.tallies[run]
                if tally.epoch >= one.epoch:
                    tally.rung = one.epoch
                    if not known:
                        self.writer.event("rung", run, one.epoch, decision=decision, **found)

    def _spared(self, arm: str) -> bool:
        """The default is what all are compared with; controls show what stopping costs, and are drawn by digest."""
        return arm == self.options.default_arm or int(arm[:8], 16) / 16**8 < self.plan.stopper.control

    def _values(self, tally: Tally) -> tuple[float, ...]:
        """The objectives of a run that has come to its end."""
        return tuple(
            (tally.total if objective.total else tally.last).get(objective.metric, math.nan)
            for objective in self.plan.objectives
        )

    def _complete(self, run: IssuedRun, reason: str = "") -> None:
        tally = self._tally(run)
        values = self._values(tally)
        if all(map(math.isfinite, values)):
            self._record(run, "complete", reason, values)
        else:
            wanted = ", ".join(objective.metric for objective in self.plan.objectives)
            self._record(run, "failed", f"no finite {wanted} at its end; it reported {', '.join(tally.last)}")

    def _record(self, run: IssuedRun, state: State, reason: str, values: tuple[float, ...] = ()) -> None:
        """In the store first, then in the study: what the store has, a resumed study is told."""
        self._note(run, state, reason)
        self.writer.sync()  # the study's journal is on disk at once, and must not know more than the store
        if state != "paused":
            self.study.tell(run.identity, state, values, unwell=reason.startswith(UNWELL))
        if state == "failed":
            self._count_failure(reason)
        else:
            self.failures.clear()
        self._lose(run, state, reason, new=True)
        self._note_rungs()
        self._dismiss()

    def _lose(self, run: IssuedRun, state: str, reason: str, *, new: bool = False) -> None:
        """Tells the judge of a run that ended otherwise than by its word."""
        broken = reason if state == "stopped" and reason.startswith(UNWELL) else ""
        if run.seed not in self.plan.seeds:
            return
        if new and (broken or state == "failed"):
            self._in_order("lost", run.identity, state=state, reason=broken)
        if broken:
            self.judge.ended(run.arm, broken)
        elif state == "failed":
            self.judge.failed(run.identity, run.arm)
        elif state == "stopped" and reason == OUTDONE:
            self.judge.outdone(run.arm)
        elif state == "stopped":
            self.judge.stopped(run.arm, reason)

    def _note(self, run: IssuedRun, state: State, reason: str) -> None:
        epochs = self._tally(run).epoch if state != "running" else 0
        tally, kept = self._tally(run), self.checkpoints.of(run.identity)
        self.writer.run(
            **replace(run, attempt=self.attempts.get(run.identity, 0)).row(),
            state=state,
            reason=reason,
            epochs=epochs,
            rung=tally.rung,
            seconds=tally.seconds,
            device_seconds=tally.seconds * (self.options.devices or self.plan.workers_per_run),
            checkpoint=str(kept.relative_to(self.study.directory)) if kept else "",
            dropped=self.study.dropped(run),
            host=tally.host,
            origin=self._whence(run),
        )
        self.watcher.state(run, state, reason, epochs)

    def _whence(self, run: IssuedRun) -> dict[str, str]:
        """Where a run comes from if not from this sitting alone: columns of schema.WHENCE.

        One that other code has begun is of both: its numbers are of neither alone.
        """
        before, now = self.origins.get(run.identity), self.writer.origin
        if not before or run.identity not in self.started:
            return dict(before or {})
        if now["code"] in before["code"].split("+"):
            return {"code": before["code"]}
        return {name: f"{before[name] or 'unknown'}+{now[name] or 'unknown'}" for name in ("code", "commit")}

    def _count_failure(self, reason: str) -> None:
        last = last_line(reason)
        error = re.sub(r"\b[0-9a-f]{8,}\b|[\d.]+", "#", last)  # digests and numbers differ from run to run
        self.failures = [*self.failures, error] if error in self.failures[-1:] else [error]
        if self.options.fail_fast:
            self.close(Closing("failing", f"a run has failed: {last}"))
        elif len(self.failures) >= SAME_FAILURES:
            self.close(Closing("failing", f"{SAME_FAILURES} runs in a row failed alike: {last}"))

    def _tally(self, run: IssuedRun) -> Tally:
        return self.tallies.setdefault(run.identity, Tally(run))

    def _tidy(self) -> None:
        """Removes the checkpoints that nothing needs any more; what replaces them is on disk."""
        entries = self.study.entries
        occupied = set(self.running) | {run.identity for run in self.left_behind}

        def standing(entry: StudyEntry) -> str:
            undecided = entry.run.seed in self.plan.seeds and not self.study.decided(entry.arm)
            state = "undecided" if entry.state == "complete" and undecided else entry.state
            return "occupied" if entry.run.identity in occupied else state

        def value(entry: StudyEntry) -> float:
            return self.tallies[entry.run.identity].last.get(METRIC, -math.inf)

        def worth(arm: str) -> float:
            score = self.study.score(arm)
            return -math.inf if score is None else score

        sizes = self.checkpoints.measure()
        self.checkpoints.tidy(
            sizes,
            {run: standing(entries[run]) for run in sizes if run in entries},
            arm=lambda run: entries[run].arm,
            worth=lambda run: (worth(entries[run].arm), value(entries[run])),
            default=key(self.plan.space.default()),
        )
