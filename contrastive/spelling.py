"""Paths as people type them: the end of one that is unique, or in American spelling."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contrastive import kinds, paths
from contrastive.config import Config, to_dict, to_json
from contrastive.kinds import TAG

SPELLINGS = (
    ("batch_size", "batch"), ("learning_rate", "lr"), ("(num|max)_epochs", "epochs"), ("color", "colour"),
    ("gray", "grey"), ("neighbor", "neighbour"), (r"([iy])z(e|ing|er|ation)", r"\1s\2"),
)  # fmt: skip
"""American and other usual words, each with the one that fields are called by."""


def resolved(base: Config, recipe: Mapping[str, Any], assigned: Mapping[str, Any]) -> dict[str, Any]:
    """What is assigned, by the paths that are meant.

    >>> resolved(Config(), {}, {"temperature": 0.1, "optimizer.lr": 1.0})
    {'method.temperature': 0.1, 'optimiser.lr': 1.0}

    Args:
        base: that is to be changed.
        recipe: changes by paths that are made before.
        assigned: by paths as they were typed; a path that nothing is like is left as it is.

    Raises:
        ValueError: a path may mean several, which are named.
    """
    values = to_dict(base)
    for path in sorted(recipe, key=paths.outer_first):
        paths.put(values, path, to_json(recipe[path]), Config)
    # A new kind has other fields than the old one: what else is assigned is meant among those.
    new = dict[str, str]()
    while fresh := {p: k for p in assigned if p not in new and (k := _kind(values, p, assigned[p]))}:
        for path in sorted(fresh, key=lambda path: fresh[path].count(".")):
            paths.put(values, f"{fresh[path]}.{TAG}", assigned[path], Config)
        new |= fresh
    known = list(known_paths(values, Config))
    return {
        f"{new[path]}.{TAG}" if path in new else the_one(path, known): assigned[path] for path in assigned
    }


def _kind(values: Mapping[str, Any], path: str, value: Any) -> str | None:
    """The sub-configuration that becomes of another kind by an assignment: its name, or as a whole that name."""
    known = list(known_paths(values, Config))
    likely = [path] if path in known else meant(path, known)
    owner = likely[0].removesuffix(f".{TAG}") if len(likely) == 1 else ""
    return owner if owner and isinstance(value, str) and value in _names(values, owner) else None


def the_one(path: str, known: Sequence[str]) -> str:
    """The path that is meant; the one that was typed where nothing is like it.

    Raises:
        ValueError: several may be meant.
    """
    likely = [path] if path in known else meant(path, known)
    if len(likely) > 1:
        raise ValueError(f"--set {path}: there is {', '.join(likely)}; write which one you mean")
    return likely[0] if likely else path


def meant(path: str, known: Iterable[str]) -> list[str]:
    """The paths that one may stand for: that end in it, in whatever spelling.

    How runs are measured is meant only where nothing of their training is.
    """
    found = [one for one in known if f".{plain(one)}".endswith(f".{plain(path)}")]
    return [one for one in found if not one.startswith("evaluation.")] or found


def plain(path: str) -> str:
    """Equal for all spellings of a path."""
    text = path.lower().replace("-", "_")
    for theirs, ours in SPELLINGS:
        text = re.sub(theirs, ours, text)
    return text


def known_paths(values: Mapping[str, Any], kind: Any, around: str = "") -> Iterator[str]:
    """Every path of a configuration, of fields that have to be given, too."""
    owner = kinds.of(kind, values)
    for name in dict.fromkeys([*values, *kinds.fields(owner)]):
        yield f"{around}{name}"
        if isinstance(values.get(name), dict):
            yield from known_paths(values[name], kinds.field(owner, name), f"{around}{name}.")


def _names(values: Any, path: str) -> list[str]:
    """The names that a sub-configuration may have."""
    kind: Any = Config
    for name in path.split("."):
        kind, values = kinds.field(kinds.of(kind, values), name), values.get(name)
    return list(kinds.by_tag(kind))
