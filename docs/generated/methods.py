"""A page for each method: what it is, its losses, its fields, its recipes, and the spaces that study it."""

import inspect
import re
import sys
from typing import Any

from contrastive import config as configs
from contrastive import losses
from contrastive.methods import METHODS
from generated.kinds import about, called, code, field_table, table
from search_spaces import SPACES


def pages() -> dict[str, str]:
    """The Markdown of each page, by its path."""
    found = {f"methods/{called(method)}.md": _page(method) for method in METHODS}
    return {"methods/index.md": _index(), **found}


def _index() -> str:
    rows = (
        [
            f"[{method.__name__}]({called(method)}.md)",
            f"`{called(method)}`",
            _paper(method),
            _first_line(about(method)),
        ]
        for method in METHODS
    )
    start = (
        "Each is one frozen dataclass in `contrastive/methods`, in its paper's words, and its loss a pure function in "
        "`contrastive.losses`. [How to add one](../how-to/method.md)."
    )
    return "\n\n".join(["# Methods", start, table(["method", "name", "paper", "in a sentence"], rows)])


def _page(method: type[Any]) -> str:
    name = called(method)
    return "\n\n".join(
        [
            f"# {method.__name__}",
            f"*{_paper(method)}*",
            about(method),
            f"In a command: `--set method.name={name}`; in Python: `contrastive.methods.{method.__name__}`.",
            "## Loss",
            *_losses(method),
            "## Fields",
            "By `--set method.FIELD=VALUE`; a space varies them as `method.FIELD`.",
            field_table(method),
            "## Published recipes",
            *_presets(method),
            "## Spaces",
            _spaces(name),
        ]
    )


def _paper(method: type[Any]) -> str:
    """The first paragraph of its file, which cites the paper, and where the paper is."""
    cited = " ".join((inspect.getdoc(sys.modules[method.__module__]) or "").split("\n\n")[0].split())
    address = re.search(r"<(https?://[^>]+)>", about(method))
    return f"{cited} [Paper]({address[1]})" if address else cited


def _losses(method: type[Any]) -> list[str]:
    """The loss of its name, those that it calls, and those that their docstrings name."""
    found = [called(method), *re.findall(r"\blosses\.(\w+)", inspect.getsource(method))]
    for name in found:  # grows while it is walked
        named = re.findall(r"`(\w+)`", about(getattr(losses, name, None)))
        found += [other for other in named if other not in found]
    functions = [getattr(losses, name) for name in dict.fromkeys(found) if name in losses.__all__]
    if not functions:
        return [
            "None of its own: it holds another method, whose page shows its loss, and its loss of mixed images."
        ]
    paths = [f"{one.__module__}.{one.__qualname__}" for one in functions if inspect.isfunction(one)]
    return [f"::: {path}\n    options:\n      heading_level: 3" for path in paths]


def _presets(method: type[Any]) -> list[str]:
    if not method.presets:
        return ["None."]
    parts = ["Each number stands beside its source's in [the table of presets](../presets.md)."]
    for preset, content in method.presets.items():
        spelling = f"{called(method)}:{preset}"
        rows = ([f"`{path}`", code(value)] for path, value in configs.to_json(content.values).items())
        parts += [
            f"### `{spelling}`",
            f"`--method-preset {spelling}`: {content.source}.",
            table(["field", "value"], rows),
        ]
    return parts


def _spaces(name: str) -> str:
    rows = [
        [f"[{space.name}](../spaces/{space.name}.md)", space.question]
        for space in SPACES.values()
        if space.base.method.name == name
    ]
    return table(["space", "question"], rows) if rows else "None of its own."


def _first_line(text: str) -> str:
    return re.split(r"\n\n|\n(?=\S)", text)[0]
