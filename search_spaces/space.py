"""What may vary: a base trial, a domain for each dotted path, and constraints across paths. Only data."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import product
from typing import Any

from pydantic import Field, JsonValue
from pydantic.dataclasses import dataclass

from contrastive import config
from contrastive.config import Trial, closest, in_words, value_at
from contrastive.types import STRICT, Count, Positive
from search_spaces.domains import Choice, Domain


@dataclass(frozen=True, config=STRICT)
class Less:
    """The number at path `smaller` stays below the one at path `larger`."""

    smaller: str
    larger: str
    reason: str

    def holds(self, trial: Trial) -> bool:
        """Whether the trial keeps to it."""
        return value_at(trial, self.smaller) < value_at(trial, self.larger)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Reference:
    """A result of the base arm that was measured before, so that a sweep of one seed knows its noise."""

    seed_deviation: Positive
    """Standard deviation over seeds of the last knn_top1, in points."""
    seeds: Count
    source: str


@dataclass(frozen=True, config=STRICT)
class Alternative:
    """One arm of a space that lists its arms: changes to the base that belong together.

    In an ablation it is the base without one of its components.
    """

    name: str
    values: dict[str, JsonValue] = Field(min_length=1)
    source: str = Field(kw_only=True)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Reported:
    """A figure that others have published of one setting, to lay ours beside."""

    values: dict[str, JsonValue]
    """What varies, by path; other settings are those of `what`."""
    score: float
    what: str
    """What was measured, on what, how trained."""
    source: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Space:
    """A question, the default answer (`base`), and what may vary around it.

    What varies is either `domains`, in all combinations that keep the constraints, or `alternatives`, each one
    arm; of these the domains follow. Every combination of the domains' corners, or every alternative, is
    built when the space is, so that a path that does not exist or an illegal value is found on import.
    """

    name: str
    question: str
    base: Trial
    domains: dict[str, Domain] = Field(default_factory=dict)
    alternatives: tuple[Alternative, ...] = ()
    base_name: str = "default"
    """What the base is called among its alternatives."""
    constraints: tuple[Less, ...] = ()
    reference: Reference | None = None
    reported: tuple[Reported, ...] = ()

    def __post_init__(self) -> None:
        if self.alternatives:
            object.__setattr__(self, "domains", self._of_alternatives())
        for path in self.domains:
            if path.partition(".")[0] in ("data", "seed", "epochs"):
                raise ValueError(
                    f"{self.name}: {path} cannot vary within a sweep; run a sweep for each value"
                )
            self._check_real(path)
        # One spelling of each value (0.5 for 0.5, 1.0 for 1, whole sub-configurations): equal arms must be equal.
        if not self.alternatives:
            object.__setattr__(self, "domains", {p: self._canonical(p, d) for p, d in self.domains.items()})
            for corner in product(*(domain.corners for domain in self.domains.values())):
                self._build(dict(zip(self.domains, corner, strict=True)), "")
        for path, value in self.default().items():
            if not self.domains[path].contains(value):
                raise ValueError(f"{self.name}: the default {path} = {value!r} is outside its own domain")
        for figure in self.reported:
            self.values_of(self.base, figure.values)  # its paths exist
        for constraint in self.constraints:
            if not constraint.holds(self.base):
                raise ValueError(_broken(self.name, constraint, self.base))

    def _check_real(self, path: str) -> None:
        value = value_at(self.base, path)
        if not isinstance(self.domains[path], Choice) and not isinstance(value, float):
            raise ValueError(
                f"{self.name}: {path} = {value!r} is no real number; list the values to compare with Choice"
            )

    def _canonical(self, path: str, domain: Domain) -> Domain:
        if not isinstance(domain, Choice):
            return domain
        values = [value_at(config.replace(self.base, {path: value}), path) for value in domain.values]
        return replace(domain, values=tuple(v for i, v in enumerate(values) if v not in values[:i]))

    def _of_alternatives(self) -> dict[str, Domain]:
        """A choice for each path that an alternative changes, in one spelling of each value."""
        arms = [self.values_of(self.base, self._paths()), *self.arms().values()]
        sources = {p: [a.source for a in self.alternatives if p in a.values] for p in self._paths()}
        return {
            path: Choice(
                tuple(
                    arm[path] for i, arm in enumerate(arms) if arm[path] not in [a[path] for a in arms[:i]]
                ),
                source="; ".join(dict.fromkeys(sources[path])),
            )
            for path in self._paths()
        }

    def _build(self, values: dict[str, Any], which: str) -> Trial:
        try:
            return config.replace(self.base, values)
        except ValueError as error:
            arm = ", ".join(f"{path} = {value!r}" for path, value in values.items())
            raise ValueError(
                f"{self.name}{which} ({arm}): {error}. Pin the path with --set, or take another space"
            ) from None

    def _paths(self) -> list[str]:
        return list(dict.fromkeys(path for a in self.alternatives for path in a.values))

    def arms(self) -> dict[str, dict[str, Any]]:
        """The value of every path that varies, in each alternative, by the alternative's name."""
        trials = {a.name: self._build(a.values, f", '{a.name}'") for a in self.alternatives}
        return {name: self.values_of(trial, self._paths()) for name, trial in trials.items()}

    def setting(self, trial: Trial) -> dict[str, Any]:
        """What tells a trial of this space from its others: the values that vary, or its alternative's name."""
        values = self.values_of(trial, self.domains)
        if not self.alternatives:
            return values
        names = (name for name, arm in self.arms().items() if arm == values)
        return {"alternative": next(names, self.base_name)}

    def values_of_setting(self, setting: dict[str, Any]) -> dict[str, Any]:
        """The values that vary, from what `setting` tells of a trial.

        Raises:
            ValueError: no alternative has that name.
        """
        if not self.alternatives:
            return setting
        arms = {self.base_name: self.default(), **self.arms()}
        name = setting["alternative"]
        if name not in arms:
            raise ValueError(f"{self.name} has no alternative '{name}'. {closest(name, list(arms))}")
        return arms[name]

    def trial(self, values: dict[str, Any]) -> Trial:
        """The base with these values; paths not named keep the base's."""
        return config.replace(self.base, values)

    def allows(self, trial: Trial) -> bool:
        """Whether the trial keeps all constraints."""
        return all(constraint.holds(trial) for constraint in self.constraints)

    def default(self) -> dict[str, Any]:
        """The base's own values of what varies."""
        return self.values_of(self.base, self.domains)

    @staticmethod
    def values_of(trial: Trial, paths: Iterable[str]) -> dict[str, Any]:
        """A trial's own values at these paths."""
        return {path: value_at(trial, path) for path in paths}


def based_on(space: Space, base: Trial, pinned: Collection[str] = ()) -> Space:
    """The space around another base; pinned paths no longer vary. What was measured on the old base is dropped.

    Raises:
        ValueError: the new base does not fit the space.
    """
    domains = {path: domain for path, domain in space.domains.items() if path not in pinned}
    free = [
        replace(a, values={path: value for path, value in a.values.items() if path not in pinned})
        for a in space.alternatives
        if not a.values.keys() <= set(pinned)
    ]
    known = {"reference": space.reference, "reported": space.reported} if base == space.base else {}
    unknown = {"reference": None, "reported": ()}
    return in_words(
        lambda: replace(space, base=base, domains=domains, alternatives=tuple(free), **{**unknown, **known})
    )


def by_name(name: str, spaces: dict[str, Space]) -> Space:
    """The space of that name.

    Raises:
        ValueError: there is none; the closest names are given.
    """
    if name not in spaces:
        raise ValueError(f"there is no space '{name}'. {closest(name, list(spaces))}")
    return spaces[name]


def _broken(name: str, constraint: Less, trial: Trial) -> str:
    small, large = (f"{p} = {value_at(trial, p)}" for p in (constraint.smaller, constraint.larger))
    return (
        f"{name} wants {constraint.smaller} < {constraint.larger} ({constraint.reason}), got {small}, {large}"
    )
