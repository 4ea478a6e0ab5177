"""The simulated clock: which run is trained when, and what is counted."""

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from sweeps.replay.curves import Curves
from sweeps.replay.searcher import Ending, Searcher
from sweeps.stoppers import Judge

Durations = Mapping[str, float | Sequence[float]]
"""Seconds of an epoch of each run, or of each of its epochs."""


@dataclass(frozen=True)
class Delays:
    """Seconds for which a place is held and nothing is trained."""

    start: float = 0.0
    """Whenever a run is taken up, for the first time or from its checkpoint."""
    report: float = 0.0
    """After each epoch, until it is decided whether the run goes on."""
    stop: float = 0.0
    """From there on until the place of a run that ends or pauses is free; until then the run is not taken up again."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < math.inf:
                raise ValueError(f"delays: {name} = {value}: a delay is 0 seconds or more")


@dataclass(frozen=True)
class Replayed:
    """How a sweep would have ended."""

    best: str | None
    """The best of the runs that came to their end; None if none did."""
    value: float | None
    """The final value of the best."""
    epochs: int
    """Trained in all, those that were repeated too."""
    seconds: float
    """Until the last place was free, with all of them in use."""
    ended: dict[str, int]
    """The last epoch of each run."""
    reasons: dict[str, str]
    """Why each run ended that did not come to its end."""
    trace: tuple[tuple[int, float, float], ...]
    """Epochs trained by then, seconds, and the final value, whenever a run ended that is better than all before."""


class Simulation:
    """Runs in training, by the time at which their next epoch has been reported or their place is free."""

    def __init__(
        self,
        curves: Curves,
        judge: Judge,
        searcher: Searcher,
        *,
        seconds: Durations,
        delays: Delays,
        checkpoints: bool,
        spared: Collection[str],
        unwell: Mapping[str, str],
    ):
        self.curves, self.judge, self.searcher = curves, judge, searcher
        self.seconds, self.delays, self.checkpoints = seconds, delays, checkpoints
        self.spared, self.unwell = spared, unwell
        self.events: list[tuple[float, int, str, bool]] = []
        self.now, self.scheduled, self.spent, self.free = 0.0, 0, 0, 0
        self.unasked, self.silent = len(curves), 0
        self.epochs, self.ended = dict.fromkeys(curves, 0), dict.fromkeys(curves, 0)
        """Where each run is, and how far it has been."""
        self.paused, self.stopping, self.wanted = set[str](), set[str](), deque[str]()
        """Of those that are paused: whose place is not free yet, and who is to be taken up as soon as it is."""
        self.reasons: dict[str, str] = {}
        self.trace: list[tuple[int, float, float]] = []

    def carry_out(self, workers: int) -> Replayed:
        """Trains until nothing is left to train."""
        self.free = workers
        while True:
            while self.free and (run := self._next()) is not None:
                self._take_up(run)
            if not self.events:
                return self._outcome()
            self._step()

    def _outcome(self) -> Replayed:
        whole = {run: curve for run, curve in self.curves.items() if run not in self.unwell}
        complete = [run for run, curve in whole.items() if self.ended[run] == len(curve)]
        best = max(complete, key=lambda run: self.curves[run][-1], default=None)
        return Replayed(
            best=best,
            value=None if best is None else self.curves[best][-1],
            epochs=self.spent,
            seconds=self.now,
            ended=self.ended,
            reasons=self.reasons,
            trace=tuple(self.trace),
        )

    def _next(self) -> str | None:
        """What a free worker takes up; None: nothing now."""
        ready = next((run for run in self.wanted if run not in self.stopping), None)
        if ready is not None:
            self.wanted.remove(ready)
            return ready
        while (run := self.judge.promote(more=self.unasked > 0 or self.silent > 0)) is not None:
            if run in self.stopping:
                self.wanted.append(run)
            elif run in self.paused:  # else it was spared, and has never paused
                return run
        run = self.searcher.ask() if self.unasked else None
        self.unasked = 0 if run is None else self.unasked - 1
        self.silent += run is not None
        return run

    def _take_up(self, run: str) -> None:
        self.free -= 1
        self.paused.discard(run)
        self.reasons.pop(run, None)
        if not self.checkpoints:
            self.epochs[run] = 0
        self._train(run, self.delays.start)

    def _train(self, run: str, after: float = 0.0) -> None:
        seconds, epoch = self.seconds.get(run, 1.0), self.epochs[run]
        if isinstance(seconds, Sequence):
            seconds = seconds[epoch] if epoch < len(seconds) else 0.0  # the epoch in which it diverged
        self._schedule(run, after + seconds + self.delays.report)

    def _schedule(self, run: str, seconds: float, *, frees: bool = False) -> None:
        self.scheduled += 1
        heappush(self.events, (self.now + seconds, self.scheduled, run, frees))

    def _step(self) -> None:
        self.now, _, run, frees = heappop(self.events)
        if frees:
            self.stopping.discard(run)
            self.free += 1
        elif self._goes_on(run):
            self._train(run)
        elif self.delays.stop:
            self.stopping |= self.paused & {run}
            self._schedule(run, self.delays.stop, frees=True)
        else:
            self.free += 1

    def _goes_on(self, run: str) -> bool:
        """Whether a run that has reported an epoch is trained for another."""
        self.spent += 1
        self.epochs[run] += 1
        epoch, curve = self.epochs[run], self.curves[run]
        if epoch <= self.ended[run]:
            return True  # this was repeated
        self.ended[run] = epoch
        self.silent -= epoch == 1
        verdict = None
        if epoch <= len(curve) and math.isfinite(value := curve[epoch - 1]):
            self.searcher.report(run, epoch, value)
            verdict = self.judge.observe(run, epoch, value)
        if epoch >= len(curve):
            self._end(run)
            return False
        if verdict is None or run in self.spared:
            return True
        self.reasons[run] = verdict.reason
        if verdict.action == "pause":
            self.paused.add(run)
        else:
            self._stop(run)
        return False

    def _end(self, run: str) -> None:
        if run in self.unwell:
            self.reasons[run] = self.unwell[run]
            self._stop(run, "unwell")
            return
        self.searcher.tell(run, "complete")
        value = self.curves[run][-1]
        if not self.trace or value > self.trace[-1][-1]:
            self.trace.append((self.spent, self.now, value))

    def _stop(self, run: str, state: Ending = "stopped") -> None:
        self.judge.lost(run)
        self.searcher.tell(run, state)
