"""What the commands do with a campaign: plan, run, resume, stop it, and say where it stands."""

from collections.abc import Mapping
from pathlib import Path

from analysis import campaign as analysis
from search_spaces.campaign import Campaign
from sweeps.campaigns import planned as planning
from sweeps.cli.choices import say
from sweeps.cli.show import show_outcome
from sweeps.planning import plan as plans
from sweeps.planning import reserve
from sweeps.planning.plan import Plan
from sweeps.planning.texts import parse_budget
from sweeps.sessions.arguments import Request
from sweeps.sessions.options import Options
from sweeps.store.driver import ask_to_stop


def run(
    name: str, data: str | None, budget: str | None, options: Options, *, dry_run: bool, as_json: bool
) -> int | None:
    """Begin a campaign, or show what it would do."""
    campaign = planning.campaign_of(name, data, budget)
    planned = planning.planned(campaign, options.store)
    if dry_run:
        return show(campaign, planned, as_json=as_json)
    planning.comparisons(campaign, planned)  # refused here, before a cluster is joined
    from sweeps.campaigns import run as campaigns

    return show_outcome(campaigns.start(campaign, planned, options), as_json=as_json)


def resume(directory: Path, asked: Request, options: Options, *, dry_run: bool, as_json: bool) -> int | None:
    """Go on with a campaign, or show what it was planned to do."""
    if idle := sorted(asked.keys() - {"budget"}):
        raise ValueError(
            f"{directory.name} is a campaign, of which only --budget may change; leave out {idle}"
        )
    budget = asked.get("budget")
    budget = budget if isinstance(budget, str) else None
    if dry_run:
        content = analysis.read_campaign(directory)
        campaign = planning.campaign_of(planning.recorded(content), None, budget)
        return show(campaign, planning.planned(campaign, options.store), as_json=as_json)
    from sweeps.campaigns import run as campaigns

    return show_outcome(campaigns.resume(directory, budget, options), as_json=as_json)


def show(campaign: Campaign, planned: Mapping[str, Plan], *, as_json: bool) -> None:
    """Print the sweeps of a campaign, what will be tested, and what it takes."""
    tested, total = planning.comparisons(campaign, planned), 0
    lines = [f"{campaign.name}: {campaign.question}", ""]
    for name, plan in planned.items():
        full, expected = plans.expected_epochs_of(plan)
        total += expected
        shape = f"{plan.arms} arms ({plan.design}) x {len(plan.seeds)} seeds x {plan.epochs} epochs"
        lines.append(f"  {name:<16} {plan.space.name}: {shape}; {expected} of {full} epochs expected")
    budget = campaign.budget or "none"
    lines += ["", f"{total} epochs expected in all; budget: {budget}; order: {campaign.order}"]
    if campaign.budget:
        lines += reserve.budget_lines(parse_budget(campaign.budget), list(planned.values()))
    lines += ["", "To be tested, paired by seed:"]
    lines += [f"  {c['sweep']}: {analysis.arm_words(c['arm'])} against {c['against']}" for c in tested]
    content = {"plans": {n: plans.to_dict(p) for n, p in planned.items()}, "comparisons": tested}
    say(content, "\n".join(lines), as_json=as_json)


def status(directory: Path, *, as_json: bool) -> None:
    """Print where a campaign stands."""
    found = analysis.standings(directory)
    question = analysis.read_campaign(directory)["campaign"]["question"]
    lines = [f"{directory.name}: {question}", *analysis.standing_lines(found)]
    say([vars(one) for one in found], "\n".join(lines), as_json=as_json)


def stop(directory: Path, *, as_json: bool) -> None:
    """Ask the driver of a campaign to end."""
    for folder in analysis.campaign_sweeps(directory).values():
        ask_to_stop(folder)
    text = f"Asked {directory.name} to end: each run in training ends at its next report."
    say({"campaign": directory.name}, text, as_json=as_json)
