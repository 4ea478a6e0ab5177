"""The manual of every command, read off its parser."""

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from generated.kinds import table

PROGRAMS = {
    "python sweeps/run.py": "sweeps.run",
    "python sweeps/campaign.py": "sweeps.campaign",
    "python -m contrastive": "contrastive.__main__",
    "python -m analysis": "analysis.__main__",
    "python -m sweeps.store": "sweeps.store.__main__",
    "python -m sweeps.replay": "sweeps.replay.__main__",
}


class _Found(Exception):  # noqa: N818
    """Carries a parser out of the program that would have used it."""


def pages() -> dict[str, str]:
    """The Markdown of the one page, by its path."""
    parts = ["# Commands", "What each says of itself with `--help`."]
    for program, module in PROGRAMS.items():
        parts += [*_manual(program, parser_of(module), 2)]
    return {"reference/commands.md": "\n\n".join(parts)}


def parser_of(module: str) -> argparse.ArgumentParser:
    """The parser that a program would have parsed its arguments with."""

    def found(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        raise _Found(parser)

    with mock.patch.object(argparse.ArgumentParser, "parse_known_args", found):
        try:
            importlib.import_module(module).main(["--help"])
        except _Found as carried:
            return carried.args[0]
    raise RuntimeError(f"{module}.main parses no arguments")


def _manual(program: str, parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{program}`"
    if parser.description:
        yield parser.description.strip()
    for group in parser._action_groups:
        rows = [_row(action) for action in group._group_actions if not _is_help(action)]
        if rows:
            yield f"**{group.title}**"
            yield table(["", "meaning"], rows)
    if parser.epilog:
        yield _text(parser.epilog)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from _manual(f"{program} {name}", inner, level + 1)


def _row(action: argparse.Action) -> list[str]:
    metavar = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    values = " ".join(metavar) if isinstance(metavar, tuple) else metavar
    spelling = ", ".join(action.option_strings) or values
    shown = f"`{spelling} {values}`" if action.option_strings and action.nargs != 0 else f"`{spelling}`"
    default = str(action.default).replace(str(Path.home()), "~")
    return [shown, (action.help or "") % {"default": default, "prog": "", "dest": action.dest}]


def _is_help(action: argparse.Action) -> bool:
    return isinstance(action, argparse._HelpAction | argparse._SubParsersAction)


def _text(text: str) -> str:
    """A help text keeps its lines."""
    return f"```text\n{text.strip()}\n```"
