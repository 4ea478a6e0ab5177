"""Comparisons of many arms with one, corrected for their number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from analysis.arms import Arm, default_arm, numbered, ranked
from analysis.compare import Comparison, compare, holm, significance
from analysis.load import Record, Run
from analysis.naming import name_of
from analysis.noise import Noise
from analysis.paired import ALPHA

HOUR = 3600
SHARED = (
    *("difference", "seeds", "p", "p_flips", "p_flips_smallest"),
    *("probability_of_improvement", "effect_size"),
)
"""Fields that a `Difference` takes from its `Comparison`."""


@dataclass(frozen=True)
class Difference:
    """One arm less another, in points of the metric; `verdict` says why where they could not be compared.

    Costs are of one run, the mean over the paired seeds that both were trained on here; below 0, the arm saves them.
    """

    name: str
    difference: float | None
    low: float | None
    """Of Student's 95 % interval, for itself; None of one seed."""
    high: float | None
    seeds: int
    verdict: str
    p: float | None = None
    """Student's, two-sided."""
    p_holm: float | None = None
    """The same, corrected for all rows of its table."""
    p_flips: float | None = None
    """By flipped signs."""
    p_flips_smallest: float | None = None
    """The smallest that flipped signs of so few seeds can give."""
    probability_of_improvement: float | None = None
    effect_size: float | None = None
    """Hedges' g_z."""
    seconds: float | None = None
    device_hours: float | None = None
    number: int | None = field(default=None, compare=False)
    """Of the arm, where it is one."""


def against(
    record: Record,
    reference: Arm | None = None,
    *,
    arms: Sequence[tuple[str, Arm]] | None = None,
    margin: float | None = None,
    generator: np.random.Generator | None = None,
) -> tuple[Difference, ...]:
    """Compare several arms with the reference, a row each, in their order, corrected for their number.

    >>> from analysis.load import load
    >>> rows = against(load("tests/fixtures/evidence/sweeps/methods-20261125-110151"))
    >>> print(f"{rows[0].name}: {rows[0].difference:+.2f} points, p {rows[0].p_holm:.3f} (Holm)")
    cacr: +5.14 points, p 0.095 (Holm)

    Only complete arms are compared, so that all rest on the same seeds, and where the best were run again on fresh
    seeds only those runs count.

    Args:
        record: of the sweep.
        reference: one of `ranked(record.result)`; the default unless given.
        arms: others of it, each under a name; all unless given, best first.
        margin: largest difference, in points, that would not matter; see `analysis.paired.equivalence`.
        generator: see `analysis.paired.sign_flips`.

    Raises:
        ValueError: the reference is not complete, or the margin is not above 0.
    """
    result = record.result
    standing = ranked(result)
    reference = reference or default_arm(result, standing)
    if reference is None or reference.score is None:
        state = "not begun" if reference is None else reference.state
        name = record.manifest.get("id", "")
        raise ValueError(f"{name}: the arm to compare with is {state}; finish it on every seed")
    if arms is None:
        arms = [(name, arm) for name, arm in named(standing) if arm.digest != reference.digest]
    noise, scores = Noise.of(record.manifest), reference.scores
    how: Any = {"margin": margin, "generator": generator}
    found = [arm.state if arm.score is None else compare(arm.scores, scores, noise, **how) for _, arm in arms]
    rows = differences([name for name, _ in arms], found, margin)
    runs = {(run.arm, run.seed): run for run in record.runs}
    return tuple(
        replace(row, number=arm.number, **_costs(runs, arm, reference))
        for row, (_, arm) in zip(rows, arms, strict=True)
    )


def differences(
    names: Sequence[str], found: Sequence[Comparison | str], margin: float | None = None
) -> tuple[Difference, ...]:
    """A row for each comparison, or for the reason why it could not be made, corrected for all of them.

    What is corrected is Student's p, and that of equivalence for itself: by flipped signs five seeds could never
    tell anything in a table of two rows.
    """
    made = [one if isinstance(one, Comparison) else None for one in found]
    corrected = holm([one and one.p for one in made])
    equivalent = holm([one and one.p_equivalence for one in made])
    return tuple(
        _row(name, one, p, verdict(one, p, same, margin))
        for name, one, p, same in zip(names, found, corrected, equivalent, strict=True)
    )


def verdict(
    found: Comparison | str,
    p_holm: float | None,
    p_equivalent: float | None = None,
    margin: float | None = None,
) -> str:
    """What a comparison says among others, in words; both p are corrected for their number."""
    if isinstance(found, str):
        return found
    if found.significant is None:
        return "one seed cannot tell"
    corrected = found.significant and (p_holm is None or p_holm <= ALPHA)
    words = significance(found.difference, corrected)
    if found.significant and not corrected:
        words += " after correction for all rows"
    if margin is not None and p_equivalent is not None and p_equivalent <= ALPHA:
        words += f", equivalent within ±{margin:g}"
    return words


def named(arms: Sequence[Arm]) -> list[tuple[str, Arm]]:
    """Each arm under a name of its own: where three digits do not tell two apart, with its number."""
    return list(zip(numbered([name_of(arm.values) for arm in arms], arms), arms, strict=True))


def _row(name: str, found: Comparison | str, p_holm: float | None, words: str) -> Difference:
    if isinstance(found, str):
        return Difference(name, None, None, None, 0, words)
    low, high = found.interval or (None, None)
    same = {field: getattr(found, field) for field in SHARED}
    return Difference(name, low=low, high=high, verdict=words, p_holm=p_holm, **same)


def _costs(runs: Mapping[tuple[str, int], Run], arm: Arm, reference: Arm) -> dict[str, float]:
    """What a run costs more than one of the reference; runs that were taken from another sweep cost nothing here."""
    seeds = sorted(arm.scores.keys() & reference.scores.keys()) if arm.score is not None else []
    pairs = [(runs[arm.digest, seed], runs[reference.digest, seed]) for seed in seeds]
    trained = [(one, other) for one, other in pairs if one.seconds and other.seconds]
    if not trained:
        return {}
    seconds = float(np.mean([one.seconds - other.seconds for one, other in trained]))
    devices = float(np.mean([one.device_seconds - other.device_seconds for one, other in trained]))
    return {"seconds": seconds, "device_hours": devices / HOUR}
