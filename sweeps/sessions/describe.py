"""Descriptions of spaces, arms and plans for people."""

import itertools
import json
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from search_spaces.domains import Choice, Domain, Integer, LogUniform, Zip
from search_spaces.parts import Reference
from search_spaces.space import Space
from sweeps.planning import plan as plans
from sweeps.planning import reserve
from sweeps.planning.estimate import CostEstimate, duration
from sweeps.planning.plan import Plan

MAX_GRID = 2000
"""Maximum number of arms of a grid to count; of a larger grid only that is said."""


def space(described: Space) -> list[str]:
    """Describe a space: its question, what varies and by which source, first arms, sizes of grids, a sample arm."""
    default = described.default()
    first = [f"  then {a.name}: {arm_text(a.values)}  ({a.source})" for a in described.first]
    start = [] if described.alternatives else [f"a search tries first {arm_text(default)}", *first]
    return [
        f"{described.name}: {described.question}",
        *varies(described),
        *start,
        _size(described),
        f"an arm drawn at random: {json.dumps(sample(described))}",
    ]


def varies(described: Space) -> list[str]:
    """Return a line for each domain or alternative, each constraint, and each number that others have reported."""
    lines = [f"  {a.name}: {arm_text(a.values)}  ({a.source})" for a in described.alternatives]
    default = described.chosen({})
    for key, domain in described.domains.items() if not described.alternatives else ():
        when = described.conditions.get(key)
        where = f", only where {when.path} is {_any_of(when.values)}" if when else ""
        start = f", default {one_line(name(default[key]))}" if key in default else ""
        lines.append(f"  {key}: {in_short(domain)}{start}{where}  ({domain.source})")
    lines += [f"  {c.smaller} < {c.larger}: {c.reason}" for c in described.constraints]
    figures = (f"{arm_text(f.values)}: {f.score}, {f.what}  ({f.source})" for f in described.reported)
    return [*lines, *(f"  reported: {figure}" for figure in figures)]


def in_short(domain: Domain, value: Callable[[Any], str] = str) -> str:
    """Describe a domain for people; `value` writes each of the values that it lists."""
    match domain:
        case Choice():
            return f"one of {', '.join(map(value, domain.values))}"
        case Zip():
            return f"one of {', '.join(' with '.join(map(value, values)) for values in domain.values)}"
        case Integer():
            kind = ", logarithmic" if domain.logarithmic else ""
            return f"whole numbers from {domain.low} to {domain.high}{kind}"
        case LogUniform():
            return f"{domain.low} to {domain.high}, logarithmic"
        case _:
            return f"{domain.low} to {domain.high}"


def runs_text(plan: Plan) -> list[str]:
    """Describe the runs: arms and seeds, how many go on at each rung, the confirmation, and the epochs of all."""
    seeds = ", ".join(map(str, plan.seeds))
    lines = [
        f"{plan.arms} arms ({plan.design}) x {len(plan.seeds)} seeds ({seeds}), {plan.epochs} epochs each"
    ]
    for rung, left in plans.ladder(plan):
        lines.append(f"  epoch {rung:>4}: about {left:.0f} of {plan.runs} runs go on")
    if plan.confirm:
        again = ", ".join(map(str, plan.confirm_seeds))
        lines.append(
            f"then the best {plan.confirm.arms} and the default on fresh seeds ({again}), to their end"
        )
        lines.append(f"  {power_text(plan.confirm.arms, len(plan.confirm_seeds), plan.space.reference)}")
    lines += [f"  {line}" for line in reserve.budget_lines(plan.budget, [plan])]
    full, expected = plans.expected_epochs_of(plan)
    return [*lines, f"{full} epochs if no run is stopped, about {expected} with the stopper"]


def power_text(arms: int, seeds: int, reference: Reference | None) -> str:
    """Say how often a confirmation of these arms, on these seeds and on twice as many, finds a true gain.

    The gain is the one of a single arm that twice the seeds find in 80 % of sweeps; the other arms equal the default.
    The power is that of Student's paired test of two arms, each with the sd over seeds, at Holm's first level,
    5 % / arms, which is a lower bound. Where no sd is known the gain is given in units of it.
    """
    from analysis import paired  # its statistics take longer to import than all else that is described

    deviation, unit = (reference.seed_deviation, "points") if reference else (1.0, "seed deviations")
    apart, level, fewest = 2**0.5 * deviation, paired.ALPHA / arms, max(seeds, 2)
    gain = max(round(paired.detectable(apart, 2 * fewest, level), 1), 0.1)
    few, many = (f"{paired.power(gain, apart, count, level):.0%}" for count in (fewest, 2 * fewest))
    who = f"{arms} arms on {fewest} seeds find" if arms > 1 else f"1 arm on {fewest} seeds finds"
    return f"{who} a true gain of {gain:.1f} {unit} in {few} of sweeps, {2 * fewest} seeds in {many}"


def time(cost: CostEstimate) -> str:
    """Say how long a plan takes (wall-clock time), and how that is known."""
    if cost.pace.seconds is None or cost.seconds_expected is None or cost.seconds_full is None:
        return f"how long that takes is not known: {cost.pace.source}"
    return (
        f"about {duration(cost.seconds_expected)}, at most {duration(cost.seconds_full)}, {cost.parallel} at once on "
        f"this machine: {cost.pace.seconds:.3g} s an epoch ({cost.pace.source})"
    )


def grid_sizes(described: Space) -> dict[int, int]:
    """Count the allowed arms of grids by the number of values per range, up to the first with more than MAX_GRID.

    A space that lists its arms has no grid: not all their changes are compatible.
    """
    found: dict[int, int] = {}
    for points in () if described.alternatives else (2, 3, 4, 5):
        axes = {key: domain.points(points) for key, domain in described.domains.items()}
        arms = (
            described.config(described.flat(chosen)) for chosen in described.conditional.combinations(axes)
        )
        allowed = (1 for config in arms if described.allows(config))
        found[points] = sum(itertools.islice(allowed, MAX_GRID + 1))
        if found[points] > MAX_GRID:
            break
    return found


def sample(described: Space) -> dict[str, Any]:
    """Return an arm other than the default, drawn at random with a fixed seed."""
    if described.alternatives:
        return random.Random(0).choice(list(described.arms().values()))
    known = 1 + len(described.first)  # a search starts with these
    return plans.fixed_arms(plans.checked(space=described, design="random", arms=known + 1))[-1]


def arm_text(values: Mapping[str, Any]) -> str:
    """Format the values of an arm; a sub-configuration is shown by its name."""
    return ", ".join(f"{path} = {one_line(name(value))}" for path, value in values.items())


def name(value: Any) -> Any:
    """Return the name of a complete sub-configuration, and any other value as it is."""
    return value["name"] if isinstance(value, dict) and "name" in value else value


def one_line(value: Any) -> str:
    """Format a value as it is given to --set."""
    return value if isinstance(value, str) else json.dumps(value)


def _size(described: Space) -> str:
    if described.alternatives:
        return f"{len(described.alternatives) + 1} arms, with the base, '{described.base_name}'"
    sizes = {
        points: str(arms) if arms <= MAX_GRID else f"over {MAX_GRID}"
        for points, arms in grid_sizes(described).items()
    }
    if (
        all(domain.size is not None for domain in described.domains.values())
        and len(set(sizes.values())) == 1
    ):
        return f"a full grid has {sizes[2]} arms"
    return f"arms of a grid, by values a range: {', '.join(f'{p}: {size}' for p, size in sizes.items())}"


def _any_of(values: Iterable[Any]) -> str:
    return " or ".join(one_line(name(value)) for value in values)
