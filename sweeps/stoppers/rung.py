"""Rungs with pauses: runs wait there to be promoted, in successive halving and PASHA."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from heapq import heappop, heappush

from sweeps.stoppers.judge import Judge, Peers, Verdict

Place = tuple[float, int, str]
"""Sort key of a run in its rung: the negated value, so that the best comes first, then the order of arrival."""


@dataclass
class RungQueue:
    """The runs that have reached an epoch, best first, and those of them that wait there."""

    epoch: int
    order: list[Place] = field(default_factory=list[Place])
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    waiting: list[Place] = field(default_factory=list[Place])
    """Heap of waiting runs; runs that have gone on are removed when they come to its top."""
    come: int = 0

    def add(self, run: str, value: float) -> None:
        """Add a run."""
        self.come += 1
        self.places[run] = (-value, self.come, run)
        insort(self.order, self.places[run])

    def remove(self, run: str) -> None:
        """Remove a run that no longer counts."""
        if place := self.places.pop(run, None):
            del self.order[bisect_left(self.order, place)]

    def rank(self, run: str) -> int:
        """Return how many runs are better."""
        return bisect_left(self.order, self.places[run])

    def cutoff(self, places: int) -> float | None:
        """Return the value of the last run that may go on; None if there is none."""
        return -self.order[min(places, len(self.order)) - 1][0] if places > 0 else None

    def best_waiting(self, paused: dict[str, "RungQueue"]) -> str | None:
        """Return the best run that waits here; `paused` says where each paused run waits."""
        while self.waiting:
            run = self.waiting[0][-1]
            if paused.get(run) is self:
                return run
            heappop(self.waiting)
        return None

    def among_best(self, run: str, places: int, margin: float) -> bool:
        """Return whether a run is among the best, or within the margin of the last of them."""
        places = min(places, len(self.order))
        if places < 1:
            return False
        within = margin > 0 and self.places[run][0] <= self.order[places - 1][0] + margin
        return within or self.rank(run) < places


class PausingJudge(Judge):
    """Judge that pauses every run at every rung and promotes the best, from the highest rung first.

    One in `reduction` goes on. When no further run will come, the rungs are closed from the lowest up, each once no
    run is on its way to it: then `last_places` of its runs may go on, so that at least one is trained to the end.
    """

    def __init__(self, rungs: tuple[int, ...], epochs: int, *, reduction: int = 1, margin: float = 0.0):
        super().__init__()
        self.epochs, self.reduction, self.margin = epochs, reduction, margin
        self.rungs = [RungQueue(epoch) for epoch in rungs]
        self.level = {epoch: level for level, epoch in enumerate(rungs)}
        self.paused: dict[str, RungQueue] = {}
        self.training: set[str] = set()

    def places(self, level: int) -> int:
        """Return how many of the best of a rung may go on while further runs will come."""
        return len(self.rungs[level].order) // self.reduction

    def last_places(self, level: int) -> int:
        """Return how many of the best of a rung may go on once no further run will come."""
        return max(1, self.places(level))

    def pauses(self, level: int) -> bool:
        """Return whether runs pause at a rung."""
        return True

    def arrived(self, run: str, level: int) -> None:
        """Handle the arrival of a run at a rung."""

    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        """See `Judge`."""
        self.paused.pop(run, None)
        if epoch >= self.epochs:
            self.training.discard(run)
            return None
        self.training.add(run)
        level = self.level.get(epoch)
        if level is None:
            return None
        rung = self.rungs[level]
        rung.add(run, value)
        self.comparison = Peers(rung.cutoff(self.places(level)), len(rung.order))
        self.arrived(run, level)
        if not self.pauses(level):
            return None
        self.training.discard(run)
        self.paused[run] = rung
        heappush(rung.waiting, rung.places[run])
        return Verdict(
            "pause", f"rung {epoch}: waits with {value:.1f}, {rung.rank(run) + 1} of {len(rung.order)}"
        )

    def promote(self, *, more: bool) -> str | None:
        """See `Judge`."""
        for level in reversed(range(len(self.rungs))):
            if run := self._take(level, self.places(level)):
                return run
        for level, rung in enumerate(self.rungs if not more else ()):
            # Closed once no further run will reach it; few runs are in training, so checking all is cheap.
            closed = all(self.latest[run][0] >= rung.epoch for run in self.training)
            if closed and (run := self._take(level, self.last_places(level))):
                return run
        return None

    def lost(self, run: str, *, counts: bool = False) -> None:
        """See `Judge`."""
        self.paused.pop(run, None)
        self.training.discard(run)
        if run in self.latest:  # if it is retried, it reports this epoch again, and does not pause there
            self.latest[run] = self.latest[run][0], None
        for rung in self.rungs if not counts else ():
            rung.remove(run)

    def _take(self, level: int, places: int) -> str | None:
        rung = self.rungs[level]
        run = rung.best_waiting(self.paused)
        if run is None or not rung.among_best(run, places, self.margin):
            return None
        del self.paused[run]
        self.training.add(run)
        self.latest[run] = rung.epoch, None
        return run
