"""A campaign on disk: the plan of each of its sweeps and what will be tested, written before the first run."""

import argparse
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from analysis import campaign as analysis
from contrastive import config as configs
from search_spaces.campaign import Campaign, Entry
from search_spaces.campaigns import CAMPAIGNS
from sweeps import store
from sweeps.cli import arguments, flags
from sweeps.engine import lifecycle
from sweeps.engine.provenance import provenance
from sweeps.engine.sweep import Sweep
from sweeps.planning import plan as plans
from sweeps.planning.plan import ADAPTIVE, Plan
from sweeps.store import former
from sweeps.store.driver import program

_CAMPAIGN = TypeAdapter(Campaign)


@dataclass(frozen=True)
class Begun:
    """A campaign's folder, what it is, and its sweeps by name."""

    directory: Path
    campaign: Campaign
    sweeps: dict[str, Sweep]


def by_flags(given: argparse.Namespace) -> Campaign:
    """The campaign that the flags name, with their data and budget.

    Raises:
        ValueError: there is none.
    """
    name = given.campaign
    if ":" in name or name.endswith(".py"):
        found = arguments.from_file("campaign", name, Campaign)
    elif name in CAMPAIGNS:
        found = CAMPAIGNS[name]
    else:
        raise ValueError(f"there is no campaign '{name}'. {configs.closest(name, list(CAMPAIGNS))}")
    changes = {"data": given.data, "budget": given.budget}
    return replace(found, **{field: value for field, value in changes.items() if value})


def plan_of(campaign: Campaign, entry: Entry) -> Plan:
    """The plan of one sweep, as its words on the command line would give it.

    Raises:
        ValueError: they are refused; says why, and of which sweep.
    """
    words = {
        "--space": entry.space,
        "--data": entry.data or campaign.data,
        "--method-preset": entry.method_preset,
        "--epochs": entry.epochs,
        "--design": entry.design,
        "--arms": entry.arms,
        "--seeds": entry.seeds,
        "--stopper": entry.stopper,
        "--objectives": entry.objectives,
        "--confirm": entry.confirm,
        "--confirm-seeds": entry.confirm_seeds,
        "--workers-per-run": campaign.workers_per_run,
        "--gpus-per-worker": campaign.gpus_per_worker or None,
    }
    typed = [part for flag, value in words.items() if value is not None for part in (flag, str(value))]
    typed += [part for assignment in entry.set for part in ("--set", assignment)]
    try:
        return arguments.plan_of(flags.parser().parse_args(typed))
    except ValueError as error:
        raise ValueError(f"{campaign.name}, sweep {' '.join(typed)}: {error}") from None


def comparisons(campaign: Campaign, planned: dict[str, Plan]) -> list[dict[str, str]]:
    """Each difference that will be tested: the sweep, the arm, and against which; said before anything is run."""
    found: list[dict[str, str]] = []
    for name, entry in campaign.entries.items():
        space = planned[name].space
        if entry.compare == "best" and not planned[name].confirm:
            raise ValueError(
                f"{campaign.name}, sweep {name}: the best is chosen on the seeds of the search, so it can only be "
                "tested on fresh ones; give confirm and confirm_seeds, or say compare='none'"
            )
        if entry.compare == "best":
            found.append({"sweep": name, "arm": "best", "against": "default"})
        elif entry.compare == "all" and planned[name].design in ADAPTIVE:
            raise ValueError(
                f"{campaign.name}, sweep {name}: the arms of {planned[name].design} are not known beforehand, so "
                "they cannot all be tested; say compare='best' (with confirm and confirm_seeds) or compare='none'"
            )
        elif entry.compare == "all":
            arms = [
                space.setting(space.config(arm))
                for arm in plans.fixed_arms(planned[name])
                if arm != space.default()
            ]
            found += [
                {"sweep": name, "arm": json.dumps(arm, sort_keys=True), "against": "default"} for arm in arms
            ]
    return found


def begin(
    campaign: Campaign, planned: dict[str, Plan], tested: list[dict[str, str]], given: argparse.Namespace
) -> Begun:
    """Makes the folders of a campaign and of its sweeps, and writes down what will be tested.

    Raises:
        ValueError: a sweep cannot be carried out; says why. Nothing is trained before all can.
    """
    images = {name: lifecycle.check_images(plan, cache=given.cache) for name, plan in planned.items()}
    other = program(given.store).replace("campaign.py", "run.py")
    root, now = store.open_store(given.store), datetime.now(UTC)
    sweeps: dict[str, Sweep] = {}
    for name, plan in planned.items():
        command = f"campaign {campaign.name}: {name}"
        sweeps[name] = lifecycle.begin(
            plan, images[name], root=root, cache=given.cache, command=command, program=other
        )
    directory = root / "campaigns" / f"{campaign.name}-{now:%Y%m%d-%H%M%S}"
    directory.mkdir(parents=True)
    content = {
        "id": directory.name,
        "created": now.isoformat(),
        "campaign": _CAMPAIGN.dump_python(campaign, mode="json"),
        "sweeps": {name: one.directory.name for name, one in sweeps.items()},
        "comparisons": tested,
        "provenance": provenance(),
    }
    store.write_json(directory / analysis.CAMPAIGN_FILE, content)
    return Begun(directory, campaign, sweeps)


def reopen(directory: Path, given: argparse.Namespace) -> Begun:
    """A campaign that was begun before; its budget may be raised, nothing else changes.

    Raises:
        ValueError: another version of the program, or other images.
    """
    content = analysis.read_campaign(directory)
    campaign = configs.in_words(
        lambda: _CAMPAIGN.validate_python(former.campaign(content["campaign"])), Campaign
    )
    if given.budget:
        campaign = replace(campaign, budget=given.budget)
        content["campaign"] = _CAMPAIGN.dump_python(campaign, mode="json")
        store.write_json(directory / analysis.CAMPAIGN_FILE, content)
    folders = analysis.campaign_sweeps(directory)
    sweeps = {
        name: lifecycle.reopen(folder, cache=given.cache, other_code=given.reuse_other_code)
        for name, folder in folders.items()
    }
    return Begun(directory, campaign, sweeps)
