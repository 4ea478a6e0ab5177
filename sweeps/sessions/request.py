"""Requests for sweeps, in the words of the command line, and their plans."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from contrastive import config as configs
from contrastive.spelling import resolved
from search_spaces import SPACES
from search_spaces.smoke import ARMS, smoke_test
from search_spaces.space import Space
from sweeps import store as stores
from sweeps.planning import objectives, reserve
from sweeps.planning import plan as plans
from sweeps.planning.designs import DESIGNS, usual_design
from sweeps.planning.plan import Confirm, Plan
from sweeps.planning.texts import parse_budget, parse_objectives, parse_seeds
from sweeps.sessions import spaces
from sweeps.sessions.arguments import Request
from sweeps.stoppers import by_text
from sweeps.store import former

CONFIRM = {"arms": "confirm", "seeds": "confirm_seeds"}
"""The fields of a confirmation, with those of a request."""


def plan_of(asked: Request, *, store: Path) -> Plan:
    """Return the plan of a new sweep.

    Args:
        asked: the request.
        store: the store of the sweep that a design such as "rerun:SWEEP" names.

    Raises:
        ValueError: a name, path or value that cannot be meant; says what is allowed.
    """
    fields, wanted = plan_fields(asked), asked.get("design") or ""
    design, _, other = former.DESIGNS.get(wanted, wanted).partition(":")
    if other and f"{design}:SWEEP" in DESIGNS:
        return _from_sweep(asked, design, stores.find(other, root=store), fields)
    if wanted and design not in (allowed := [d for d in DESIGNS if ":" not in d]):
        known = [*allowed, *(d for d in DESIGNS if ":" in d)]
        raise ValueError(f"there is no design '{wanted}'. {configs.closest(wanted, known)}")
    if not asked.get("space"):
        raise ValueError(f"name a space with --space. {configs.closest('', list(SPACES))}")
    if asked.get("smoke"):
        return _smoke(asked, fields)
    return checked(space=space_of(asked), **fields, **({"design": design} if design else {}))


def space_of(asked: Request) -> Space:
    """Return the requested space.

    Raises:
        ValueError: a name, path or value that cannot be meant.
    """
    space = asked.get("space") or ""
    return spaces.adapted(
        space if isinstance(space, Space) else spaces.named_space(space),
        recipe=asked.get("method_preset"),
        images=asked.get("data"),
        assigned=asked.get("set", {}),
        epochs=asked.get("epochs"),
        workers=asked.get("workers_per_run") or 1,
    )


def plan_fields(asked: Request, before: Plan | None = None) -> dict[str, Any]:
    """Return the asked fields of a plan; what is left open of a confirmation or a budget is as `before`."""
    said: dict[str, Any] = {**asked}
    same = ("arms", "sampler_seed", "workers_per_run", "gpus_per_worker")
    fields = {name: said[name] for name in same if name in said}
    confirm = {part: said[name] for part, name in CONFIRM.items() if name in said}
    if confirm:
        confirmed = (before and before.confirm) or Confirm()
        fields["confirm"] = replace(confirmed, **confirm)
    parsers: dict[str, Callable[[Any], Any]] = {
        "seeds": parse_seeds,
        "objectives": parse_objectives,
        "stopper": lambda stopper: by_text(stopper) if isinstance(stopper, str) else stopper,
        "budget": lambda budget: parse_budget(budget, before and before.budget),
    }
    return fields | {name: parse(said[name]) for name, parse in parsers.items() if name in said}


def checked(**fields: Any) -> Plan:
    """Return the plan of these fields, checked against its budget.

    Raises:
        ValueError: it is illegal or exceeds its budget; says why.
    """
    plan = plans.checked(**fields)
    objectives.check_objectives(plan)
    reserve.check_budget(plan.budget, [plan])
    return plan


def _smoke(asked: Request, fields: dict[str, Any]) -> Plan:
    space = space_of(asked)
    small = smoke_test(space, resolved(space.base, {}, asked.get("set", {})))
    design = usual_design(small) if small.alternatives else "random"
    return checked(space=small, design=design, arms=ARMS, smoke=True, **fields)


def _from_sweep(asked: Request, design: str, directory: Path, fields: dict[str, Any]) -> Plan:
    """Return the best arms of another sweep, to be run again, or the path from its default to its best."""
    if asked.keys() & {"space", "set", "data", "method_preset", "epochs"}:
        raise ValueError(
            f"--design {design}:SWEEP takes space, data and recipe from that sweep; leave them out"
        )
    before = plans.from_dict(stores.read_manifest(directory)["plan"])
    fields = {**fields, "space": before.space, "smoke": before.smoke}
    best = _best_arms(directory, before.space)
    if design == "path":
        return checked(**fields, design="path", given=(best[0],))
    wanted = fields.pop("arms", 2)
    arms = tuple(best[: max(0, wanted - 1)])
    return checked(**fields, design="given", given=arms, arms=min(wanted, len(arms) + 1))


def _best_arms(directory: Path, space: Space) -> list[plans.Values]:
    """Return the complete arms of a sweep except its default, the best first."""
    from analysis.load import load  # importing its statistics takes longer than making a plan
    from analysis.summarise import summarise

    record = load(directory)
    summary = summarise(record)
    of_arm = {run.arm: configs.from_dict(run.config) for run in record.runs}
    # Confirmed arms come first: they are the sweep's result.
    ranked = {arm.digest: arm for arm in (*summary.result.arms, *summary.arms) if arm.score is not None}
    default = summary.default and summary.default.digest
    best = [space.arm_of(of_arm[digest]) for digest in ranked if digest != default]
    if not best:
        raise ValueError(f"{directory.name} has no complete arm beside the default; resume it first")
    return best
