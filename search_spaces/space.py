"""Search spaces: a base configuration, a domain for each dotted path, and constraints across paths. Only data."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import Field

from contrastive import config as configs
from contrastive.config import Config, closest, value_at
from contrastive.fitting import changed
from contrastive.paths import ABSENT, value_in
from contrastive.types import strict
from search_spaces import normalise
from search_spaces.ablations import TOGETHER, NamedArms, standing
from search_spaces.conditional import Chosen, ConditionalDomains
from search_spaces.domains import Domain
from search_spaces.parts import Alternative, Less, Reference, Reported, When


@strict(kw_only=True)
class Space:
    """A question, the default answer (`base`), and the values that may vary around it.

    A space varies either `domains`, in all combinations that keep the constraints, or lists `alternatives`, each one
    arm, and derives its domains from them. Building a space builds every combination of the domains' corners, or
    every alternative, so that a wrong path or an illegal value is found on import.

    An arm is a mapping from each path that varies in it to its value. `flat` makes an arm of choices by key of
    domain; `chosen` finds the choices that make an arm.
    """

    name: str
    question: str
    base: Config
    domains: dict[str, Domain] = Field(default_factory=dict)
    """By path; the paths of a `Zip` are joined by ", ". Several domains of one path have a label behind it each:
    "optimiser.lr (sgd)". See `When`."""
    conditions: dict[str, When] = Field(default_factory=dict)
    """When a domain exists, by its key; a domain without a condition always exists."""
    alternatives: tuple[Alternative, ...] = ()
    base_name: str = "default"
    """Name of the base among its alternatives."""
    constraints: tuple[Less, ...] = ()
    first: tuple[Alternative, ...] = ()
    """Published settings, which a search that learns tries first after the default."""
    reference: Reference | None = None
    reported: tuple[Reported, ...] = ()

    def __post_init__(self) -> None:
        self._check_lists()
        built = [self._build(a.values, f", '{a.name}'") for a in self.alternatives]
        if built:
            self._set_domains(normalise.of_alternatives(self.alternatives, [self.base, *built]))
        try:
            for path in (p for p in self.paths if p.partition(".")[0] in ("data", "seed", "epochs")):
                raise ValueError(f"{path} cannot vary within a sweep; run a sweep for each value")
            if not built:
                self._set_domains(normalise.settled(self.base, self.conditional).domains)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        for alternative, config in zip(self.alternatives, built, strict=True):
            self._check_constraints(config, f", '{alternative.name}'")
        if not built:
            self._check_corners()
        self._check_default()
        for alternative in self.first:
            self.check_first(alternative)

    def _set_domains(self, domains: Mapping[str, Domain]) -> None:
        object.__setattr__(self, "domains", dict(domains))
        self.__dict__.pop("conditional", None)

    def _check_lists(self) -> None:
        """Refuse conditions without domains, and names of alternatives that cannot be joined."""
        if self.alternatives and (self.conditions or self.first):
            raise ValueError(f"{self.name} lists its arms: it has neither conditions nor first ones")
        for name in (a.name for a in self.alternatives if TOGETHER in a.name):
            raise ValueError(f"{self.name}: '{TOGETHER}' joins names of alternatives; rename '{name}'")
        for key in self.conditions.keys() - self.domains.keys():
            raise ValueError(f"{self.name}: a condition on '{key}'. {closest(key, list(self.domains))}")

    def _check_corners(self) -> None:
        """Build every combination of corners, and refuse two that are the same configuration."""
        found: dict[str, dict[str, Any]] = {}
        for chosen in self.conditional.combinations(
            {key: domain.corners for key, domain in self.domains.items()}
        ):
            arm = self.flat(chosen)
            same = found.setdefault(configs.identity(self._build(arm, ""), ""), arm)
            if same is not arm:
                raise ValueError(f"{self.name}: {same} and {arm} are the same configuration; leave out one")

    def _check_default(self) -> None:
        """Refuse a base that lies outside its own space, or lacks a field that the space names."""
        self._check_inside(self.base, f"{self.name}: the default", "its own domain")
        if self.config(self.default()) != self.base:
            raise ValueError(f"{self.name}: the base differs from its default arm {self.default()}")
        named = [path for figure in self.reported for path in figure.values]
        named += [path for c in self.constraints for path in (c.smaller, c.larger)]
        for path in named:
            if path not in self.paths:
                value_at(self.base, path)
        self._check_constraints(self.base, "")

    def check_first(self, alternative: Alternative) -> None:
        """Refuse a setting that a search cannot try first.

        Raises:
            ValueError: it cannot be built, breaks a constraint, or changes a path that does not vary.
        """
        which = f", first '{alternative.name}'"
        config = self._build(alternative.values, which)
        self._check_inside(config, f"{self.name}{which}:", "its domain")
        if self.config(self.arm_of(config)) != config:
            varying = ", ".join(self.paths)
            raise ValueError(f"{self.name}{which} changes what does not vary; what varies is {varying}")
        self._check_constraints(config, which)

    def _check_inside(self, config: Config, where: str, domain: str) -> None:
        for key, value in self.chosen(self._own(config)).items():
            if not self.domains[key].contains(value):
                raise ValueError(f"{where} {key} = {value!r} is outside {domain}")

    def _check_constraints(self, config: Config, which: str) -> None:
        for c in (c for c in self.constraints if not c.holds(config)):
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
        """Return the configuration's values at those of the varying paths that it has."""
        values = configs.to_dict(config)
        found = {path: value_in(values, path) for path in self.paths}
        return {path: value for path, value in found.items() if value is not ABSENT}

    @cached_property
    def conditional(self) -> ConditionalDomains:
        """The domains with their conditions, which tell what exists beside what."""
        return ConditionalDomains(self.domains, self.conditions, configs.to_dict(self.base))

    @property
    def paths(self) -> list[str]:
        """Every path that varies in some arm."""
        return list(self.conditional.keys)

    def flat(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arm of choices by key, without those of domains that do not exist beside the others."""
        return self.conditional.flat(chosen)

    def chosen(self, values: Mapping[str, Any]) -> Chosen:
        """Return the choices by key that make an arm; paths that it leaves open are as in the base."""
        return self.conditional.chosen(values)

    def combined(self, *names: str) -> dict[str, Any]:
        """Return the arm of several alternatives at once.

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
        """Return the arm of each alternative, by the alternative's name."""
        return {name: dict(arm) for name, arm in self.named_arms.arms.items()}

    def first_arms(self) -> list[dict[str, Any]]:
        """Return the arms of the published settings, which a search tries first after the default."""
        return [self.arm_of(self.config(alternative.values)) for alternative in self.first]

    def arm_of(self, config: Config) -> dict[str, Any]:
        """Return the arm that a configuration of this space is."""
        return self.flat(self.chosen(self._own(config)))

    def setting(self, config: Config) -> dict[str, Any]:
        """Return what tells a configuration from the space's others: its alternatives' names, or the values that vary.

        A path that the configuration does not have is "".
        """
        if self.alternatives:
            return {"alternative": self.named_arms.name_of(self.arm_of(config))}
        return dict.fromkeys(self.paths, "") | self._own(config)

    def values_of_setting(self, setting: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arm of a configuration from its `setting`.

        Raises:
            ValueError: no alternative has that name.
        """
        if not self.alternatives:
            return self.flat(self.chosen({path: value for path, value in setting.items() if value != ""}))
        return self.combined(*self.named_arms.names_in(setting["alternative"]))

    def config(self, values: Mapping[str, Any]) -> Config:
        """Return the base with these values by path; the default schedule of a new kind is fitted to the epochs."""
        return changed(self.base, values)

    def allows(self, config: Config) -> bool:
        """Whether the configuration keeps all constraints."""
        return all(constraint.holds(config) for constraint in self.constraints)

    def default(self) -> dict[str, Any]:
        """Return the base's own arm."""
        return self.flat(self.chosen({}))
