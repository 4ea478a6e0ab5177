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
    importing the package loads nothing that it names. `from HOME import *` stands for the configurations that
    HOME lists, so that a new one is listed there alone.

    Raises:
        StopIteration: the package has no such block.
    """
    module = sys.modules[package]
    source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in source.body if isinstance(node, ast.If))
    homes = {
        alias.asname or alias.name: (str(node.module), alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    lists = [
        str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]
    homes.pop("*", None)
    module.__dict__.update(_homes=homes, _lists=lists)
    module.__class__ = _Package


class _Package(ModuleType):
    """A package that finds its public names when they are asked for."""

    _homes: dict[str, tuple[str, str]]
    _lists: list[str]

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [*self._homes, *self._listed()]
        if name in self._homes:
            self.__dict__[name] = self._import(*self._homes[name])
        # Only a class can be in the lists, and they are read for no other name: no module is called so.
        elif name[:1].isupper() and name in (listed := self._listed()):
            self.__dict__[name] = listed[name]
        else:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return self.__dict__[name]

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing the file of a function of the same name binds that file here: the function goes first.
        if not (name in self._homes and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._homes, *self._listed()})

    def __reduce__(self) -> tuple[Any, ...]:
        return importlib.import_module, (self.__name__,)

    def _import(self, home: str, name: str) -> Any:
        if home == self.__name__:  # a file or folder of this package
            return importlib.import_module(f"{home}.{name}")
        return getattr(importlib.import_module(home), name)

    def _listed(self) -> dict[str, Any]:
        """The configurations in the lists, by the names of their classes."""
        from contrastive.types import registered

        kinds = (kind for home in self._lists for kind in registered(vars(importlib.import_module(home))))
        return {kind.__name__: kind for kind in kinds}
