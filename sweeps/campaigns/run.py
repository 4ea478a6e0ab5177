"""A campaign carried out: its sweeps side by side under one arbiter, then the comparisons that were planned."""

import argparse
import json
import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console

from analysis import campaign as analysis
from analysis import figures
from search_spaces.campaign import Campaign
from search_spaces.campaigns import CAMPAIGNS
from sweeps import store
from sweeps.campaigns.manifest import Begun, begin, by_flags, comparisons, plan_of, reopen
from sweeps.cli import arguments, flags
from sweeps.engine import history as histories
from sweeps.engine.arbiter import INTERRUPTED, Arbiter
from sweeps.engine.closing import Closing
from sweeps.engine.engine import Engine
from sweeps.engine.ledger import Watcher
from sweeps.engine.runs import IssuedRun
from sweeps.engine.sweep_manifest import origin as origin_of
from sweeps.planning import plan as plans
from sweeps.planning import reserve
from sweeps.planning.plan import Plan
from sweeps.sessions import session
from sweeps.store import driver
from sweeps.store.driver import ask_to_stop, program
from sweeps.store.folding import folding


def dispatch(given: argparse.Namespace) -> int:
    """Does what the flags say.

    Raises:
        ValueError: a name, a sweep or a flag that cannot be meant.
    """
    _check(given)
    if given.list:
        return _print(given, CAMPAIGNS, [f"{name:<18} {c.question}" for name, c in CAMPAIGNS.items()])
    if given.status:
        return _status(store.find(given.status, root=given.store, kind="campaign"), given)
    if given.stop:
        return _stop(store.find(given.stop, root=given.store, kind="campaign"), given)
    if given.resume:
        begun = reopen(store.find(given.resume, root=given.store, kind="campaign"), given)
        plan = next(iter(begun.sweeps.values())).plan
        return session.with_cluster(plan, given, lambda cluster: _carry_out(begun, given, cluster))
    campaign = by_flags(given)
    planned = {name: plan_of(campaign, entry) for name, entry in campaign.entries.items()}
    tested = comparisons(campaign, planned)
    if campaign.budget:
        reserve.check_budget(arguments.parse_budget(campaign.budget), list(planned.values()), together=True)
    if given.dry_run:
        return _show(campaign, planned, tested, given)

    def work(cluster: session.Session) -> int:
        return _carry_out(begin(campaign, planned, tested, given), given, cluster)

    return session.with_cluster(next(iter(planned.values())), given, work)


def _check(given: argparse.Namespace) -> None:
    """Refuses flags that do not belong together."""
    said = [name for name in ("campaign", "list", "status", "resume", "stop") if getattr(given, name)]
    if len(said) != 1:
        raise ValueError(
            f"name one campaign, or give one of --list, --status, --resume, --stop; got {said or 'none'}"
        )
    only = {"data": "campaign", "dry_run": "campaign", "retry_failed": "resume"}
    for name, beside in only.items():
        if getattr(given, name) and said != [beside]:
            raise ValueError(f"{flags.named([name])} only goes with {beside}")
    if given.budget:
        arguments.parse_budget(given.budget)


class Lines(Watcher):
    """A line for each run that starts or ends, with the name of its sweep."""

    def __init__(self, name: str, console: Console):
        self.name, self.console = name, console

    def state(self, run: IssuedRun, state: str, reason: str, epochs: int) -> None:
        """A run has started or ended."""
        why = f" ({histories.last_line(reason)})" if reason else ""
        line = f"{self.name}  run {run.number}  seed {run.seed}: {state}{why}"
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)


def _carry_out(begun: Begun, given: argparse.Namespace, cluster: session.Session) -> int:
    console = Console(stderr=given.json)
    console.print(f"{begun.directory.name}: {begun.campaign.question}", highlight=False, soft_wrap=True)
    closing: Closing | None = INTERRUPTED
    try:
        with _engines(begun, given, console) as (engines, hours):
            arbiter = _arbiter(begun, engines, hours)
            closing = session.train(
                arbiter, given.cache, cluster, lambda line: console.print(line, markup=False)
            )
    except KeyboardInterrupt:
        pass
    if closing:
        again = f"{program(given.store)} --resume {begun.directory.name}{flags.places(given)}"
        console.print(f"\nEnded early: {closing.reason}. Go on with\n  {again}", markup=False, soft_wrap=True)
    if closing == INTERRUPTED:
        return session.STOPPED
    for one in begun.sweeps.values():
        store.compact(one.directory, ended=True)
        session.write_summary(one)
        session.write_report(one, Console(stderr=given.json))
    _print_results(begun.directory, given)
    return session.FAILED if closing and closing.kind == "failing" else 0


@contextmanager
def _engines(
    begun: Begun, given: argparse.Namespace, console: Console
) -> Generator[tuple[list[Engine], float]]:
    with ExitStack() as stack:
        engines: list[Engine] = []
        sittings: list[tuple[float, float]] = []
        share = argparse.Namespace(**vars(given))
        share.disk = given.disk and given.disk / len(begun.sweeps)
        for name, one in begun.sweeps.items():
            stack.enter_context(driver.alone(one.directory))
            origin = origin_of(one, campaign=begun.directory.name)
            writer = stack.enter_context(store.Writer(one.directory, f"driver-{os.getpid()}", origin=origin))
            stack.enter_context(folding(one.directory))
            history = histories.read_history(one.directory)
            sittings += history.sittings
            engines.append(session.open_engine(one, share, writer, history, Lines(name, console)))
            if said := session.passed_over(engines[-1]):
                console.print(f"{name}  {said}", highlight=False, markup=False, soft_wrap=True)
        yield engines, histories.hours(sittings)


def _arbiter(begun: Begun, engines: list[Engine], hours: float) -> Arbiter:
    campaign = begun.campaign
    return Arbiter(
        engines,
        weights=[entry.weight for entry in campaign.entries.values()],
        order=campaign.order,
        budget=arguments.parse_budget(campaign.budget) if campaign.budget else None,
        hours=hours,
        asked_to_stop=lambda: any(driver.asked_to_stop(one.directory) for one in begun.sweeps.values()),
    )


def _show(
    campaign: Campaign, planned: dict[str, Plan], tested: list[dict[str, str]], given: argparse.Namespace
) -> int:
    costs = {name: plans.expected_epochs_of(plan) for name, plan in planned.items()}
    lines = [f"{campaign.name}: {campaign.question}", ""]
    for name, plan in planned.items():
        full, expected = costs[name]
        shape = f"{plan.arms} arms ({plan.design}) x {len(plan.seeds)} seeds x {plan.epochs} epochs"
        lines.append(f"  {name:<16} {plan.space.name}: {shape}; {expected} of {full} epochs expected")
    total = sum(expected for _, expected in costs.values())
    budget = campaign.budget or "none"
    lines += ["", f"{total} epochs expected in all; budget: {budget}; order: {campaign.order}"]
    if campaign.budget:
        lines += reserve.budget_lines(arguments.parse_budget(campaign.budget), list(planned.values()))
    lines += [
        "",
        "To be tested, paired by seed:",
        *(f"  {c['sweep']}: {analysis.arm_words(c['arm'])} against {c['against']}" for c in tested),
    ]
    content = {"plans": {n: plans.to_dict(p) for n, p in planned.items()}, "comparisons": tested}
    return _print(given, content, lines)


def _status(directory: Path, given: argparse.Namespace) -> int:
    found = analysis.standings(directory)
    question = analysis.read_campaign(directory)["campaign"]["question"]
    lines = [f"{directory.name}: {question}", *analysis.standing_lines(found)]
    return _print(given, [vars(one) for one in found], lines)


def _stop(directory: Path, given: argparse.Namespace) -> int:
    for folder in analysis.campaign_sweeps(directory).values():
        ask_to_stop(folder)
    asked = f"Asked {directory.name} to end: each run in training ends at its next report."
    return _print(given, {"campaign": directory.name}, [asked])


def _print_results(directory: Path, given: argparse.Namespace) -> None:
    found = analysis.results(directory)
    text = analysis.mixed_codes(directory) + analysis.results_markdown(found)
    store.write_whole(directory / "results.md", lambda file: file.write(text.encode()))
    rows = [vars(one) for one in found]
    store.write_json(directory / "results.json", rows)
    lines = ["", text, f"results {directory / 'results.md'}"]
    if figure := figures.factors(found):
        lines.append(f"figure  {figures.save(figure, directory / 'factors')[-1]}")
    _print(given, rows, lines)


def _print(given: argparse.Namespace, content: Any, lines: list[str]) -> int:
    plain = TypeAdapter(Any).dump_python(content, mode="json")
    print(json.dumps(plain) if given.json else "\n".join(lines))
    return 0
