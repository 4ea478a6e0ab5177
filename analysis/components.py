"""Contribution of each component of a method: without it, with it alone, and in pairs."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.arms import Arm, default_arm, ranked
from analysis.compare import Comparison, compare
from analysis.load import Record
from analysis.multiple import Difference, against, differences


@dataclass(frozen=True)
class Ablation:
    """The arms of a sweep whose space lists alternatives, identified by what they change, not by name."""

    record: Record
    """The same sweep, its arms told apart by the values at their paths."""
    full: Arm
    arms: tuple[Arm, ...]
    changes: Mapping[str, Mapping[str, Any]]
    """What taking each component away changes in the full method, by path."""

    def without(self, *names: str) -> Arm | None:
        """The arm that leaves out just these components; None if the sweep has none."""
        values = self.full.values | {path: v for name in names for path, v in self.changes[name].items()}
        return next((arm for arm in self.arms if arm.values == values), None)

    def compatible(self, *names: str) -> bool:
        """Whether no two of these components change the same."""
        paths = [path for name in names for path in self.changes[name]]
        return len(set(paths)) == len(paths)


def ablation(record: Record) -> Ablation:
    """Find the full method and its components in a sweep; on fresh seeds, if it was confirmed on some.

    Raises:
        ValueError: the space of the sweep lists no alternatives, or its default has not begun.
    """
    manifest, space = record.manifest, record.manifest.get("space", {})
    listed = [one["name"] for one in manifest.get("plan", {}).get("space", {}).get("alternatives", ())]
    if not listed:
        name = manifest.get("id")
        raise ValueError(f"{name}: its space lists no alternatives; take a sweep of one that does")
    by_value = Record({**manifest, "space": {**space, "alternatives": {}}}, record.runs)
    arms = ranked(by_value.result)
    full = default_arm(by_value, arms)
    if full is None:
        raise ValueError(f"{manifest.get('id')}: its default has not begun; wait for it")
    named = {name: space["alternatives"][name].items() for name in listed}
    changes = {name: {p: v for p, v in items if v != full.values[p]} for name, items in named.items()}
    return Ablation(by_value, full, arms, changes)


def leave_one_out(
    record: Record, *, margin: float | None = None, generator: np.random.Generator | None = None
) -> tuple[Difference, ...]:
    """Compare the method without each component to the full method: below 0 where the component helps.

    In the order of the space, for the components of which the sweep has an arm; designs `listed` and `pairs` have all.

    Args:
        record: of a sweep whose space lists alternatives.
        margin: largest loss, in points, that would not matter; says whether the method is equivalent without the part.
        generator: see `analysis.paired.sign_flips`.

    Raises:
        ValueError: the space lists no alternatives, the full method is not complete, or the margin is not above 0.
    """
    found = ablation(record)
    arms = [(name, arm) for name in found.changes if (arm := found.without(name))]
    return against(found.record, found.full, arms=arms, margin=margin, generator=generator)


def add_one_in(
    record: Record, *, margin: float | None = None, generator: np.random.Generator | None = None
) -> tuple[Difference, ...]:
    """Compare the bare method with each component to the bare method: above 0 where the component helps.

    For sweeps of design `added`; of any other there are no rows. Arguments and errors as of `leave_one_out`, but that
    it is the bare method that must be complete.
    """
    found = ablation(record)
    standing, bare = _bare(found)
    if bare is None or len(standing) < 2:
        return ()
    with_one = [(name, found.without(*(other for other in standing if other != name))) for name in standing]
    arms = [(name, arm) for name, arm in with_one if arm]
    return against(found.record, bare, arms=arms, margin=margin, generator=generator)


def bare_method(record: Record) -> Arm | None:
    """Return the arm without any of the components; None if the sweep has none.

    Raises:
        ValueError: the space of the sweep lists no alternatives, or its default has not begun.
    """
    return _bare(ablation(record))[1]


def interactions(
    record: Record, *, margin: float | None = None, generator: np.random.Generator | None = None
) -> tuple[Difference, ...]:
    """Estimate the interaction of each pair of components that design `pairs` leaves out together, named "a & b".

    Seed by seed: without both, less without the one, less without the other, plus the full method, the contrast of a
    2 x 2 factorial design. It is 0 where their losses add up, above 0 where one is worth something only with the
    other, below 0 where each makes up for the other. Costs are not compared. Arguments and errors as of
    `leave_one_out`.
    """
    found = ablation(record)
    names, made = list[str](), list[Comparison | str]()
    for first, second in itertools.combinations(found.changes, 2):
        arms = [found.without(first, second), found.without(first), found.without(second), found.full]
        four = [arm for arm in arms if arm]
        if found.compatible(first, second) and len(four) == 4:
            names.append(f"{first} & {second}")
            made.append(_interaction(four, margin, generator))
    return differences(names, made, margin)


def _bare(found: Ablation) -> tuple[list[str], Arm | None]:
    """The components that can be left out together, and the arm without them."""
    standing = list[str]()
    for name in found.changes:
        # Of components that change the same, the first stands for all, as in the design.
        standing += [name] if found.compatible(*standing, name) else []
    return standing, found.without(*standing)


def _interaction(
    arms: list[Arm], margin: float | None, generator: np.random.Generator | None
) -> Comparison | str:
    """Of two components, from the arms without both, without each, and the full method."""
    unfinished = [arm.state for arm in arms if arm.score is None]
    if unfinished:
        return unfinished[0]
    both, first, second, full = (arm.scores for arm in arms)
    seeds = sorted(both.keys() & first.keys() & second.keys() & full.keys())
    contrast = {seed: both[seed] - first[seed] - second[seed] + full[seed] for seed in seeds}
    return compare(contrast, dict.fromkeys(contrast, 0.0), None, margin=margin, generator=generator)
