"""The manual of every command, read off its parser: one of argparse's or one of click's."""

import argparse
import importlib
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import click

from generated.kinds import table

ROOT = Path(__file__).parents[2]
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
PROGRAMS = {
    **SCRIPTS,
    "python -m contrastive": "contrastive.__main__:main",
    "python -m analysis": "analysis.__main__:main",
}
"""What is typed, and the function that reads it."""
Parser = argparse.ArgumentParser | click.Command


class _Found(Exception):  # noqa: N818
    """Carries a parser out of the program that would have printed its help."""


def pages() -> dict[str, str]:
    """The Markdown of the one page, by its path."""
    start = (
        "What each says of itself with `--help`. `python -m sweeps` is the same program as `sweeps`. In a checkout "
        "`python sweeps/run.py --space NAME` is `sweeps run NAME`, and `python sweeps/campaign.py NAME` is "
        "`sweeps campaign NAME`."
    )
    parts = ["# Commands", start]
    for program, entry in PROGRAMS.items():
        parts += _manual(program, parser_of(main_of(entry)), 2)
    return {"reference/commands.md": "\n\n".join(parts)}


def main_of(entry: str) -> Any:
    """The function that an entry such as "sweeps.run:main" names."""
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)


def parser_of(main: Any) -> Parser:
    """The parser that prints the help of a program."""

    def found(parser: Parser, *_: Any, **__: Any) -> None:
        raise _Found(parser)

    with (
        mock.patch.object(argparse.ArgumentParser, "print_help", found),
        mock.patch.object(click.Command, "get_help", found),
    ):
        try:
            main(["--help"])
        except _Found as carried:
            return carried.args[0]
    raise RuntimeError(f"{main.__module__}.{main.__qualname__} prints no help")


def _manual(program: str, parser: Parser, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{program}`"
    inner = _by_click if isinstance(parser, click.Command) else _by_argparse
    yield from inner(program, parser, level)  # pyright: ignore[reportArgumentType]


def _by_click(program: str, command: click.Command, level: int) -> Iterator[str]:
    yield inspect.cleandoc(command.help or "").replace("\b", "")
    for heading, rows in _sections(command).items():
        yield f"**{heading}**"
        yield table(["", "meaning"], rows)
    if command.epilog:
        yield _text(command.epilog.replace("\b\n", ""))
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        passes_on = inner.context_settings.get("ignore_unknown_options")
        behind = (
            parser_of(lambda words, c=inner: c.main(words, standalone_mode=False)) if passes_on else inner
        )
        yield from _manual(f"{program} {name}", behind, level + 1)


def _sections(command: click.Command) -> dict[str, list[list[str]]]:
    """The options of a command under their headings, as its help has them."""
    context, found = click.Context(command, info_name=command.name), dict[str, list[list[str]]]()
    for option in command.params:
        if record := option.get_help_record(context):
            found.setdefault(getattr(option, "section", "options"), []).append(
                [f"`{record[0]}`", _home(record[1])]
            )
    return found


def _by_argparse(program: str, parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
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
    return [
        shown,
        (action.help or "") % {"default": _home(str(action.default)), "prog": "", "dest": action.dest},
    ]


def _is_help(action: argparse.Action) -> bool:
    return isinstance(action, argparse._HelpAction | argparse._SubParsersAction)


def _home(text: str) -> str:
    """A path of whoever builds the site is nobody else's."""
    return text.replace(str(Path.home()), "~")


def _text(text: str) -> str:
    """A help text keeps its lines."""
    return f"```text\n{text.strip()}\n```"
