"""Spaces for few epochs: warm-ups that would leave none of them give way in what is listed and in ranges, too."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contrastive import config
from contrastive.config import value_at
from contrastive.fitting import WARMUPS, for_epochs
from search_spaces.domains import Choice, Domain, Integer
from search_spaces.parts import Alternative
from search_spaces.space import Space


def short_of(space: Space, epochs: int) -> Space:
    """The space, whose base keeps its epochs, with nothing in it that cannot be trained for so many."""
    base = config.replace(for_epochs(space.base, epochs), {"epochs": space.base.epochs})
    changes: dict[str, Any] = {
        "base": base,
        "alternatives": tuple(_short(space, a, epochs) for a in space.alternatives),
        "first": tuple(_short(space, a, epochs) for a in space.first),
        "domains": {key: _cut(key, domain, epochs - 1) for key, domain in space.domains.items()},
    }
    return (
        space
        if all(getattr(space, name) == value for name, value in changes.items())
        else replace(space, **changes)
    )


def _short(space: Space, alternative: Alternative, epochs: int) -> Alternative:
    whole = space.trial(alternative.values)
    short = for_epochs(whole, epochs)
    values: Mapping[str, Any] = {
        path: value if value_at(short, path) == value_at(whole, path) else value_at(short, path)
        for path, value in alternative.values.items()
    }
    return replace(alternative, values=values)


def _cut(key: str, domain: Domain, longest: int) -> Domain:
    """The domain of a warm-up without what is longer; all of it where nothing would be left."""
    if key not in WARMUPS or not isinstance(domain, Integer | Choice):
        return domain
    if isinstance(domain, Integer) and domain.low < longest < domain.high:
        return replace(domain, high=longest)
    left = tuple(value for value in domain.corners if value <= longest)
    return Choice(left, source=domain.source) if left and left != domain.corners else domain
