"""A campaign carried out: its sweeps side by side under one arbiter, then the comparisons that were planned."""

import os
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from analysis import campaign as analysis
from analysis import figures
from search_spaces.campaign import Campaign
from sweeps import store
from sweeps.campaigns.manifest import Begun, begin, reopen
from sweeps.engine import history as histories
from sweeps.engine.arbiter import INTERRUPTED, Arbiter
from sweeps.engine.closing import Closing
from sweeps.engine.engine import Engine
from sweeps.engine.ledger import Watcher
from sweeps.engine.runs import IssuedRun
from sweeps.engine.sweep_manifest import origin as origin_of
from sweeps.planning.plan import Plan
from sweeps.planning.texts import parse_budget
from sweeps.sessions import conclusion, session
from sweeps.sessions.options import Options
from sweeps.sessions.session import Outcome
from sweeps.store import driver
from sweeps.store.folding import folding


def start(campaign: Campaign, planned: Mapping[str, Plan], options: Options) -> Outcome:
    """Begin a campaign and carry it out.

    Raises:
        ValueError: it cannot be begun; says why, and nothing has been written.
    """

    def work(cluster: session.Session) -> Outcome:
        return _carry_out(begin(campaign, planned, options), options, cluster)

    return session.with_cluster(next(iter(planned.values())), options, work)


def resume(directory: Path, budget: str | None, options: Options) -> Outcome:
    """Go on with a campaign, whose budget may be raised.

    Raises:
        ValueError: it cannot go on; says why.
    """
    begun = reopen(directory, budget, options)
    plan = next(iter(begun.sweeps.values())).plan
    return session.with_cluster(plan, options, lambda cluster: _carry_out(begun, options, cluster))


class Lines(Watcher):
    """A line for each run that starts or ends, with the name of its sweep."""

    def __init__(self, name: str, console: Console):
        self.name, self.console = name, console

    def state(self, run: IssuedRun, state: str, reason: str, epochs: int) -> None:
        """A run has started or ended."""
        why = f" ({histories.last_line(reason)})" if reason else ""
        line = f"{self.name}  run {run.number}  seed {run.seed}: {state}{why}"
        self.console.out(line)


def _carry_out(begun: Begun, options: Options, cluster: session.Session) -> Outcome:
    console = options.console()
    console.out(f"{begun.directory.name}: {begun.campaign.question}")
    closing: Closing | None = INTERRUPTED
    try:
        with _engines(begun, options, console) as (engines, hours):
            arbiter = _arbiter(begun, engines, hours)
            closing = session.train(arbiter, options.cache, cluster, console.out)
    except KeyboardInterrupt:
        pass
    if closing:
        console.out(f"\nEnded early: {closing.reason}. {options.again(begun.directory.name)}")
    if closing == INTERRUPTED:
        return Outcome(begun.directory, session.STOPPED)
    for one in begun.sweeps.values():
        store.compact(one.directory, ended=True)
        conclusion.write_summary(one)
        conclusion.write_report(one, options)
    failing = closing is not None and closing.kind == "failing"
    rows = _write_results(begun.directory, options)
    return Outcome(begun.directory, session.FAILED if failing else 0, rows)


@contextmanager
def _engines(begun: Begun, options: Options, console: Console) -> Generator[tuple[list[Engine], float]]:
    with ExitStack() as stack:
        engines: list[Engine] = []
        sittings: list[tuple[float, float]] = []
        share = replace(options, disk=options.disk and options.disk / len(begun.sweeps))
        for name, one in begun.sweeps.items():
            stack.enter_context(driver.alone(one.directory))
            origin = origin_of(one, campaign=begun.directory.name)
            writer = stack.enter_context(store.Writer(one.directory, f"driver-{os.getpid()}", origin=origin))
            stack.enter_context(folding(one.directory))
            history = histories.read_history(one.directory)
            sittings += history.sittings
            engines.append(session.open_engine(one, share, writer, history, Lines(name, console)))
            if said := session.passed_over(engines[-1]):
                console.out(f"{name}  {said}")
        yield engines, histories.hours(sittings)


def _arbiter(begun: Begun, engines: list[Engine], hours: float) -> Arbiter:
    campaign = begun.campaign
    return Arbiter(
        engines,
        weights=[entry.weight for entry in campaign.entries.values()],
        order=campaign.order,
        budget=parse_budget(campaign.budget) if campaign.budget else None,
        hours=hours,
        asked_to_stop=lambda: any(driver.asked_to_stop(one.directory) for one in begun.sweeps.values()),
    )


def _write_results(directory: Path, options: Options) -> list[dict[str, Any]]:
    """Writes the planned comparisons and their figure, and shows them."""
    found = analysis.results(directory)
    text = analysis.mixed_codes(directory) + analysis.results_markdown(found)
    store.write_whole(directory / "results.md", lambda file: file.write(text.encode()))
    rows = [vars(one) for one in found]
    store.write_json(directory / "results.json", rows)
    lines = ["", text, f"results {directory / 'results.md'}"]
    if figure := figures.factors(found):
        lines.append(f"figure  {figures.save(figure, directory / 'factors')[-1]}")
    if options.progress != "stderr":  # whose reader has them from standard output
        options.console().out("\n".join(lines))
    return rows
