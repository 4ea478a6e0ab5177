"""What is printed without running anything: a plan and what it will take, what has a name, a space, a method."""

import argparse
import inspect
import json
import textwrap
from typing import Any, get_args

from pydantic import TypeAdapter

from contrastive import config as configs
from contrastive import data
from contrastive.methods import METHODS
from search_spaces import SPACES
from search_spaces.space import Space
from sweeps.cli import arguments, flags
from sweeps.planning import plan as plans
from sweeps.planning.estimate import estimate_cost
from sweeps.planning.plan import DESIGNS, Plan
from sweeps.sessions import describe
from sweeps.stoppers import STOPPERS


def show_plan(plan: Plan, given: argparse.Namespace) -> int:
    """Prints what would be run and what it would take: epochs, and time as recorded or measured."""
    if not given.json:
        lines = [
            f"{plan.space.name}: {plan.space.question}",
            *describe.varies(plan.space),
            *describe.runs_text(plan),
        ]
        print("\n".join(lines), flush=True)  # before some seconds of measuring
        print(describe.time(estimate_cost(plan, given.store, given.cache)))
        return 0
    cost = estimate_cost(plan, given.store, given.cache)
    content = {
        "plan": plans.to_dict(plan),
        "rungs": plans.ladder(plan),
        "epochs_full": cost.epochs_full,
        "epochs_expected": cost.epochs_expected,
        "parallel": cost.parallel,
        "seconds_per_epoch": cost.pace.seconds,
        "seconds_per_epoch_from": cost.pace.source,
        "seconds_full": cost.seconds_full,
        "seconds_expected": cost.seconds_expected,
    }
    print(json.dumps(content))
    return 0


def show_list(as_json: bool) -> int:
    """Prints everything that has a name."""
    kinds = get_args(get_args(data.Data)[0])
    content: dict[str, dict[str, str]] = {
        "spaces": {name: space.question for name, space in SPACES.items()},
        "methods": {m().name: _first_line(m) for m in METHODS},
        "presets": {f"{m().name}:{p}": preset.source for m in METHODS for p, preset in m.presets.items()},
        "data": {k.name: _first_line(k) for k in kinds},
        "designs": DESIGNS,
        "stoppers": {name: _first_line(type(stopper)) for name, stopper in STOPPERS.items()},
    }
    if as_json:
        print(json.dumps(content))
        return 0
    for kind, entries in content.items():
        print(kind)
        for name, text in entries.items():
            print(f"  {name:<18} {text}")
    return 0


def show_name(name: str, as_json: bool) -> int:
    """Prints a space or a method in full.

    Raises:
        ValueError: nothing has that name; the closest names are given.
    """
    methods = {method().name: method for method in METHODS}
    if name in methods:
        return _show_method(methods[name], as_json)
    if name in SPACES:
        return _show_space(SPACES[name], name, as_json)
    if ":" in name or name.endswith(".py"):
        plan = arguments.plan_of(flags.parser().parse_args(["--space", name]))
        return _show_space(plan.space, name, as_json)
    raise ValueError(f"there is no space or method '{name}'. {configs.closest(name, [*SPACES, *methods])}")


def _show_space(space: Space, called: str, as_json: bool) -> int:
    """What varies, by whose word, how many arms that makes, and one of them."""
    if as_json:
        about = TypeAdapter(Space).dump_python(space, mode="json")
        sample = configs.to_dict(space.config(describe.sample(space)))
        print(
            json.dumps(
                {**about, "default": space.default(), "grid": describe.grid_sizes(space), "sample": sample}
            )
        )
        return 0
    method = type(space.base.method)
    lines = [
        *describe.space(space),
        f"the method around it (--show {space.base.method.name}): {_first_line(method)}",
        f"to run it: python sweeps/run.py --space {called}; to know before what it takes: --dry-run",
    ]
    print("\n".join(lines))
    return 0


def _show_method(method: Any, as_json: bool) -> int:
    """Its fields with their defaults and meaning, and its recipes with their sources."""
    name, fields = method().name, _fields(method)
    presets = {
        p: {"source": v.source, "values": configs.to_json(v.values)} for p, v in method.presets.items()
    }
    if as_json:
        about = {"name": name, "about": inspect.getdoc(method), "fields": fields, "presets": presets}
        print(json.dumps(about))
        return 0
    print(f"{name}: {inspect.getdoc(method)}\n\nfields (--set method.NAME=VALUE)")
    for field, (default, meaning) in fields.items():
        print(f"  {field} = {describe.one_line(default)}")
        if meaning:
            print(textwrap.fill(meaning, 110, initial_indent="      ", subsequent_indent="      "))
    for preset, content in presets.items():
        print(f"\n{name}:{preset} (--method-preset {name}:{preset})\n  source: {content['source']}")
        for path, value in content["values"].items():
            print(f"  {path} = {describe.one_line(value)}")
    return 0


def _fields(method: type) -> dict[str, tuple[Any, str]]:
    """Default and meaning of each field but the name."""
    schema = TypeAdapter(method).json_schema()
    properties = schema.get("properties") or schema["$defs"][method.__name__]["properties"]
    defaults = configs.to_json(method())
    return {
        field: (default, properties[field].get("description", ""))
        for field, default in defaults.items()
        if field != "name"
    }


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]
