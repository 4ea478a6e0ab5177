"""What is printed of a plan before it runs, of the growth of a sweep, and at the end of a sitting."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.choices import say
from sweeps.planning import plan as plans
from sweeps.planning.estimate import CostEstimate, estimate_cost
from sweeps.planning.plan import Plan
from sweeps.sessions import describe
from sweeps.sessions.options import Options

if TYPE_CHECKING:
    from sweeps.sessions.session import Outcome


def show_outcome(outcome: "Outcome", *, as_json: bool) -> int:
    """Print what came of a sitting, for programs; people have read it. Returns the exit code."""
    if as_json and outcome.content is not None:
        click.echo(json.dumps(outcome.content))
    return outcome.code


def show_plan(plan: Plan, options: Options, *, as_json: bool) -> None:
    """Print what would be run and what it would take: epochs, and time as recorded or measured."""
    if not as_json:
        click.echo("\n".join(_planned(plan)))  # before some seconds of measuring
    cost = estimate_cost(plan, options.store, options.cache)
    content = {"plan": plans.to_dict(plan), "rungs": plans.ladder(plan), **_costs(cost)}
    say(content, describe.time(cost), as_json=as_json)


def show_growth(directory: Path, before: Plan, plan: Plan, options: Options, *, as_json: bool) -> None:
    """Print what a sweep would become, and what that takes beside what it has."""
    from analysis.load import load

    trained = sum(run.epochs for run in load(directory).runs)
    cost = estimate_cost(plan, options.store, options.cache)
    full, expected = max(0, cost.epochs_full - trained), max(0, cost.epochs_expected - trained)
    left = replace(cost, epochs_full=full, epochs_expected=expected)
    plans_of = {"plan": plans.to_dict(plan), "plan_before": plans.to_dict(before)}
    grows = "as it was planned" if plan == before else f"from {_size(before)} to {_size(plan)}"
    lines = [
        f"{directory.name}: {grows}",
        *_planned(plan),
        f"{trained} epochs have been trained; at most {full} more, about {expected} with the stopper",
        describe.time(left),
    ]
    say({**plans_of, "epochs_trained": trained, **_costs(left)}, "\n".join(lines), as_json=as_json)


def _planned(plan: Plan) -> list[str]:
    question = f"{plan.space.name}: {plan.space.question}"
    return [question, *describe.varies(plan.space), *describe.runs_text(plan)]


def _size(plan: Plan) -> str:
    return f"{plan.arms} arms on {len(plan.seeds)} seeds, {plan.runs + plan.confirm_runs} runs"


def _costs(cost: CostEstimate) -> dict[str, Any]:
    return {
        "epochs_full": cost.epochs_full,
        "epochs_expected": cost.epochs_expected,
        "parallel": cost.parallel,
        "seconds_per_epoch": cost.pace.seconds,
        "seconds_per_epoch_from": cost.pace.source,
        "seconds_full": cost.seconds_full,
        "seconds_expected": cost.seconds_expected,
    }
