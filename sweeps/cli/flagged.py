"""The scripts `sweeps/run.py` and `sweeps/campaign.py`, whose flags are the subcommands of `sweeps`."""

from collections.abc import Mapping
from copy import copy

import click

from sweeps.cli import looking, running
from sweeps.cli.main import carry_out
from sweeps.store.driver import called

Flags = Mapping[str, tuple[click.Command, tuple[str, ...]]]
"""By flag its command, and what stands before the other words."""
COMMANDS = (
    running.resume,
    looking.list_names,
    looking.show_name,
    looking.status,
    looking.tail,
    looking.stop,
    looking.export,
    looking.sql,
)
RUN: Flags = {f"--{command.name}": (command, ()) for command in COMMANDS}
CAMPAIGN: Flags = {
    "--list": (looking.list_names, ("campaigns",)),
    **{
        f"--{command.name}": (command, ("--kind", "campaign"))
        for command in (running.resume, looking.status, looking.stop)
    },
}


def run(words: list[str]) -> int:
    """The exit code of `sweeps/run.py` with these words: `--space NAME` runs, `--resume ID` resumes, and so on."""
    return carry_out(lambda: _meant(words, RUN, running.run), called(flags=True))


def campaign(words: list[str]) -> int:
    """The exit code of `sweeps/campaign.py` with these words: `NAME` runs, `--resume ID` resumes, and so on."""
    return carry_out(lambda: _meant(words, CAMPAIGN, running.campaign), called(flags=True))


def _meant(words: list[str], flags: Flags, usual: click.Command) -> tuple[click.Command, list[str]]:
    """The command that is meant, and what it is given.

    Raises:
        ValueError: several are.
    """
    places = [place for place, word in enumerate(words) if word.partition("=")[0] in flags]
    if len(places) > 1:
        raise ValueError(f"{', '.join(words[place].partition('=')[0] for place in places)}: one at a time")
    if not places and {"-h", "--help"} & set(words):
        return _explained(usual, flags), words
    if not places:
        return usual, words
    place = places[0]
    flag, equals, value = words[place].partition("=")
    command, first = flags[flag]
    rest = [*words[:place], *words[place + 1 :]]
    takes_one = command is not looking.list_names
    if not equals and takes_one and rest[place:] and not rest[place].startswith("-"):
        value = rest.pop(place)
    return command, [*first, *([value] if value else []), *rest]


def _explained(usual: click.Command, flags: Flags) -> click.Command:
    """The command, whose help has the flags that are other commands too."""
    rows = [f"  {flag:<9} {command.get_short_help_str(100)}" for flag, (command, _) in flags.items()]
    going_on = [row for row in rows if row.startswith("  --resume")]
    looks = [row for row in rows if row not in going_on]
    script = copy(usual)
    texts = ["\b", "to go on:", *going_on, "", "\b", "to look, without training anything:", *looks, ""]
    script.epilog = "\n".join([*texts, usual.epilog or ""])
    return script
