"""What a stopper would have made of a sweep that was recorded whole: its runs again, by a simulated clock."""

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from analysis.stopping import rank_correlation
from sweeps.stoppers import AnyStopper, Judge

Curves = Mapping[str, Sequence[float]]
"""Of each run the value after every epoch; higher is better."""


@dataclass(frozen=True)
class Replayed:
    """How a sweep would have ended."""

    best: str | None
    """The best of the runs that came to their end; None if none did."""
    value: float | None
    """The final value of the best."""
    epochs: int
    """Trained in all."""
    seconds: float
    """Until the last run ended, with all places in use."""
    ended: dict[str, int]
    """The last epoch of each run."""
    reasons: dict[str, str]
    """Why each run ended that did not come to its end."""


def replay(
    curves: Curves,
    stopper: AnyStopper,
    *,
    order: Sequence[str] | None = None,
    workers: int = 2,
    seconds: Mapping[str, float] | None = None,
    spared: Collection[str] = (),
    deviation: float | None = None,
) -> Replayed:
    """Carries out the sweep of these runs, which all are of one seed, under a stopper.

    A free place takes up the run that the judge promotes, from the epoch at which it paused, else a new one.

    Args:
        curves: the recorded runs, every one to its end.
        stopper: what ends runs.
        order: in which runs are issued; that of `curves` by default.
        workers: how many runs are trained at once.
        seconds: of an epoch of each run; 1 by default.
        spared: runs that go on whatever the judge says.
        deviation: of the metric over seeds, for stoppers that allow for noise.

    Raises:
        ValueError: a run is shorter than the others or has a value that is not finite, `order` is none of these
            runs, or there is no worker.
    """
    horizon = check(curves)
    order = list(curves) if order is None else list(order)
    if sorted(order) != sorted(curves):
        raise ValueError(f"order has {len(order)} runs, not the {len(curves)} recorded ones, each once")
    if workers < 1:
        raise ValueError(f"workers = {workers}: nothing is trained without one; give 1 or more")
    judge = stopper.judge(horizon, runs=len(curves), deviation=deviation)
    simulation = _Simulation(curves, horizon, judge, spared=frozenset(spared), seconds=seconds or {})
    simulation.carry_out(deque(order), workers)
    return simulation.outcome()


def check(curves: Curves) -> int:
    """The horizon that all runs share.

    Raises:
        ValueError: there is none, so that nobody knows how the sweep would have ended.
    """
    lengths = {run: len(curve) for run, curve in curves.items()}
    horizon = max(lengths.values(), default=0)
    if not horizon:
        raise ValueError("there are no curves to replay; give at least one run with one epoch")
    short = [run for run, length in lengths.items() if length < horizon]
    if short:
        raise ValueError(
            f"{len(short)} of {len(curves)} runs were stopped early (run {short[0]} after {lengths[short[0]]} of "
            f"{horizon} epochs), so there is no ground truth; record a sweep with --stopper none"
        )
    wild = next((run for run, curve in curves.items() if not all(map(math.isfinite, curve))), None)
    if wild is not None:
        raise ValueError(f"run {wild} has a value that is not finite; leave it out, as the guard would")
    return horizon


def correlation(curves: Curves, epoch: int) -> float:
    """Spearman's rank correlation of the values at an epoch with the final ones; nan if either are all equal.

    Raises:
        ValueError: the epoch is not among those recorded, or the curves cannot be replayed.
    """
    horizon = check(curves)
    if not 1 <= epoch <= horizon:
        raise ValueError(f"epoch = {epoch}: the runs have epochs 1 to {horizon}")
    early, final = ([curve[at - 1] for curve in curves.values()] for at in (epoch, horizon))
    return rank_correlation(early, final)


class _Simulation:
    """Runs in training, by the time at which their next epoch is done."""

    def __init__(
        self,
        curves: Curves,
        horizon: int,
        judge: Judge,
        *,
        spared: Collection[str],
        seconds: Mapping[str, float],
    ):
        self.curves, self.horizon, self.judge = curves, horizon, judge
        self.spared, self.seconds = spared, seconds
        self.events: list[tuple[float, int, str]] = []
        self.now, self.scheduled, self.silent = 0.0, 0, 0
        self.epochs = dict.fromkeys(curves, 0)
        self.paused: set[str] = set()
        self.reasons: dict[str, str] = {}

    def carry_out(self, queue: deque[str], workers: int) -> None:
        """Trains until nothing is left to train."""
        free = workers
        while True:
            while free and (run := self._next(queue)) is not None:
                self._schedule(run)
                free -= 1
            if not self.events:
                return
            free += self._step()

    def outcome(self) -> Replayed:
        """What has come of it."""
        complete = [run for run, epoch in self.epochs.items() if epoch == self.horizon]
        best = max(complete, key=lambda run: self.curves[run][-1], default=None)
        return Replayed(
            best=best,
            value=None if best is None else self.curves[best][-1],
            epochs=sum(self.epochs.values()),
            seconds=self.now,
            ended=self.epochs,
            reasons=self.reasons,
        )

    def _next(self, queue: deque[str]) -> str | None:
        """What a free worker takes up; None: nothing now."""
        while (run := self.judge.promote(more=bool(queue) or self.silent > 0)) is not None:
            if run in self.paused:  # else it was spared, and has never paused
                self.paused.remove(run)
                del self.reasons[run]
                return run
        if not queue:
            return None
        self.silent += 1
        return queue.popleft()

    def _schedule(self, run: str) -> None:
        self.scheduled += 1
        heappush(self.events, (self.now + self.seconds.get(run, 1.0), self.scheduled, run))

    def _step(self) -> bool:
        """One epoch is done; whether its run gives its place up."""
        self.now, _, run = heappop(self.events)
        self.epochs[run] += 1
        epoch = self.epochs[run]
        self.silent -= epoch == 1
        verdict = self.judge.observe(run, epoch, self.curves[run][epoch - 1])
        if epoch == self.horizon:
            return True
        if verdict is None or run in self.spared:
            self._schedule(run)
            return False
        self.reasons[run] = verdict.reason
        if verdict.action == "pause":
            self.paused.add(run)
        return True
