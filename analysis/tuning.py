"""Gain by tuning: tuned minus default, for all parameters together and for each alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.arms import Arm
from analysis.compare import Comparison, compare, holm, p_value
from analysis.fanova import points, random_forest
from analysis.intervals import chance
from analysis.load import Record
from analysis.noise import Noise
from analysis.observed import ABSENT, by_domain, chosen, observed
from analysis.paired import ALPHA
from analysis.summarise import summarise

HOLDABLE = 3
"""Seeds from which on one is held out: two or more choose."""


@dataclass(frozen=True)
class Gain:
    """The best of some arms less the default, in points of the metric."""

    keys: tuple[str, ...]
    """The domains that those arms change, each alone or all."""
    arms: int
    """How many there were, the default among them."""
    best: Arm
    comparison: Comparison
    p_holm: float | None
    """Its p, corrected for all arms that ran on its seeds, since the best was chosen from all."""
    fresh: bool
    """Whether it was measured on seeds that had no part in choosing; else the best of many is partly luck."""
    held_out: Comparison | None
    """Each seed's score of the arm that is best on the other seeds: without that luck, and without a verdict."""
    beaten: bool
    """Whether one of the arms is better than the default."""

    @property
    def sentence(self) -> str:
        """The gain for people, and on which seeds."""
        seeds = "fresh seeds" if self.fresh else "the seeds that chose it, so expect less"
        held = f" Chosen on the other seeds: {self.held_out.sentence}." if self.held_out else ""
        what = ", ".join(self.keys)
        if not self.beaten:
            return f"Tuning {what} gains nothing: the default is the best of {self.arms}.{held}"
        unless = ""
        if self.comparison.significant and self.p_holm is not None and self.p_holm > ALPHA:
            unless = f" by itself, but not among all arms (p {chance(self.p_holm)}, Holm)"
        return f"Tuning {what}, best of {self.arms} on {seeds}: {self.comparison.sentence}{unless}.{held}"


def tunability(record: Record) -> tuple[Gain, ...]:
    """Return the gain of tuning all parameters, then of each alone, the largest first (Probst et al., JMLR 2019).

    A parameter's gain is that of the best complete arm that differs from the default in its domain only; where a
    sweep has no such arm (see `predicted`), or only the default, the parameter is left out. The arm is chosen in
    the search and compared on fresh seeds where it and the default ran on such.

    Raises:
        ValueError: the default is not complete.
    """
    summary = summarise(by_domain(record))
    default, domains = summary.default, record.manifest.get("space", {}).get("domains", {})
    if default is None or default.score is None:
        raise ValueError(f"{summary.identifier}: what tuning gains is against the default; let that complete")
    complete = [arm for arm in summary.arms if arm.score is not None]
    origin = chosen(default.values, domains)
    changes = [_changed(chosen(arm.values, domains), origin) for arm in complete]
    again = summary.confirmed.arms if summary.confirmed else ()
    confirmed = {arm.digest: arm for arm in again if arm.score is not None}
    groups = {key: [a for a, c in zip(complete, changes, strict=True) if c == [key]] for key in domains}
    noise = Noise.of(record.manifest)
    candidates = {(key,): [*arms, default] for key, arms in groups.items() if arms}
    sets = [(tuple(domains), complete), *candidates.items()]
    gains = [_gain(keys, arms, default, confirmed, noise) for keys, arms in sets]
    fresh = _corrected(again, confirmed.get(default.digest), noise)
    corrected = (_corrected(summary.arms, default, noise), fresh)
    together, *alone = (replace(gain, p_holm=corrected[gain.fresh].get(gain.best.digest)) for gain in gains)
    return (together, *sorted(alone, key=lambda gain: -gain.comparison.difference))


def predicted(record: Record, generator: np.random.Generator) -> dict[str, float]:
    """Predict the gain of tuning each parameter alone, in points, by a forest of the complete arms.

    Probst et al.'s definition on a surrogate: the best over the domain with all else at the default, less the
    default, both predicted. No seeds stand behind it, and a forest flattens what it learns: it ranks parameters
    where the sweep varied all at once. Those that the default does not have are left out.

    Raises:
        ValueError: the default is not complete, or the forest knows nothing of arms that it has not seen.
    """
    known = observed(record)
    if (default := record.manifest.get("default_arm")) not in known.digests:
        raise ValueError(f"{record.manifest.get('id')}: the default is not complete; nothing to compare with")
    place, grown = known.digests.index(default), random_forest(known, generator)
    origin = points(known, generator)[place]
    found: dict[str, float] = {}
    for column, axis in enumerate(known.axes):
        if not np.isnan(axis.positions[place]):
            varied = np.tile(origin, (axis.cells + 1, 1))
            varied[1:, column] = (np.arange(axis.cells) + 0.5) / axis.cells
            values = grown.predict(varied)
            found[axis.key] = float(values.max() - values[0])
    return found


def _gain(
    keys: tuple[str, ...], arms: Sequence[Arm], default: Arm, again: Mapping[str, Arm], noise: Noise | None
) -> Gain:
    """Compare the best of some arms with the default, on fresh seeds if both ran `again` on such."""
    best = max(arms, key=lambda arm: (np.mean(list(arm.scores.values())), arm is default))
    fresh = {best.digest, default.digest} <= again.keys()
    tuned, origin = (again[arm.digest] if fresh else arm for arm in (best, default))
    comparison = compare(tuned.scores, origin.scores, noise)
    held_out = None if fresh else _held_out(arms, default)
    return Gain(keys, len(arms), best, comparison, None, fresh, held_out, best.digest != default.digest)


def _held_out(arms: Sequence[Arm], default: Arm) -> Comparison | None:
    """Each seed's score of the arm that is best by the mean of the others, less the default's: the mean alone.

    The values depend on one another, as each seed has a part in all the other choices. Of twelve arms that differ by
    their seeds alone Student's interval of them would claim a difference in 10 % of sweeps of five seeds, in 16 % of
    ten, where 5 % are nominal.
    """
    seeds = sorted(set[int].intersection(*(set(arm.scores) for arm in arms)))
    if len(seeds) < HOLDABLE:
        return None
    table = np.array([[arm.scores[seed] for seed in seeds] for arm in arms])
    others = table.sum(axis=1, keepdims=True) - table
    scores = table[others.argmax(axis=0), np.arange(len(seeds))]
    gain = compare(dict(zip(seeds, scores.tolist(), strict=True)), default.scores, None)
    says = f"{gain.difference:+.2f} points, the mean of {len(seeds)} seeds whose values depend on one another"
    says = f"{says}, so without an interval"
    return Comparison(gain.difference, None, gain.seeds, None, says, gain.probability_of_improvement)


def _corrected(arms: Sequence[Arm], default: Arm | None, noise: Noise | None) -> dict[str, float | None]:
    """The p of each arm less the default among all of them, by digest; one that is not complete counts, too."""
    if default is None:
        return {}
    others = [arm for arm in arms if arm.digest != default.digest]
    found = [None if arm.score is None else p_value(arm.scores, default.scores, noise) for arm in others]
    return {arm.digest: p for arm, p in zip(others, holm(found), strict=True)}


def _changed(values: Mapping[str, Any], origin: Mapping[str, Any]) -> list[str]:
    """The domains in which two arms differ; one that only one of them has depends on another that differs."""
    there = [key for key in values if ABSENT not in (values[key][0], origin[key][0])]
    return [key for key in there if values[key] != origin[key]]
