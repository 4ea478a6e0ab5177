"""Results of a recorded campaign."""

from dataclasses import fields
from functools import cached_property
from pathlib import Path

from analysis import campaign
from analysis.rows import Rows
from sweeps.sessions.results import Sweep


class CampaignResults:
    """A campaign: its sweeps by name, and the differences that were planned before its first run."""

    def __init__(self, directory: str | Path):
        self.directory = Path(directory).expanduser()
        campaign.read_campaign(self.directory)  # refuses a folder without one

    @cached_property
    def sweeps(self) -> dict[str, Sweep]:
        """Its sweeps, as far as they have been recorded."""
        return {name: Sweep(folder) for name, folder in campaign.campaign_sweeps(self.directory).items()}

    @cached_property
    def comparisons(self) -> Rows:
        """A row for each planned difference: interval, p corrected for all of them, verdict."""
        found, names = campaign.results(self.directory), [f.name for f in fields(campaign.Result)]
        return Rows("comparisons", {name: [getattr(one, name) for one in found] for name in names})

    def __repr__(self) -> str:
        return f"<Campaign {self.directory.name}: {', '.join(self.sweeps)}>"
