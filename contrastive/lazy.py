"""Packages whose public names are imported when they are first used."""

import ast
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def publish(package: str) -> None:
    """Make the imports in a package's `if TYPE_CHECKING` block its public names, each imported on first use.

    That block is the one list of them: type checkers and documentation tools read it as it stands, and
    importing the package loads nothing that it names.

    Raises:
        StopIteration: the package has no such block.
    """
    module = sys.modules[package]
    source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in source.body if isinstance(node, ast.If))
    module.__dict__["_homes"] = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    module.__dict__["__all__"] = [name for name in module.__dict__["_homes"] if not name.startswith("_")]
    module.__class__ = _Package


class _Package(ModuleType):
    """A package that finds its public names when they are asked for."""

    _homes: dict[str, tuple[str, str]]

    def __getattr__(self, name: str) -> Any:
        if name not in self._homes:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        home, there = self._homes[name]
        found = getattr(importlib.import_module(home), there)
        self.__dict__[name] = found
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing the file of a function of the same name binds that file here: the function goes first.
        if not (name in self._homes and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._homes})

    def __reduce__(self) -> tuple[Any, ...]:
        return importlib.import_module, (self.__name__,)
