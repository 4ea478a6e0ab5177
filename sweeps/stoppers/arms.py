"""Arms judged by the mean over their seeds: the runs of an arm go on, wait and end together.

Judged run by run, an arm would have to be lucky on every seed, and with more seeds fewer arms would be complete.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from statistics import fmean

from sweeps.stoppers.judge import Judge, Peers, Verdict


@dataclass
class JudgedArm:
    """The runs of an arm, and how far all of them have come."""

    latest: dict[str, tuple[int, Verdict | None]] = field(
        default_factory=dict[str, tuple[int, Verdict | None]]
    )
    """The last epoch of each run that counts, and what became of it."""
    values: dict[int, dict[str, float]] = field(default_factory=dict[int, dict[str, float]])
    """By epoch, of those that were not judged yet."""
    failed: set[str] = field(default_factory=set[str])
    judged: int = 0
    """The last epoch at which the arm was judged."""
    mean: float = 0.0
    """Its value there."""
    paused: Verdict | None = None
    """Why the arm waits at that epoch to be promoted; None: it does not."""
    stopped: Verdict | None = None
    told: set[str] = field(default_factory=set[str])
    """Runs that know that the arm was stopped. Those that are spared go on, and are told no more."""
    waiting: list[str] = field(default_factory=list[str])
    """Runs that were told to pause, for their arm or for its other seeds, in the order in which they came."""
    over: bool = False
    """Whether it is shown to the judge no more."""

    @property
    def trained(self) -> bool:
        """Whether it goes on without waiting for anything: one of its runs is in training, or has come to its end."""
        return any(run not in self.waiting for run in self.latest)

    def leave(self, run: str) -> bool:
        """Whether a run was waiting; it does no longer."""
        if waited := run in self.waiting:
            self.waiting.remove(run)
        return waited


@dataclass(frozen=True)
class Compared:
    """An arm at an epoch at which it was compared with others: its mean, and what became of it."""

    arm: str
    epoch: int
    value: float
    verdict: Verdict | None
    comparison: Peers


class ArmsJudge:
    """Shows a judge the mean of each arm, once all seeds have come to an epoch, and tells its runs what it says.

    A run that comes to one of the `meetings` before the other seeds of its arm waits there. What was decided of an
    arm holds for seeds that come to it later: of runs that are tried again, or were added when the sweep grew. A
    seed that has failed is left out of the mean; where the guard has ended one the arm cannot be complete any more,
    so its other runs end, too.

    Args:
        judge: what decides on arms.
        seeds: how many runs an arm has; may be raised later.
        meetings: epochs at which the runs of an arm wait for each other; without any, none is ended with another.
        spared: whether an arm goes on whatever the judge says. One at least of the others is trained to the end too,
            or a sweep in which the default happens to be the best at each rung would have nothing beside it.
    """

    def __init__(
        self,
        judge: Judge,
        *,
        seeds: int,
        meetings: Collection[int],
        spared: Callable[[str], bool] = lambda _: False,
    ):
        self.judge, self.seeds, self.meetings, self.spared = judge, seeds, frozenset(meetings), spared
        self.last = max(meetings, default=0)
        self.passed: set[str] = set()
        """Arms that may be stopped and have gone on from the last meeting."""
        self.arms: dict[str, JudgedArm] = {}
        self._beginning: set[str] = set()
        """Arms that have begun and were not judged at any epoch yet."""
        self._ready: deque[tuple[JudgedArm, str, int]] = deque()
        """Runs that may go on, and from which epoch; some have done so in the meantime."""
        self._dismissed: list[tuple[str, Verdict]] = []
        self._compared: list[Compared] = []

    def observe(self, run: str, arm: str, epoch: int, value: float) -> Verdict | None:
        """What becomes of a run of an arm at this epoch, as `Judge.observe` says it of one."""
        its = self._its(arm)
        known, verdict = its.latest.get(run, (0, None))
        if epoch <= known:
            return verdict if epoch == known else None
        its.failed.discard(run)
        its.leave(run)
        if its.paused and epoch > its.judged:  # the arm was resumed, or never paused
            self._release(arm)
        its.latest[run] = epoch, None
        if epoch > its.judged:
            its.values.setdefault(epoch, {})[run] = value
            self._judge(arm, its)
        verdict = self._answer(its, run, epoch, self.spared(arm))
        its.latest[run] = epoch, verdict
        return verdict

    def promote(self, *, more: bool) -> str | None:
        """Which paused run a free place takes up, as `Judge.promote` says it."""
        while True:
            while self._ready:
                arm, run, epoch = self._ready.popleft()
                if run in arm.latest and arm.latest[run][0] == epoch and arm.leave(run):
                    arm.latest[run] = epoch, None
                    return run
            more = more or self._begins()
            name = self.judge.promote(more=more) or (None if more else self._best_paused())
            if name is None:
                return None
            self._release(name)

    def failed(self, run: str, arm: str) -> None:
        """The run is gone; its arm is judged by the others."""
        its = self._its(arm)
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
        """The guard has ended a run; the arm does not count any more."""
        self._its(arm).over = True
        self._beginning.discard(arm)
        self.judge.lost(arm)
        if self.meetings:
            self._stop(self._its(arm), Verdict("stop", f"another seed of its arm has ended: {reason}"))

    def stopped(self, arm: str, reason: str) -> None:
        """A run was stopped; so is its arm, unless it was each run that was judged, as it once was."""
        if self.seeds > 1 and not self._its(arm).stopped:
            self.ended(arm, reason)

    def outdone(self, arm: str) -> None:
        """The arm is not resumed; its values stay among those that others are compared with."""
        self._its(arm).over = True
        self.judge.lost(arm, counts=True)

    def dismissed(self) -> list[tuple[str, Verdict]]:
        """Runs that wait no longer, since their arm has been stopped, each once."""
        found, self._dismissed = self._dismissed, []
        return found

    def compared(self) -> list[Compared]:
        """What arms were compared with, and what came of it, each once."""
        found, self._compared = self._compared, []
        return found

    def runs(self, arm: str) -> list[str]:
        """Those of an arm that have come to an epoch and count."""
        return list(self.arms[arm].latest)

    def _judge(self, name: str, arm: JudgedArm) -> None:
        """Shows the judge all epochs to which every seed has come."""
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
            if verdict and verdict.action == "stop" and first:
                verdict = None
            self._beginning.discard(name)
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
        """Lets the runs that wait where the arm was judged go on as places become free."""
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
        """The best of those that wait furthest on, if no arm that may be stopped is on its way to the end."""
        left = {
            name: arm for name, arm in self.arms.items() if not (arm.over or arm.stopped or self.spared(name))
        }
        if self.passed or any(arm.trained for arm in left.values()):
            return None
        paused = [name for name, arm in left.items() if arm.paused]
        return max(paused, key=lambda name: (left[name].judged, left[name].mean), default=None)

    def _its(self, name: str) -> JudgedArm:
        if name not in self.arms:
            self.arms[name] = JudgedArm()
            self._beginning.add(name)
        return self.arms[name]

    def _begins(self) -> bool:
        """Whether an arm is still to be judged for the first time, as one of its runs is in training."""
        arms = (self.arms[name] for name in self._beginning)
        return any(arm.trained for arm in arms)
