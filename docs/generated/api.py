"""The Python API, a page for each package: what it names in `__all__`, and then its modules for whoever needs more."""

import importlib
import inspect
from types import ModuleType
from typing import Any

from generated.kinds import about

PACKAGES = {
    "sweeps": ("store",),
    "search_spaces": ("space", "domains", "parts", "conditional"),
    "contrastive": ("config", "losses", "methods.protocol", "data", "checkpoint", "evaluate"),
    "analysis": (
        "load",
        "multiple",
        "paired",
        "intervals",
        "components",
        "importance",
        "fanova",
        "figures",
        "report",
    ),
}
"""Modules beside a package's own names."""


def pages() -> dict[str, str]:
    """The Markdown of each page, by its path."""
    return {f"api/{package}.md": _page(package, modules) for package, modules in PACKAGES.items()}


def _page(package: str, modules: tuple[str, ...]) -> str:
    shown = importlib.import_module(package)
    parts = [f"# {package}", about(shown), *_members(shown)]
    for name in modules:
        module = importlib.import_module(f"{package}.{name}")
        parts += [f"## {package}.{name}", about(module), *_members(module)]
    return "\n\n".join(parts)


def _members(module: ModuleType) -> list[str]:
    """Each public class and function, from where it is defined."""
    found = {name: getattr(module, name) for name in _public(module)}
    return [
        f"::: {value.__module__}.{value.__qualname__}\n    options:\n      heading_level: 3"
        for value in found.values()
        if inspect.isclass(value) or inspect.isfunction(value)
    ]


def _public(module: Any) -> list[str]:
    """What `__all__` names, or what the module itself defines."""
    named = getattr(module, "__all__", None)
    if named is not None:
        return list(named)
    return [
        n
        for n, v in vars(module).items()
        if not n.startswith("_") and getattr(v, "__module__", "") == module.__name__
    ]
