"""Comparison of two arms: difference, interval and significance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import paired
from analysis.intervals import LEVEL, half_width, span
from analysis.noise import Noise
from analysis.paired import ALPHA, MAX_SEEDS, POWER, RESIDUE


@dataclass(frozen=True)
class Comparison:
    """Difference of two arms (arm minus other), in points of the metric. `significant` is None if untestable.

    Fields that one seed cannot determine are None; `analysis.paired` describes the statistics.
    """

    difference: float
    interval: tuple[float, float] | None
    seeds: int
    significant: bool | None
    sentence: str
    probability_of_improvement: float
    p: float | None = None
    """Student's p of the paired differences, or of a single difference against the known noise."""
    p_flips: float | None = None
    """The sign-flip test's p, which needs no normality."""
    p_flips_smallest: float | None = None
    """Smallest `p_flips` that this number of seeds can give."""
    p_equivalence: float | None = None
    """p of two one-sided tests (TOST), where a margin was given."""
    effect_size: float | None = None
    """Hedges' g_z."""
    deviation: float | None = None
    """Sample standard deviation of the paired differences, in points."""

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that this number of seeds finds with 80 % power, in points."""
        return paired.detectable(self.deviation, self.seeds) if self.deviation else None

    @property
    def seeds_needed(self) -> int | None:
        """Number of seeds that find the observed difference, if true, with 80 % power; None if a thousand do not."""
        return paired.seeds_needed(self.difference, self.deviation) if self.deviation else None


def compare(
    arm: Mapping[int, float],
    other: Mapping[int, float],
    noise: Noise | None,
    *,
    margin: float | None = None,
    generator: np.random.Generator | None = None,
) -> Comparison:
    """Compare scores by seed, on the seeds that both have.

    Several seeds: Student's interval of the paired differences. One seed: against the noise that was measured
    before, if it was.

    >>> found = compare({0: 51.0, 1: 52.0, 2: 53.0}, {0: 50.0, 1: 51.5, 2: 51.9}, None)
    >>> print(f"{found.difference:+.2f}, from {found.interval[0]:+.2f} to {found.interval[1]:+.2f}, p {found.p:.3f}")
    +0.87, from +0.07 to +1.67, p 0.043

    Args:
        arm: score in points by seed.
        other: score in points by seed, to compare with.
        noise: the known noise of one arm over seeds.
        margin: largest difference, in points, that would not matter; says whether the arms are equivalent.
        generator: see `analysis.paired.sign_flips`.

    Raises:
        ValueError: the arms share no seed, a score is not finite, or the margin is not above 0.
    """
    paired.check_margin(margin)
    differences = _differences(arm, other)
    if len(differences) == 1:
        return _single(differences, noise)
    return _paired(differences, margin, generator)


def p_value(arm: Mapping[int, float], other: Mapping[int, float], noise: Noise | None) -> float | None:
    """Return only the `p` of `compare`."""
    differences = _differences(arm, other)
    if len(differences) == 1:
        return noise and noise.p(float(differences[0]))
    return paired.student_p(differences)


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Return Holm's adjusted p of each of several tests, in their order (Holm 1979).

    Rejecting where it is at most 0.05 gives at most a 5 % chance of any false claim among all. None is a test that
    was planned but not made: it counts as p = 1, and stays None.
    """
    found = np.array([1.0 if value is None else value for value in values])
    order = np.argsort(found)
    steps = np.maximum.accumulate(found[order] * np.arange(len(found), 0, -1))
    found[order] = np.minimum(steps, 1.0)
    return [None if value is None else float(p) for value, p in zip(values, found, strict=True)]


def _differences(arm: Mapping[int, float], other: Mapping[int, float]) -> NDArray[np.float64]:
    seeds = sorted(arm.keys() & other.keys())
    if not seeds:
        both = f"{sorted(arm)} and {sorted(other)}"
        raise ValueError(f"arms on seeds {both} share none; run them on the same seeds")
    found = np.round([arm[seed] - other[seed] for seed in seeds], RESIDUE)
    if not np.isfinite(found).all():
        wrong = {seed: (arm[seed], other[seed]) for seed in np.array(seeds)[~np.isfinite(found)].tolist()}
        what = "scores that are not finite cannot be compared"
        raise ValueError(f"{what}: {wrong} by seed; leave those seeds out")
    return found


def significance(difference: float, significant: bool) -> str:
    """Return the verdict of a test in words; larger values are better."""
    better = "better" if difference > 0 else "worse"
    return f"significantly {better}" if significant else "no significant difference"


def _paired(
    differences: NDArray[np.float64], margin: float | None, generator: np.random.Generator | None
) -> Comparison:
    count, mean, deviation = len(differences), float(differences.mean()), paired.spread(differences)
    half = half_width(differences)
    interval = None if half is None else (mean - half, mean + half)
    significant = interval is not None and (interval[0] > 0 or interval[1] < 0)
    flips = paired.sign_flips(differences, generator)
    equivalence = None if margin is None else paired.equivalence(differences, margin)
    verdict = significance(mean, significant)
    if equivalence is not None and equivalence <= ALPHA:
        verdict += f", equivalent within ±{margin:g}"
    elif not significant and deviation:
        verdict += f"; {_prospect(mean, deviation, count)}"
    return Comparison(
        difference=mean,
        interval=interval,
        seeds=count,
        significant=significant,
        sentence=f"{mean:+.2f} points over {count} paired seeds; {_interval(interval)}: {verdict}",
        probability_of_improvement=paired.probability_of_improvement(differences),
        p=paired.student_p(differences),
        p_flips=flips.p,
        p_flips_smallest=flips.smallest,
        p_equivalence=equivalence,
        effect_size=paired.effect_size(differences),
        deviation=deviation,
    )


def _interval(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "all differences are equal, which tells nothing of how much they vary"
    low, high = interval
    verb = "excludes" if low > 0 or high < 0 else "includes"
    return f"the {LEVEL:.0%} interval, {span(low, high, 2, signed=True)}, {verb} 0"


def _prospect(mean: float, deviation: float, count: int) -> str:
    """Say which difference these seeds can detect, and how many seeds would detect the observed one."""
    needed = paired.seeds_needed(mean, deviation)
    seeds = f"more than {MAX_SEEDS:,}" if needed is None else needed
    shown = f"{count} seeds show {paired.detectable(deviation, count):.2f} or more"
    return f"{shown} with {POWER:.0%} power, {abs(mean):.2f} would take {seeds} seeds"


def _single(differences: NDArray[np.float64], noise: Noise | None) -> Comparison:
    difference, improvement = float(differences[0]), paired.probability_of_improvement(differences)
    if noise is None:
        unknown = "one seed cannot tell, and no seed deviation is known"
        sentence = f"{difference:+.2f} points on one seed; {unknown}"
        return Comparison(difference, None, 1, None, sentence, improvement)
    p = noise.p(difference)
    significant = p <= ALPHA
    least = "at least" if significant else "less than"
    against = f"{least} the {noise.threshold:.2f} that chance passes once in twenty"
    known = f"seed deviation {noise.deviation:.2f}" + (f" of {noise.seeds} seeds" if noise.seeds else "")
    verdict = significance(difference, significant)
    sentence = f"{difference:+.2f} points on one seed, {against} ({known}): {verdict}"
    return Comparison(difference, None, 1, significant, sentence, improvement, p)
