"""Requested spaces: a named one or one in a file, around a recipe, with values that are set."""

import json
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from contrastive import config as configs
from contrastive import data
from contrastive.methods import METHODS
from contrastive.spelling import resolved
from contrastive.views import Views
from search_spaces import SPACES
from search_spaces.fitting import based_on, fitted, given_way
from search_spaces.literals import check_keys
from search_spaces.named import by_name
from search_spaces.space import Space

T = TypeVar("T")


def named_space(name: str) -> Space:
    """Return the space of that name, or the one that FILE.py:VARIABLE names.

    Raises:
        ValueError: there is none; gives the closest names.
    """
    return from_file("--space", name, Space) if is_file(name) else by_name(name, SPACES)


def adapted(
    space: Space,
    *,
    recipe: str | None,
    images: str | Path | None,
    assigned: Mapping[str, Any],
    epochs: int | None,
    workers: int,
) -> Space:
    """Return the space around a recipe and other images, without the parameters that are set; says what is dropped.

    Raises:
        ValueError: a recipe, data set or value that cannot be meant.
    """
    changes = preset(recipe) if recipe else {}
    if images:
        changes["data"] = configs.to_json(data.parse(str(images)))
    pinned = _resolved(space.base, changes, assigned)
    if epochs is not None:
        pinned = {"epochs": epochs, **pinned}
    usual, space = space, fitted(space, changes, pinned, workers=workers)
    for line in given_way(usual, changes, pinned, space):
        sys.stderr.write(f"{line}\n")
    moved = _absolute(space.base)
    return space if moved == space.base else based_on(space, moved, pinned)


def is_file(name: str) -> bool:
    """Return whether a name refers to a Python file."""
    return ":" in name or name.endswith(".py")


def parse_assignment(text: str) -> tuple[str, Any]:
    """Parse "path=value", the value as JSON where it is JSON, else as text.

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


def preset(name: str) -> dict[str, Any]:
    """Return the values that a published recipe, named METHOD:PRESET, sets in a configuration.

    Raises:
        ValueError: there is no such method or preset.
    """
    known = {f"{m().name}:{p}": (m, p) for m in METHODS for p in m.presets}
    if name not in known:
        raise ValueError(f"there is no preset '{name}'. {configs.closest(name, list(known))}")
    method, key = known[name]
    # From the method's own defaults: a base's values for a smaller scale are no part of a published recipe.
    own = {"method": configs.to_json(method()), "views": configs.to_json(Views())}
    return {**own, **method.presets[key].values}


def from_file(said: str, reference: str, kind: type[T]) -> T:
    """Return the object that FILE.py:VARIABLE names; a file with one object of the kind needs no variable.

    Args:
        said: what was typed before the reference, for messages.
        reference: the file and the variable.
        kind: the wanted class.

    Raises:
        ValueError: there is no such file or variable, or the file fails.
    """
    name, _, variable = reference.rpartition(":") if ":" in reference else (reference, "", "")
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        raise ValueError(f"{said} {reference}: there is no file {path}; write it as FILE.py:VARIABLE")
    try:
        check_keys(path)
        content = runpy.run_path(str(path))
    except Exception as error:  # any error in the file is the user's to mend
        raise ValueError(f"{said} {reference}: {path} fails with {type(error).__name__}: {error}") from error
    known = {name: value for name, value in content.items() if isinstance(value, kind)}
    if len(known) == 1 and not variable:
        return next(iter(known.values()))
    if variable not in known:
        hint = configs.closest(variable, list(known)) if known else "There is none."
        raise ValueError(f"{path} has no {kind.__name__.lower()} '{variable}'. {hint}")
    return known[variable]


def _resolved(
    base: configs.Config, changes: Mapping[str, Any], assigned: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the assigned values, by the paths that are meant; says where these differ from those typed.

    Raises:
        ValueError: a value or path is invalid; says why.
    """
    plain = json.dumps(dict(assigned), default=configs.to_json)
    pinned = resolved(base, changes, json.loads(plain, parse_constant=str))  # NaN can be refused as a word
    for path in pinned.keys() - assigned.keys():
        sys.stderr.write(f"--set {path}={json.dumps(pinned[path])} is meant\n")
    if "seed" in pinned:
        raise ValueError("--set seed: the seeds of a sweep's runs are given with --seeds")
    return pinned


def _absolute(config: configs.Config) -> configs.Config:
    """Make the path of the images absolute: Ray changes the working directory of its processes."""
    root = getattr(config.data, "root", None)
    if root is None:
        return config
    return configs.replace(config, {"data.root": str(Path(root).expanduser().absolute())})
