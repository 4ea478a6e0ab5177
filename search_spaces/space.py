"""Search spaces: a base configuration, a domain for each dotted path, and constraints across paths. Only data."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from contrastive import config as configs
from contrastive.config import Config, closest, in_words, value_at
from contrastive.fitting import changed
from contrastive.paths import ABSENT, value_in
from contrastive.types import STRICT
from search_spaces import normalise
from search_spaces.ablations import TOGETHER, NamedArms, standing, without_pinned
from search_spaces.conditional import Chosen, ConditionalDomains
from search_spaces.domains import Domain
from search_spaces.parts import Alternative, Less, Reference, Reported, When


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Space:
    """A question, the default answer (`base`), and what may vary around it.

    What varies is either `domains`, in all combinations that keep the constraints, or `alternatives`, each one
    arm; of these the domains follow. Every combination of the domains' corners, or every alternative, is
    built when the space is, so that a path that does not exist or an illegal value is found on import.

    An arm is the value of each path that varies in it: `flat` makes one of what was chosen, `chosen` finds
    what has to be chosen for one.
    """

    name: str
    question: str
    base: Config
    domains: dict[str, Domain] = Field(default_factory=dict)
    """By path; the paths of a `Zip` are joined by ", ", and of several domains of one path each has a label behind it:
    "optimiser.lr (sgd)". See `When`."""
    conditions: dict[str, When] = Field(default_factory=dict)
    """Of the domains that do not always exist, by key: parameters of one of several sub-configurations."""
    alternatives: tuple[Alternative, ...] = ()
    base_name: str = "default"
    """What the base is called among its alternatives."""
    constraints: tuple[Less, ...] = ()
    first: tuple[Alternative, ...] = ()
    """What a search that learns tries first after the default: settings that others have published."""
    reference: Reference | None = None
    reported: tuple[Reported, ...] = ()

    def __post_init__(self) -> None:
        self._check_lists()
        if self.alternatives:
            built = [self.base, *(self._build(a.values, f", '{a.name}'") for a in self.alternatives)]
            self._set_domains(normalise.of_alternatives(self.alternatives, built))
            for alternative, config in zip(self.alternatives, built[1:], strict=True):
                self._check_constraints(config, f", '{alternative.name}'")
        try:
            for path in self.paths:
                _check_comparable(path)
            if not self.alternatives:
                self._set_domains(normalise.settled(self.base, self.conditional).domains)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        if not self.alternatives:
            self._check_corners()
        self._check_default()
        for alternative in self.first:
            self.check_first(alternative)

    def _set_domains(self, domains: Mapping[str, Domain]) -> None:
        object.__setattr__(self, "domains", dict(domains))
        self.__dict__.pop("conditional", None)

    def _check_lists(self) -> None:
        """What belongs to domains stands beside domains, and names of alternatives can be joined."""
        if self.alternatives and (self.conditions or self.first):
            raise ValueError(f"{self.name} lists its arms: it has neither conditions nor first ones")
        for name in (a.name for a in self.alternatives if TOGETHER in a.name):
            raise ValueError(f"{self.name}: '{TOGETHER}' joins names of alternatives; rename '{name}'")
        for key in self.conditions.keys() - self.domains.keys():
            raise ValueError(f"{self.name}: a condition on '{key}'. {closest(key, list(self.domains))}")

    def _check_corners(self) -> None:
        """Every combination of corners can be built, and no two are the same configuration."""
        found: dict[str, dict[str, Any]] = {}
        for chosen in self.combinations({key: domain.corners for key, domain in self.domains.items()}):
            arm = self.flat(chosen)
            digest = configs.identity(self._build(arm, ""), "")
            if digest in found:
                raise ValueError(
                    f"{self.name}: {found[digest]} and {arm} are the same configuration; leave out one"
                )
            found[digest] = arm

    def _check_default(self) -> None:
        """The base lies in its own space, and has what is not said to vary."""
        for key, value in self.chosen({}).items():
            if not self.domains[key].contains(value):
                raise ValueError(f"{self.name}: the default {key} = {value!r} is outside its own domain")
        if self.config(self.default()) != self.base:
            raise ValueError(f"{self.name}: the base differs from its default arm {self.default()}")
        named = [path for figure in self.reported for path in figure.values]
        named += [path for c in self.constraints for path in (c.smaller, c.larger)]
        self.values_of(self.base, [path for path in named if path not in self.paths])
        self._check_constraints(self.base, "")

    def check_first(self, alternative: Alternative) -> None:
        """See whether a search can try this first: it can be built, is allowed, and all of it varies.

        Raises:
            ValueError: it cannot; says why.
        """
        which = f", first '{alternative.name}'"
        where, config = f"{self.name}{which}", self._build(alternative.values, which)
        for key, value in self.chosen(self._own(config)).items():
            if not self.domains[key].contains(value):
                raise ValueError(f"{where}: {key} = {value!r} is outside its domain")
        if self.config(self.arm_of(config)) != config:
            raise ValueError(f"{where} changes what does not vary; what varies is {', '.join(self.paths)}")
        self._check_constraints(config, which)

    def _check_constraints(self, config: Config, which: str) -> None:
        for c in self.constraints:
            if not c.holds(config):
                small, large = (f"{path} = {value_at(config, path)}" for path in (c.smaller, c.larger))
                raise ValueError(
                    f"{self.name}{which} wants {c.smaller} < {c.larger} ({c.reason}), got {small}, {large}"
                )

    def _build(self, values: Mapping[str, Any], which: str) -> Config:
        try:
            return self.config(values)
        except ValueError as error:
            arm = ", ".join(f"{path} = {value!r}" for path, value in values.items())
            raise ValueError(
                f"{self.name}{which} ({arm}): {error}. Pin the path with --set, or take another space"
            ) from None

    def _own(self, config: Config) -> dict[str, Any]:
        """A configuration's own values at the paths that it has of those that vary."""
        values = configs.to_dict(config)
        found = {path: value_in(values, path) for path in self.paths}
        return {path: value for path, value in found.items() if value is not ABSENT}

    @cached_property
    def conditional(self) -> ConditionalDomains:
        """What can be chosen, and what exists beside what."""
        return ConditionalDomains(self.domains, self.conditions, configs.to_dict(self.base))

    @property
    def paths(self) -> list[str]:
        """Every path that varies in some arm."""
        return list(self.conditional.keys)

    def flat(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The arm of what was chosen by key, without what does not exist beside the rest."""
        return self.conditional.flat(chosen)

    def chosen(self, values: Mapping[str, Any]) -> Chosen:
        """What has to be chosen, by key, for an arm; what it leaves open is as in the base."""
        return self.conditional.chosen(values)

    def is_active(self, key: str, chosen: Mapping[str, Any]) -> bool:
        """Whether a domain exists, given what was chosen of those before it."""
        return self.conditional.is_active(key, chosen)

    def combinations(self, axes: Mapping[str, Sequence[Any]]) -> Iterator[Chosen]:
        """Every combination of one value of each axis, by key."""
        return self.conditional.combinations(axes)

    def combined(self, *names: str) -> dict[str, Any]:
        """The arm of several alternatives at once.

        Raises:
            ValueError: together they cannot be built.
        """
        known = {a.name: a.values for a in self.alternatives}
        changes = {path: value for name in names for path, value in known[name].items()}
        return self.arm_of(self._build(changes, f", '{TOGETHER.join(names)}'"))

    @cached_property
    def named_arms(self) -> NamedArms:
        """The arms that the space lists, by name."""
        arms = {a.name: self.combined(a.name) for a in self.alternatives}
        return NamedArms(self.base_name, self.default(), arms, standing(self.alternatives))

    def arms(self) -> dict[str, dict[str, Any]]:
        """The value of every path that varies, in each alternative, by the alternative's name."""
        return {name: dict(arm) for name, arm in self.named_arms.arms.items()}

    def first_arms(self) -> list[dict[str, Any]]:
        """What a search tries first after the default."""
        return [self.arm_of(self.config(alternative.values)) for alternative in self.first]

    def arm_of(self, config: Config) -> dict[str, Any]:
        """The arm that a configuration of this space is."""
        return self.flat(self.chosen(self._own(config)))

    def setting(self, config: Config) -> dict[str, Any]:
        """What tells a configuration of this space from its others: the values that vary, or the names of alternatives.

        A path that the configuration does not have is "".
        """
        if self.alternatives:
            return {"alternative": self.named_arms.name_of(self.arm_of(config))}
        values = self._own(config)
        return {path: values.get(path, "") for path in self.paths}

    def values_of_setting(self, setting: Mapping[str, Any]) -> dict[str, Any]:
        """The arm, from what `setting` tells of a configuration.

        Raises:
            ValueError: no alternative has that name.
        """
        if not self.alternatives:
            return self.flat(self.chosen({path: value for path, value in setting.items() if value != ""}))
        return self.combined(*self.named_arms.names_in(setting["alternative"]))

    def config(self, values: Mapping[str, Any]) -> Config:
        """The base with these values; paths not named keep the base's.

        A schedule that a new kind has by default gives way to the epochs.
        """
        return changed(self.base, values)

    def allows(self, config: Config) -> bool:
        """Whether the configuration keeps all constraints."""
        return all(constraint.holds(config) for constraint in self.constraints)

    def default(self) -> dict[str, Any]:
        """The base's own values of what varies."""
        return self.flat(self.chosen({}))

    @staticmethod
    def values_of(config: Config, paths: Iterable[str]) -> dict[str, Any]:
        """A configuration's own values at these paths."""
        return {path: value_at(config, path) for path in paths}


def based_on(space: Space, base: Config, pinned: Collection[str] = ()) -> Space:
    """The space around another base; pinned paths no longer vary. What was measured on the old base is dropped.

    So are domains that never exist on the new base, and first settings that it does not allow.

    Raises:
        ValueError: the new base does not fit the space.
    """
    normalise.check_kinds(space.name, space.conditional, base, pinned, listed=bool(space.alternatives))
    domains, conditions = normalise.unpinned(space.conditional, base, pinned)
    changes: dict[str, Any] = {"base": base, "domains": domains, "conditions": conditions, "first": ()}
    changes["alternatives"] = without_pinned(space.alternatives, pinned)
    if base != space.base:
        changes |= {"reference": None, "reported": ()}
    moved = in_words(lambda: replace(space, **changes))
    return replace(moved, first=tuple(a for a in without_pinned(space.first, pinned) if _fits(moved, a)))


def by_name(name: str, spaces: dict[str, Space]) -> Space:
    """The space of that name.

    Raises:
        ValueError: there is none; the closest names are given.
    """
    if name not in spaces:
        raise ValueError(f"there is no space '{name}'. {closest(name, list(spaces))}")
    return spaces[name]


def _fits(space: Space, alternative: Alternative) -> bool:
    """Whether a search of the space can try it first."""
    try:
        space.check_first(alternative)
    except ValueError:
        return False
    return True


def _check_comparable(path: str) -> None:
    if path.partition(".")[0] in ("data", "seed", "epochs"):
        raise ValueError(f"{path} cannot vary within a sweep; run a sweep for each value")
