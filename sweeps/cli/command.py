"""Commands as this project has them: what is typed wrongly is answered with what was meant, in one sentence."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from sweeps.store.driver import Program

FIELDS = ("arms", "objectives", "sampler_seed", "workers_per_run", "gpus_per_worker", "keep", "disk")
"""Of plans and options: where one is at fault, its flag is named."""


@dataclass(frozen=True)
class Call:
    """A command as it was called."""

    program: Program
    words: tuple[str, ...]
    """The command's name, and what was typed behind it."""
    commands: Mapping[str, click.Command] = field(default_factory=dict[str, click.Command])
    """All that there are."""


class Option(click.Option):
    """An option under a heading of the help."""

    def __init__(self, *attributes: Any, section: str, **named: Any):
        super().__init__(*attributes, **named)
        self.section = section


class Command(click.Command):
    """A command that says of an option which it lacks where that belongs.

    Args:
        idle: why options of other commands mean nothing here, such as "trains nothing".
        attributes: click's own.
    """

    def __init__(self, *attributes: Any, idle: str = "", **named: Any):
        settings = {"max_content_width": 110, "help_option_names": ["-h", "--help"]}
        super().__init__(*attributes, context_settings=settings, **named)
        self.idle = idle

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed.

        Raises:
            ValueError: an option or a word that is not known, with what there is.
        """
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise ValueError(self._unknown(ctx, typed, error)) from None
        except click.UsageError as error:
            raise ValueError(_sentence(error)) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                sections.setdefault(getattr(parameter, "section", "options"), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)

    def _unknown(self, ctx: click.Context, typed: list[str], error: click.NoSuchOption) -> str:
        from sweeps.planning.slips import corrections

        own = {name for parameter in self.params for name in (*parameter.opts, *parameter.secondary_opts)}
        call = ctx.find_object(Call)
        others = call.commands.values() if call else ()
        names = [word.partition("=")[0] for word in typed]
        homes = {
            name: [command for command in others if any(name in p.opts for p in command.params)]
            for name in names
            if name.startswith("--") and name not in own
        }
        elsewhere = sorted(word for word, found in homes.items() if found)
        if elsewhere and self.idle:
            return f"{_called(ctx, self)} {self.idle}; leave out {', '.join(elsewhere)}"
        if elsewhere:
            there = " or ".join(_called(ctx, command) for command in homes[elsewhere[0]])
            return f"{elsewhere[0]} means nothing without {there}"
        unknown = typed[names.index(error.option_name) :]
        hint = corrections(unknown, own)
        return f"unrecognized arguments: {' '.join(unknown)}" + (f"; {hint}" if hint else "")


def _called(ctx: click.Context, command: click.Command) -> str:
    """A command as it is typed here."""
    call = ctx.find_object(Call)
    return f"--{command.name}" if call and call.program.flags else f"`sweeps {command.name}`"


def _sentence(error: click.UsageError) -> str:
    text = error.format_message()
    return text[:1].lower() + text[1:].removesuffix(".")


def guarded(name: str, work: Callable[[], int]) -> int:
    """The exit code of what a command line does; what it refuses is said in one line."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        return work()
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as refusal:
        sys.stderr.write(f"{name}: {by_flag(str(refusal))}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"{name}: interrupted before anything was started\n")
        return 130


def by_flag(text: str) -> str:
    """A sentence in which fields are called as they are typed.

    >>> by_flag("workers_per_run = 3: it does not divide the batch")
    '--workers-per-run 3: it does not divide the batch'
    """
    return re.sub(rf"\b({'|'.join(FIELDS)}) = ", lambda found: f"--{found[1].replace('_', '-')} ", text)
