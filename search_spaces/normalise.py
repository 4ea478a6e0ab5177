"""Fitting of domains to a base: one spelling for every value, and no domain that is pinned or never exists."""

import itertools
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from contrastive import config as configs
from contrastive.config import Config, value_at
from contrastive.fitting import changed
from contrastive.paths import ABSENT, outwards, value_in
from search_spaces.conditional import ConditionalDomains, When
from search_spaces.domains import Choice, Domain, Integer, Zip
from search_spaces.parts import Alternative


def settled(base: Config, choosing: ConditionalDomains) -> ConditionalDomains:
    """Put each domain behind those that it depends on, and its values in the spelling of a configuration.

    Equal arms must be equal: 1 of a real number is 1.0, a sub-configuration has all its fields.

    Raises:
        ValueError: a path does not exist, is no number where a range is given, or the order is a circle.
    """
    choosing = _in_order(choosing)
    _check_apart(choosing)
    for key in choosing.domains:
        where = changed(base, choosing.flat(choosing.context(key)))
        choosing = replace(choosing, domains={**choosing.domains, key: _spelled(key, where, choosing)})
    return choosing


def of_alternatives(alternatives: Iterable[Alternative], built: Sequence[Config]) -> dict[str, Domain]:
    """Return a choice for each path that an alternative changes, with the values of these configurations."""
    sources: dict[str, dict[str, None]] = {}
    for alternative in alternatives:
        for path in alternative.values:
            sources.setdefault(path, {})[alternative.source] = None
    return {
        path: Choice(distinct(value_at(config, path) for config in built), source="; ".join(found))
        for path, found in sources.items()
    }


def unpinned(
    choosing: ConditionalDomains, base: Config, pinned: Collection[str]
) -> tuple[dict[str, Domain], dict[str, When]]:
    """Return domains and conditions without pinned paths, and without domains that never exist on the base."""
    domains, conditions, values = dict[str, Domain](), dict[str, When](), configs.to_dict(base)
    for key, domain in choosing.domains.items():
        name, rest = _part(key, choosing.paths(key), domain, pinned)
        when = {name: choosing.conditions[key]} if key in choosing.conditions else {}
        left = ConditionalDomains({**domains, name: rest}, {**conditions, **when}, values)
        if name and next(left.contexts(name), None) is not None:
            domains[name], conditions = rest, {**conditions, **when}
    return domains, conditions


def check_kinds(
    name: str, choosing: ConditionalDomains, base: Config, pinned: Collection[str], *, listed: bool
) -> None:
    """Refuse a base in which a sub-configuration has another kind than the one whose fields the space varies.

    Any kind is allowed if the kind itself varies, or a condition names the kind of a field.

    Raises:
        ValueError: names the fields, the kinds, and what to do.
    """
    after = configs.to_dict(base)
    for path in (path for path in choosing.keys if path not in pinned):
        asked = {choosing.conditions[key].path for key in choosing.keys[path] if key in choosing.conditions}
        for part in reversed(outwards(path)):
            was, now = (value_in(values, f"{part}.name") for values in (choosing.base, after))
            free = part in asked or f"{part}.name" in asked
            free = free or (choosing.owners(f"{part}.name") and not (listed and part == path))
            if was not in (now, ABSENT) and not free:
                now = "nothing" if now is ABSENT else now
                raise ValueError(
                    f"{name} varies {path} around {part} {was}, and {part} would be {now}: take a recipe of {was}, "
                    f"or a space around {now}; to change the kind alone, pin {path} with --set"
                )


def _in_order(choosing: ConditionalDomains) -> ConditionalDomains:
    """Put each domain behind those that it depends on."""
    left, placed = dict(choosing.domains), dict[str, Domain]()
    while left:
        ready = next((key for key in left if all(need in placed for need in choosing.needs(key))), None)
        if ready is None:
            raise ValueError(f"{' and '.join(left)} exist only if one another do; break the circle")
        placed[ready] = left.pop(ready)
    return replace(choosing, domains=placed)


def _check_apart(choosing: ConditionalDomains) -> None:
    """Refuse two domains of one path that exist together."""
    pairs = (
        (path, *pair) for path, keys in choosing.keys.items() for pair in itertools.combinations(keys, 2)
    )
    for path, first, second in pairs:
        beside = next(choosing.contexts(first, second), None)
        if beside is not None:
            where = ", ".join(f"{p} = {json.dumps(v)}" for p, v in choosing.spread(beside).items())
            raise ValueError(
                f"{path} varies twice, as '{first}' and as '{second}'{f', where {where}' if where else ''}; "
                "leave out one, or give both conditions that never hold together"
            )


def _spelled(key: str, where: Config, choosing: ConditionalDomains) -> Domain:
    """Return the domain of a key with its values in the spelling of a configuration."""
    domain, paths = choosing.domains[key], choosing.paths(key)
    if not isinstance(domain, Choice | Zip):
        _check_number(paths[0], value_at(where, paths[0]), whole=isinstance(domain, Integer))
        return domain
    built = [changed(where, choosing.spread({key: value})) for value in domain.values]
    rows = (tuple(value_at(config, path) for path in paths) for config in built)
    return replace(domain, values=distinct(map(domain.joined, rows)))


def _check_number(path: str, value: Any, *, whole: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, int if whole else float):
        kind, other = ("whole", "") if whole else ("real", "Integer for whole ones, or ")
        raise ValueError(
            f"{path} = {value!r} is no {kind} number; take {other}a list of the values to compare, Choice"
        )


def _part(key: str, paths: Sequence[str], domain: Domain, pinned: Collection[str]) -> tuple[str, Domain]:
    """Return key and domain of the paths that are not pinned; no key if all are."""
    free = [index for index, path in enumerate(paths) if path not in pinned]
    if isinstance(domain, Zip) and free and len(free) < len(paths):
        values = tuple(tuple(value[index] for index in free) for value in domain.values)
        left = Zip(values, source=domain.source)
        domain = left if len(free) > 1 else Choice(tuple(v for (v,) in values), source=domain.source)
    label = key[len(", ".join(paths)) :]
    return f"{', '.join(paths[index] for index in free)}{label}" if free else "", domain


def distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return each value once, in the order of first occurrence."""
    found = list[Any]()
    for value in values:
        if value not in found:
            found.append(value)
    return tuple(found)
