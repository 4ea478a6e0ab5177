"""The commands that train: run, resume, campaign. Each imports what it needs when it is called."""

from typing import Any

import click

from sweeps.cli import choices
from sweeps.cli.choices import call, several, split
from sweeps.cli.command import Command
from sweeps.cli.manual import CODES, OF_RUN
from sweeps.store.locate import Kind

OF_SMOKE = ("data", "epochs", "design", "arms", "seeds", "confirm", "confirm_seeds", "budget")
"""What a smoke test chooses for itself."""


@click.command("run", cls=Command, epilog=f"{OF_RUN}\n{CODES}")
@click.argument("name", metavar="SPACE", required=False)
@several(
    choices.what("--space", metavar="NAME", help="The same as SPACE: a named space, or FILE.py:VARIABLE."),
    *choices.WHAT,
    choices.what(
        "--smoke",
        is_flag=True,
        help="Only see that it runs, in half a minute: a few images, epochs and arms, one seed.",
    ),
    *choices.HOW,
    *choices.HOW_MUCH,
    *choices.CARRIED_OUT,
    choices.WEBHOOK,
    choices.DRY_RUN,
)
def run(name: str | None, dry_run: bool, **typed: Any) -> int | None:
    """Train the arms of a space, stop the hopeless early, record everything, say what came of it.

    SPACE is a named space, or FILE.py:VARIABLE. An arm is a configuration, a run is an arm on one seed. The result is
    a table of the arms, the verdict on the best one, and a folder STORE/sweeps/ID with the plan, every epoch of every
    run, figures, a report, and checkpoints.
    """
    if name and typed["space"]:
        raise ValueError(f"SPACE {name} and --space {typed['space']}: give one of them")
    typed["space"] = name or typed["space"]
    if typed["confirm_seeds"] and not typed["confirm"]:
        growing = "--resume" if call().program.flags else "`sweeps resume`"
        raise ValueError(f"--confirm-seeds means nothing without --confirm or {growing}")
    if typed["smoke"] and (idle := [name for name in sorted(OF_SMOKE) if typed[name] is not None]):
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in idle)
        raise ValueError(f"--smoke has images, epochs, arms and seed of its own; leave out {flags}")
    asked, options = split(typed)
    from sweeps.sessions import request

    plan = request.plan_of(asked, store=options.store)
    from sweeps.cli import show

    if dry_run:
        return show.show_plan(plan, options, as_json=typed["as_json"])
    from sweeps.sessions import session

    outcome = session.start(plan, options, choices.as_typed(options.webhook))
    return show.show_outcome(outcome, as_json=typed["as_json"])


@click.command(
    "resume",
    cls=Command,
    idle="goes on with the sweep as it was planned, or larger (--arms, --seeds, --space, --confirm, --budget)",
)
@choices.SWEEP
@several(
    choices.KIND,
    *choices.HOW_MUCH,
    choices.how("--space", metavar="NAME", help="The same space with wider ranges."),
    *choices.WHAT,
    choices.RETRY,
    *choices.CARRIED_OUT,
    choices.WEBHOOK,
    choices.DRY_RUN,
)
def resume(sweep: str | None, kind: Kind | None, dry_run: bool, **typed: Any) -> int | None:
    """Go on with a sweep or a campaign after Ctrl-C, a crash or `stop`, or let it grow.

    SWEEP is its id or its folder; without it, the last one of the store. Every reported epoch is kept, whatever
    happens. With new --arms, --seeds, --space, --budget or --confirm the sweep grows.
    """
    asked, options = split(typed)
    directory, is_campaign = choices.found(sweep, kind, options.store)
    if is_campaign:
        from sweeps.cli import campaigns

        return campaigns.resume(directory, asked, options, dry_run=dry_run, as_json=typed["as_json"])
    from sweeps.cli import show
    from sweeps.sessions import session
    from sweeps.sessions.growth import growth

    if dry_run:
        before, plan = growth(directory, asked)
        return show.show_growth(directory, before, plan, options, as_json=typed["as_json"])
    return show.show_outcome(session.resume(directory, options, asked), as_json=typed["as_json"])


@click.command("campaign", cls=Command)
@click.argument("name", metavar="CAMPAIGN")
@several(
    choices.WHAT[0],
    click.option("--budget", metavar="LIMIT=N,...", help="Of all together: runs, epochs, hours, gpu_hours."),
    *choices.CARRIED_OUT,
    choices.DRY_RUN,
)
def campaign(name: str, dry_run: bool, data: str | None, budget: str | None, **typed: Any) -> int | None:
    """Run many sweeps under one budget, on one cluster, with what will be tested written down first.

    CAMPAIGN is a name that `sweeps list` has, or FILE.py:VARIABLE. Before its first run a campaign writes
    STORE/campaigns/ID/campaign.json: the plan of every sweep and each difference that will be tested. Each sweep has
    its own folder, as if it had been run by itself. `status`, `resume` and `stop` take a campaign's ID as a sweep's.
    """
    from sweeps.cli import campaigns

    _, options = split(typed)
    return campaigns.run(name, data, budget, options, dry_run=dry_run, as_json=typed["as_json"])
