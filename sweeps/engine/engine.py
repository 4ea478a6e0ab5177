"""The engine of a sweep, independent of Ray and time: the next run, the response to a report, the end of a run.

All state follows from the record, in order; so a killed sweep is resumed by replaying its record, and
what trains the runs may be Ray, a test or a simulation.
"""

import math
from collections.abc import Callable
from typing import Literal

from sweeps.engine.checkpoints import Checkpoints
from sweeps.engine.closing import Closing, FailureStreak
from sweeps.engine.history import Finished, History
from sweeps.engine.judging import OUTDONE, Judging
from sweeps.engine.ledger import Ledger, Watcher
from sweeps.engine.run_queue import RunQueue
from sweeps.engine.runs import IssuedRun, Metrics
from sweeps.engine.spending import Spending
from sweeps.engine.study import Study
from sweeps.engine.tidying import tidy
from sweeps.stoppers import UNWELL, Verdict
from sweeps.store import Writer
from sweeps.store.schema import REUSED, State

WAIT: Literal["wait"] = "wait"
"""Nothing to issue now, but there may be when a run has ended."""


class Engine:
    """Issuer of a study's runs, which judges their reports and records all of it.

    Args:
        study: of the sweep.
        writer: of its store.
        history: what was recorded before.
        checkpoints: of its runs.
        devices: GPUs of a run.
        fail_fast: end with the first run that fails.
        retry_failed: train the runs again that have failed.
        watcher: of what happens from now on.
        reusable: finds a finished equal run of another sweep.
    """

    def __init__(
        self,
        study: Study,
        writer: Writer,
        history: History,
        *,
        checkpoints: Checkpoints,
        devices: float = 0.0,
        fail_fast: bool = False,
        retry_failed: bool = False,
        watcher: Watcher | None = None,
        reusable: Callable[[str], Finished | None] = lambda _: None,
    ):
        self.study, self.plan, self.writer = study, study.plan, writer
        self.reusable, self.retry_failed = reusable, retry_failed
        self.ledger = Ledger(study, writer, history, checkpoints=checkpoints, gpus=devices)
        self.judging = Judging(self.ledger, order=history.order)
        self.queue = RunQueue(study, self.ledger, self.judging, stop=self._stop)
        self.spending = Spending(self.ledger, self.queue)
        self.failures = FailureStreak(fail_fast)
        self.closing: Closing | None = None
        self.queue.left_behind = self._take_up(history)
        self.ledger.watcher = watcher or Watcher()  # of what was recorded before, nobody is told again

    def issue(self) -> IssuedRun | Literal["wait"] | None:
        """Return the next run to train; WAIT while there is none yet, None when there will be none."""
        while self.closing is None:
            run = self.queue.next()
            if run is None:
                if self.queue.running:
                    return WAIT
                run = self.queue.promoted(ending=True)
            if run is None:
                if self.queue.full and self.study.more():
                    self.close(Closing("spent", self.queue.full))
                elif self._search_is_over():
                    return None
                continue
            finished = self.reusable(run.identity) if self.ledger.is_new(run) else None
            if finished is None:
                self.queue.running[run.identity] = run
                return self.ledger.start(run)
            self._reuse(run, finished)
        return None

    def report(self, run: IssuedRun, epoch: int, metrics: Metrics, *, host: str = "") -> bool:
        """Judge an epoch of a run in training on `host`; return whether the run goes on."""
        verdicts = self.queue.verdicts
        if run.identity in verdicts:
            return False
        new = self.ledger.count(run, epoch, metrics)
        self.ledger.of(run).host = host
        unwell = self.judging.guard(run.identity, epoch, metrics)
        verdict = self.judging.observe(run, epoch, metrics, new=new)
        self.judging.note_rungs()
        self.queue.dismiss()
        if unwell:
            verdicts[run.identity] = Verdict("stop", unwell)
        elif why := self._search_lacks(run, epoch):
            verdicts[run.identity] = Verdict("stop", f"epoch {epoch}: {why}")
        elif verdict and self.judging.spares(run.arm):
            self.writer.event("spared", run.identity, epoch, reason=verdict.reason)
        elif verdict:
            verdicts[run.identity] = verdict
        return run.identity not in verdicts and self.closing is None

    def _search_lacks(self, run: IssuedRun, epoch: int) -> str | None:
        """Return why the search's share of a budget has no further epoch for a run, or None."""
        searching = run.seed in self.plan.seeds and epoch < run.config.epochs and not self.study.confirming
        return self.queue.lacking(0, None) if searching else None

    def end(self, run: IssuedRun, *, failed: str | None = None, diverged: str | None = None) -> None:
        """Record that a run is no longer trained: it is complete, was told to end, or has failed."""
        del self.queue.running[run.identity]
        verdict, epoch = self.queue.verdicts.pop(run.identity, None), self.ledger.of(run).epoch
        if diverged is not None:
            self._record(run, "stopped", f"diverged: {diverged}")
        elif failed is not None:
            self._record(run, "failed", failed)
        elif verdict and verdict.action != "stop":
            self._record(run, "paused", verdict.reason)
            self.queue.resume_if_wanted(run)
        elif verdict:
            self._record(run, "stopped", verdict.reason)
        elif epoch >= run.config.epochs:
            self._complete(run)
        elif self.closing is None:
            self._record(run, "failed", f"ended after epoch {epoch} without a word")
        tidy(self.ledger, self.queue.occupied())

    def close(self, closing: Closing) -> None:
        """Stop issuing runs; those in training end at their next report and can be resumed."""
        if self.closing is None:
            self.closing = closing
            self.writer.event("closing", reason=closing.reason)

    @property
    def running(self) -> dict[str, IssuedRun]:
        """The runs in training, by their identity."""
        return self.queue.running

    def _take_up(self, history: History) -> list[IssuedRun]:
        """Replay the record; return the runs that were in training when the sweep was interrupted."""
        self.judging.replay(history)
        for run in self.study.unfinished():
            state = history.states.get(run.identity, "running")
            if state == "complete":
                self.study.tell(run.identity, state, self.ledger.values(run))
            elif state in ("stopped", "failed"):
                self.study.tell(run.identity, state)
        failed = [run for run in history.in_state("failed") if run in self.study.entries]
        again = [self.study.retry(run) for run in failed] if self.retry_failed else []
        for run in again:
            self.writer.event("retried", run.identity)
        elsewhere = {*history.in_state("paused"), *(run.identity for run in again)}
        self.queue.dismiss()
        return again + [run for run in self.study.unfinished() if run.identity not in elsewhere]

    def _search_is_over(self) -> bool:
        """End runs that were never promoted and start the confirmation, once; return whether nothing is left to do."""
        paused = self.study.unfinished()
        for run in paused:
            self._stop(run, OUTDONE)
        if paused and self.study.more():
            return False  # the next step of a path depends on how these have ended
        if self.study.confirming:
            return True
        if self.study.more() and (why := self.queue.blocked()):
            self.writer.event("search_ended", reason=why)
            if not self.plan.confirm:
                self.close(Closing("spent", why))
                return False
        self.study.confirm()
        return False

    def _reuse(self, run: IssuedRun, finished: Finished) -> None:
        """Reuse the recorded epochs of an equal run of another sweep."""
        self.ledger.take_over(run, finished)
        for epoch, metrics in finished.epochs:
            self.writer.report(run.identity, 0, epoch, metrics)
            new = self.ledger.count(run, epoch, metrics, spent=False)
            self.judging.observe(run, epoch, metrics, new=new)
        self._complete(run, f"{REUSED}{finished.sweep}")
        tidy(self.ledger, self.queue.occupied())

    def _complete(self, run: IssuedRun, reason: str = "") -> None:
        values = self.ledger.values(run)
        if all(map(math.isfinite, values)):
            self._record(run, "complete", reason, values)
        else:
            wanted = ", ".join(objective.metric for objective in self.plan.objectives)
            reported = ", ".join(self.ledger.of(run).last)
            self._record(run, "failed", f"no finite {wanted} at its end; it reported {reported}")

    def _stop(self, run: IssuedRun, reason: str) -> None:
        self._record(run, "stopped", reason)

    def _record(self, run: IssuedRun, state: State, reason: str, values: tuple[float, ...] = ()) -> None:
        """Record in the store first, then in the study: a resumed study is told what the store has."""
        self.ledger.note(run, state, reason)
        self.writer.sync()  # the study's journal is on disk at once, and must not know more than the store
        if state != "paused":
            self.study.tell(run.identity, state, values, unwell=reason.startswith(UNWELL))
        if state != "failed":
            self.failures.clear()
        elif closing := self.failures.add(reason):
            self.close(closing)
        self.judging.lose(run, state, reason, new=True)
        self.judging.note_rungs()
        self.queue.dismiss()
