"""Everything that has a name, listed in a line each and explained in full."""

import inspect
import json
import textwrap
from collections.abc import Mapping
from functools import partial
from typing import Any, get_args

import click
from pydantic import TypeAdapter

from contrastive import config as configs
from contrastive import data, encoder, optimiser
from contrastive.methods import METHODS
from search_spaces import SPACES
from search_spaces.campaigns import CAMPAIGNS
from search_spaces.space import Space
from sweeps.planning.plan import DESIGNS
from sweeps.sessions import describe, spaces
from sweeps.stoppers import STOPPERS
from sweeps.store.driver import Program

DATA: dict[str, Any] = {kind.name: kind for kind in get_args(get_args(data.Data)[0])}
ENCODERS: dict[str, Any] = {kind.name: kind for kind in encoder.ENCODERS}
OPTIMISERS: dict[str, Any] = {kind.name: kind for kind in optimiser.OPTIMISERS}
KINDS: dict[str, Any] = {method().name: method for method in METHODS}
PRESETS = {f"{name}:{preset}": method for name, method in KINDS.items() for preset in method.presets}


def show_list(kind: str | None, *, as_json: bool) -> int:
    """Print everything that has a name, or only what is of a kind.

    Raises:
        ValueError: there is no such kind.
    """
    content = listed()
    if kind and kind not in content:
        raise ValueError(f"there is no kind '{kind}'. {configs.closest(kind, list(content))}")
    shown = {kind: content[kind]} if kind else content
    if as_json:
        click.echo(json.dumps(shown))
        return 0
    for heading, entries in shown.items():
        click.echo(heading)
        for name, text in entries.items():
            click.echo(f"  {name:<18} {text}")
    return 0


def listed() -> dict[str, dict[str, str]]:
    """By kind, every name with a line about it."""
    return {
        "spaces": {name: space.question for name, space in SPACES.items()},
        "methods": _lines(KINDS),
        "presets": {name: method.presets[name.partition(":")[2]].source for name, method in PRESETS.items()},
        "data": _lines(DATA),
        "encoders": _lines(ENCODERS),
        "optimisers": _lines(OPTIMISERS),
        "designs": DESIGNS,
        "stoppers": {name: _first_line(type(stopper)) for name, stopper in STOPPERS.items()},
        "campaigns": {name: campaign.question for name, campaign in CAMPAIGNS.items()},
    }


def show_name(name: str, program: Program, *, as_json: bool) -> int:
    """Print in full what has that name.

    Raises:
        ValueError: nothing has it; the closest names are given.
    """
    content, lines = _explained(name, program)
    click.echo(json.dumps(content) if as_json else "\n".join(lines))
    return 0


def _explained(name: str, program: Program) -> tuple[dict[str, Any], list[str]]:
    """What is said of a name, for programs and for people."""
    if name in SPACES or (spaces.is_file(name) and name not in (*PRESETS, *DESIGNS)):
        return _space(spaces.named_space(name), name, program)
    explain = {
        **dict.fromkeys(KINDS, lambda: _method(KINDS[name])),
        **dict.fromkeys(PRESETS, lambda: _preset(name)),
        **{short: partial(_design, known) for known in DESIGNS for short in (known, known.partition(":")[0])},
        **dict.fromkeys(CAMPAIGNS, lambda: _campaign(name)),
        **{known: partial(_kind, known, kinds[known], flag) for kinds, flag in _FLAGS for known in kinds},
    }
    if name in explain:
        return explain[name]()
    known = [known for entries in listed().values() for known in entries]
    raise ValueError(f"there is no space or method '{name}'. {configs.closest(name, known)}")


_FLAGS: tuple[tuple[Mapping[str, Any], str], ...] = (
    (STOPPERS, "--stopper {name}:FIELD=VALUE,..."),
    (DATA, "--data {name}, or --set data.FIELD=VALUE"),
    (ENCODERS, "--set encoder.name={name} --set encoder.FIELD=VALUE"),
    (OPTIMISERS, "--set optimiser.name={name} --set optimiser.FIELD=VALUE"),
)
"""How each kind is asked for."""


def _space(space: Space, name: str, program: Program) -> tuple[dict[str, Any], list[str]]:
    """What varies, by whose word, how many arms that makes, and one of them."""
    arm = describe.sample(space)
    content = {
        **TypeAdapter(Space).dump_python(space, mode="json"),
        "default": space.default(),
        "grid": describe.grid_sizes(space),
        "sample": configs.to_dict(space.config(arm)),
    }
    method = type(space.base.method)
    command = f"{program.name} --space {name}" if program.flags else f"{program.name} run {name}"
    about = f"{space.base.method.name}): {_first_line(method)}"
    show = "--show" if program.flags else "show"
    return content, [
        *describe.space(space),
        f"the method around it ({show} {about}",
        f"to run it: {command}; to know before what it takes: --dry-run",
    ]


def _method(method: Any) -> tuple[dict[str, Any], list[str]]:
    """Its fields with their defaults and meaning, and its recipes with their sources."""
    name = method().name
    presets = {
        p: {"source": v.source, "values": configs.to_json(v.values)} for p, v in method.presets.items()
    }
    content, lines = _kind(name, method, "--set method.FIELD=VALUE")
    for preset, found in presets.items():
        lines += ["", *_recipe(f"{name}:{preset}", found)]
    return {**content, "presets": presets}, lines


def _design(name: str) -> tuple[dict[str, Any], list[str]]:
    return {"name": name, "about": DESIGNS[name]}, [f"{name} (--design {name}): {DESIGNS[name]}"]


def _preset(name: str) -> tuple[dict[str, Any], list[str]]:
    found = PRESETS[name].presets[name.partition(":")[2]]
    content = {"source": found.source, "values": configs.to_json(found.values)}
    return {"name": name, **content}, _recipe(name, content)


def _recipe(name: str, content: Mapping[str, Any]) -> list[str]:
    values = (f"  {path} = {describe.one_line(value)}" for path, value in content["values"].items())
    return [f"{name} (--method-preset {name})", f"  source: {content['source']}", *values]


def _campaign(name: str) -> tuple[dict[str, Any], list[str]]:
    campaign = CAMPAIGNS[name]
    entries = {key: configs.to_json(entry) for key, entry in campaign.entries.items()}
    lines = [f"{name}: {campaign.question}"]
    for key, entry in entries.items():
        said = ", ".join(f"{field} {describe.one_line(value)}" for field, value in entry.items() if value)
        lines.append(f"  {key}: {said}")
    return {"name": name, "question": campaign.question, "sweeps": entries}, lines


def _kind(name: str, kind: Any, flag: str) -> tuple[dict[str, Any], list[str]]:
    """What a configuration of a kind, or one of its objects, is about, and its fields."""
    kind = kind if isinstance(kind, type) else type(kind)
    about, fields = inspect.getdoc(kind), _fields(kind)
    lines = [f"{name}: {about}", "", f"fields ({flag.format(name=name)})"]
    for field, (default, meaning) in fields.items():
        lines.append(f"  {field} = {describe.one_line(default)}")
        lines += textwrap.wrap(meaning, 110, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return {"name": name, "about": about, "fields": fields}, lines if fields else lines[:1]


def _fields(kind: Any) -> dict[str, tuple[Any, str]]:
    """Default and meaning of each field but the name; of one that has to be given, None."""
    schema = TypeAdapter(kind).json_schema()
    properties = schema.get("properties") or schema["$defs"][kind.__name__]["properties"]
    known = {name: field for name, field in kind.__pydantic_fields__.items() if name != "name"}
    usual = {
        name: None if field.is_required() else configs.to_json(field.get_default(call_default_factory=True))
        for name, field in known.items()
    }
    return {name: (value, properties[name].get("description", "")) for name, value in usual.items()}


def _lines(kinds: Mapping[str, Any]) -> dict[str, str]:
    return {name: _first_line(kind) for name, kind in kinds.items()}


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]
