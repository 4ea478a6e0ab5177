"""PASHA: successive halving whose ladder grows only while the order of runs is unsettled."""

from array import array
from bisect import bisect_left, insort
from collections import deque
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from contrastive.types import Count, NonNegative, strict
from sweeps.stoppers.judge import Judge, Verdict
from sweeps.stoppers.rung import PausingJudge
from sweeps.stoppers.settings import Ladder, Rungs

PERCENTILE = 90
"""Percentile of the distances of runs whose order is noise; it is the paper's epsilon."""
NEIGHBOURS, DISTANCES = 100, 1000
"""Number of runs compared and of distances kept, the latest at each rung: the paper takes all
pairs, which would cost more with every run."""


@strict(kw_only=True)
class Pasha(Rungs):
    """Progressive successive halving: a higher rung is opened only while the order of runs is not settled.

    Bohdal et al., ICLR 2023. Runs pause and are promoted as in `promote`, at first between the two lowest rungs.
    The order is settled as long as the run at each place of the upper rung lies, at the rung below, within epsilon
    of the run that had this place there. When it is not, the next rung opens. Once no run is to come, the best of
    the top rung goes on to the end.
    """

    name: Literal["pasha"] = "pasha"
    grace: Count | None = 1
    reduction: Annotated[int, Field(ge=2)] = 3
    noise: NonNegative = 0.0
    """Epsilon in seed deviations. Where it is 0, or the deviation is not known, epsilon is estimated as in the paper:
    the 90th percentile of the distances of runs whose curves have crossed twice."""

    def judge(self, epochs: int, *, deviation: float | None = None) -> Judge:
        """See `Settings`."""
        return _PashaJudge(self.rungs(epochs), epochs, self.reduction, self.margin(deviation) or None)

    def ladder(self, epochs: int, runs: int) -> Ladder:
        """Return the two rungs that are used in any case; from the second the best run goes on to the end."""
        lowest = super().ladder(epochs, runs)[:2]
        return (*lowest[:-1], (lowest[-1][0], 1.0)) if len(lowest) == 2 else lowest


class _PashaJudge(PausingJudge):
    def __init__(self, rungs: tuple[int, ...], epochs: int, reduction: int, epsilon: float | None):
        super().__init__(rungs, epochs, reduction=reduction)
        self.fixed = epsilon is not None
        self.epsilon = epsilon or 0.0
        self.curves: dict[str, list[float]] = {}
        self.top = min(1, len(rungs))
        """Highest rung in use; all rungs are in use when it equals their number."""
        self._open()

    def places(self, level: int) -> int:
        return super().places(level) if level < self.top else 0

    def pauses(self, level: int) -> bool:
        return level <= self.top

    def decide(self, run: str, epoch: int, value: float) -> Verdict | None:
        self.curves.setdefault(run, []).append(value)
        return super().decide(run, epoch, value)

    def arrived(self, run: str, level: int) -> None:
        if level != self.top or run not in self.rungs[level - 1].places:
            return
        self._enter(run)
        if not self._settled():
            self.top += 1
            self._open()

    def lost(self, run: str, *, counts: bool = False) -> None:
        super().lost(run, counts=counts)
        if not counts:
            self._open()

    def _open(self) -> None:
        """Rebuild the comparison after the top rung has changed or lost a run."""
        self.before, self.sorted_before = array("d"), array("d")
        self.ranked: list[tuple[float, int, str]] = []
        self.recent: deque[str] = deque(maxlen=NEIGHBOURS)
        self.distances: deque[float] = deque(maxlen=DISTANCES)
        if self.top < len(self.rungs):
            for _, _, run in sorted(self.rungs[self.top].order, key=lambda place: place[1]):
                if run in self.rungs[self.top - 1].places:
                    self._enter(run)

    def _enter(self, run: str) -> None:
        """Insert a run's value at the rung below, both at its place in the top rung and at its place below."""
        place, value = self.rungs[self.top].places[run], self.rungs[self.top - 1].places[run][0]
        rank = bisect_left(self.ranked, place)
        self.ranked.insert(rank, place)
        self.before.insert(rank, value)
        insort(self.sorted_before, value)
        if not self.fixed:
            self._estimate(run, self.rungs[self.top].epoch)

    def _settled(self) -> bool:
        """Return whether the runs at each place of the two rungs were within epsilon at the lower one."""
        apart = np.frombuffer(self.before) - np.frombuffer(self.sorted_before)
        return bool(np.abs(apart).max() <= self.epsilon)

    def _estimate(self, run: str, epochs: int) -> None:
        """Estimate epsilon from the runs whose curves have crossed this one's twice: their order is noise."""
        mine = self.curves[run][:epochs]
        for other in self.recent:
            theirs = self.curves[other][:epochs]
            signs = [a > b for a, b in zip(mine, theirs, strict=False) if a != b]
            if sum(before != after for before, after in pairwise(signs)) >= 2:
                self.distances.append(abs(mine[-1] - theirs[-1]))
        self.recent.append(run)
        if self.distances:
            self.epsilon = float(np.percentile(self.distances, PERCENTILE))
