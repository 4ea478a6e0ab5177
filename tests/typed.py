"""What the command line makes of words, without carrying it out."""

import click

from sweeps.cli import running
from sweeps.cli.choices import split
from sweeps.cli.command import Call, by_flag
from sweeps.cli.main import COMMANDS
from sweeps.planning.plan import Plan
from sweeps.sessions.arguments import Request
from sweeps.sessions.options import Options
from sweeps.sessions.request import plan_of
from sweeps.store.driver import Program


def given(*words: str, command: click.Command = running.run) -> tuple[Request, Options]:
    """What is asked for, and what it is carried out with."""
    call = Call(Program("python sweeps/run.py", flags=True), words, COMMANDS)
    with command.make_context(str(command.name), list(words), obj=call) as context:
        typed = {n: v for n, v in context.params.items() if n not in ("name", "sweep", "kind", "dry_run")}
        return split(typed)


def planned(*words: str) -> Plan:
    """The plan of these words behind `sweeps run`."""
    asked, options = given(*words)
    try:
        return plan_of(asked, store=options.store)
    except ValueError as refusal:
        raise ValueError(by_flag(str(refusal))) from refusal
