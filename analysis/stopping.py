"""Rank agreement between epochs and the end, which tells whether early stopping pays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.intervals import student_interval
from analysis.load import Record, Run

MIN_RUNS = 6
"""Complete runs of one seed without which nothing is said."""
WEAK = 0.4
"""A rank correlation below this says that stopping there is little better than chance."""
STRONG = 0.7
"""From here on stopping the worst costs little."""
TENTH = 10


@dataclass(frozen=True)
class Agreement:
    """Rank correlations between an epoch and the end, computed within each seed and averaged over seeds."""

    epoch: int
    spearman: float
    kendall: float
    """Kendall's tau-b."""
    interval: tuple[float, float] | None
    """Student's 95 % interval of Spearman's over seeds; None where there is one seed, or it is the same on all."""
    seeds: int


def agreement(record: Record, epoch: int) -> Agreement | None:
    """`agreements` at one epoch."""
    return agreements(record, [epoch])[0]


def agreements(record: Record, epochs: Iterable[int]) -> list[Agreement | None]:
    """How well ranks at each epoch tell those at the end, over the complete runs; None where too few are.

    Within each seed, then averaged over seeds. Runs that were stopped are left out, so where many were, this is of
    the survivors only.
    """
    seeds: dict[int, list[NDArray[np.float64]]] = {}
    for run in record.runs:
        values = _values(run, record.metric)
        if values is not None:
            seeds.setdefault(run.seed, []).append(values)
    curves = [seeds[seed] for seed in sorted(seeds)]
    return [_agreement(curves, epoch) for epoch in epochs]


def _agreement(seeds: Sequence[Sequence[NDArray[np.float64]]], epoch: int) -> Agreement | None:
    """The same of the curves of each seed at one epoch."""
    found: list[tuple[float, float]] = []
    for curves in seeds:
        pairs = np.array([(values[epoch - 1], values[-1]) for values in curves if epoch < len(values)])
        early, late = pairs.T if len(pairs) >= MIN_RUNS else np.empty((2, 0))
        if early.size and np.ptp(early) and np.ptp(late):
            tau: Any = stats.kendalltau(early, late)
            found.append((rank_correlation(early, late), tau.statistic))
    if not found:
        return None
    each = np.array(found)
    spearman, kendall = each.mean(axis=0).tolist()
    return Agreement(epoch, spearman, kendall, student_interval(each[:, 0], (-1.0, 1.0)), len(each))


def correlation(record: Record, epoch: int) -> float | None:
    """Spearman's part of `agreement`."""
    found = agreement(record, epoch)
    return found.spearman if found else None


def rank_correlation(early: ArrayLike, late: ArrayLike) -> float:
    """Spearman's rank correlation of two columns; nan if either is all equal."""
    if not (np.ptp(early) and np.ptp(late)):
        return float("nan")
    return float(np.corrcoef(stats.rankdata(early), stats.rankdata(late))[0, 1])


def stopping_sentence(record: Record) -> str | None:
    """Say whether early stopping would have paid in a sweep without stopped runs; None if that is unknown."""
    horizon = record.manifest.get("epochs") or 0
    if horizon < 2 or any(run.state == "stopped" for run in record.runs):
        return None
    epoch = -(-horizon // TENTH)
    found = correlation(record, epoch)
    if found is None:
        return None
    says = "stopping there would lose good runs now and then"
    if found < WEAK:
        says = "stopping runs there would be little better than chance"
    elif found >= STRONG:
        says = "stopping the worst there would cost little"
    return f"Ranks at epoch {epoch} of {horizon} correlate {found:.2f} with those at the end: {says}."


def _values(run: Run, metric: str) -> NDArray[np.float64] | None:
    """The curve of a complete run, epoch by epoch."""
    if run.state != "complete" or metric not in run.curve:
        return None
    epochs, values = run.curve[metric]
    whole = len(values) == run.epochs and np.isfinite(values).all()
    return values if whole and np.array_equal(epochs, np.arange(1, len(values) + 1)) else None
