"""What a sweep will run: pure functions of a space, so that a plan can be printed before anything is spent."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import JsonValue, TypeAdapter
from pydantic.dataclasses import dataclass

from contrastive import config
from contrastive.config import Trial, in_words
from contrastive.types import STRICT, Count, Natural, NonNegative
from search_spaces.domains import Choice, Domain, LogUniform, Uniform
from search_spaces.space import Space
from sweeps.stopper import Asha, Never, Stopper

Values = dict[str, Any]
"""An arm: the value of each path that varies."""

Design = Literal["tpe", "random", "grid", "listed", "given"]
ARMS = 12
"""How many arms a sweep has unless told otherwise."""
DESIGNS: dict[str, str] = {
    "tpe": "Optuna's tree-structured Parzen estimator, learning from finished and stopped runs",
    "random": "independent draws from the domains",
    "grid": "the largest full grid of at most --trials arms",
    "listed": "the alternatives that the space itself lists, such as the base without each of its components",
    "rerun:SWEEP": "the best arms of another sweep beside the default, to be settled on fresh seeds",
}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Plan:
    """A sweep: `arms` configurations, each run on every seed. The space's default is always the first arm."""

    space: Space
    design: Design = "tpe"
    arms: Count = ARMS
    seeds: tuple[Natural, ...] = (0,)
    stopper: Stopper = Asha()
    given: tuple[dict[str, JsonValue], ...] = ()
    """Arms of the design "given", beside the default."""
    sampler_seed: Natural = 0
    workers_per_trial: Count = 1
    gpus_per_worker: NonNegative = 0.0

    def __post_init__(self) -> None:
        if self.space.base.batch % self.workers_per_trial:
            raise ValueError(
                f"workers_per_trial = {self.workers_per_trial} does not divide the batch of "
                f"{self.space.base.batch} images; change either"
            )
        if self.workers_per_trial > 1 and 0 < self.gpus_per_worker < 1:
            raise ValueError(
                f"gpus_per_worker = {self.gpus_per_worker}: several workers cannot share one GPU in a trial; "
                "give each a whole one, or a trial one worker"
            )

        if (self.design == "listed") != bool(self.space.alternatives) and self.design != "given":
            lists = "lists its arms" if self.space.alternatives else "lists no arms"
            raise ValueError(
                f"design = {self.design}: {self.space.name} {lists}; take {usual_design(self.space)}"
            )

    @property
    def epochs(self) -> int:
        """Epochs of a run that is not stopped."""
        return self.space.base.epochs

    @property
    def device(self) -> str:
        """Where runs are trained: a GPU only if one was asked for."""
        return "cuda" if self.gpus_per_worker else "cpu"

    @property
    def runs(self) -> int:
        """Arms times seeds."""
        return self.arms * len(self.seeds)

    def run(self, values: Values, seed: int) -> Trial:
        """The run of an arm on a seed."""
        return config.replace(self.space.trial(values), {"seed": seed})


_PLAN = TypeAdapter(Plan)


def checked(**fields: Any) -> Plan:
    """A plan from its fields.

    Raises:
        ValueError: an illegal one, in one sentence.
    """
    fields = {"design": usual_design(fields["space"], fields.get("arms", ARMS)), **fields}
    if fields["design"] == "listed":
        # Arms that are to be compared as they are, not searched for the best.
        fields = {"arms": len(fields["space"].alternatives) + 1, "stopper": Never(), **fields}
    plan = in_words(lambda: Plan(**fields))
    # Only "tpe" asks for arms as it goes; the others have as many as they have.
    return replace(plan, arms=_most(plan) if plan.design == "tpe" else len(fixed_arms(plan)))


def usual_design(space: Space, arms: int | None = None) -> Design:
    """What suits a space: its own list, a grid where so many arms hold all of it, else a search."""
    if space.alternatives:
        return "listed"
    most = arms or ARMS
    finite = all(isinstance(domain, Choice) for domain in space.domains.values())
    return "grid" if finite and len(list(itertools.islice(_product(space, 2), most + 1))) <= most else "tpe"


def to_dict(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready values."""
    return _PLAN.dump_python(plan, mode="json")


def from_dict(values: dict[str, Any]) -> Plan:
    """The plan that `to_dict` wrote."""
    return _PLAN.validate_python(values)


def fixed_arms(plan: Plan) -> list[Values]:
    """The arms known before the sweep starts, the default first; "tpe" asks for the others as it learns."""
    arms: Iterable[Values] = ()
    match plan.design:
        case "given":
            arms = plan.given
        case "grid":
            arms = _grid(plan)
        case "listed":
            arms = plan.space.arms().values()
        case "random":
            arms = _random(plan)
        case "tpe":
            pass
    unique = {key(arm): arm for arm in [plan.space.default(), *arms]}
    return list(unique.values())[: plan.arms]


def key(values: Values) -> str:
    """Equal for equal arms."""
    return json.dumps(values, sort_keys=True)


def points(domain: Domain, count: int) -> list[Any]:
    """Evenly spaced values of a domain, both ends included; all values of a choice."""
    match domain:
        case Choice():
            return list(domain.values)
        case LogUniform():
            spaced = np.geomspace(domain.low, domain.high, count)
        case _:
            spaced = np.linspace(domain.low, domain.high, count)
    return [_within(domain, float(f"{v:.3g}")) for v in spaced]


def draw(domain: Domain, generator: np.random.Generator) -> Any:
    """A random value of a domain."""
    match domain:
        case Choice():
            return domain.values[generator.integers(len(domain.values))]
        case LogUniform():
            drawn = np.exp(generator.uniform(np.log(domain.low), np.log(domain.high)))
        case _:
            drawn = generator.uniform(domain.low, domain.high)
    return _within(domain, float(drawn))


def ladder(plan: Plan) -> list[tuple[int, float]]:
    """The rungs, and how many runs go on after each if it keeps exactly its share."""
    shares = enumerate(plan.stopper.rungs(plan.epochs), start=1)
    return [(rung, max(1.0, plan.runs * plan.stopper.kept**level)) for level, rung in shares]


def estimate(plan: Plan) -> tuple[int, int]:
    """Epochs of the plan if no run is stopped, and if each rung keeps exactly its share of the runs."""
    expected, alive, last = 0.0, float(plan.runs), 0
    for rung, survivors in ladder(plan):
        expected += alive * (rung - last)
        last, alive = rung, survivors
    return plan.runs * plan.epochs, round(expected + alive * (plan.epochs - last))


def in_short(domain: Domain) -> str:
    """A domain for people."""
    match domain:
        case Choice():
            return f"one of {', '.join(map(str, domain.values))}"
        case LogUniform():
            return f"{domain.low} to {domain.high}, logarithmic"
        case _:
            return f"{domain.low} to {domain.high}"


def _within(domain: Uniform | LogUniform, value: float) -> float:
    """The value, or the end of the domain that rounding has led past: Optuna refuses what lies outside."""
    return min(max(value, domain.low), domain.high)


def _most(plan: Plan) -> int:
    """At most --trials arms, and no more than a space of choices has."""
    finite = all(isinstance(domain, Choice) for domain in plan.space.domains.values())
    return len(list(itertools.islice(_product(plan.space, 2), plan.arms))) if finite else plan.arms


def _product(space: Space, count: int) -> Iterator[Values]:
    """The allowed arms of `count` points in each domain, of all values of a choice."""
    axes = [points(domain, count) for domain in space.domains.values()]
    arms = (dict(zip(space.domains, point, strict=True)) for point in itertools.product(*axes))
    return (arm for arm in arms if space.allows(space.trial(arm)))


def _grid(plan: Plan) -> list[Values]:
    arms: list[Values] = []
    if plan.arms == 1:
        return arms  # the default alone
    for count in range(2, plan.arms + 2):
        allowed = list(_product(plan.space, count))
        needed = len({key(arm) for arm in [plan.space.default(), *allowed]})
        if not arms and needed > plan.arms:
            raise ValueError(f"the smallest grid of {plan.space.name} has {needed} arms; raise --trials")
        if needed > plan.arms or allowed == arms:
            break
        arms = allowed
    return arms


def _random(plan: Plan) -> list[Values]:
    generator = np.random.default_rng([plan.sampler_seed, 1])
    arms: list[Values] = []
    for _ in range(1000 * plan.arms):
        if len(arms) >= plan.arms:
            break
        arm = {path: draw(domain, generator) for path, domain in plan.space.domains.items()}
        if plan.space.allows(plan.space.trial(arm)) and arm not in arms:
            arms.append(arm)
    return arms
