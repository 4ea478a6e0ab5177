"""What is printed without running anything: a plan and its cost, what has a name, a method with its recipes."""

import inspect
import json
import textwrap
from typing import Any, get_args

from pydantic import TypeAdapter

from contrastive import config, data
from contrastive.methods import METHODS
from search_spaces import SPACES
from sweeps import plan as plans
from sweeps.plan import DESIGNS, Plan
from sweeps.stopper import STOPPERS


def show_plan(plan: Plan, as_json: bool) -> int:
    """Prints what would be run and what it would cost in epochs."""
    full, expected = plans.estimate(plan)
    if as_json:
        print(json.dumps({"plan": plans.to_dict(plan), "epochs_full": full, "epochs_expected": expected}))
        return 0
    print(f"{plan.space.name}: {plan.space.question}")
    for alternative in plan.space.alternatives:
        print(f"  {alternative.name}: {_changes(alternative.values)}  ({alternative.source})")
    for path, domain in plan.space.domains.items() if not plan.space.alternatives else ():
        default = config.value_at(plan.space.base, path)
        print(f"  {path}: {plans.in_short(domain)}, default {default}  ({domain.source})")
    for constraint in plan.space.constraints:
        print(f"  {constraint.smaller} < {constraint.larger}: {constraint.reason}")
    for figure in plan.space.reported:
        print(f"  reported: {_changes(figure.values)}: {figure.score}, {figure.what}  ({figure.source})")
    seeds = ", ".join(map(str, plan.seeds))
    print(f"{plan.arms} arms ({plan.design}) x {len(plan.seeds)} seeds ({seeds}), {plan.epochs} epochs each")
    for rung, runs in plans.ladder(plan):
        print(f"  epoch {rung:>4}: about {runs:.0f} of {plan.runs} runs go on")
    print(f"{full} epochs if no run is stopped, about {expected} as the stopper is meant to work")
    return 0


def show_list(as_json: bool) -> int:
    """Prints everything that has a name."""
    kinds = get_args(get_args(data.Data)[0])
    content: dict[str, dict[str, str]] = {
        "spaces": {name: space.question for name, space in SPACES.items()},
        "methods": {m().name: (m.__doc__ or "").strip().splitlines()[0] for m in METHODS},
        "presets": {f"{m().name}:{p}": preset.source for m in METHODS for p, preset in m.presets.items()},
        "data": {k.name: (k.__doc__ or "").strip().splitlines()[0] for k in kinds},
        "designs": DESIGNS,
        "stoppers": {name: (type(s).__doc__ or "").strip().splitlines()[0] for name, s in STOPPERS.items()},
    }
    if as_json:
        print(json.dumps(content))
        return 0
    for kind, entries in content.items():
        print(kind)
        for name, text in entries.items():
            print(f"  {name:<18} {text}")
    return 0


def show_method(name: str, as_json: bool) -> int:
    """Prints a method's fields with their defaults and meaning, and its recipes with their sources.

    Raises:
        ValueError: there is no such method; the closest names are given.
    """
    methods = {method().name: method for method in METHODS}
    if name not in methods:
        raise ValueError(f"there is no method '{name}'. {config.closest(name, list(methods))}")
    method, fields = methods[name], _fields(methods[name])
    presets = {p: {"source": v.source, "values": config.to_json(v.values)} for p, v in method.presets.items()}
    if as_json:
        print(
            json.dumps({"name": name, "about": inspect.getdoc(method), "fields": fields, "presets": presets})
        )
        return 0
    print(f"{name}: {inspect.getdoc(method)}\n\nfields (--set method.NAME=VALUE)")
    for field, (default, meaning) in fields.items():
        print(f"  {field} = {_one_line(default)}")
        if meaning:
            print(textwrap.fill(meaning, 110, initial_indent="      ", subsequent_indent="      "))
    for preset, content in presets.items():
        print(f"\n{name}:{preset} (--method-preset {name}:{preset})\n  source: {content['source']}")
        for path, value in content["values"].items():
            print(f"  {path} = {_one_line(value)}")
    return 0


def _fields(method: type) -> dict[str, tuple[Any, str]]:
    """Default and meaning of each field but the name."""
    schema = TypeAdapter(method).json_schema()
    properties = schema.get("properties") or schema["$defs"][method.__name__]["properties"]
    defaults = config.to_json(method())
    return {
        field: (default, properties[field].get("description", ""))
        for field, default in defaults.items()
        if field != "name"
    }


def _changes(values: dict[str, Any]) -> str:
    return ", ".join(f"{path} = {_one_line(_name(value))}" for path, value in values.items())


def _name(value: Any) -> Any:
    """A whole sub-configuration by its name alone."""
    return value["name"] if isinstance(value, dict) and "name" in value else value


def _one_line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
