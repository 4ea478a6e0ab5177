"""Trainable of a run with one worker: it trains inside a Tune actor, which is used again for the next run."""

from typing import Any

from ray import tune

from contrastive.distributed import World
from sweeps.backend.worker import Places, work

RETRIES = 2
"""Restarts of a run whose processes die, each from its last checkpoint."""


def train_inline(config: dict[str, Any], places: Places) -> None:
    """Train the run in this process, as a Tune function trainable."""
    work(config, places, tune.report, World())
