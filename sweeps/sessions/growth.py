"""Growth of a resumed sweep, which stays as it was or becomes larger."""

from dataclasses import replace
from pathlib import Path

from search_spaces.space import Space
from sweeps import store
from sweeps.planning import plan as plans
from sweeps.planning.designs import GRIDS, finer
from sweeps.planning.plan import Plan
from sweeps.sessions.arguments import Request
from sweeps.sessions.request import checked, plan_fields, space_of

GROWS = {"arms", "seeds", "space", "confirm", "confirm_seeds", "budget", "stopper"}
"""Fields that may be set for an existing sweep."""
OF_BASE = {"set", "data", "epochs", "method_preset"}
"""Further fields that may be set together with another space."""


def grown(plan: Plan, asked: Request) -> Plan:
    """Return the plan of a resumed sweep: as it was, or larger where that is asked for.

    Raises:
        ValueError: it would be another sweep; says why.
    """
    if idle := sorted(asked.keys() - GROWS - OF_BASE):
        raise ValueError(
            f"a sweep is resumed as it was planned, or larger (--arms, --seeds, --space, --confirm, "
            f"--budget); leave out {_flags(idle)}"
        )
    if (of_base := sorted(asked.keys() & OF_BASE)) and "space" not in asked:
        raise ValueError(f"{_flags(of_base)}: beside --resume only with --space, to say which base is meant")
    changes = plan_fields(asked, plan)
    if "seeds" in changes:
        changes["seeds"] = tuple(dict.fromkeys((*plan.seeds, *changes["seeds"])))
    if "space" in asked:
        changes["space"] = _widened(plan.space, space_of(asked))
    if "arms" in changes and plan.design in ("given", "path"):
        raise ValueError(f"--arms: the arms of this sweep were given (design {plan.design}); begin a new one")
    if changes.get("arms", plan.arms) < plan.arms:
        raise ValueError(
            f"--arms {changes['arms']}: the sweep has {plan.arms} arms already, and can only grow"
        )
    fields = {name: getattr(plan, name) for name in plan.__dataclass_fields__}
    larger = checked(**fields | changes) if changes else plan
    gridded = plan.design in GRIDS and not plan.space.alternatives
    return _finer(plan, larger) if gridded and changes.keys() & {"arms", "space"} else larger


def growth(directory: Path, asked: Request) -> tuple[Plan, Plan]:
    """Return the plan of a sweep, and the one after resuming it with this request.

    Raises:
        ValueError: it cannot grow by this request.
    """
    before = plans.from_dict(store.read_manifest(directory)["plan"])
    return before, grown(before, asked)


def _finer(plan: Plan, larger: Plan) -> Plan:
    """Return the larger plan with its finest grid that contains every point of the former one.

    Raises:
        ValueError: there is none within it; says for how many arms there is one.
    """
    kept = plans.fixed_arms(plan)
    sizes = (finer(replace(larger, arms=larger.arms * times), kept) for times in (1, 2, 4, 8))
    found = next((size for size in sizes if size and size > plan.arms), None)
    if found is None and larger.space == plan.space and larger.arms == plan.arms:
        return plan
    if found is None or found > larger.arms:
        mend = f"the next that has them takes --arms {found}" if found else "begin a new sweep"
        raise ValueError(
            f"no {plan.design} of more than {plan.arms} and at most {larger.arms} arms has all of the "
            f"{plan.arms} that there are; {mend}"
        )
    return replace(larger, arms=found)


def _widened(old: Space, new: Space) -> Space:
    """Return the new space, if it has the same base and contains all that the old one allows."""
    if new.base != old.base:
        raise ValueError(f"--space {new.name} has another base than the sweep; only ranges can be widened")
    for name, domain in old.domains.items():
        if name not in new.domains or not all(map(new.domains[name].contains, domain.corners)):
            raise ValueError(f"--space {new.name} narrows {name}; a sweep can only be widened")
    if missing := new.domains.keys() - old.domains.keys():
        raise ValueError(f"--space {new.name} varies {', '.join(missing)} too; begin a new sweep for that")
    return new


def _flags(names: list[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)
