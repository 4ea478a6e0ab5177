"""What has a name and fields: a page for each registry, read off its classes."""

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import TypeAdapter

from contrastive import config as configs
from contrastive import data, encoder, optimiser, schedule
from contrastive.kinds import meanings
from generated.docstrings import markdown
from search_spaces import domains
from sweeps.planning.designs import DESIGNS
from sweeps.stoppers import STOPPERS


def pages() -> dict[str, str]:
    """The Markdown of each page, by its path."""
    return {
        "reference/domains.md": _page(
            "Domains",
            "The values that a parameter of a space may take. [My own space](../how-to/space.md) uses each of them.",
            members(domains.Domain),
        ),
        "reference/stoppers.md": _page(
            "Stoppers",
            "Which runs are ended or paused early: `--stopper NAME:FIELD=VALUE,...`. "
            "What they cost and save has been [measured](../evidence.md#when-does-stopping-pay).",
            (type(stopper) for stopper in STOPPERS.values()),
        ),
        "reference/encoders.md": _page(
            "Encoders",
            "Networks from images to features: `--set encoder.name=NAME --set encoder.FIELD=VALUE`.",
            [*members(encoder.Encoder), encoder.Head],
        ),
        "reference/optimisers.md": _page(
            "Optimisers",
            "`--set optimiser.name=NAME --set optimiser.FIELD=VALUE`. All share the schedule's fields.",
            [*members(optimiser.Optimiser), schedule.Momentum],
        ),
        "reference/data.md": _page(
            "Data sets",
            "`--data NAME` or `--data NAME:PATH`; fields by `--set data.FIELD=VALUE`. "
            "Nothing is downloaded unless you ask for it with the download command.",
            members(data.Data),
        ),
        "reference/designs.md": _designs(),
    }


def members(union: Any) -> tuple[type, ...]:
    """The classes of a discriminated union."""
    return get_args(get_args(union)[0])


def called(kind: type) -> str:
    """The name by which a command or a file names a class; its own name where it has none."""
    defaults = {name: field.default for name, field in fields(kind).items()}
    return next(
        (defaults[name] for name in ("name", "kind") if isinstance(defaults.get(name), str)), kind.__name__
    )


def fields(kind: type) -> Mapping[str, Any]:
    """The fields of one of pydantic's dataclasses."""
    return vars(kind)["__pydantic_fields__"]


def about(kind: Any) -> str:
    """Its docstring, as Markdown."""
    return markdown(inspect.getdoc(kind) or "")


def field_table(kind: type) -> str:
    """Name, default, legal values and meaning of each field."""
    schema = TypeAdapter(kind).json_schema()
    properties = schema.get("properties") or schema["$defs"][kind.__name__]["properties"]
    said = meanings(kind)
    rows = [
        [
            f"`{name}`",
            _default(field),
            _legal(properties[name], schema),
            said.get(name, ""),
        ]
        for name, field in fields(kind).items()
        if name not in ("name", "kind")
    ]
    return table(["field", "default", "legal", "meaning"], rows) if rows else "It has no fields."


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def code(value: Any) -> str:
    """A JSON value as code."""
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def _page(title: str, start: str, kinds: Iterable[type]) -> str:
    parts = [f"# {title}", start]
    for kind in kinds:
        parts += [
            f"## `{called(kind)}`",
            f"*{kind.__module__}.{kind.__qualname__}*",
            about(kind),
            field_table(kind),
        ]
    return "\n\n".join(parts)


def _designs() -> str:
    rows = ([f"`{name}`", words] for name, words in DESIGNS.items())
    start = "Which arms are tried: `--design NAME`. [Which to choose](../statistics.md#choose-a-design)."
    return "\n\n".join(["# Designs", start, table(["design", "arms"], rows)])


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return code(configs.to_json(value))


def _legal(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """What JSON schema says of a value, for people."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_legal(part, whole) for part in schema["anyOf"])
    if "oneOf" in schema:
        return " or ".join(_legal(part, whole) for part in schema["oneOf"])
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    kind = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true, false"}
    words = kind.get(
        schema.get("type", ""), {"array": "list", "object": "object"}.get(schema.get("type", ""), "value")
    )
    words = "null" if schema.get("type") == "null" else words
    bounds = {"exclusiveMinimum": "> ", "minimum": "≥ ", "exclusiveMaximum": "< ", "maximum": "≤ "}
    limits = [f"{sign}{schema[name]}" for name, sign in bounds.items() if name in schema]
    return " ".join([words, ", ".join(limits)]).strip()


def _cell(text: str) -> str:
    """Text in one line; a bar outside of code would end the cell."""
    parts = " ".join(text.split()).split("`")
    return "`".join(part if place % 2 else part.replace("|", "\\|") for place, part in enumerate(parts))
