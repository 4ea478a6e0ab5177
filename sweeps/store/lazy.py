"""Packages whose public names are imported when they are first used."""

import ast
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any


def publish(package: str, told: str = "module '{package}' has no attribute '{name}'") -> None:
    """Make the imports in a package's `if TYPE_CHECKING` block its public names, each imported on first use.

    That block is the one list of them: type checkers read it as it stands. `told`: the error for any other name,
    in which {package}, {name} and {names} are filled in.
    """
    module = sys.modules[package]
    source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in source.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = {one.name: str(node.module) for node in imports for one in node.names}
    module.__dict__.update(_homes=homes, _told=told, __all__=list(homes))
    module.__class__ = _Package


class _Package(ModuleType):
    """A package that finds its public names when they are asked for."""

    _homes: dict[str, str]
    _told: str

    def __getattr__(self, name: str) -> Any:
        if name not in self._homes:
            names = ", ".join(self._homes)
            raise AttributeError(self._told.format(package=self.__name__, name=name, names=names))
        home = self._homes[name]
        inside = home == self.__name__  # a file or folder of this package
        self.__dict__[name] = (
            import_module(f"{home}.{name}") if inside else getattr(import_module(home), name)
        )
        return self.__dict__[name]

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing the file of a function of the same name binds that file here: the function goes first.
        if self._homes.get(name, self.__name__) == self.__name__ or not isinstance(value, ModuleType):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._homes})

    def __reduce__(self) -> tuple[Any, ...]:
        return import_module, (self.__name__,)  # as Ray sends functions that use it
