"""Sweeps of self-supervised contrastive pretraining: run them, watch them, have their results.

    import sweeps

    sweep = sweeps.start("sce_temperatures", arms=12, seeds=3, store="results")   # blocks
    sweep = sweeps.open("results")                                                # the last one, also while it runs
    sweep.arms.to_frame()
    encoder = sweep.best.encoder()
    sweeps.sql("results", "select * from final").df()

Names are imported when they are first used: `sweeps.store` is read where neither torch nor Ray is installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeps.api import (
        CampaignResults,
        Sweep,
        TrainedArm,
        export,
        open,  # noqa: A004
        open_campaign,
        report,
        resume,
        resume_campaign,
        sql,
        start,
        start_campaign,
    )
    from sweeps.sessions.options import Options

__all__ = [
    "CampaignResults", "Options", "Sweep", "TrainedArm", "export", "open", "open_campaign", "report", "resume",
    "resume_campaign", "sql", "start", "start_campaign",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sweeps' has no attribute '{name}'")
    return getattr(import_module("sweeps.sessions.options" if name == "Options" else "sweeps.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
