"""A stopper, and a search, on a recording: many replays, and what they cost and lose."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
"""Of the epochs of all runs: where regret is read off."""
Searching = Callable[[Sequence[str], random.Random], Searcher]
"""A searcher of these arms for one replay, which are in a random order."""


@dataclass(frozen=True)
class Measured:
    """A stopper on a recording, replay by replay. Regrets are in points of the metric."""

    regrets: NDArray[np.float64]
    """The best final value of all arms less that of the arm that the sweep ends with."""
    epochs: float
    """Trained, as a share of those of all runs; mean over replays."""
    near: float | None
    """Share of the replays that end within one paired seed deviation of the best; None: it is not known."""
    hours: float
    """By the simulated clock; mean over replays."""
    curve: NDArray[np.float64]
    """(replays, FRACTIONS) The regret of the best arm that had come to its end when so many epochs were trained; nan
    before the first. It stays what it is once a replay has ended."""
    proposed: float | None
    """Arms that the model of the search has proposed, mean over replays; None if it has no model."""

    @property
    def regret(self) -> str:
        """Mean and interval."""
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
    """Replays a recording, of each seed by turns, in random orders: the same ones for every stopper and search.

    Args:
        recording: what is replayed.
        stopper: what ends runs; its `control` share is drawn anew for each replay.
        replays: how many, two or more.
        searching: who chooses the next arm; random order by default.
        workers: how many runs are trained at once.
        delays: while a place is held and nothing is trained.
        checkpoints: whether a promoted run goes on from where it paused.
        seed: of the orders.

    Raises:
        ValueError: the stopper has stopped every run of a replay, there are too few replays, or `replay` refuses.
    """
    if replays < 2:
        raise ValueError(f"replays = {replays}: an interval takes two or more")
    shuffled, seeds = random.Random(seed), recording.seeds
    options: dict[str, Any] = {"workers": workers, "delays": delays, "checkpoints": checkpoints}
    return _measured(
        [
            _once(
                recording,
                stopper,
                seeds[number % len(seeds)],
                shuffled=shuffled,
                chance=random.Random(seed + number),
                searching=searching,
                **options,
            )
            for number in range(replays)
        ],
        recording.deviation,
    )


def interval_text(values: NDArray[np.float64]) -> str:
    """Mean and half-width of its interval; the value alone where all replays end alike, which tells of no spread."""
    return plus_minus(float(values.mean()), half_width(values), 2)


@dataclass(frozen=True)
class _Once:
    """One replay, the best final value there was, the epochs of all runs, and how many arms a model proposed."""

    outcome: Replayed
    best: float
    full: int
    proposed: int | None

    @property
    def regret(self) -> float:
        return self.best - (self.outcome.value or 0.0)

    @property
    def curve(self) -> list[float]:
        """At each of FRACTIONS."""
        spent = [epochs for epochs, _, _ in self.outcome.trace]
        values = [math.nan, *(value for _, _, value in self.outcome.trace)]
        return [self.best - values[bisect_right(spent, share * self.full)] for share in FRACTIONS]


def _once(
    recording: Recording,
    stopper: AnyStopper,
    seed: str,
    *,
    shuffled: random.Random,
    chance: random.Random,
    searching: Searching | None,
    **options: Any,
) -> _Once:
    """The runs of one seed in an order drawn from `shuffled`, which is the same for every stopper."""
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


def _measured(found: Sequence[_Once], deviation: float | None) -> Measured:
    regrets = np.array([one.regret for one in found])
    proposed = [one.proposed for one in found if one.proposed is not None]
    return Measured(
        regrets=regrets,
        epochs=fmean(one.outcome.epochs / one.full for one in found),
        near=None if deviation is None else float((regrets <= deviation).mean()),
        hours=fmean(one.outcome.seconds for one in found) / 3600,
        curve=np.array([one.curve for one in found]),
        proposed=fmean(proposed) if proposed else None,
    )
