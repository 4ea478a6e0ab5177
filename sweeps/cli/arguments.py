"""What the flags mean: from the command line to a plan."""

import argparse
import json
import re
import runpy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from contrastive import config as configs
from contrastive import data
from contrastive.methods import METHODS
from contrastive.spelling import resolved
from contrastive.views import Views
from search_spaces import SPACES
from search_spaces.fitting import fitted, given_way
from search_spaces.literals import check_keys
from search_spaces.smoke import ARMS, smoke_test
from search_spaces.space import Space, based_on, by_name
from sweeps import store
from sweeps.cli import flags
from sweeps.planning import objectives, reserve
from sweeps.planning import plan as plans
from sweeps.planning.designs import GRIDS, finer
from sweeps.planning.fields import in_hours, is_duration, parse_fields
from sweeps.planning.plan import DESIGNS, Budget, Confirm, Objective, Plan
from sweeps.stoppers import by_text
from sweeps.store import former
from sweeps.store.schema import SECONDS

FLAGS = {
    "arms": "--arms",
    "objectives": "--objectives",
    "sampler_seed": "--sampler-seed",
    "workers_per_run": "--workers-per-run",
    "gpus_per_worker": "--gpus-per-worker",
}
"""The fields of a plan that have a flag of another name."""
T = TypeVar("T")

HEEDED = {
    *(
        "resume",
        "store",
        "cache",
        "address",
        "json",
        "keep",
        "disk",
        "no_reuse",
        "reuse_other_code",
        "webhook",
        "retry_failed",
    ),
    *("fail_fast", "arms", "seeds", "space", "confirm", "confirm_seeds", "budget", "stopper"),
}
"""What can be said beside --resume."""
OF_BASE = {"set", "data", "epochs", "method_preset"}
"""And beside --space there."""


def plan_of(given: argparse.Namespace) -> Plan:
    """The plan that the flags describe.

    Raises:
        ValueError: a name, path or value that cannot be meant; says what is allowed.
    """
    options = _options(given)
    design, _, other = former.DESIGNS.get(given.design, given.design or "").partition(":")
    if other and f"{design}:SWEEP" in DESIGNS:
        return _from_sweep(given, design, other, options)
    if given.design and design not in (allowed := [d for d in DESIGNS if ":" not in d]):
        known = [*allowed, *(d for d in DESIGNS if ":" in d)]
        raise ValueError(f"there is no design '{given.design}'. {configs.closest(given.design, known)}")
    if not given.space:
        raise ValueError(f"name a space with --space. {configs.closest('', list(SPACES))}")
    if given.smoke:
        return _smoke(given, options)
    if given.design:
        options["design"] = design
    return _checked(space=_space(given), **options)


def _smoke(given: argparse.Namespace, options: dict[str, Any]) -> Plan:
    """The plan of a smoke test of the space that the flags name."""
    space = _space(given)
    pinned = resolved(space.base, {}, dict(map(parse_assignment, given.set)))
    small = smoke_test(space, pinned)
    design = plans.usual_design(small) if small.alternatives else "random"
    return _checked(space=small, design=design, arms=ARMS, smoke=True, **options)


def grown(plan: Plan, given: argparse.Namespace) -> Plan:
    """The plan of a resumed sweep: as it was, or larger where the flags say so.

    Raises:
        ValueError: the flags would make it another sweep; says which.
    """
    said = flags.said(given)
    if idle := sorted(said - HEEDED - OF_BASE):
        raise ValueError(
            f"--resume goes on with the sweep as it was planned, or larger (--arms, --seeds, --space, --confirm, "
            f"--budget); leave out {flags.named(idle)}"
        )
    if (of_base := sorted(said & OF_BASE)) and not given.space:
        raise ValueError(
            f"{flags.named(of_base)}: beside --resume only with --space, to say which base is meant"
        )
    changes = _options(given, plan)
    if "seeds" in changes:
        changes["seeds"] = tuple(dict.fromkeys((*plan.seeds, *changes["seeds"])))
    if given.space:
        changes["space"] = _widened(plan.space, _space(given))
    if "arms" in changes and plan.design in ("given", "path"):
        raise ValueError(f"--arms: the arms of this sweep were given (design {plan.design}); begin a new one")
    if changes.get("arms", plan.arms) < plan.arms:
        raise ValueError(
            f"--arms {changes['arms']}: the sweep has {plan.arms} arms already, and can only grow"
        )
    fields = {name: getattr(plan, name) for name in plan.__dataclass_fields__}
    larger = _checked(**fields | changes) if changes else plan
    gridded = plan.design in GRIDS and not plan.space.alternatives
    return _finer(plan, larger) if gridded and changes.keys() & {"arms", "space"} else larger


def _finer(plan: Plan, larger: Plan) -> Plan:
    """The larger plan with the finest grid in it that has every point of the plan's.

    Raises:
        ValueError: none within it has; says with how many arms there is one.
    """
    kept = plans.fixed_arms(plan)
    sizes = (finer(replace(larger, arms=larger.arms * times), kept) for times in (1, 2, 4, 8))
    found = next((size for size in sizes if size and size > plan.arms), None)
    if found is None and larger.space == plan.space and larger.arms == plan.arms:
        return plan
    if found is None or found > larger.arms:
        mend = f"the next that has them takes --arms {found}" if found else "begin a new sweep"
        raise ValueError(
            f"--resume: no {plan.design} of more than {plan.arms} and at most {larger.arms} arms has all of the "
            f"{plan.arms} that there are; {mend}"
        )
    return replace(larger, arms=found)


def _widened(old: Space, new: Space) -> Space:
    """The new space, if all that the old one allows is in it and it lies around the same base."""
    if new.base != old.base:
        raise ValueError(f"--space {new.name} has another base than the sweep; only ranges can be widened")
    for name, domain in old.domains.items():
        if name not in new.domains or not all(map(new.domains[name].contains, domain.corners)):
            raise ValueError(f"--space {new.name} narrows {name}; a sweep can only be widened")
    if missing := new.domains.keys() - old.domains.keys():
        raise ValueError(f"--space {new.name} varies {', '.join(missing)} too; begin a new sweep for that")
    return new


def parse_objectives(text: str) -> tuple[Objective, ...]:
    """Reads "knn_top1,seconds:min,effective_rank": metrics, the larger the better unless said otherwise.

    Times count over all epochs; of others the last value counts.

    Raises:
        ValueError: a direction other than max and min.
    """
    objectives: list[Objective] = []
    for part in text.split(","):
        metric, _, direction = part.partition(":")
        if direction not in ("", "max", "min"):
            raise ValueError(f"--objectives {text}: '{direction}' is neither max nor min")
        word = "minimize" if direction == "min" else "maximize"
        objectives.append(Objective(metric=metric, direction=word, total=metric in SECONDS))
    return tuple(objectives)


def parse_seeds(text: str) -> tuple[int, ...]:
    """Reads "3" as seeds 0, 1, 2, and "4,5" and "1-5" as the seeds themselves.

    Raises:
        ValueError: it is none of these.
    """
    if re.fullmatch(r"\d+", text):
        seeds = range(int(text))
    elif re.fullmatch(r"\d+-\d+", text):
        first, last = map(int, text.split("-"))
        seeds = range(first, last + 1)
    elif re.fullmatch(r"\d+(,\d+)*,?", text):
        seeds = dict.fromkeys(int(part) for part in text.split(",") if part)
    else:
        raise ValueError(f"--seeds {text}: give how many (3), which (4,5) or a range (1-5)")
    if not seeds:
        raise ValueError(f"--seeds {text} is no seed at all; give at least one")
    return tuple(seeds)


def parse_assignment(text: str) -> tuple[str, Any]:
    """Reads "path=value", the value as JSON where it is JSON, else as text.

    Raises:
        ValueError: there is no "=".
    """
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise ValueError(f"--set {text}: write it as PATH=VALUE, such as optimiser.lr=0.1")
    try:
        return path, json.loads(value, parse_constant=str)  # NaN stays a word that can be refused as such
    except json.JSONDecodeError:
        return path, value


def _space(given: argparse.Namespace) -> Space:
    of_file = ":" in given.space or given.space.endswith(".py")
    space = from_file("--space", given.space, Space) if of_file else by_name(given.space, SPACES)
    changes = preset(given.method_preset) if given.method_preset else {}
    if given.data:
        changes["data"] = configs.to_json(data.parse(given.data))
    pinned = _assigned(space.base, changes, given.set)
    if given.epochs is not None:
        pinned = {"epochs": given.epochs, **pinned}
    usual, space = space, fitted(space, changes, pinned, workers=given.workers_per_run or 1)
    for line in given_way(usual, changes, pinned, space):
        sys.stderr.write(f"{line}\n")
    moved = _absolute(space.base)
    return space if moved == space.base else based_on(space, moved, pinned)


def _assigned(base: configs.Config, changes: Mapping[str, Any], typed: Sequence[str]) -> dict[str, Any]:
    """What --set says, by the paths that are meant; where those are not as typed, it is said.

    Raises:
        ValueError: it cannot be meant; says why.
    """
    pairs = list(map(parse_assignment, typed))
    pinned = resolved(base, changes, dict(pairs))
    for path in pinned.keys() - {path for path, _ in pairs}:
        sys.stderr.write(f"--set {path}={json.dumps(pinned[path])} is meant\n")
    if isinstance(root := pinned.get("data.root"), str):  # Ray changes the working directory of its processes
        pinned["data.root"] = str(Path(root).expanduser().absolute())
    if "seed" in pinned:
        raise ValueError("--set seed: the seeds of a sweep's runs are given with --seeds")
    return pinned


def _absolute(config: configs.Config) -> configs.Config:
    """The configuration with an absolute place of its images: Ray changes the working directory of its processes."""
    root = getattr(config.data, "root", None)
    return (
        config
        if root is None
        else configs.replace(config, {"data.root": str(Path(root).expanduser().absolute())})
    )


def preset(name: str) -> dict[str, Any]:
    """What a published recipe, named METHOD:PRESET, changes in a configuration.

    Raises:
        ValueError: there is no such method or preset.
    """
    known = {f"{m().name}:{p}": (m, p) for m in METHODS for p in m.presets}
    if name not in known:
        raise ValueError(f"there is no preset '{name}'. {configs.closest(name, list(known))}")
    method, key = known[name]
    # From the method's own defaults: what a space's base has for its scale is no part of a published recipe.
    own = {"method": configs.to_json(method()), "views": configs.to_json(Views())}
    return {**own, **method.presets[key].values}


def from_file(said: str, reference: str, kind: type[T]) -> T:
    """What FILE.py:VARIABLE names; a file that has one object of the kind needs no variable.

    Args:
        said: what was typed before the reference, for messages.
        reference: the file and the variable.
        kind: what is wanted.

    Raises:
        ValueError: there is no such file or variable, or the file fails.
    """
    name, _, variable = reference.rpartition(":") if ":" in reference else (reference, "", "")
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        raise ValueError(f"{said} {reference}: there is no file {path}; write it as FILE.py:VARIABLE")
    try:
        check_keys(path)
        content = configs.in_words(lambda: runpy.run_path(str(path)))
    except Exception as error:  # whatever the file does wrong, it is the reader's to mend
        raise ValueError(f"{said} {reference}: {path} fails with {type(error).__name__}: {error}") from error
    known = {name: value for name, value in content.items() if isinstance(value, kind)}
    if len(known) == 1 and not variable:
        return next(iter(known.values()))
    if variable not in known:
        hint = configs.closest(variable, list(known)) if known else "There is none."
        raise ValueError(f"{path} has no {kind.__name__.lower()} '{variable}'. {hint}")
    return known[variable]


def _options(given: argparse.Namespace, before: Plan | None = None) -> dict[str, Any]:
    """The fields of a plan that flags give; what they leave open of a confirmation or a budget is as `before`."""
    confirm = {"arms": given.confirm, "seeds": given.confirm_seeds}
    confirm = {name: value for name, value in confirm.items() if value is not None}
    confirmed = (before and before.confirm) or Confirm()
    options = {
        "arms": given.arms,
        "seeds": parse_seeds(given.seeds) if given.seeds else None,
        "objectives": parse_objectives(given.objectives) if given.objectives else None,
        "stopper": by_text(given.stopper) if given.stopper else None,
        "sampler_seed": given.sampler_seed,
        "confirm": configs.in_words(lambda: replace(confirmed, **confirm)) if confirm else None,
        "budget": parse_budget(given.budget, before and before.budget) if given.budget else None,
        "workers_per_run": given.workers_per_run,
        "gpus_per_worker": given.gpus_per_worker,
    }
    return {name: value for name, value in options.items() if value is not None}


def parse_budget(text: str, before: Budget | None = None) -> Budget:
    """Reads "runs=100,epochs=5000,hours=8,gpu_hours=20", any of them; the others are as `before`.

    A duration alone, as "90m" or "1h30m", is by the clock on the wall.

    Raises:
        ValueError: another word, or no such number.
    """
    kinds = {"runs": int, "epochs": int, "hours": in_hours, "gpu_hours": in_hours}
    parts = [f"hours={part}" if is_duration(part) else part for part in text.split(",")]
    if number := next((part for part in parts if re.fullmatch(r"[\d.]+", part)), None):
        each = " or ".join(f"{kind}={number}" for kind in kinds)
        raise ValueError(f"--budget {text}: {number} of what? Such as {number}h, or {each}")
    found = parse_fields("--budget", former.budget(",".join(parts)), kinds)
    return configs.in_words(lambda: replace(before or Budget(), **found))


def _from_sweep(given: argparse.Namespace, design: str, name: str, options: dict[str, Any]) -> Plan:
    """The best arms of another sweep again, or the way from its default to its best."""
    from analysis.load import load  # with its statistics it takes longer to import than a plan takes to make
    from analysis.summarise import summarise

    if given.space or given.set or given.data or given.method_preset or given.epochs:
        raise ValueError(
            f"--design {design}:SWEEP takes space, data and recipe from that sweep; leave them out"
        )
    directory = store.find(name, root=given.store)
    before = plans.from_dict(store.read_manifest(directory)["plan"])
    space, options["smoke"] = before.space, before.smoke
    record = load(directory)
    summary = summarise(record)
    of_arm = {run.arm: configs.from_dict(run.config) for run in record.runs}
    # Those that were confirmed first: they are what the sweep says is best.
    ranked = {arm.digest: arm for arm in (*summary.result.arms, *summary.arms) if arm.score is not None}
    complete = [arm for arm in ranked.values() if not summary.default or arm.digest != summary.default.digest]
    best = [space.arm_of(of_arm[arm.digest]) for arm in complete]
    if not best:
        raise ValueError(f"{directory.name} has no complete arm beside the default; resume it first")
    if design == "path":
        return _checked(space=space, design="path", given=(best[0],), **options)
    wanted = options.get("arms", 2)
    arms = tuple(best[: max(0, wanted - 1)])
    options["arms"] = min(wanted, len(arms) + 1)
    return _checked(space=space, design="given", given=arms, **options)


def _checked(**fields: Any) -> Plan:
    """The plan; what it finds fault with is called by the flag that gave it."""
    try:
        plan = plans.checked(**fields)
        objectives.check_objectives(plan)
        reserve.check_budget(plan.budget, [plan])
        return plan
    except ValueError as error:
        text = re.sub(rf"\b({'|'.join(FLAGS)}) = ", lambda found: f"{FLAGS[found[1]]} ", str(error))
        raise ValueError(text) from None
