"""A campaign on disk: the plan of each of its sweeps and what will be tested, written before the first run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from analysis import campaign as analysis
from search_spaces.campaign import Campaign
from sweeps import store
from sweeps.campaigns.planned import CAMPAIGN, comparisons, recorded
from sweeps.engine import lifecycle
from sweeps.engine.provenance import provenance
from sweeps.engine.sweep import Sweep
from sweeps.planning.plan import Plan
from sweeps.planning.texts import parse_budget
from sweeps.sessions.options import Options


@dataclass(frozen=True)
class Begun:
    """A campaign's folder, what it is, and its sweeps by name."""

    directory: Path
    campaign: Campaign
    sweeps: dict[str, Sweep]


def begin(campaign: Campaign, planned: Mapping[str, Plan], options: Options) -> Begun:
    """Make the folders of a campaign and of its sweeps, and write down what will be tested.

    Raises:
        ValueError: a sweep cannot be carried out; says why. Nothing is trained before all can.
    """
    tested = comparisons(campaign, planned)
    images = {name: lifecycle.check_images(plan, cache=options.cache) for name, plan in planned.items()}
    script = replace(options.program, name=options.program.name.replace("campaign.py", "run.py"))
    root, now = store.open_store(options.store), datetime.now(UTC)
    sweeps: dict[str, Sweep] = {}
    for name, plan in planned.items():
        sweeps[name] = lifecycle.begin(
            plan,
            images[name],
            root=root,
            cache=options.cache,
            command=f"campaign {campaign.name}: {name}",
            program=replace(options, program=script).line,
        )
    directory = root / "campaigns" / f"{campaign.name}-{now:%Y%m%d-%H%M%S}"
    directory.mkdir(parents=True)
    content = {
        "id": directory.name,
        "created": now.isoformat(),
        "campaign": CAMPAIGN.dump_python(campaign, mode="json"),
        "sweeps": {name: one.directory.name for name, one in sweeps.items()},
        "comparisons": tested,
        "provenance": provenance(),
    }
    store.write_json(directory / analysis.CAMPAIGN_FILE, content)
    return Begun(directory, campaign, sweeps)


def reopen(directory: Path, budget: str | None, options: Options) -> Begun:
    """A campaign that was begun before; its budget may be raised, nothing else changes.

    Raises:
        ValueError: another version of the program, or other images.
    """
    content = analysis.read_campaign(directory)
    campaign = recorded(content)
    if budget:
        parse_budget(budget)
        campaign = replace(campaign, budget=budget)
        content["campaign"] = CAMPAIGN.dump_python(campaign, mode="json")
        store.write_json(directory / analysis.CAMPAIGN_FILE, content)
    folders = analysis.campaign_sweeps(directory)
    sweeps = {
        name: lifecycle.reopen(folder, cache=options.cache, other_code=options.reuse_other_code)
        for name, folder in folders.items()
    }
    return Begun(directory, campaign, sweeps)
