"""The simulated clock: which run is trained when, and the counts of epochs and seconds."""

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from statistics import fmean

from sweeps.planning.simulation.curves import Curves
from sweeps.planning.simulation.searcher import Searcher
from sweeps.stoppers import ArmsJudge

Durations = Mapping[str, float | Sequence[float]]
"""Seconds of an epoch of each run, or of each of its epochs."""


@dataclass(frozen=True)
class Delays:
    """Seconds for which a place is held and nothing is trained."""

    start: float = 0.0
    """At each start of a run, for the first time or from its checkpoint."""
    report: float = 0.0
    """After each epoch, until it is decided whether the run goes on."""
    stop: float = 0.0
    """From the end or pause of a run until its place is free; only then can the run be resumed."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < math.inf:
                raise ValueError(f"delays: {name} = {value}: a delay is 0 seconds or more")


@dataclass(frozen=True)
class Replayed:
    """Result of a simulated sweep."""

    best: str | None
    """Best of the arms that were trained to the end on every seed; None if none was."""
    value: float | None
    """Final value of the best arm, mean over seeds."""
    epochs: int
    """Number of epochs trained, repeated ones included."""
    seconds: float
    """Seconds until the last place was free."""
    ended: dict[str, int]
    """Last epoch of each run."""
    reasons: dict[str, str]
    """Reason for the end of each run that was not trained to the last epoch."""
    trace: tuple[tuple[int, float, float], ...]
    """(epochs trained, seconds, final value) at the end of each arm that is better than all before it."""


@dataclass
class Simulation:
    """Runs in training, by the time at which their next epoch has been reported or their place is free."""

    curves: Curves
    judge: ArmsJudge
    searcher: Searcher
    arm: Mapping[str, str]
    """Of each run."""
    seconds: Durations
    delays: Delays
    checkpoints: bool
    spared: Collection[str]
    unwell: Mapping[str, str]

    def __post_init__(self) -> None:
        self.runs: dict[str, list[str]] = {}
        for run, arm in self.arm.items():
            self.runs.setdefault(arm, []).append(run)
        self.events: list[tuple[float, int, str, bool]] = []
        self.now, self.scheduled, self.spent, self.free = 0.0, 0, 0, 0
        self.unasked, self.silent = len(self.curves), 0
        self.epochs, self.ended = dict.fromkeys(self.curves, 0), dict.fromkeys(self.curves, 0)
        """Where each run is, and how far it has been."""
        self.paused, self.stopping, self.wanted = set[str](), set[str](), deque[str]()
        """Among the paused runs: those whose place is not free yet, and those to be resumed as soon as it is."""
        self.reasons: dict[str, str] = {}
        self.trace: list[tuple[int, float, float]] = []

    def carry_out(self, workers: int) -> Replayed:
        """Train until nothing is left to train."""
        self.free = workers
        while True:
            while self.free and (run := self._next()) is not None:
                self._take_up(run)
            if not self.events:
                return self._outcome()
            self._step()

    def _outcome(self) -> Replayed:
        values = {arm: value for arm in self.runs if (value := self._value(arm)) is not None}
        best = max(values, key=lambda arm: values[arm], default=None)
        return Replayed(
            best=best,
            value=None if best is None else values[best],
            epochs=self.spent,
            seconds=self.now,
            ended=self.ended,
            reasons=self.reasons,
            trace=tuple(self.trace),
        )

    def _value(self, arm: str) -> float | None:
        """Return the mean final value of an arm that was trained to the end on every seed; None otherwise."""
        curves = [(run, self.curves[run]) for run in self.runs[arm]]
        if any(run in self.unwell or self.ended[run] < len(curve) for run, curve in curves):
            return None
        return fmean(curve[-1] for _, curve in curves)

    def _next(self) -> str | None:
        """Return the run that a free worker trains next; None if there is none now."""
        ready = next((run for run in self.wanted if run not in self.stopping), None)
        if ready is not None:
            self.wanted.remove(ready)
            return ready
        while (run := self.judge.promote(more=self.unasked > 0 or self.silent > 0)) is not None:
            if run in self.stopping:
                self.wanted.append(run)
            elif run in self.paused:  # otherwise it is a control and has never paused
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
        """Return whether a run that has reported an epoch is trained for another."""
        self.spent += 1
        self.epochs[run] += 1
        epoch, curve = self.epochs[run], self.curves[run]
        if epoch <= self.ended[run]:
            return True  # a repeated epoch
        self.ended[run] = epoch
        self.silent -= epoch == 1
        verdict = None
        if epoch <= len(curve) and math.isfinite(value := curve[epoch - 1]):
            self.searcher.report(run, epoch, value)
            verdict = self.judge.observe(run, self.arm[run], epoch, value)
            self._dismiss()
        if epoch >= len(curve):
            self._end(run)
            return False
        if verdict is None or run in self.spared:
            return True
        self.reasons[run] = verdict.reason
        if verdict.action == "stop":
            self.searcher.tell(run, "stopped")
        else:
            self.paused.add(run)
        return False

    def _dismiss(self) -> None:
        """End the waiting runs of a stopped arm."""
        for run, verdict in self.judge.dismissed():
            if run in self.paused:
                self.paused.remove(run)
                self.reasons[run] = verdict.reason
                self.searcher.tell(run, "stopped")

    def _end(self, run: str) -> None:
        if run in self.unwell:
            self.reasons[run] = self.unwell[run]
            self.judge.ended(self.arm[run], self.unwell[run])
            self._dismiss()
            self.searcher.tell(run, "unwell")
            return
        self.searcher.tell(run, "complete")
        value = self._value(self.arm[run])
        if value is not None and (not self.trace or value > self.trace[-1][-1]):
            self.trace.append((self.spent, self.now, value))
