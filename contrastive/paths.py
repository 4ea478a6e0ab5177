"""Reading and writing of configurations as JSON-ready values, by dotted paths."""

from collections.abc import Mapping
from typing import Any

from contrastive import kinds
from contrastive.kinds import TAG
from contrastive.words import closest

ABSENT: Any = object()
"""Stands for the value of a field that a configuration does not have."""


def outer_first(path: str) -> tuple[int, bool]:
    """Sort key of changes: a sub-configuration before its fields, its name before its other fields."""
    return path.count("."), path.rpartition(".")[2] != TAG


def outwards(path: str) -> list[str]:
    """Return a path and the paths around it, the innermost first.

    >>> outwards("method.momentum.start")
    ['method.momentum.start', 'method.momentum', 'method']
    """
    names = path.split(".")
    return [".".join(names[:end]) for end in range(len(names), 0, -1)]


def value_in(node: Any, path: str) -> Any:
    """Return the value of a configuration at a dotted path (all of it at ""), or ABSENT."""
    for name in path.split(".") if path else ():
        if not isinstance(node, Mapping) or name not in node:
            return ABSENT
        node = node[name]
    return node


def get(values: Any, path: str, kind: type) -> Any:
    """Return the value at a path.

    Raises:
        ValueError: the path does not exist.
    """
    node, _, field = _place(values, path, kind)
    if field not in node:
        raise ValueError(f"{path}: it has to be given, and has no default")
    return node[field]


def put(values: Any, path: str, value: Any, kind: type) -> None:
    """Put a value at a path; a new name replaces a sub-configuration by the defaults of that kind.

    Raises:
        ValueError: the path or the name does not exist; lists those that do.
    """
    node, owner, field = _place(values, path, kind)
    if field == TAG and node.get(TAG) != value and (named := kinds.by_tag(owner)):
        if value not in named:
            where = path.rpartition(".")[0]
            raise ValueError(
                f"{path} = {value!r}: there is no such {where}. {closest(str(value), list(named))}"
            )
        node.clear()
        node.update(kinds.defaults(named[value]))
    node[field] = value


def _place(values: Any, path: str, kind: Any) -> tuple[Any, Any, str]:
    """Return the node around the end of a path, its type, and the field there."""
    *parents, last = path.split(".")
    node, where = values, ""
    for name in parents:
        _check_field(node, kind, name, where, path)
        if not isinstance(node.get(name), dict):
            owner = _owner(node, where)
            raise ValueError(f"{path}: '{name}' of {owner} is the value {node.get(name)!r} and has no fields")
        kind = kinds.field(kinds.of(kind, node), name)
        node, where = node[name], f"{where}.{name}" if where else name
    _check_field(node, kind, last, where, path)
    return node, kind, last


def _check_field(node: Any, kind: Any, name: str, where: str, path: str) -> None:
    known = list(dict.fromkeys([*node, *kinds.fields(kinds.of(kind, node))]))
    if name in known:
        return
    owners = [tag for tag, other in kinds.by_tag(kind).items() if name in kinds.fields(other)]
    hint = f"which {' or '.join(owners)} has: set {where}.{TAG}, too" if owners else closest(name, known)
    raise ValueError(f"{path}: {_owner(node, where)} has no field '{name}'{',' if owners else '.'} {hint}")


def _owner(node: Any, where: str) -> str:
    if not where:
        return "a configuration"
    return f"{where} ({node[TAG]})" if TAG in node else where
