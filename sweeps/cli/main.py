"""The command `sweeps` and its subcommands."""

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from sweeps.cli import looking, running
from sweeps.cli.command import Call, guarded
from sweeps.cli.manual import CODES, EXAMPLES
from sweeps.cli.passing import PASSED_ON, passed_on
from sweeps.store.driver import Program, called

COMMANDS: dict[str, click.Command] = {
    str(command.name): command
    for command in (
        running.run,
        running.resume,
        looking.status,
        looking.tail,
        looking.stop,
        looking.list_names,
        looking.show_name,
        looking.sql,
        looking.export,
        running.campaign,
        *map(passed_on, PASSED_ON),
    )
}


class _InOrder(click.Group):
    """Lists its commands in the order in which they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    "sweeps",
    cls=_InOrder,
    commands=COMMANDS,
    epilog=f"{EXAMPLES}\n{CODES}",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
def sweeps() -> None:
    """Sweeps of self-supervised contrastive pretraining.

    Choose a question, train its arms, stop the hopeless early, record everything, say what came of it. SWEEP is a
    sweep's id, as it is printed, or its folder; without it the last one is meant. Each command explains itself with
    --help.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    return carry_out(lambda: (sweeps, words), called())


def carry_out(meant: Callable[[], tuple[click.Command, list[str]]], program: Program) -> int:
    """The exit code of a command with its words, as they are meant; refusals are told in a line."""
    # All that is imported is kept: looking for garbage in it would take an eighth of the time.
    gc.set_threshold(50_000)

    def _work() -> int:
        command, words = meant()
        typed = words if command is sweeps else [str(command.name), *words]
        try:
            done: Any = command.main(
                words,
                prog_name=program.name,
                standalone_mode=False,
                obj=Call(program, tuple(typed), COMMANDS),
            )
        except click.exceptions.Exit as end:
            return end.exit_code
        except SystemExit as end:  # argparse has refused what was passed on, or explained itself
            return int(end.code or 0)
        except click.Abort:
            raise KeyboardInterrupt from None
        except click.UsageError as error:
            raise ValueError(error.format_message()) from None
        return int(done or 0)

    return guarded("sweeps", _work)
