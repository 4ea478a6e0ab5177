"""Queue of runs: interrupted ones first, then promoted ones, then new ones."""

from collections.abc import Callable

from sweeps.engine.judging import Judging
from sweeps.engine.ledger import Ledger
from sweeps.engine.runs import IssuedRun
from sweeps.engine.study import Study
from sweeps.stoppers import Verdict

Lacking = Callable[[int, int | None], str | None]


class RunQueue:
    """Runs in training, waiting runs, and the decisions on them.

    `stop` records the end, and its reason, of a run that is not in training.
    """

    def __init__(
        self, study: Study, ledger: Ledger, judging: Judging, *, stop: Callable[[IssuedRun, str], None]
    ):
        self.study, self.ledger, self.judging, self.stop = study, ledger, judging, stop
        self.plan = study.plan
        self.running: dict[str, IssuedRun] = {}
        self.verdicts: dict[str, Verdict] = {}
        """Runs that are to end at their next report, and why."""
        self.wanted: set[str] = set()
        """Runs that are promoted although their process has not ended yet."""
        self.left_behind: list[IssuedRun] = []
        self.full: str | None = None
        """Why new runs are blocked, or None; started runs finish."""
        self.lacking: Lacking = lambda _runs, _epochs: None
        """The arbiter's answer why further runs and epochs do not fit into the search's share of a budget."""

    def next(self) -> IssuedRun | None:
        """Return the next run; None while there is none."""
        if self.left_behind:
            return self.left_behind.pop(0)
        return self.promoted() or (None if self.blocked() else self.study.ask())

    def blocked(self) -> str | None:
        """Return why no new run starts, or None: a run must fit in, to its end, beside the confirmation."""
        if self.full or self.study.confirming:
            return self.full
        runs = self.study.block()
        return self.lacking(runs, runs * self.plan.epochs)

    def promoted(self, *, ending: bool = False) -> IssuedRun | None:
        """Return the paused run to resume now. One whose process has not ended yet is resumed as soon as it has.

        `ending`: no new run will come, whatever the study had planned.
        """
        if self.running and not self.study.confirming and self.lacking(0, self.plan.epochs):
            return None  # what these leave of the search's share decides who can still be resumed
        new = any(self._in_search(run) and not self.ledger.of(run).epoch for run in self.running.values())
        more = not ending and (new or (self.study.more() and not self.blocked()))
        while (paused := self.judging.judge.promote(more=more)) is not None:
            entry = self.study.entries[paused]
            if paused in self.verdicts:
                self.wanted.add(paused)
            elif entry.state != "running" or paused in self.running:
                continue
            elif why := self.lacking(0, self._left_of(entry.run.arm)):
                self.stop(entry.run, f"paused and never taken up again: {why}")
            else:
                self.ledger.writer.event("promoted", paused, self.ledger.of(entry.run).epoch)
                return entry.run
        return None

    def dismiss(self) -> None:
        """End the runs that wait for an arm that has been stopped."""
        for identity, verdict in self.judging.judge.dismissed():
            entry = self.study.entries[identity]
            if entry.state != "running" or self.judging.spares(entry.run.arm):
                continue
            if identity in self.running:
                self.verdicts[identity] = verdict
                self.wanted.discard(identity)
            else:
                self.left_behind = [run for run in self.left_behind if run.identity != identity]
                self.stop(entry.run, verdict.reason)

    def resume_if_wanted(self, run: IssuedRun) -> None:
        """Put a run that has just paused at the front if it was promoted meanwhile."""
        if run.identity in self.wanted:
            self.wanted.remove(run.identity)
            self.left_behind.append(self.study.entries[run.identity].run)

    def under_way(self) -> int:
        """Return the epochs left of the search's runs in training and of interrupted ones."""
        runs = {run.identity: run for run in (*self.running.values(), *self.left_behind)}.values()
        return sum(self.ledger.left(run) for run in runs if self._in_search(run))

    def occupied(self) -> set[str]:
        """Return the runs whose checkpoints are in use."""
        return set(self.running) | {run.identity for run in self.left_behind}

    def _left_of(self, arm: str) -> int:
        """Return the epochs left of the waiting runs of an arm."""
        waiting = [
            run for run in self.study.unfinished() if run.arm == arm and run.identity not in self.running
        ]
        return sum(self.ledger.left(run) for run in waiting if self._in_search(run))

    def _in_search(self, run: IssuedRun) -> bool:
        return run.seed in self.plan.seeds
