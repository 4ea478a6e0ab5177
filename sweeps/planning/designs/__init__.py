"""Designs: which arms a sweep tries, as pure functions of a space and, where results decide, of the scores."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from search_spaces.space import Space
from sweeps.planning.designs import ablation, sampled
from sweeps.planning.designs.ablation import incompatible
from sweeps.planning.designs.arms import Values, key, unique

if TYPE_CHECKING:
    from sweeps.planning.plan import Plan

__all__ = [
    "ADAPTIVE", "ANY", "ARMS", "COMPARISONS", "DESIGNS", "LISTS", "Design", "Values",
    "incompatible", "key", "known_arms", "total", "usual_design",
]  # fmt: skip

Design = Literal[
    "tpe", "gp", "cmaes", "nsga2", "nsga3", "random", "qmc", "grid", "one_at_a_time", "leave_one_out",
    "add_one_in", "pairs", "given", "path",
]  # fmt: skip
ARMS = 12
"""Default number of arms of a sweep."""
ADAPTIVE: tuple[Design, ...] = ("tpe", "gp", "cmaes", "nsga2", "nsga3")
"""Designs whose arms are asked of Optuna, one after the other."""
LISTS: tuple[Design, ...] = ("leave_one_out", "add_one_in")
"""Designs of the alternatives that a space lists."""
ANY: tuple[Design, ...] = ("pairs", "given", "path")
"""Designs of any space."""
GRIDS = {"grid": sampled.grid, "one_at_a_time": sampled.one_at_a_time, "pairs": sampled.crossed}
"""Designs of as many points in each domain as fit; a larger form need not contain the points of a smaller one."""
COMPARISONS: tuple[Design, ...] = ("one_at_a_time", "leave_one_out", "add_one_in", "pairs", "path")
"""Designs whose arms are compared, not searched for the best: no run is stopped unless a stopper is asked for."""
DESIGNS: dict[str, str] = {
    "tpe": "Optuna's tree-structured Parzen estimator, learning from all runs that have reported",
    "gp": "Optuna's Gaussian process: a second or so for each proposal, for few and long runs",
    "cmaes": "covariance matrix adaptation, for two ranges of numbers or more and many arms",
    "nsga2": "a genetic algorithm, for several objectives and many arms",
    "nsga3": "a genetic algorithm, for three objectives or more and many arms",
    "random": "independent draws from the domains",
    "qmc": "a scrambled Sobol sequence, which covers the space more evenly than random draws",
    "grid": "the largest full grid of at most --arms arms",
    "one_at_a_time": "one parameter at a time around the default",
    "leave_one_out": "the alternatives that the space itself lists, such as the base without each of its components",
    "add_one_in": "the base without all components that the space lists, and with each of them taken back",
    "pairs": "two at a time: every pair of listed alternatives, or a grid for each pair of parameters",
    "rerun:SWEEP": "the best arms of another sweep beside the default, to be settled on fresh seeds",
    "path:SWEEP": "from the default to the best arm of another sweep, one change at a time, the best first",
}


def known_arms(plan: "Plan", scores: Mapping[str, float | None]) -> list[Values]:
    """Return all arms that are known, given the scores so far; the default first.

    Args:
        plan: what is asked for.
        scores: of arms by their key, greater is better; None: it failed. An arm without one is not yet known.

    Raises:
        ValueError: the design has no form with so few arms, or does not apply to the space.
    """
    space, most = plan.space, plan.arms
    found = [space.default()]
    match plan.design if most > 1 else "default":
        case "random":
            found = sampled.random_arms(space, most, plan.sampler_seed)
        case "qmc":
            found = sampled.sobol(space, most, plan.sampler_seed)
        case "pairs" if space.alternatives:
            found += ablation.alternative_pairs(space)
        case "grid" | "one_at_a_time" | "pairs":
            found = GRIDS[plan.design](space, most)
        case "leave_one_out":
            found += space.arms().values()
        case "add_one_in":
            found += ablation.added_back(space)
        case "given":
            found += [space.flat(space.chosen(arm)) for arm in plan.given]
        case "path":
            found = ablation.greedy_path(space, plan.given[0], most, scores)
        case "default":
            pass
        case _:
            found += space.first_arms()
    return unique(found)[:most]


def finer(plan: "Plan", kept: Sequence[Values]) -> int | None:
    """Return the number of arms of the largest grid, within the plan's, that contains these arms; None if none does."""
    return len(GRIDS[plan.design](plan.space, plan.arms, kept)) or None


def total(plan: "Plan") -> int:
    """Return the largest number of arms that a plan can have.

    Raises:
        ValueError: as `known_arms`.
    """
    if plan.design in ADAPTIVE:
        return sampled.size(plan.space, plan.arms)
    if plan.design == "path":
        return ablation.path_length(plan.space, plan.given[0], plan.arms)
    return len(known_arms(plan, {}))


def usual_design(space: Space, arms: int | None = None) -> Design:
    """Return the default design of a space: its own list, a grid if it fits into this many arms, else a search."""
    if space.alternatives:
        return "leave_one_out"
    most = arms or ARMS
    finite = all(domain.size is not None for domain in space.domains.values())
    return "grid" if finite and sampled.size(space, most + 1) <= most else "tpe"
