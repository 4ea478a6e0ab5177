"""What all designs do with arms: tell them apart, keep those that stand, fit as many as there is room for."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from search_spaces.space import Space

FEW_STAND = 100
"""Where constraints leave less than one arm in so many, a larger grid is not looked for."""
Values = dict[str, Any]
"""An arm: the value of each path that varies in it."""


def key(values: Mapping[str, Any]) -> str:
    """Equal for equal arms."""
    return json.dumps(values, sort_keys=True)


def unique(arms: Iterable[Values]) -> list[Values]:
    """Each arm once, where it comes first."""
    found: dict[str, Values] = {}
    for arm in arms:
        found.setdefault(key(arm), arm)
    return list(found.values())


def stands(space: Space, arm: Values) -> bool:
    """Whether an arm can be built and keeps the constraints of its space."""
    try:
        return space.allows(space.config(arm))
    except ValueError:
        return False


def finest(
    space: Space,
    most: int,
    arms_at: Callable[[int], Iterable[Values]],
    *,
    what: str,
    kept: Iterable[Values] = (),
) -> list[Values]:
    """The arms of the largest number of points in each domain that are at most `most` with the default.

    Of these numbers those count whose arms are all of `kept` and more; none may.

    Raises:
        ValueError: two points are too many.
    """
    arms, held = list[Values](), set(map(key, kept)) - {key(space.default())}
    for points in range(2, most + 2):
        tried = list(arms_at(points))
        if held and len(tried) > FEW_STAND * most:
            break
        if not held <= set(map(key, tried)):
            continue
        found = unique([space.default(), *(arm for arm in tried if stands(space, arm))])
        if not arms and not held and len(found) > most:
            raise ValueError(f"the smallest {what} of {space.name} has {len(found)} arms; raise --arms")
        if len(found) > most or found == arms:
            break
        arms = found
    return arms
