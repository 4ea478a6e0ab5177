"""Conversion between choices, one value for each domain, and the values of a configuration's fields.

The key of a domain is the path of its field; the key of a `Zip` is several paths joined by ", ". A value may be a
whole sub-configuration, and a domain may exist only where a field has one of certain values. Several domains may
share one path if no two of them ever exist together: a label behind the path tells their keys apart, as in
"optimiser.lr (sgd)" and "optimiser.lr (adam)".
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contrastive.config import Config
from contrastive.kinds import TAG
from contrastive.paths import ABSENT, outer_first, outwards, put, value_in
from search_spaces.domains import Choice, Domain, Zip
from search_spaces.parts import When

Chosen = dict[str, Any]
"""The chosen value of each domain, by its key; that of a `Zip` is a tuple."""
LABEL = re.compile(r" \([^()]*\)$")
"""The end of a key that tells its domain from others of the same path."""


@dataclass(frozen=True)
class ConditionalDomains:
    """Domains by key, the conditions under which some exist, and the configuration that they vary (`base`)."""

    domains: Mapping[str, Domain]
    conditions: Mapping[str, When]
    base: Mapping[str, Any]

    @cached_property
    def keys(self) -> dict[str, list[str]]:
        """The keys of each path's domains, in order; no two domains of a path exist together.

        Raises:
            ValueError: a value of a `Zip` has not one part for each path.
        """
        found: dict[str, list[str]] = {}
        for key, domain in self.domains.items():
            paths = self.paths(key)
            for path in paths:
                found.setdefault(path, []).append(key)
            if isinstance(domain, Zip) and {len(value) for value in domain.values} != {len(paths)}:
                raise ValueError(f"each value of '{key}' has one part for each of its {len(paths)} paths")
        return found

    def paths(self, key: str) -> list[str]:
        """Return the paths of a domain's fields: its key without the label."""
        paths = LABEL.sub("", key)
        return paths.split(", ") if isinstance(self.domains[key], Zip) else [paths]

    def spread(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return the chosen values by path."""
        split = ((self.paths(key), self.domains[key].parts(value)) for key, value in chosen.items())
        return {path: part for paths, parts in split for path, part in zip(paths, parts, strict=True)}

    def is_active(self, key: str, chosen: Mapping[str, Any]) -> bool:
        """Whether the domain exists beside the values chosen of the domains that it depends on."""
        when = self.conditions.get(key)
        if when is None:
            return True
        owners = self.owners(when.path)
        if owners and not any(owner in chosen and self.is_active(owner, chosen) for owner in owners):
            return False
        return self._value(when.path, self.spread(chosen)) in when.values

    def flat(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each path, without those of domains that do not exist beside the other choices."""
        active: Chosen = {}
        for key in self.domains:
            if key in chosen and self.is_active(key, active):
                active[key] = chosen[key]
        return self.spread(active)

    def chosen(self, values: Mapping[str, Any]) -> Chosen:
        """Return the choices that give these values; a path without a value has that of the base.

        Raises:
            ValueError: a domain exists whose field neither the values nor the base have.
        """
        found: Chosen = {}
        for key in self.domains:
            if self.is_active(key, found):
                value = self._current(key, values)
                if value is ABSENT:
                    raise ValueError(f"there is no value of {key}, which exists beside {self.spread(found)}")
                found[key] = value
        return found

    def arm(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the base with other choices of these keys, as values by path.

        A domain that exists only through the changes takes the value that its field then has, or the middle of the
        domain if that value lies outside.
        """
        start, found = {**self.chosen({}), **changes}, Chosen()
        for key, domain in self.domains.items():
            if self.is_active(key, found):
                value = start[key] if key in start else self._current(key, self.spread(found))
                inside = key in start or (value is not ABSENT and domain.contains(value))
                found[key] = value if inside else domain.at(0.5)
        return self.spread(found)

    def combinations(self, axes: Mapping[str, Sequence[Any]]) -> Iterator[Chosen]:
        """Yield every combination of one value of each axis, once even where some axes do not exist."""

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
        """Return choices beside which a domain exists: none if it always does.

        Raises:
            ValueError: it never exists.
        """
        found = next(self.contexts(key), None)
        if found is None:
            when = self.conditions[key]
            raise ValueError(f"{key} never exists: {when.path} has none of the values {list(when.values)}")
        return found

    def contexts(self, *keys: str) -> Iterator[Chosen]:
        """Yield the choices beside which all these domains exist, of the domains that they depend on."""
        axes, waiting = dict[str, Sequence[Any]](), [key for key in keys if key in self.conditions]
        while waiting:
            key = waiting.pop()
            for owner in (owner for owner in self.owners(self.conditions[key].path) if owner not in axes):
                domain = self.domains[owner]
                if domain.size is None:
                    raise ValueError(
                        f"{key} exists by a value of {owner}, which is a range of real numbers; list them"
                    )
                axes[owner] = domain.points(domain.size)
                waiting += [owner] if owner in self.conditions else []
        ordered = {key: axes[key] for key in self.domains if key in axes}
        return (c for c in self.combinations(ordered) if all(self.is_active(key, c) for key in keys))

    def needs(self, key: str) -> list[str]:
        """Return the domains that this one depends on: by its condition, or as part of their sub-configurations."""
        paths = [path.rpartition(".")[0] for path in self.paths(key)]
        if key in self.conditions:
            paths.append(self.conditions[key].path)
        owners = {owner for path in paths for owner in self.owners(path)} - {key}
        return [owner for owner in self.domains if owner in owners]

    def owners(self, path: str) -> list[str]:
        """Return the domains of the path, or of the sub-configuration around it."""
        return next((self.keys[outer] for outer in outwards(path) if outer in self.keys), [])

    def _current(self, key: str, values: Mapping[str, Any]) -> Any:
        """Return the value of a domain's fields as the domain lists it; ABSENT if a field is."""
        domain, parts = self.domains[key], tuple(self._value(path, values) for path in self.paths(key))
        if ABSENT in parts:
            return ABSENT
        value = domain.joined(parts)
        if not isinstance(domain, Choice | Zip) or domain.contains(value):
            return value
        # A listed sub-configuration is found with the values of what varies inside it.
        bare = self._bare(key, value)
        return next((listed for listed in domain.values if self._bare(key, listed) == bare), value)

    def _value(self, path: str, values: Mapping[str, Any]) -> Any:
        """Return the value at a path: as given, in a sub-configuration that is given, or in the base."""
        for outer in outwards(path):
            if outer in values:
                return value_in(values[outer], path[len(outer) + 1 :])
        return value_in(self._named(values), path)

    def _named(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the base with sub-configurations of the kinds that the values name."""
        named = [path for path in values if path.endswith(f".{TAG}")]
        new = {path: values[path] for path in named if value_in(self.base, path) != values[path]}
        if not new:
            return self.base
        changed = copy.deepcopy(dict(self.base))
        for path in sorted(new, key=outer_first):
            put(changed, path, new[path], Config)
        return changed

    def _bare(self, key: str, value: Any) -> dict[str, Any]:
        """Return the value by path, its sub-configurations without the fields that vary inside them."""
        values = copy.deepcopy(self.spread({key: value}))
        for outer, inner in ((o, i) for o in values for i in self.keys if i.startswith(f"{o}.")):
            around, _, last = inner[len(outer) + 1 :].rpartition(".")
            node = value_in(values[outer], around)
            if isinstance(node, dict):
                node.pop(last, None)
        return values
