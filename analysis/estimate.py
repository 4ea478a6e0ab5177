"""One arm over its seeds: mean, spread, interquartile mean, and how well so few seeds know it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.paired import ALPHA

Values = NDArray[np.float64]
Statistic = Literal["mean", "iqm"]

RESAMPLES = 10_000
QUARTER = 0.25


def iqm(values: Values) -> Values:
    """The interquartile mean over the last axis (Agarwal et al. 2021): a quarter of the values is cut from each end.

    Of n values floor(n / 4) are cut, as scipy's trimmed mean and rliable do: one of 5 seeds, none of 3.
    """
    return np.asarray(stats.trim_mean(values, QUARTER, axis=-1))


def mean(values: Values) -> Values:
    """The mean over the last axis."""
    return values.mean(axis=-1)


STATISTICS: dict[Statistic, Callable[[Values], Values]] = {"mean": mean, "iqm": iqm}


@dataclass(frozen=True)
class Estimate:
    """What the seeds of one arm say, in points of the metric."""

    values: int
    """How many there are, over all strata."""
    mean: float
    deviation: float | None
    """Sample standard deviation over seeds, within strata; None of one seed each."""
    iqm: float
    interval: tuple[float, float] | None
    """95 % bootstrap interval of `statistic`; None where a stratum has one seed."""
    statistic: Statistic


def estimate(
    strata: Sequence[Sequence[float]],
    generator: np.random.Generator,
    *,
    statistic: Statistic = "mean",
    resamples: int = RESAMPLES,
) -> Estimate:
    """Describes an arm by all its values, with a stratified bootstrap interval of their mean or interquartile mean.

    Args:
        strata: the scores of its seeds in points, one sequence for each data set or task; often there is one.
        generator: draws the resamples.
        statistic: what the interval is of.
        resamples: how many.

    Raises:
        ValueError: there is no stratum, or one is empty or not finite.
    """
    groups = [np.asarray(values, np.float64) for values in strata]
    if not groups or not all(group.size and np.isfinite(group).all() for group in groups):
        raise ValueError(
            f"an estimate from {[list(g) for g in strata]}; give one finite score or more in each stratum"
        )
    pooled = np.concatenate(groups)
    freedom = pooled.size - len(groups)
    squares = sum(float(np.square(group - group.mean()).sum()) for group in groups)
    return Estimate(
        values=pooled.size,
        mean=float(mean(pooled)),
        deviation=(squares / freedom) ** 0.5 if freedom else None,
        iqm=float(iqm(pooled)),
        interval=bootstrap(groups, generator, STATISTICS[statistic], resamples),
        statistic=statistic,
    )


def bootstrap(
    groups: Sequence[Values],
    generator: np.random.Generator,
    statistic: Callable[[Values], Values] = mean,
    resamples: int = RESAMPLES,
) -> tuple[float, float] | None:
    """95 % interval of a statistic of all groups, by a smoothed bootstrap with expanded percentiles (Hesterberg 2015).

    Seeds are drawn again within each group. As its n values vary too little by n / (n - 1), normal noise of their
    variance over n is added (Silverman and Young 1987); as their spread is itself estimated, the percentiles are those
    whose normal quantiles are Student's, with Satterthwaite's degrees of freedom. So intervals of the mean of 5 to 20
    normal values cover 94 to 96 %, where plain percentiles cover 84 % at five (tests/unit/test_coverage.py).

    Args:
        groups: values of each stratum, shape (seeds,).
        generator: draws the resamples.
        statistic: maps (resamples, values of all groups) to (resamples,).
        resamples: how many.
    """
    if any(len(group) < 2 for group in groups):
        return None
    drawn = statistic(np.concatenate([_resampled(group, generator, resamples) for group in groups], axis=1))
    tail = stats.norm.sf(stats.t.isf(ALPHA / 2, _freedom(groups)))
    low, high = np.quantile(drawn, [tail, 1 - tail], method="weibull")
    return float(low), float(high)


def _resampled(group: Values, generator: np.random.Generator, resamples: int) -> Values:
    """Shape (resamples, seeds)."""
    shape = (resamples, len(group))
    bandwidth = group.std(ddof=1) / len(group) ** 0.5
    return generator.choice(group, shape) + bandwidth * generator.standard_normal(shape)


def _freedom(groups: Sequence[Values]) -> float:
    """Degrees of freedom of the variance of the mean of all values (Satterthwaite 1946)."""
    counts = np.array([len(group) for group in groups])
    parts = counts * np.array([group.var(ddof=1) for group in groups])
    return (
        float(parts.sum() ** 2 / (parts**2 / (counts - 1)).sum())
        if parts.any()
        else float((counts - 1).sum())
    )
