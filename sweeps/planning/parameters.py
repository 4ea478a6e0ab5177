"""Conversion between a space's domains and Optuna's parameters, and the Optuna sampler of each design."""

import json
import warnings
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces.domains import Choice, Domain, Integer, LogUniform, Zip
from search_spaces.space import Space
from sweeps.planning.plan import Plan, Values

PLAIN = (bool, int, float, str, type(None))
STARTUP = 10
"""Maximum number of arms drawn at random before the model of a search proposes any."""
SOURCE = 10
"""Trials of a warm start, which begins at their best tenth; fewer trials are repeated."""


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return the distribution of each domain of a space, by the domain's key."""
    return {name: _distribution(domain) for name, domain in space.domains.items()}


def of_arm(space: Space, values: Values) -> dict[str, Any]:
    """Convert an arm to Optuna's parameters; inactive domains have none."""
    return {name: _parameter(value, space.domains[name]) for name, value in space.chosen(values).items()}


def suggest(space: Space, asked: optuna.Trial) -> Values:
    """Return the arm that the sampler proposes, domain by domain, so that a condition sees the earlier choices."""
    chosen: dict[str, Any] = {}
    for name, domain in space.domains.items():
        if space.conditional.is_active(name, chosen):
            chosen[name] = _proposal(asked, name, domain)
    return space.flat(chosen)


def sampler(
    plan: Plan, trials: Sequence[FrozenTrial], *, tries: int = 0, by_chance: bool = False
) -> optuna.samplers.BaseSampler:
    """Return the sampler of an adaptive design, given the trials so far and its number of consecutive refusals.

    Its randomness follows from these numbers and the plan's seed, so that a resumed search goes on alike. The first
    arms, `STARTUP` of them at the most, are drawn at random: a model of fewer says little.
    """
    design = zlib.crc32(plan.design.encode())  # so that no two designs draw alike
    seed = int(np.random.SeedSequence([plan.sampler_seed, design, len(trials), tries]).generate_state(1)[0])
    startup = max(4, min(STARTUP, plan.arms // 2))
    if by_chance:
        return optuna.samplers.RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of Optuna's arguments call themselves experimental
        match plan.design:
            case "gp":
                return optuna.samplers.GPSampler(seed=seed, n_startup_trials=startup)
            case "cmaes":
                source = _source(trials, startup)
                return optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=startup, source_trials=source)
            case "nsga2":
                return optuna.samplers.NSGAIISampler(seed=seed, **_genetics(plan))
            case "nsga3":
                return optuna.samplers.NSGAIIISampler(seed=seed, **_genetics(plan))
            case _:
                group = bool(plan.space.conditions)
                return optuna.samplers.TPESampler(
                    seed=seed, n_startup_trials=startup, multivariate=True, group=group, constant_liar=True
                )


def memory(noted: Mapping[str, Any]) -> dict[str, Any]:
    """Select the attributes of a proposal that its sampler needs later; the rest only serves concurrent samplers."""
    return {name: value for name, value in noted.items() if "relative_params" not in name}


def as_text(distribution: BaseDistribution) -> str:
    """Return a text that is equal for equal distributions."""
    return distribution_to_json(distribution)


def _source(trials: Sequence[FrozenTrial], startup: int) -> list[FrozenTrial] | None:
    """Return the first arms, from whose best the covariance is adapted (Nomura et al. 2021), by their ranges alone.

    Begun in the middle of the space, it would need more arms than a sweep has.
    """
    known = [t for t in trials if t.state == TrialState.COMPLETE]
    first = [t for t in known if not memory(t.system_attrs)][:startup]
    ranges = [
        {n for n, d in t.distributions.items() if not (isinstance(d, CategoricalDistribution) or d.single())}
        for t in known
    ]
    shared = sorted(set[str].intersection(*ranges)) if ranges else []
    if len(first) < startup or not shared:
        return None
    found = [
        create_trial(
            value=t.value,
            params={name: t.params[name] for name in shared},
            distributions={name: t.distributions[name] for name in shared},
        )
        for t in first
    ]
    return found * -(-SOURCE // len(found))


def _genetics(plan: Plan) -> dict[str, Any]:
    """Return the options of a genetic sampler: at least five generations, as far as the arms allow."""
    varied = sum(domain.size != 1 for domain in plan.space.domains.values())
    return {"population_size": max(4, min(50, plan.arms // 5)), "mutation_prob": 1 / max(2, varied)}


def _distribution(domain: Domain) -> BaseDistribution:
    match domain:
        case Choice() | Zip():
            return CategoricalDistribution(_categories(domain))
        case Integer():
            return IntDistribution(domain.low, domain.high, log=domain.logarithmic)
        case _:
            return FloatDistribution(domain.low, domain.high, log=isinstance(domain, LogUniform))


def _proposal(asked: optuna.Trial, name: str, domain: Domain) -> Any:
    match domain:
        case Choice() | Zip():
            choices = _categories(domain)
            return domain.values[choices.index(asked.suggest_categorical(name, choices))]
        case Integer():
            return asked.suggest_int(name, domain.low, domain.high, log=domain.logarithmic)
        case _:
            return asked.suggest_float(name, domain.low, domain.high, log=isinstance(domain, LogUniform))


def _parameter(value: Any, domain: Domain) -> Any:
    if not isinstance(domain, Choice | Zip):
        return value
    texts, text = [_as_text(listed) for listed in domain.values], _as_text(value)
    return _categories(domain)[texts.index(text) if text in texts else domain.values.index(value)]


def _categories(domain: Choice | Zip) -> list[Any]:
    """Convert listed values to Optuna's categories: plain values stay, sub-configurations become text.

    Optuna compares categories by `==`; where two values are equal by that, such as 1 and True, all become text.
    """
    found = [value if isinstance(value, PLAIN) else _as_text(value) for value in domain.values]
    alike = any(value == other for i, value in enumerate(found) for other in found[:i])
    return [_as_text(value) for value in domain.values] if alike else found


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
