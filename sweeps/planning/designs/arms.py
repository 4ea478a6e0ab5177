"""Operations on arms that all designs share: keys, duplicates, constraints, and the finest grid that fits."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from search_spaces.space import Space

FEW_STAND = 100
"""Arms tried per wanted arm after which no larger grid is looked for: constraints refuse nearly all of them."""
Values = dict[str, Any]
"""An arm: the value of each varying path."""


def key(values: Mapping[str, Any]) -> str:
    """Return a text that is equal for equal arms."""
    return json.dumps(values, sort_keys=True)


def unique(arms: Iterable[Values]) -> list[Values]:
    """Drop repeated arms; the first of each stays."""
    found: dict[str, Values] = {}
    for arm in arms:
        found.setdefault(key(arm), arm)
    return list(found.values())


def stands(space: Space, arm: Values) -> bool:
    """Return whether an arm can be built and satisfies the constraints of its space."""
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
    """Return the arms of the largest number of points per domain that gives at most `most` arms with the default.

    Only numbers whose arms contain all of `kept` count; there may be none.

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
