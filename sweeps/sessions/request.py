"""Requests for sweeps, in the words of the command line, and their plans."""

from dataclasses import dataclass, replace
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
from sweeps.planning.plan import DESIGNS, Budget, Confirm, Plan
from sweeps.planning.texts import parse_budget, parse_objectives, parse_seeds
from sweeps.sessions import spaces
from sweeps.stoppers import Stopper, by_text
from sweeps.store import former


@dataclass(frozen=True, kw_only=True)
class Request:
    """Request for a sweep. Fields are flags of the command line; None: not given."""

    space: str | Space | None = None
    data: str | None = None
    method_preset: str | None = None
    set: tuple[str, ...] = ()
    """Assignments, PATH=VALUE."""
    epochs: int | None = None
    smoke: bool = False
    design: str | None = None
    arms: int | None = None
    seeds: str | None = None
    stopper: str | Stopper | None = None
    objectives: str | None = None
    sampler_seed: int | None = None
    confirm: int | None = None
    confirm_seeds: int | None = None
    budget: str | Budget | None = None
    workers_per_run: int | None = None
    gpus_per_worker: float | None = None

    @property
    def said(self) -> frozenset[str]:
        """Return the fields that were given."""
        usual = Request()
        return frozenset(name for name, value in vars(self).items() if value != getattr(usual, name))


def plan_of(asked: Request, *, store: Path) -> Plan:
    """Return the plan of a new sweep.

    Args:
        asked: the request.
        store: the store of the sweep that a design such as "rerun:SWEEP" names.

    Raises:
        ValueError: a name, path or value that cannot be meant; says what is allowed.
    """
    fields = plan_fields(asked)
    design, _, other = former.DESIGNS.get(asked.design or "", asked.design or "").partition(":")
    if other and f"{design}:SWEEP" in DESIGNS:
        return _from_sweep(asked, design, stores.find(other, root=store), fields)
    if asked.design and design not in (allowed := [d for d in DESIGNS if ":" not in d]):
        known = [*allowed, *(d for d in DESIGNS if ":" in d)]
        raise ValueError(f"there is no design '{asked.design}'. {configs.closest(asked.design, known)}")
    if not asked.space:
        raise ValueError(f"name a space with --space. {configs.closest('', list(SPACES))}")
    if asked.smoke:
        return _smoke(asked, fields)
    if asked.design:
        fields["design"] = design
    return checked(space=space_of(asked), **fields)


def space_of(asked: Request) -> Space:
    """Return the requested space.

    Raises:
        ValueError: a name, path or value that cannot be meant.
    """
    space = asked.space if isinstance(asked.space, Space) else spaces.named_space(asked.space or "")
    return spaces.adapted(
        space,
        recipe=asked.method_preset,
        images=asked.data,
        assignments=asked.set,
        epochs=asked.epochs,
        workers=asked.workers_per_run or 1,
    )


def plan_fields(asked: Request, before: Plan | None = None) -> dict[str, Any]:
    """The fields of a plan that are asked for; what is left open of a confirmation or a budget is as `before`."""
    confirm = {"arms": asked.confirm, "seeds": asked.confirm_seeds}
    confirm = {name: value for name, value in confirm.items() if value is not None}
    confirmed = (before and before.confirm) or Confirm()
    budget, stopper = asked.budget, asked.stopper
    fields = {
        "arms": asked.arms,
        "seeds": parse_seeds(asked.seeds) if asked.seeds else None,
        "objectives": parse_objectives(asked.objectives) if asked.objectives else None,
        "stopper": by_text(stopper) if isinstance(stopper, str) else stopper,
        "sampler_seed": asked.sampler_seed,
        "confirm": configs.in_words(lambda: replace(confirmed, **confirm)) if confirm else None,
        "budget": parse_budget(budget, before and before.budget) if isinstance(budget, str) else budget,
        "workers_per_run": asked.workers_per_run,
        "gpus_per_worker": asked.gpus_per_worker,
    }
    return {name: value for name, value in fields.items() if value is not None}


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
    pinned = resolved(space.base, {}, dict(map(spaces.parse_assignment, asked.set)))
    small = smoke_test(space, pinned)
    design = plans.usual_design(small) if small.alternatives else "random"
    return checked(space=small, design=design, arms=ARMS, smoke=True, **fields)


def _from_sweep(asked: Request, design: str, directory: Path, fields: dict[str, Any]) -> Plan:
    """Return the best arms of another sweep, to be run again, or the path from its default to its best."""
    if asked.space or asked.set or asked.data or asked.method_preset or asked.epochs:
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
