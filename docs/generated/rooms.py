"""Where everything lies: the folders of the packages, in the order in which they import each other."""

import ast
import tomllib
from pathlib import Path

from generated.kinds import table

ROOT = Path(__file__).parents[2]
MARK = "<!-- rooms -->"


def fill(markdown: str) -> str:
    """A page with the table of rooms in place of its mark."""
    return markdown.replace(MARK, rooms()) if MARK in markdown else markdown


def rooms() -> str:
    """Each folder of `sweeps`, the highest first, and what its own first line says of it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(one["layers"] for one in contracts if one.get("containers") == ["sweeps"])
    names = [name.strip("() ") for layer in layers for name in layer.split("|")]
    rows = (
        [f"`sweeps/{name}`", _first_line(ROOT / "sweeps" / name)]
        for name in names
        if (ROOT / "sweeps" / name).is_dir()
    )
    return table(["room", "what it is for"], rows)


def _first_line(folder: Path) -> str:
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split())
