"""What a campaign will do: the plan of each of its sweeps, and each difference that will be tested."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from contrastive import config as configs
from search_spaces.campaign import Campaign, Entry
from search_spaces.campaigns import CAMPAIGNS
from sweeps.planning import plan as plans
from sweeps.planning import reserve
from sweeps.planning.designs import ADAPTIVE
from sweeps.planning.plan import Plan
from sweeps.planning.texts import parse_budget
from sweeps.sessions import request as requests
from sweeps.sessions import spaces
from sweeps.sessions.arguments import divided
from sweeps.store import former

CAMPAIGN = TypeAdapter(Campaign)


def campaign_of(name: str | Campaign, data: str | None = None, budget: str | None = None) -> Campaign:
    """The campaign of that name, or that FILE.py:VARIABLE names, with these data and this budget where given.

    Raises:
        ValueError: there is none.
    """
    if isinstance(name, Campaign):
        found = name
    elif spaces.is_file(name):
        found = spaces.from_file("campaign", name, Campaign)
    elif name in CAMPAIGNS:
        found = CAMPAIGNS[name]
    else:
        raise ValueError(f"there is no campaign '{name}'. {configs.closest(name, list(CAMPAIGNS))}")
    changes = {"data": data, "budget": budget}
    return replace(found, **{field: value for field, value in changes.items() if value})


def planned(campaign: Campaign, store: Path) -> dict[str, Plan]:
    """The plan of each sweep of a campaign, by name, which are together within its budget.

    Raises:
        ValueError: a sweep is refused, or they are not.
    """
    found = {name: plan_of(campaign, entry, store) for name, entry in campaign.entries.items()}
    if campaign.budget:
        reserve.check_budget(parse_budget(campaign.budget), list(found.values()), together=True)
    return found


def plan_of(campaign: Campaign, entry: Entry, store: Path) -> Plan:
    """The plan of one sweep.

    Raises:
        ValueError: it is refused; says why, and of which sweep.
    """
    said = {"data": campaign.data} | {name: value for name, value in vars(entry).items() if value}
    said |= {name: getattr(campaign, name) for name in ("workers_per_run", "gpus_per_worker")}
    asked, _ = divided({name: value for name, value in said.items() if value})
    words = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in sorted(asked.items()))
    try:
        if entry.set:
            asked["set"] = dict(map(spaces.parse_assignment, entry.set))
        return requests.plan_of(asked, store=store)
    except ValueError as error:
        raise ValueError(f"{campaign.name}, sweep {words}: {error}") from None


def comparisons(campaign: Campaign, planned: Mapping[str, Plan]) -> list[dict[str, str]]:
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


def recorded(content: Mapping[str, Any]) -> Campaign:
    """The campaign that a manifest has.

    Raises:
        ValueError: it is none that this program knows.
    """
    values = former.campaign(content["campaign"])
    return configs.in_words(lambda: CAMPAIGN.validate_python(values), Campaign)
