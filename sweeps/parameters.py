"""Between a space's domains and Optuna's parameters, and which of Optuna's samplers a design is."""

import json
import warnings
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from search_spaces.domains import Choice, Domain, Integer, LogUniform, Zip
from search_spaces.space import Space
from sweeps.plan import Plan, Values


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """The distribution of each domain of a space, by the domain's key."""
    return {name: _distribution(domain) for name, domain in space.domains.items()}


def of_arm(space: Space, values: Values) -> dict[str, Any]:
    """An arm as Optuna's parameters; what is not active in it has none."""
    return {name: _parameter(value, space.domains[name]) for name, value in space.chosen(values).items()}


def suggest(space: Space, asked: optuna.Trial) -> Values:
    """The arm that the sampler proposes, domain by domain, so that a condition sees what was chosen before it."""
    chosen: dict[str, Any] = {}
    for name, domain in space.domains.items():
        if space.is_active(name, chosen):
            chosen[name] = _proposal(asked, name, domain)
    return space.flat(chosen)


def sampler(plan: Plan, asked: int, *, insists: bool = False) -> optuna.samplers.BaseSampler:
    """The sampler of an adaptive design; its randomness follows from the plan's seed and how much was asked.

    One that `insists` on arms that are refused gives way to random draws.

    The first half of the arms are drawn at random: a model of fewer says little.
    """
    seed = (plan.sampler_seed * 100_003 + asked) % 2**32  # what NumPy takes
    startup = max(4, plan.arms // 2) * len(plan.seeds)
    if insists:
        return optuna.samplers.RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of Optuna's arguments call themselves experimental
        match plan.design:
            case "gp":
                return optuna.samplers.GPSampler(seed=seed, n_startup_trials=startup)
            case "cmaes":
                return optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=min(startup, 8))
            case "nsga2":
                return optuna.samplers.NSGAIISampler(seed=seed, population_size=_population(plan))
            case "nsga3":
                return optuna.samplers.NSGAIIISampler(seed=seed, population_size=_population(plan))
            case _:
                group = bool(plan.space.conditions)
                return optuna.samplers.TPESampler(
                    seed=seed, n_startup_trials=startup, multivariate=True, group=group, constant_liar=True
                )


def as_text(distribution: BaseDistribution) -> str:
    """Equal for equal distributions."""
    return distribution_to_json(distribution)


def _population(plan: Plan) -> int:
    """At least five generations, as far as the arms reach."""
    return max(4, min(50, plan.arms // 5))


def _distribution(domain: Domain) -> BaseDistribution:
    match domain:
        case Choice() | Zip():
            return CategoricalDistribution([_plain(value) for value in domain.values])
        case Integer():
            return IntDistribution(domain.low, domain.high, log=domain.logarithmic)
        case _:
            return FloatDistribution(domain.low, domain.high, log=isinstance(domain, LogUniform))


def _proposal(asked: optuna.Trial, name: str, domain: Domain) -> Any:
    match _distribution(domain):
        case CategoricalDistribution(choices=choices):
            return json.loads(str(asked.suggest_categorical(name, choices)))
        case IntDistribution() as whole:
            return asked.suggest_int(name, whole.low, whole.high, log=whole.log)
        case FloatDistribution() as real:
            return asked.suggest_float(name, real.low, real.high, log=real.log)
        case other:
            raise TypeError(f"no proposals from {other}")


def _parameter(value: Any, domain: Domain) -> Any:
    return _plain(value) if isinstance(domain, Choice | Zip) else value


def _plain(value: Any) -> str:
    """A listed value as Optuna's category: categories must be plain, values may be sub-configurations."""
    return json.dumps(value, sort_keys=True)
