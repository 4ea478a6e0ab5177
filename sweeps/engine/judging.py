"""Verdicts of the stopper and the guard on reports, which they are shown in a recorded order."""

import math
from typing import Any

from sweeps.engine.history import History
from sweeps.engine.ledger import Ledger
from sweeps.engine.runs import METRIC, IssuedRun, Metrics
from sweeps.stoppers import UNWELL, Verdict, judge_of

OUTDONE = "paused and never taken up again: others were better"


class Judging:
    """Judge by a plan's stopper and guard, whose verdicts follow from the record."""

    def __init__(self, ledger: Ledger, *, order: int):
        self.ledger, self.plan, self.order = ledger, ledger.study.plan, order
        plan, reference = self.plan, self.plan.space.reference
        self.guard = plan.guard.watch()
        self.judge = judge_of(
            plan.stopper,
            plan.epochs,
            seeds=len(plan.seeds),
            deviation=reference.seed_deviation if reference else None,
            spared=self.spares,
        )

    def spares(self, arm: str) -> bool:
        """Return whether an arm is never stopped: the default, and controls, which are drawn by digest."""
        return arm == self.ledger.study.default_arm or int(arm[:8], 16) / 16**8 < self.plan.stopper.control

    def observe(self, run: IssuedRun, epoch: int, metrics: Metrics, *, new: bool) -> Verdict | None:
        """Return the verdict on a report; None if the run goes on. `new`: record its position in the order."""
        if run.seed not in self.plan.seeds or not math.isfinite(metrics.get(METRIC, math.nan)):
            return None  # runs on fresh seeds are results: all are trained to their end
        if new:
            self._in_order("judged", run.identity, epoch)
        verdict = self.judge.observe(run.identity, run.arm, epoch, metrics[METRIC])
        return verdict if epoch < run.config.epochs else None

    def lose(self, run: IssuedRun, state: str, reason: str, *, new: bool = False) -> None:
        """Tell the judge that a run ended for a reason other than its verdict."""
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

    def note_rungs(self, *, known: bool = False) -> None:
        """Record the comparisons and decisions of judged arms, run by run; `known`: the store has them already."""
        for one in self.judge.compared():
            action = one.verdict.action if one.verdict else "goes on"
            decision = "spared" if one.verdict and self.spares(one.arm) else action
            found = {"value": one.value, "cutoff": one.comparison.cutoff, "peers": one.comparison.peers}
            for run in self.judge.runs(one.arm):
                progress = self.ledger.progress[run]
                if progress.epoch >= one.epoch:
                    progress.rung = one.epoch
                    if not known:
                        self.ledger.writer.event("rung", run, one.epoch, decision=decision, **found)

    def replay(self, history: History) -> None:
        """Show the judge the recorded reports in the same order, and record the order of those that are new to it."""
        entries, searched = self.ledger.study.entries, self.plan.seeds
        begun = {entry.run.seed for entry in entries.values()} & set(searched)
        self.judge.seeds = len(begun) or len(searched)
        for number in range(len(history.reports) + 1):
            self.judge.seeds = history.seeds.get(number, self.judge.seeds)
            for identity, state, reason in history.losses.get(number, ()):
                self.lose(entries[identity].run, state, reason)
            if number < len(history.reports) and history.reports[number][0] in entries:
                self._replay_report(history, number)
        self._replay_endings(history)
        if self.judge.seeds != len(searched) or not history.seeds:
            self.judge.seeds = len(searched)
            self._in_order("judging", seeds=len(searched))
        self.note_rungs(known=True)

    def _replay_report(self, history: History, number: int) -> None:
        identity, epoch, metrics = history.reports[number]
        run = self.ledger.study.entries[identity].run
        self.ledger.count(run, epoch, metrics, spent=identity not in history.reused)
        self.guard(identity, epoch, metrics)
        self.observe(run, epoch, metrics, new=number >= history.heard)

    def _replay_endings(self, history: History) -> None:
        """Replay the endings whose position in the order was not recorded."""
        entries = self.ledger.study.entries
        known = {identity for lost in history.losses.values() for identity, _, _ in lost}
        for identity, state in history.states.items():
            if identity in entries and identity not in known:
                self.lose(entries[identity].run, state, history.reasons[identity], new=True)

    def _in_order(self, kind: str, run: str = "", epoch: int = 0, **detail: Any) -> None:
        """Record the position of what the judge is shown: the clocks of machines do not agree on the order."""
        if self.judge.meetings:
            self.ledger.writer.event(kind, run, epoch, order=self.order, **detail)
            self.order += 1
