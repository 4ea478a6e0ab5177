"""Paths as people type them: a unique end of one, or American spelling."""

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
"""American and other usual words, each with the word in the names of fields."""


def resolved(base: Config, recipe: Mapping[str, Any], assigned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the assigned values by the paths that are meant.

    >>> resolved(Config(), {}, {"temperature": 0.1, "optimizer.lr": 1.0})
    {'method.temperature': 0.1, 'optimiser.lr': 1.0}

    Args:
        base: configuration to change.
        recipe: changes by path that are made before.
        assigned: values by path as typed; a path that resembles none is left as it is.

    Raises:
        ValueError: a path may mean several; names them.
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
    """Return the path of the sub-configuration whose kind an assignment changes; None if it changes none."""
    known = list(known_paths(values, Config))
    likely = [path] if path in known else meant(path, known)
    owner = likely[0].removesuffix(f".{TAG}") if len(likely) == 1 else ""
    return owner if owner and isinstance(value, str) and value in _names(values, owner) else None


def the_one(path: str, known: Sequence[str]) -> str:
    """Return the path that is meant; the typed one if it resembles none.

    Raises:
        ValueError: it may mean several.
    """
    likely = [path] if path in known else meant(path, known)
    if len(likely) > 1:
        raise ValueError(f"--set {path}: there is {', '.join(likely)}; write which one you mean")
    return likely[0] if likely else path


def meant(path: str, known: Iterable[str]) -> list[str]:
    """Return the paths that end in this one, in whatever spelling.

    Paths of the evaluation count only if no other path matches.
    """
    found = [one for one in known if f".{plain(one)}".endswith(f".{plain(path)}")]
    return [one for one in found if not one.startswith("evaluation.")] or found


def plain(path: str) -> str:
    """Return the one spelling of a path in lower case, with the usual words of fields."""
    text = path.lower().replace("-", "_")
    for theirs, ours in SPELLINGS:
        text = re.sub(theirs, ours, text)
    return text


def known_paths(values: Mapping[str, Any], kind: Any, around: str = "") -> Iterator[str]:
    """Yield every path of a configuration, also of fields without a default."""
    owner = kinds.of(kind, values)
    for name in dict.fromkeys([*values, *kinds.fields(owner)]):
        yield f"{around}{name}"
        if isinstance(values.get(name), dict):
            yield from known_paths(values[name], kinds.field(owner, name), f"{around}{name}.")


def _names(values: Any, path: str) -> list[str]:
    """Return the names that a sub-configuration may have."""
    kind: Any = Config
    for name in path.split("."):
        kind, values = kinds.field(kinds.of(kind, values), name), values.get(name)
    return list(kinds.by_tag(kind))
