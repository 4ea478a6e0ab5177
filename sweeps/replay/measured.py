"""Measurement of a stopper and a search on a recording: cost and regret over many replays."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import half_width, plus_minus
from sweeps.planning.simulation.clock import Delays, Replayed
from sweeps.planning.simulation.once import replay
from sweeps.planning.simulation.searcher import Listed, Searcher
from sweeps.replay.recording import Recording
from sweeps.stoppers import AnyStopper

FRACTIONS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Shares of the epochs of all runs at which regret is measured."""
Searching = Callable[[Sequence[str], random.Random], Searcher]
"""Function that makes a searcher of the given arms, in a random order, for one replay."""


@dataclass(frozen=True)
class Measured:
    """Results of a stopper on a recording, replay by replay. Regrets are in points of the metric."""

    regrets: NDArray[np.float64]
    """Best final value of all arms minus that of the arm that the sweep ends with."""
    epochs: float
    """Epochs trained, as a share of those of all runs; mean over replays."""
    near: float | None
    """Share of the replays that end within one sd of a paired difference (over seeds) of the best; None if unknown."""
    hours: float
    """Simulated hours; mean over replays."""
    curve: NDArray[np.float64]
    """(replays, FRACTIONS) Regret, after each share of the epochs, of the best arm trained to its end by then; nan
    before the first. It stays constant once a replay has ended."""
    proposed: float | None
    """Number of arms that the model of the search has proposed, mean over replays; None if it has no model."""

    @property
    def regret(self) -> str:
        """Mean regret and its 95 % interval."""
        return interval_text(self.regrets)


def measure_replays(
    recording: Recording,
    stopper: AnyStopper,
    *,
    replays: int,
    searching: Searching | None = None,
    workers: int = 2,
    delays: Delays | None = None,
    checkpoints: bool = True,
    seed: int = 0,
) -> Measured:
    """Replay a recording, on each seed by turns, in random orders that are the same for every stopper and search.

    Args:
        recording: the recording to replay.
        stopper: the stopper; its controls are drawn anew for each replay.
        replays: number of replays, two or more.
        searching: makes the searcher that chooses the next arm; random order by default.
        workers: number of runs trained at once.
        delays: seconds for which a place is held without training.
        checkpoints: whether a promoted run goes on from where it paused.
        seed: seed of the orders.

    Raises:
        ValueError: the stopper has stopped every run of a replay, there are too few replays, or `replay` refuses.
    """
    if replays < 2:
        raise ValueError(f"replays = {replays}: an interval takes two or more")
    once = partial(
        _once, recording, stopper, searching, workers=workers, delays=delays, checkpoints=checkpoints
    )
    shuffled, seeds = random.Random(seed), recording.seeds
    found = [
        once(seeds[number % len(seeds)], shuffled=shuffled, chance=random.Random(seed + number))
        for number in range(replays)
    ]
    regrets = np.array([one.regret for one in found])
    proposed = [one.proposed for one in found if one.proposed is not None]
    deviation = recording.deviation
    return Measured(
        regrets=regrets,
        epochs=fmean(one.outcome.epochs / one.full for one in found),
        near=None if deviation is None else float((regrets <= deviation).mean()),
        hours=fmean(one.outcome.seconds for one in found) / 3600,
        curve=np.array([one.curve for one in found]),
        proposed=fmean(proposed) if proposed else None,
    )


def interval_text(values: NDArray[np.float64]) -> str:
    """Format a mean with the half-width of its 95 % interval; the value alone where all replays end alike."""
    return plus_minus(float(values.mean()), half_width(values), 2)


@dataclass(frozen=True)
class _Once:
    """One replay, the best final value of all arms, the epochs of all runs, and how many arms a model proposed."""

    outcome: Replayed
    best: float
    full: int
    proposed: int | None

    @property
    def regret(self) -> float:
        return self.best - (self.outcome.value or 0.0)

    @property
    def curve(self) -> list[float]:
        """Regret at each of FRACTIONS."""
        spent = [epochs for epochs, _, _ in self.outcome.trace]
        values = [math.nan, *(value for _, _, value in self.outcome.trace)]
        return [self.best - values[bisect_right(spent, share * self.full)] for share in FRACTIONS]


def _once(
    recording: Recording,
    stopper: AnyStopper,
    searching: Searching | None,
    seed: str,
    *,
    shuffled: random.Random,
    chance: random.Random,
    **options: Any,
) -> _Once:
    """Replay the runs of one seed in an order drawn from `shuffled`, which is the same for every stopper."""
    runs, unwell = recording.curves(seed), recording.ended(seed)
    order = shuffled.sample(list(runs), len(runs))
    spared = [arm for arm in order if chance.random() < stopper.control]
    searcher = searching(order, chance) if searching else Listed(order)
    outcome = replay(
        runs,
        stopper,
        searcher=searcher,
        seconds=recording.durations(seed),
        spared=spared,
        unwell=unwell,
        deviation=recording.deviation,
        **options,
    )
    if outcome.value is None:
        raise ValueError(f"{stopper.name} stopped every run of a replay of {recording.name}: none is left")
    best = max(curve[-1] for arm, curve in runs.items() if arm not in unwell)
    return _Once(outcome, best, sum(map(len, runs.values())), searcher.proposed)
