"""Conversion between choices, one value for each domain, and the values of a configuration's fields.

A domain's key is the path of the field it is of; that of a `Zip` is several paths joined by ", ". A choice may be
a whole sub-configuration, and a domain may exist only where a field has one of certain values. Of such domains
several may be of one path, if no two of them ever exist together: their keys tell them apart by a label behind the
path, as in "optimiser.lr (sgd)" and "optimiser.lr (adam)".
"""

import copy
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import Field, JsonValue
from pydantic.dataclasses import dataclass as checked_dataclass

from contrastive.config import Config
from contrastive.kinds import TAG
from contrastive.paths import outer_first, put
from contrastive.types import STRICT
from search_spaces.domains import Choice, Domain, Zip

Chosen = dict[str, Any]
"""What is chosen, by key of domain; of a `Zip`, its values in order."""
LABEL = re.compile(r" \([^()]*\)$")
"""Of a key, what tells its domain from others of the same path."""
ABSENT: Any = object()
"""In place of the value of a field that a configuration does not have."""


@checked_dataclass(frozen=True, config=STRICT)
class When:
    """A domain exists only where the field at `path` has one of these values.

    Each optimiser has its own range of learning rates here:

    >>> from contrastive import Config
    >>> from search_spaces.domains import Choice, LogUniform
    >>> from search_spaces.space import Space
    >>> rates = Space(
    ...     name="rates",
    ...     question="Which optimiser, and at which rate?",
    ...     base=Config(),
    ...     domains={
    ...         "optimiser.name": Choice(("sgd", "adam"), source="ours"),
    ...         "optimiser.lr (sgd)": LogUniform(0.01, 1.0, source="ours"),
    ...         "optimiser.lr (adam)": LogUniform(1e-4, 1e-2, source="ours"),
    ...     },
    ...     conditions={
    ...         "optimiser.lr (sgd)": When("optimiser.name", ("sgd",)),
    ...         "optimiser.lr (adam)": When("optimiser.name", ("adam",)),
    ...     },
    ... )
    >>> rates.flat({"optimiser.name": "adam", "optimiser.lr (sgd)": 0.5, "optimiser.lr (adam)": 0.001})
    {'optimiser.name': 'adam', 'optimiser.lr': 0.001}
    """

    path: str
    values: tuple[JsonValue, ...] = Field(min_length=1)


@dataclass(frozen=True)
class ConditionalDomains:
    """Domains by key, which of them exist when, and what fields have where nothing is chosen."""

    domains: Mapping[str, Domain]
    conditions: Mapping[str, When]
    base: Mapping[str, Any]

    @cached_property
    def keys(self) -> dict[str, list[str]]:
        """The keys of the domains that each path belongs to, in order; of these no two exist together.

        Raises:
            ValueError: two do, or values that change together are not one for each path.
        """
        found: dict[str, list[str]] = {}
        for key, domain in self.domains.items():
            paths = self.paths(key)
            for path in paths:
                found.setdefault(path, []).append(key)
            if isinstance(domain, Zip) and {len(value) for value in domain.values} != {len(paths)}:
                raise ValueError(f"each value of '{key}' has one part for each of its {len(paths)} paths")
        return found

    def check_apart(self) -> None:
        """See that of the domains of one path no two ever exist together.

        Raises:
            ValueError: two do; says beside what.
        """
        for path, keys in self.keys.items():
            for first, second in itertools.combinations(keys, 2):
                beside = self._together(first, second)
                if beside is not None:
                    where = ", ".join(f"{p} = {json.dumps(v)}" for p, v in self.spread(beside).items())
                    raise ValueError(
                        f"{path} varies twice, as '{first}' and as '{second}'{f', where {where}' if where else ''}; "
                        "leave out one, or give both conditions that never hold together"
                    )

    def _together(self, first: str, second: str) -> Chosen | None:
        """Choices beside which both domains exist; None if there are none."""
        wanted, needed = [first, second], dict[str, None]()
        while wanted:
            more = self.needs(wanted.pop())
            wanted += [key for key in more if key not in needed]
            needed |= dict.fromkeys(more)
        axes = {key: self._listable(key) for key in self.in_order().domains if key in needed}
        both = (c for c in self.combinations(axes) if self.is_active(first, c) and self.is_active(second, c))
        return next(both, None)

    def paths(self, key: str) -> list[str]:
        """The paths of a domain's fields: its key without the label."""
        paths = LABEL.sub("", key)
        return paths.split(", ") if isinstance(self.domains[key], Zip) else [paths]

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
        """Whether the domain exists, given what was chosen of those that it depends on."""
        when = self.conditions.get(key)
        if when is None:
            return True
        owners = self.owners(when.path)
        if owners and not any(owner in chosen and self.is_active(owner, chosen) for owner in owners):
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
        """The base with other choices of these keys.

        What they bring into existence is as they have it, or in the middle of a domain that it is outside of.
        """
        start, found = {**self.chosen({}), **changes}, Chosen()
        for key in self.domains:
            if self.is_active(key, found):
                found[key] = start[key] if key in start else self._brought(key, self.spread(found))
        return self.spread(found)

    def _brought(self, key: str, values: Mapping[str, Any]) -> Any:
        domain, parts = self.domains[key], tuple(self._value(path, values) for path in self.paths(key))
        value = parts if isinstance(domain, Zip) else parts[0]
        known = ABSENT not in parts and domain.contains(value := self._listed(key, value))
        return value if known else domain.at(0.5)

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
        owners = self.owners(when.path) if when else []
        if not owners:
            yield from [{}] if self.is_active(key, {}) else []
        for owner in owners:
            values = self._listable(owner, needed_by=key)
            for setting in self._contexts(owner):
                for value in values:
                    if self.is_active(key, {**setting, owner: value}):
                        yield {**setting, owner: value}

    def _listable(self, key: str, needed_by: str = "another domain") -> Sequence[Any]:
        domain = self.domains[key]
        if domain.size is None:
            raise ValueError(
                f"{needed_by} exists by a value of {key}, which is a range of real numbers; list them"
            )
        return domain.points(domain.size)

    def asked_kinds(self, path: str) -> set[str]:
        """The sub-configurations whose kind a condition of the path's domain is about."""
        whens = [self.conditions[key] for key in self.keys[path] if key in self.conditions]
        return {part for when in whens for part in (when.path, when.path.removesuffix(".name"))}

    def needs(self, key: str) -> list[str]:
        """The domains that this one depends on: by its condition, or as part of their sub-configurations."""
        paths = [path.rpartition(".")[0] for path in self.paths(key)]
        if key in self.conditions:
            paths.append(self.conditions[key].path)
        owners = {owner for path in paths for owner in self.owners(path)} - {key}
        return [owner for owner in self.domains if owner in owners]

    def in_order(self) -> "ConditionalDomains":
        """The same with each domain behind those that it depends on.

        Raises:
            ValueError: some depend on each other.
        """
        left, placed = dict(self.domains), dict[str, Domain]()
        while left:
            ready = next((key for key in left if all(need in placed for need in self.needs(key))), None)
            if ready is None:
                raise ValueError(f"{' and '.join(left)} exist only if one another do; break the circle")
            placed[ready] = left.pop(ready)
        return ConditionalDomains(placed, self.conditions, self.base)

    def owners(self, path: str) -> list[str]:
        """The domains that have the path, or the sub-configuration around it."""
        while path and path not in self.keys:
            path = path.rpartition(".")[0]
        return self.keys.get(path, [])

    def _value(self, path: str, values: Mapping[str, Any]) -> Any:
        """The value at a path: as given, in a sub-configuration that is given, or in the base."""
        names = path.split(".")
        for cut in range(len(names), 0, -1):
            start = ".".join(names[:cut])
            if start in values:
                return _inside(values[start], names[cut:])
        return _inside(self._named(values), names)

    def _named(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The base with sub-configurations of the kinds that the values name."""
        named = [path for path in values if path.endswith(f".{TAG}")]
        new = {path: values[path] for path in named if _inside(self.base, path.split(".")) != values[path]}
        if not new:
            return self.base
        changed = copy.deepcopy(dict(self.base))
        for path in sorted(new, key=outer_first):
            put(changed, path, new[path], Config)
        return changed

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
