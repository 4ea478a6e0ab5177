"""Arms judged by the mean over their seeds: the runs of an arm go on, wait and end together.

Judged run by run, an arm would have to be lucky on every seed, and with more seeds fewer arms would be complete.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from sweeps.stoppers.judge import Judge, Peers, Verdict


@dataclass
class JudgedArm:
    """State of the runs of an arm, and the epochs that all of them have reached."""

    latest: dict[str, tuple[int, Verdict | None]] = field(default_factory=dict[str, Any])
    """Last epoch of each run that counts, and the verdict on it."""
    values: dict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """Values of the epochs that were not judged yet, by epoch."""
    failed: set[str] = field(default_factory=set[str])
    judged: int = 0
    """Last epoch at which the arm was judged."""
    mean: float = 0.0
    """Its mean at that epoch."""
    paused: Verdict | None = None
    """Reason for which the arm waits at that epoch to be promoted; None if it does not wait."""
    stopped: Verdict | None = None
    told: set[str] = field(default_factory=set[str])
    """Runs that were told that the arm was stopped."""
    waiting: list[str] = field(default_factory=list[str])
    """Runs that were told to pause, for their arm or for its other seeds, in order of arrival."""
    over: bool = False
    """Whether the arm is no longer shown to the judge."""

    @property
    def trained(self) -> bool:
        """Whether one of its runs is in training or was trained to its end, so that the arm waits for nothing."""
        return any(run not in self.waiting for run in self.latest)

    def leave(self, run: str) -> bool:
        """Remove a waiting run; return whether it was waiting."""
        if waited := run in self.waiting:
            self.waiting.remove(run)
        return waited


@dataclass(frozen=True)
class Compared:
    """An arm at an epoch at which it was compared with others: its mean, and the verdict."""

    arm: str
    epoch: int
    value: float
    verdict: Verdict | None
    comparison: Peers


class ArmsJudge:
    """Judge of arms: shows a judge of single values each arm's mean, once all its seeds have reached an epoch.

    A run that reaches one of the `meetings` before the other seeds of its arm waits there. The decision on an arm
    also holds for seeds that reach that epoch later: runs that are retried, or were added when the sweep grew. A
    failed seed is left out of the mean; if the guard has ended one, the arm can no longer be complete, so its other
    runs end, too.

    Args:
        judge: the judge that decides on arms.
        seeds: number of runs of an arm; may be raised later.
        meetings: epochs at which the runs of an arm wait for each other; without any, runs end independently.
        spared: whether an arm is a control, which goes on whatever the judge says. At least one of the other arms is
            trained to the end, too: a default that is the best at each rung must have one to be compared with.
    """

    def __init__(self, judge: Judge, *, seeds: int, meetings: Collection[int], spared: Callable[[str], bool]):
        self.judge, self.seeds, self.meetings, self.spared = judge, seeds, frozenset(meetings), spared
        self.last = max(meetings, default=0)
        self.passed: set[str] = set()
        """Arms that may be stopped and went on from the last meeting."""
        self.arms: dict[str, JudgedArm] = defaultdict(JudgedArm)
        self._ready: deque[tuple[JudgedArm, str, int]] = deque()
        """Runs that may go on, and from which epoch; some may already have gone on."""
        self._dismissed: list[tuple[str, Verdict]] = []
        self._compared: list[Compared] = []

    def observe(self, run: str, arm: str, epoch: int, value: float) -> Verdict | None:
        """Return the verdict on a run of an arm at this epoch, as `Judge.observe` does for a single run."""
        its = self.arms[arm]
        known, verdict = its.latest.get(run, (0, None))
        if epoch <= known:
            return verdict if epoch == known else None
        its.failed.discard(run)
        its.leave(run)
        if its.paused and epoch > its.judged:  # the arm was resumed, or never paused
            self._release(arm)
        its.latest[run] = epoch, None
        if epoch > its.judged:
            its.values[epoch][run] = value
            self._judge(arm, its)
        verdict = self._answer(its, run, epoch, self.spared(arm))
        its.latest[run] = epoch, verdict
        return verdict

    def promote(self, *, more: bool) -> str | None:
        """Return the paused run that a free place resumes, as `Judge.promote` does."""
        while True:
            while self._ready:
                arm, run, epoch = self._ready.popleft()
                if run in arm.latest and arm.latest[run][0] == epoch and arm.leave(run):
                    arm.latest[run] = epoch, None
                    return run
            # An arm begins while it awaits its first judgement because one of its runs is in training.
            beginning = (arm for arm in self.arms.values() if not (arm.judged or arm.over))
            more = more or any(arm.trained for arm in beginning)
            name = self.judge.promote(more=more) or (None if more else self._best_paused())
            if name is None:
                return None
            self._release(name)

    def failed(self, run: str, arm: str) -> None:
        """Record that a run has failed; its arm is judged by the others."""
        its = self.arms[arm]
        its.failed.add(run)
        its.latest.pop(run, None)
        its.leave(run)
        for values in its.values.values():
            values.pop(run, None)
        if len(its.failed) >= self.seeds:
            self.judge.lost(arm)
        else:
            self._judge(arm, its)

    def ended(self, arm: str, reason: str) -> None:
        """Record that the guard has ended a run; its arm no longer counts."""
        self.arms[arm].over = True
        self.judge.lost(arm)
        if self.meetings:
            self._stop(self.arms[arm], Verdict("stop", f"another seed of its arm has ended: {reason}"))

    def stopped(self, arm: str, reason: str) -> None:
        """Record that a run was stopped; its arm ends, too, unless it was stopped already or has one seed."""
        if self.seeds > 1 and not self.arms[arm].stopped:
            self.ended(arm, reason)

    def outdone(self, arm: str) -> None:
        """Record that an arm is not resumed; other arms are still compared with its values."""
        self.arms[arm].over = True
        self.judge.lost(arm, counts=True)

    def dismissed(self) -> list[tuple[str, Verdict]]:
        """Return the runs that wait no longer because their arm was stopped, each once."""
        found, self._dismissed = self._dismissed, []
        return found

    def compared(self) -> list[Compared]:
        """Return the new comparisons of arms with their verdicts, each once."""
        found, self._compared = self._compared, []
        return found

    def runs(self, arm: str) -> list[str]:
        """Return the runs of an arm that have reported and count."""
        return list(self.arms[arm].latest)

    def _judge(self, name: str, arm: JudgedArm) -> None:
        """Show the judge all epochs that every seed has reached."""
        if arm.over or not arm.latest or len(arm.latest) < self.seeds - len(arm.failed):
            return
        reached = min(epoch for epoch, _ in arm.latest.values())
        for epoch in sorted(epoch for epoch in arm.values if epoch <= reached):
            values = arm.values.pop(epoch)
            if not values:
                continue
            mean = fmean(values.values())
            verdict, arm.judged, arm.mean = self.judge.observe(name, epoch, mean), epoch, mean
            first = epoch == self.last and not self.passed and not self.spared(name)
            verdict = None if first and verdict and verdict.action == "stop" else verdict
            if self.judge.comparison:
                self._compared.append(Compared(name, epoch, mean, verdict, self.judge.comparison))
            if verdict is None:
                self._release(name)
            elif verdict.action == "stop":
                self._stop(arm, verdict)
            else:
                arm.paused = verdict

    def _answer(self, arm: JudgedArm, run: str, epoch: int, spared: bool) -> Verdict | None:
        if arm.stopped and run not in arm.told:
            arm.told.add(run)
            return arm.stopped
        if arm.paused and epoch == arm.judged:
            arm.waiting.append(run)
            return arm.paused
        if epoch > arm.judged and epoch in self.meetings and not spared:
            arm.waiting.append(run)
            return Verdict("wait", f"epoch {epoch}: waits for the other seeds of its arm")
        return None

    def _release(self, name: str) -> None:
        """Let the runs that wait where the arm was judged go on as places become free."""
        arm = self.arms[name]
        arm.paused = None
        if arm.judged >= self.last and not self.spared(name):
            self.passed.add(name)
        ready = ((arm, run, arm.latest[run][0]) for run in arm.waiting)
        self._ready.extend(one for one in ready if one[-1] <= arm.judged)

    def _stop(self, arm: JudgedArm, verdict: Verdict) -> None:
        arm.stopped, arm.told = verdict, set(arm.waiting)
        self._dismissed += ((run, verdict) for run in arm.waiting)
        arm.waiting.clear()

    def _best_paused(self) -> str | None:
        """Return the best of the arms paused at the highest epoch, if no stoppable arm is on its way to the end."""
        gone = {name for name, arm in self.arms.items() if arm.over or arm.stopped or self.spared(name)}
        left = {name: arm for name, arm in self.arms.items() if name not in gone}
        if self.passed or any(arm.trained for arm in left.values()):
            return None
        paused = [name for name, arm in left.items() if arm.paused]
        return max(paused, key=lambda name: (left[name].judged, left[name].mean), default=None)
