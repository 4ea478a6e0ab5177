"""Kinds of configurations by "name": the members of unions, their fields and defaults."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter

TAG = "name"
_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def members(annotation: Any) -> list[type]:
    """Return the configuration classes that a value of this type may have."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return [annotation]
    if get_origin(annotation) in (tuple, list, dict):
        return []
    parts = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return [member for part in parts for member in members(part)]


def name_of_kind(kind: type) -> str | None:
    """Return the name of a class in its union; None if it belongs to none."""
    default = getattr(kind, TAG, None)
    return default if isinstance(default, str) else None


def by_tag(annotation: Any) -> dict[str, type]:
    """Return the classes of a tagged union by their names."""
    return {name: kind for kind in members(annotation) if (name := name_of_kind(kind)) is not None}


def fields(kind: Any) -> list[str]:
    """Return the fields of a configuration class; none for anything else."""
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def field(kind: Any, name: str) -> Any:
    """Return the type of a field; None if it is not known."""
    known: Mapping[str, Any] = getattr(kind, "__pydantic_fields__", {})
    return known[name].annotation if name in known else None


def meanings(kind: type) -> dict[str, str]:
    """What is said of each field, under it in the source of its class: read on demand, as that takes its time."""
    said: dict[str, str] = {}
    for base in [base for base in reversed(kind.__mro__) if dataclasses.is_dataclass(base)]:
        source = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(source, ast.ClassDef)
        for line, text in pairwise(source.body):
            if isinstance(line, ast.AnnAssign) and isinstance(text, ast.Expr):
                said[ast.unparse(line.target)] = inspect.cleandoc(ast.literal_eval(text.value))
    return said


def of(annotation: Any, node: Any) -> type | None:
    """Return the class of JSON-ready values, by their name or because there is no other."""
    found = members(annotation)
    if isinstance(node, Mapping) and node.get(TAG) in (named := by_tag(annotation)):  # pyright: ignore[reportUnknownMemberType]
        return named[node[TAG]]  # pyright: ignore[reportUnknownArgumentType]
    return found[0] if len(found) == 1 else None


def defaults(kind: type) -> dict[str, Any]:
    """Return the defaults of a class as JSON-ready values, without fields that have none."""
    known: Mapping[str, Any] = getattr(kind, "__pydantic_fields__", {})
    values = {
        name: info.get_default(call_default_factory=True)
        for name, info in known.items()
        if not info.is_required()
    }
    return _ANY.dump_python(values, mode="json")


def path_of(location: Sequence[str | int], annotation: Any) -> tuple[str, Any]:
    """Return the dotted path of a location of pydantic, and the class around its end.

    Names of sub-configurations are left out, except in lists, where they say more than the index.
    """
    names, owner = list[str](), None
    for part in location:
        if isinstance(part, int) and dataclasses.is_dataclass(annotation):  # an argument by its position
            part = fields(annotation)[part]  # noqa: PLW2901
        named = by_tag(annotation)
        if part in named and len(members(annotation)) > 1:
            annotation = named[str(part)]
            names += [str(part)] if names and names[-1].isdigit() else []
            continue
        names.append(str(part))
        found = members(annotation)
        owner = found[0] if len(found) == 1 else None
        inner = get_args(annotation)
        annotation = (
            field(owner, str(part))
            if owner
            else inner[-1 if get_origin(annotation) is dict else 0]
            if inner
            else None
        )
    return ".".join(names), owner
