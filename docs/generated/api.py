"""The Python API, a page for each package: what it names in `__all__`, and then its modules for whoever needs more."""

import importlib
import inspect
from types import ModuleType

from generated.kinds import about

PACKAGES = {
    "sweeps": ("store",),
    "search_spaces": ("space", "domains", "parts", "conditional"),
    "contrastive": ("config", "losses", "methods.protocol", "data", "checkpoint", "evaluate"),
    "analysis": ("figures", "report", "paired", "intervals", "fanova"),
}
"""Modules beside a package's own names."""


def pages() -> dict[str, str]:
    """The Markdown of each page, by its path."""
    return {f"api/{package}.md": _page(package, modules) for package, modules in PACKAGES.items()}


def _page(package: str, modules: tuple[str, ...]) -> str:
    whole = importlib.import_module(package)
    parts, shown = [f"# {package}", about(whole)], set[str]()
    parts += _members(whole, shown)
    for name in modules:
        module = importlib.import_module(f"{package}.{name}")
        parts += [f"## {package}.{name}", about(module), *_members(module, shown)]
    return "\n\n".join(parts)


def _members(module: ModuleType, shown: set[str]) -> list[str]:
    """Each public class and function, from where it is defined, unless the page has it already."""
    values = [getattr(module, name) for name in _public(module)]
    kinds = [value for value in values if inspect.isclass(value) or inspect.isfunction(value)]
    new = [
        p for p in dict.fromkeys(f"{one.__module__}.{one.__qualname__}" for one in kinds) if p not in shown
    ]
    shown.update(new)
    return [f"::: {path}\n    options:\n      heading_level: 3" for path in new]


def _public(module: ModuleType) -> list[str]:
    """What `__all__` names, or what the module itself defines."""
    own = (n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__)
    return list(getattr(module, "__all__", None) or (name for name in own if not name.startswith("_")))
