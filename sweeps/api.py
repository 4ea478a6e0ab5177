"""Sweeps from Python: run one and have its results, open one that was recorded, ask a store."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from sweeps import store as stores
from sweeps.campaigns.results import CampaignResults
from sweeps.sessions.arguments import spelled_out
from sweeps.sessions.results import Sweep
from sweeps.store.driver import DEFAULT_STORE
from sweeps.store.sql import Answer, ask

if TYPE_CHECKING:
    from search_spaces.campaign import Campaign
    from search_spaces.space import Space
    from sweeps.sessions.arguments import Arguments, Request
    from sweeps.sessions.options import Options
    from sweeps.sessions.session import Outcome


@spelled_out
def start(
    space: "str | Space | None" = None,
    *,
    store: str | Path = DEFAULT_STORE,
    progress: bool = True,
    **arguments: "Unpack[Arguments]",
) -> Sweep:
    """Run a sweep to its end, and open it. Blocks; in another thread it can be watched with `sweeps.open`.

    Args:
        space: a `Space`, the name of one, or FILE.py:VARIABLE.
        store: the result store.
        progress: whether to print what happens.
        arguments: `sweeps.Arguments`: what the command line has as flags, such as arms, seeds, stopper, design, data,
            set, epochs, smoke, confirm and budget, and other fields of `sweeps.Options`.

    Raises:
        ValueError: something that cannot be meant, or that this machine cannot run; nothing has been written.
        KeyboardInterrupt: it was interrupted; `sweeps.resume` goes on with it.
    """
    from sweeps.sessions import request, session

    asked, options = _divided(store, progress, {**arguments, "space": space})
    plan = request.plan_of(asked, store=options.store)
    return _opened(session.start(plan, options, f"sweeps.start({plan.space.name!r})"))


@spelled_out
def resume(
    store: str | Path = DEFAULT_STORE,
    sweep: str | None = None,
    *,
    space: "str | Space | None" = None,
    progress: bool = True,
    **arguments: "Unpack[Arguments]",
) -> Sweep:
    """Go on with a sweep, the last one of the store by default, or let it grow; then open it.

    Args:
        store: the result store.
        sweep: its id or folder.
        space: the same space with wider ranges.
        progress: whether to print what happens.
        arguments: `sweeps.Arguments`: how many arms there shall be then, more seeds, confirm and confirm_seeds, a
            larger budget, another stopper for what is still to be run, and other fields of `sweeps.Options`.

    Raises:
        ValueError: there is no such sweep, or it cannot go on so; says why.
        KeyboardInterrupt: it was interrupted.
    """
    from sweeps.sessions import session

    asked, options = _divided(store, progress, {**arguments, "space": space})
    return _opened(session.resume(stores.find(sweep, root=options.store), options, asked))


def open(store: str | Path = DEFAULT_STORE, sweep: str | None = None) -> Sweep:  # noqa: A001
    """Open a sweep that was recorded, or that runs: the one of that id, else the last one of the store.

    Raises:
        ValueError: there is none; names those that there are.
    """
    return Sweep(stores.find(sweep, root=Path(store)))


def start_campaign(
    campaign: "str | Campaign",
    *,
    data: str | Path | None = None,
    budget: str | None = None,
    store: str | Path = DEFAULT_STORE,
    progress: bool = True,
    **options: Any,
) -> CampaignResults:
    """Run many sweeps under one budget, and open what came of it.

    Args:
        campaign: a `Campaign`, the name of one, or FILE.py:VARIABLE.
        data: images of the sweeps that name none.
        budget: of all together, such as "hours=8".
        store: the result store.
        progress: whether to print what happens.
        options: other fields of `sweeps.Options`.

    Raises:
        ValueError: something that cannot be meant; nothing has been written.
        KeyboardInterrupt: it was interrupted; `sweeps.resume_campaign` goes on with it.
    """
    from sweeps.campaigns import planned, run

    chosen = _options(store, progress, options)
    found = planned.campaign_of(campaign, None if data is None else str(data), budget)
    outcome = run.start(found, planned.planned(found, chosen.store), chosen)
    return CampaignResults(_ended(outcome))


def resume_campaign(
    store: str | Path = DEFAULT_STORE,
    campaign: str | None = None,
    *,
    budget: str | None = None,
    progress: bool = True,
    **options: Any,
) -> CampaignResults:
    """Go on with a campaign, the last one of the store by default; its budget may be raised.

    Raises:
        ValueError: there is no such campaign.
        KeyboardInterrupt: it was interrupted.
    """
    from sweeps.campaigns import run

    chosen = _options(store, progress, options)
    folder = stores.find(campaign, root=chosen.store, kinds=("campaign",))
    return CampaignResults(_ended(run.resume(folder, budget, chosen)))


def open_campaign(store: str | Path = DEFAULT_STORE, campaign: str | None = None) -> CampaignResults:
    """Open a campaign that was recorded, or that runs: the one of that id, else the last one of the store.

    Raises:
        ValueError: there is none; names those that there are.
    """
    return CampaignResults(stores.find(campaign, root=Path(store), kinds=("campaign",)))


def sql(store: str | Path, query: str) -> Answer:
    """Answer a query over all sweeps of a store, read only; `.df()` and `.arrow()` give it as a table.

    Raises:
        ValueError: there is no store, or the query cannot be answered; names the columns that there are.
    """
    return ask(Path(store), query)


def export(
    store: str | Path = DEFAULT_STORE, sweep: str | None = None, *, out: str | Path
) -> tuple[Path, ...]:
    """Write the best arm of a sweep and its trained encoders into the folder `out`; returns the files.

    Raises:
        ValueError: there is no such sweep, or no arm of it is complete.
    """
    from sweeps.sessions.export import export as write

    done = write(stores.find(sweep, root=Path(store)), Path(out).expanduser())
    return (Path(done.best), *map(Path, done.encoders))


def report(
    store: str | Path = DEFAULT_STORE,
    sweep: str | None = None,
    *,
    out: str | Path | None = None,
    margin: float | None = None,
) -> Path:
    """Write one page about a sweep that opens from disk; returns its path.

    Args:
        store: the result store.
        sweep: the sweep's id or folder; the last one by default.
        out: where to; report.html in the sweep's folder by default.
        margin: differences up to so many points would not matter.

    Raises:
        ValueError: there is no such sweep.
    """
    return open(store, sweep).report(out, margin=margin)


def _divided(store: str | Path, progress: bool, arguments: Mapping[str, Any]) -> "tuple[Request, Options]":
    from sweeps.sessions.arguments import Request, divided

    asked, others = divided(arguments)
    return asked, _options(store, progress, others, *Request.__annotations__)


def _options(store: str | Path, progress: bool, more: Mapping[str, Any], *others: str) -> "Options":
    """Return the options of a session; `others` are names that might have been meant, too."""
    from contrastive.words import closest
    from sweeps.sessions.options import Options
    from sweeps.store.driver import Program

    known = [f.name for f in fields(Options) if f.name not in ("store", "progress", "program")]
    if unknown := [name for name in more if name not in known]:
        raise ValueError(f"{unknown[0]} is no option of a sweep. {closest(unknown[0], [*known, *others])}")
    shown = "stdout" if progress else "none"
    return Options(store=Path(store), progress=shown, program=Program("python -m sweeps"), **more)


def _opened(outcome: "Outcome") -> Sweep:
    return Sweep(_ended(outcome))


def _ended(outcome: "Outcome") -> Path:
    if outcome.interrupted:
        raise KeyboardInterrupt
    return outcome.directory
