"""Everything that has a name, listed in a line each and explained in full."""

import inspect
import textwrap
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import TypeAdapter

from contrastive import config as configs
from contrastive import data, encoder, optimiser
from contrastive.kinds import meanings
from contrastive.methods import METHODS
from search_spaces import SPACES
from search_spaces.campaigns import CAMPAIGNS
from search_spaces.space import Space
from sweeps.planning.designs import DESIGNS
from sweeps.sessions import describe, spaces
from sweeps.stoppers import STOPPERS
from sweeps.store.driver import Program

DATA: dict[str, Any] = {kind.name: kind for kind in get_args(get_args(data.Data)[0])}
ENCODERS: dict[str, Any] = {kind.name: kind for kind in encoder.ENCODERS}
OPTIMISERS: dict[str, Any] = {kind.name: kind for kind in optimiser.OPTIMISERS}
KINDS: dict[str, Any] = {method().name: method for method in METHODS}
PRESETS = {f"{name}:{preset}": method for name, method in KINDS.items() for preset in method.presets}


def listed(kind: str | None = None) -> dict[str, dict[str, str]]:
    """Return, by kind, every name with a line about it, or only those of one kind.

    Raises:
        ValueError: there is no such kind.
    """
    content = {
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
    if kind and kind not in content:
        raise ValueError(f"there is no kind '{kind}'. {configs.closest(kind, list(content))}")
    return {kind: content[kind]} if kind else content


def explained(name: str, program: Program) -> tuple[dict[str, Any], list[str]]:
    """Return what is said of a name in full, for programs and for people.

    Raises:
        ValueError: nothing has it; the closest names are given.
    """
    if name in KINDS:
        return _method(KINDS[name])
    if name in PRESETS:
        content, lines = _recipe(name)
        return {"name": name, **content}, lines
    for design, about in DESIGNS.items():
        if name in (design, design.partition(":")[0]):
            return {"name": design, "about": about}, [f"{design} (--design {design}): {about}"]
    if name in CAMPAIGNS:
        return _campaign(name)
    for kinds, flag in _FLAGS:
        if name in kinds:
            return _kind(name, kinds[name], flag)
    if name in SPACES or spaces.is_file(name):
        return _space(spaces.named_space(name), name, program)
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
    content = {
        **TypeAdapter(Space).dump_python(space, mode="json"),
        "default": space.default(),
        "grid": describe.grid_sizes(space),
        "sample": configs.to_dict(space.config(describe.sample(space))),
    }
    run, show = ("--space", "--show") if program.flags else ("run", "show")
    method = space.base.method
    return content, [
        *describe.space(space),
        f"the method around it ({show} {method.name}): {_first_line(type(method))}",
        f"to run it: {program.name} {run} {name}; to know before what it takes: --dry-run",
    ]


def _method(method: Any) -> tuple[dict[str, Any], list[str]]:
    """Its fields with their defaults and meaning, and its recipes with their sources."""
    content, lines = _kind(method().name, method, "--set method.FIELD=VALUE")
    presets: dict[str, Any] = {}
    for preset in method.presets:
        presets[preset], recipe = _recipe(f"{method().name}:{preset}")
        lines += ["", *recipe]
    return {**content, "presets": presets}, lines


def _recipe(name: str) -> tuple[dict[str, Any], list[str]]:
    found = PRESETS[name].presets[name.partition(":")[2]]
    content = {"source": found.source, "values": configs.to_json(found.values)}
    values = (f"  {path} = {describe.one_line(value)}" for path, value in content["values"].items())
    return content, [f"{name} (--method-preset {name})", f"  source: {found.source}", *values]


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
    said = meanings(kind)
    return {
        name: (
            None if field.is_required() else configs.to_json(field.get_default(call_default_factory=True)),
            said.get(name, ""),
        )
        for name, field in kind.__pydantic_fields__.items()
        if name != "name"
    }


def _lines(kinds: Mapping[str, Any]) -> dict[str, str]:
    return {name: _first_line(kind) for name, kind in kinds.items()}


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]
