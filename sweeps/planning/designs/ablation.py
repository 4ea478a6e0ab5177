"""Ablation designs: parts added one by one, pairs of alternatives, and the path from one arm to another."""

import itertools
from collections.abc import Mapping
from typing import Any

from search_spaces.ablations import overlap
from search_spaces.space import Space
from sweeps.planning.designs.arms import Values, key, stands

Change = dict[str, Any]
"""Choices that change together: one domain, or a sub-configuration with its own choices."""
WORST = float("-inf")


def added_back(space: Space) -> list[Values]:
    """Return the arm with all alternatives at once, the bare method, and the arms with one of them taken back.

    Of alternatives that change the same path the first of the list stands for all.

    Raises:
        ValueError: one of these arms cannot be built, or there is nothing to add to.
    """
    names = space.named_arms.standing
    if len(names) < 2:
        raise ValueError(
            f"design = add_one_in: the alternatives of {space.name} all change the same; take leave_one_out"
        )
    kept = [names, *([name for name in names if name != back] for back in names)]
    arms = [space.combined(*some) for some in kept]
    for some, arm in zip(kept, arms, strict=True):
        if not stands(space, arm):
            raise ValueError(f"design = add_one_in: {' & '.join(some)} break a constraint of {space.name}")
    return arms


def alternative_pairs(space: Space) -> list[Values]:
    """Return the arms with one alternative, and those with two that are compatible."""
    refused = incompatible(space)
    both = [pair for pair in itertools.combinations(space.named_arms.arms, 2) if pair not in refused]
    return [*space.arms().values(), *(space.combined(*pair) for pair in both)]


def incompatible(space: Space) -> dict[tuple[str, str], str]:
    """Return the pairs of incompatible alternatives, each with the reason."""
    found: dict[tuple[str, str], str] = {}
    for first, second in itertools.combinations(space.alternatives, 2):
        pair, shared = (first.name, second.name), overlap(first.values, second.values)
        try:
            if shared:
                found[pair] = f"both change {', '.join(shared)}"
            elif not stands(space, space.combined(*pair)):
                found[pair] = "together they break a constraint"
        except ValueError as error:
            found[pair] = str(error)
    return found


def greedy_path(
    space: Space, target: Mapping[str, Any], most: int, scores: Mapping[str, float | None]
) -> list[Values]:
    """Return the greedy ablation path from the default to a target (Fawcett and Hoos 2016), as far as it is known.

    Each step tries every remaining change alone on top of those made so far, and keeps the best; the path shows
    which few changes account for the target's gain. A step whose arms do not all fit into `most` is left out.

    Args:
        space: that both arms are of.
        target: where the path leads.
        most: arms in all.
        scores: of arms by their key, greater is better; None: it failed. An arm without one is not yet known.
    """
    left, made, arms = changes(space, target), Change(), [space.default()]
    there = space.chosen(target)  # all remaining changes, where none can be made alone
    while left:
        steps = [({**made, **change}, space.conditional.arm({**made, **change})) for change in left]
        steps = [(choices, arm) for choices, arm in steps if stands(space, arm)] or [
            (there, space.flat(there))
        ]
        if len(arms) + len(steps) > most:
            break
        arms += [arm for _, arm in steps]
        if any(key(arm) not in scores for _, arm in steps):
            break
        made, _ = max(steps, key=lambda step: _rank(scores[key(step[1])]))
        left = [change for change in left if not change.keys() <= made.keys()]
    return arms


def path_length(space: Space, target: Mapping[str, Any], most: int) -> int:
    """Return the largest number of arms that the path to a target can have, its start included.

    Raises:
        ValueError: its first step does not fit into `most` arms, or there is no step.
    """
    steps, arms = len(changes(space, target)), 1
    if not steps:
        raise ValueError(f"design = path: the target is the default of {space.name} itself")
    if most > 1 and steps + 1 > most:
        raise ValueError(f"the first step of the path has {steps + 1} arms; raise --arms")
    while steps and arms + steps <= most:
        arms, steps = arms + steps, steps - 1
    return arms


def changes(space: Space, target: Mapping[str, Any]) -> list[Change]:
    """Return the changes from the default to a target, split into parts that can change alone."""
    here, there = space.chosen({}), space.chosen(target)
    found: dict[str, Change] = {}
    leader: dict[str, str] = {}
    for name in space.domains:
        if name in here and name in there and here[name] == there[name]:
            continue
        if name in here or name in there:
            leader[name] = next(
                (leader[need] for need in space.conditional.needs(name) if need in leader), name
            )
            found.setdefault(leader[name], {}).update({name: there[name]} if name in there else {})
    return list(found.values())


def _rank(score: float | None) -> float:
    return WORST if score is None else score
