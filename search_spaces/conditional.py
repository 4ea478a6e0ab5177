"""Between what is chosen, one value for each domain, and the values of a trial's fields.

A domain's key is the path of the field it is of; that of a `Zip` is several paths joined by ", ". A choice may be
a whole sub-configuration, and a domain may exist only where a field has one of certain values.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import Field, JsonValue
from pydantic.dataclasses import dataclass as checked_dataclass

from contrastive.types import STRICT
from search_spaces.domains import Choice, Domain, Zip

Chosen = dict[str, Any]
"""What is chosen, by key of domain; of a `Zip`, its values in order."""
ABSENT: Any = object()
"""In place of the value of a field that a configuration does not have."""


@checked_dataclass(frozen=True, config=STRICT)
class When:
    """A domain exists only where the field at `path` has one of these values."""

    path: str
    values: tuple[JsonValue, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Choosing:
    """Domains by key, which of them exist when, and what fields have where nothing is chosen."""

    domains: Mapping[str, Domain]
    conditions: Mapping[str, When]
    base: Mapping[str, Any]

    @cached_property
    def keys(self) -> dict[str, str]:
        """The key of the domain that each path belongs to, in order.

        Raises:
            ValueError: two domains have one path, or values that change together are not one for each path.
        """
        found: dict[str, str] = {}
        for key, domain in self.domains.items():
            paths = key.split(", ") if isinstance(domain, Zip) else [key]
            for path in paths:
                if path in found:
                    raise ValueError(f"{path} varies twice, as '{found[path]}' and as '{key}'; leave out one")
                found[path] = key
            if isinstance(domain, Zip) and {len(value) for value in domain.values} != {len(paths)}:
                raise ValueError(f"each value of '{key}' has one part for each of its {len(paths)} paths")
        return found

    def paths(self, key: str) -> list[str]:
        """The paths of a domain's fields."""
        return [path for path, owner in self.keys.items() if owner == key]

    def spread(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """What is chosen, by path."""
        return {
            path: value
            for key, choice in chosen.items()
            for path, value in zip(
                self.paths(key), choice if isinstance(self.domains[key], Zip) else [choice], strict=True
            )
        }

    def is_active(self, key: str, chosen: Mapping[str, Any]) -> bool:
        """Whether the domain exists, given what was chosen of those that it hangs on."""
        when = self.conditions.get(key)
        if when is None:
            return True
        owner = self.owner(when.path)
        if owner and not (owner in chosen and self.is_active(owner, chosen)):
            return False
        return self._value(when.path, self.spread(chosen)) in when.values

    def flat(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The value of each path, without what is chosen of domains that do not exist beside the rest."""
        active: Chosen = {}
        for key in self.domains:
            if key in chosen and self.is_active(key, active):
                active[key] = chosen[key]
        return self.spread(active)

    def chosen(self, values: Mapping[str, Any]) -> Chosen:
        """What has to be chosen for these values; what they leave open is as in the base.

        Raises:
            ValueError: a domain exists whose field neither they nor the base has.
        """
        found: Chosen = {}
        for key, domain in self.domains.items():
            if self.is_active(key, found):
                parts = tuple(self._value(path, values) for path in self.paths(key))
                if ABSENT in parts:
                    raise ValueError(f"there is no value of {key}, which exists beside {self.spread(found)}")
                found[key] = self._listed(key, parts if isinstance(domain, Zip) else parts[0])
        return found

    def arm(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The base with other choices of these keys; what they bring into existence is as they have it."""
        return self.flat(self.chosen(self.spread({**self.chosen({}), **changes})))

    def combinations(self, axes: Mapping[str, Sequence[Any]]) -> Iterator[Chosen]:
        """Every combination of one value of each axis, each once though some exist only beside others."""

        def complete(chosen: Chosen, keys: Sequence[str]) -> Iterator[Chosen]:
            if not keys:
                yield chosen
            elif not self.is_active(keys[0], chosen):
                yield from complete(chosen, keys[1:])
            else:
                for value in axes[keys[0]]:
                    yield from complete({**chosen, keys[0]: value}, keys[1:])

        return complete({}, list(axes))

    def context(self, key: str) -> Chosen:
        """Choices beside which a domain exists: none if it always does.

        Raises:
            ValueError: it never does.
        """
        found = next(self._contexts(key), None)
        if found is None:
            when = self.conditions[key]
            raise ValueError(f"{key} never exists: {when.path} has none of the values {list(when.values)}")
        return found

    def exists(self, key: str) -> bool:
        """Whether a domain exists beside anything that can be chosen."""
        return next(self._contexts(key), None) is not None

    def _contexts(self, key: str) -> Iterator[Chosen]:
        when = self.conditions.get(key)
        owner = self.owner(when.path) if when else None
        if owner is None:
            yield from [{}] if self.is_active(key, {}) else []
            return
        domain = self.domains[owner]
        if domain.size is None:
            raise ValueError(
                f"{key} exists by a value of {owner}, which is a range of real numbers; list them"
            )
        for setting in self._contexts(owner):
            for value in domain.points(domain.size):
                if self.is_active(key, {**setting, owner: value}):
                    yield {**setting, owner: value}

    def asked_kinds(self, path: str) -> set[str]:
        """The sub-configurations whose kind a condition of the path's domain is about."""
        when = self.conditions.get(self.keys[path])
        return {when.path, when.path.removesuffix(".name")} if when else set()

    def needs(self, key: str) -> list[str]:
        """The domains that this one hangs on: by its condition, or as part of their sub-configurations."""
        paths = [path.rpartition(".")[0] for path in self.paths(key)]
        owners = {self.owner(path) for path in paths} - {key}
        if key in self.conditions:
            owners.add(self.owner(self.conditions[key].path))
        return [owner for owner in self.domains if owner in owners]

    def in_order(self) -> "Choosing":
        """The same with each domain behind those that it hangs on.

        Raises:
            ValueError: some hang on each other.
        """
        left, placed = dict(self.domains), dict[str, Domain]()
        while left:
            ready = next((key for key in left if all(need in placed for need in self.needs(key))), None)
            if ready is None:
                raise ValueError(f"{' and '.join(left)} exist only if one another do; break the circle")
            placed[ready] = left.pop(ready)
        return Choosing(placed, self.conditions, self.base)

    def owner(self, path: str) -> str | None:
        """The domain that has the path, or the sub-configuration around it."""
        while path:
            if path in self.keys:
                return self.keys[path]
            path = path.rpartition(".")[0]
        return None

    def _value(self, path: str, values: Mapping[str, Any]) -> Any:
        """The value at a path: as given, in a sub-configuration that is given, or in the base."""
        names = path.split(".")
        for cut in range(len(names), 0, -1):
            start = ".".join(names[:cut])
            if start in values:
                return _inside(values[start], names[cut:])
        return _inside(self.base, names)

    def _listed(self, key: str, value: Any) -> Any:
        """The value as its domain lists it: a sub-configuration is given with what varies inside it."""
        domain = self.domains[key]
        if not isinstance(domain, Choice | Zip) or domain.contains(value):
            return value
        bare = self._bare(key, value)
        return next((listed for listed in domain.values if self._bare(key, listed) == bare), value)

    def _bare(self, key: str, value: Any) -> dict[str, Any]:
        """By path, sub-configurations without what varies inside them."""
        values = copy.deepcopy(self.spread({key: value}))
        for outer, inner in ((o, i) for o in values for i in self.keys if i.startswith(f"{o}.")):
            *parents, last = inner.removeprefix(f"{outer}.").split(".")
            node = _inside(values[outer], parents)
            if isinstance(node, dict):
                node.pop(last, None)
        return values


def value_in(configuration: Mapping[str, Any], path: str) -> Any:
    """What a configuration has at a dotted path, or ABSENT."""
    return _inside(configuration, path.split("."))


def _inside(node: Any, names: Sequence[str]) -> Any:
    for name in names:
        if not isinstance(node, Mapping) or name not in node:
            return ABSENT
        node = node[name]
    return node
