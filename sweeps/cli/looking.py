"""The commands that look and train nothing: list, show, status, tail, stop, sql, export, report."""

from contextlib import suppress
from pathlib import Path

import click

from sweeps.cli.choices import CACHE, FOLDER, JSON, KIND, STORE, SWEEP, call, found, say, several
from sweeps.cli.command import Command
from sweeps.store import locate
from sweeps.store.locate import Kind

TRAINS_NOTHING = "trains nothing"


@click.command("list", cls=Command, idle=TRAINS_NOTHING)
@click.argument("kind", required=False)
@several(JSON, CACHE, STORE)
def list_names(kind: str | None, as_json: bool, **_: Path) -> None:
    """Print everything that has a name, or only those of a KIND: spaces, methods, presets, designs, campaigns, ..."""
    from sweeps.cli import names

    content = names.listed(kind)
    width = max(len(name) for entries in content.values() for name in entries)
    lines = (
        line
        for heading, entries in content.items()
        for line in (heading, *(f"  {name:<{width}} {about}" for name, about in entries.items()))
    )
    say(content, "\n".join(lines), as_json=as_json)


@click.command("show", cls=Command, idle=TRAINS_NOTHING)
@click.argument("name")
@several(JSON, CACHE, STORE)
def show_name(name: str, as_json: bool, **_: Path) -> None:
    """Explain what `list` names: a space, method, recipe, stopper, design, data set, encoder, optimiser, campaign.

    NAME may be a space of your own, too: FILE.py:VARIABLE.
    """
    from sweeps.cli import names

    content, lines = names.explained(name, call().program)
    say(content, "\n".join(lines), as_json=as_json)


@click.command("status", cls=Command, idle=TRAINS_NOTHING)
@SWEEP
@several(KIND, STORE, CACHE, JSON)
def status(sweep: str | None, kind: Kind | None, store: Path, as_json: bool) -> None:
    """Print where a sweep or a campaign stands: best arm, failures, time left, disk space."""
    directory, is_campaign = found(sweep, kind, store)
    if is_campaign:
        from sweeps.cli import campaigns

        return campaigns.status(directory, as_json=as_json)
    from sweeps.cli import status as statuses

    at_present = statuses.status(directory, again=call().program.line(f"resume {directory.name}", store))
    return say(statuses.as_json(at_present), statuses.text(at_present), as_json=as_json)


@click.command("tail", cls=Command, idle=TRAINS_NOTHING)
@SWEEP
@several(STORE, CACHE, JSON)
def tail(sweep: str | None, store: Path, as_json: bool) -> None:
    """Print the last lines of a sweep's record, and new ones as they come; with --json an object a line."""
    from sweeps.cli.tail import tail as follow

    with suppress(KeyboardInterrupt):
        for line in follow(locate.find(sweep, root=store)):
            say(line.as_json(), line.text(), as_json=as_json)


@click.command("stop", cls=Command, idle=TRAINS_NOTHING)
@SWEEP
@several(KIND, STORE, CACHE, JSON)
def stop(sweep: str | None, kind: Kind | None, store: Path, as_json: bool) -> None:
    """Ask a running sweep or campaign to end, as after one Ctrl-C."""
    from sweeps.store.driver import ask_to_stop

    directory, is_campaign = found(sweep, kind, store)
    if is_campaign:
        from sweeps.cli import campaigns

        return campaigns.stop(directory, as_json=as_json)
    driver = ask_to_stop(directory)
    again = call().program.line(f"resume {directory.name}", store)
    ends = "each run in training ends at its next report"
    text = f"Asked {driver} to end {directory.name}: {ends}. Go on with\n  {again}"
    return say({"sweep": directory.name, "asked": vars(driver)}, text, as_json=as_json)


@click.command("export", cls=Command, idle=TRAINS_NOTHING)
@SWEEP
@click.option("--out", type=FOLDER, metavar="DIR", help="Where to write; is made.")
@several(STORE, CACHE, JSON)
def export(sweep: str | None, out: Path | None, store: Path, as_json: bool) -> None:
    """Write the best arm of a sweep as files: its configuration, where it comes from, its trained encoders."""
    from sweeps.sessions.export import export as write

    if out is None:
        raise ValueError("an export writes files; name a folder for them with --out")
    done = write(locate.find(sweep, root=store), out)
    say(vars(done), done.text(), as_json=as_json)


@click.command("sql", cls=Command, idle=TRAINS_NOTHING)
@click.argument("query")
@several(STORE, CACHE, JSON)
def sql(query: str, store: Path, as_json: bool) -> None:
    """Answer a query over all sweeps of a store; read only. Its views: final, reports, runs, events."""
    from sweeps.store.sql import ask

    answer = ask(store, query)
    say(answer.as_json(), answer.text(), as_json=as_json)
