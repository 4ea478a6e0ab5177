"""Sweeps of self-supervised contrastive pretraining: run them, watch them, have their results.

    import sweeps

    sweep = sweeps.start("sce_temperatures", arms=12, seeds=3, store="results")   # blocks
    sweep = sweeps.open("results")                                                # the last one, also while it runs
    sweep.arms.to_frame()
    encoder = sweep.best.encoder()
    sweeps.sql("results", "select * from final").df()

Names are imported when they are first used: `sweeps.store` is read where neither torch nor Ray is installed.
"""

from typing import TYPE_CHECKING

from sweeps.store import lazy

if TYPE_CHECKING:
    from sweeps.api import export as export
    from sweeps.api import open as open  # noqa: A004
    from sweeps.api import open_campaign as open_campaign
    from sweeps.api import report as report
    from sweeps.api import resume as resume
    from sweeps.api import resume_campaign as resume_campaign
    from sweeps.api import sql as sql
    from sweeps.api import start as start
    from sweeps.api import start_campaign as start_campaign
    from sweeps.campaigns.results import CampaignResults as CampaignResults
    from sweeps.sessions.arguments import Arguments as Arguments
    from sweeps.sessions.arguments import Flags as Flags
    from sweeps.sessions.options import Options as Options
    from sweeps.sessions.results import Sweep as Sweep
    from sweeps.sessions.results import TrainedArm as TrainedArm

lazy.publish(__name__)
