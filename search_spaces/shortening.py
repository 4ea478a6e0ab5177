"""Spaces for few epochs: schedules that do not fit are shortened, also in lists and ranges."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contrastive import config as configs
from contrastive.config import Config, value_at
from contrastive.fitting import ENDLESS, WARMUPS, for_epochs, has
from search_spaces.conditional import LABEL
from search_spaces.domains import Choice, Domain, Integer, Zip
from search_spaces.normalise import distinct
from search_spaces.parts import Alternative
from search_spaces.space import Space


def short_of(space: Space, epochs: int) -> Space:
    """Return the space with schedules that fit this number of epochs; its base keeps its own number."""
    base = configs.replace(for_epochs(space.base, epochs), {"epochs": space.base.epochs})
    domains = {key: _cut(space, key, domain, epochs) for key, domain in space.domains.items()}
    changes: dict[str, Any] = {
        "base": within(domains, base),
        "alternatives": tuple(_short(space, a, epochs) for a in space.alternatives),
        "first": tuple(_short(space, a, epochs) for a in space.first),
        "domains": domains,
    }
    return (
        space
        if all(getattr(space, name) == value for name, value in changes.items())
        else replace(space, **changes)
    )


def within(domains: Mapping[str, Domain], config: Config) -> Config:
    """Return the configuration with varying warm-ups moved into their shortened domains."""
    changes: dict[str, Any] = {}
    for key in (key for key in WARMUPS if key in domains and has(config, key)):
        value = value_at(config, key)
        if not domains[key].contains(value):
            changes[key] = min(domains[key].corners, key=lambda corner: abs(corner - value))
    return configs.replace(config, changes)


def _short(space: Space, alternative: Alternative, epochs: int) -> Alternative:
    whole = space.config(alternative.values)
    short = for_epochs(whole, epochs)
    values: Mapping[str, Any] = {
        path: value if value_at(short, path) == value_at(whole, path) else value_at(short, path)
        for path, value in alternative.values.items()
    }
    return replace(alternative, values=values)


def _cut(space: Space, key: str, domain: Domain, epochs: int) -> Domain:
    """Return the domain with listed values shortened, and a range of warm-ups without those that are too long.

    A range of which nothing would be left is kept.
    """
    longest = epochs - 1
    if isinstance(domain, Choice | Zip):
        rows = (_shortened(space, key, value, epochs) for value in domain.values)
        return replace(domain, values=distinct(map(domain.joined, rows)))
    if LABEL.sub("", key) not in WARMUPS or not isinstance(domain, Integer) or domain.high <= longest:
        return domain
    if domain.low < longest:
        return replace(domain, high=longest)
    return Choice((longest,), source=domain.source) if domain.low == longest else domain


def _shortened(space: Space, key: str, value: Any, epochs: int) -> tuple[Any, ...]:
    """Return the parts of a value of a domain, shortened for a number of epochs."""
    choosing = space.conditional
    chosen = choosing.flat({**choosing.context(key), key: value})
    long = configs.replace(space.base, {**chosen, "epochs": ENDLESS})
    short = for_epochs(long, epochs, horizon=space.base.epochs)
    return tuple(
        was if value_at(short, path) == value_at(long, path) else value_at(short, path)
        for path, was in choosing.spread({key: value}).items()
    )
