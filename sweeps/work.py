"""One run, wherever it is worked on: trained, recorded epoch by epoch, its failure kept. Knows no Ray."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from contrastive import train
from contrastive.config import from_dict, identity
from contrastive.data import load
from contrastive.distributed import World
from sweeps.store import Writer, last_epoch

Tell = Callable[[dict[str, Any]], None]
"""Hands a result to Tune; returns when Tune has decided that the run goes on, raises when it has not."""


@dataclass(frozen=True)
class Places:
    """Where the processes of a sweep find and leave things."""

    sweep: str
    cache: str

    def checkpoint(self, run: str) -> Path:
        """The folder of a run's checkpoint."""
        return Path(self.sweep) / "checkpoints" / run


def work(run: dict[str, Any], places: Places, tell: Tell, world: World) -> bool:
    """Trains one run and records every epoch durably before Tune hears of it; returns whether it failed.

    A failure is told to Tune as a result that holds the traceback; the sweep goes on.
    """
    directory = Path(places.sweep)
    recorded = last = last_epoch(directory, run["identity"])
    with Writer(directory, f"{run['identity']}-{run['attempt']}-{world.rank}") as writer:

        def report(epoch: int, metrics: dict[str, float]) -> None:
            nonlocal last
            if world.rank == 0 and epoch > recorded:  # a resumed run shows its last epoch again
                writer.report(run["identity"], run["attempt"], epoch, metrics)
            last = epoch
            tell({"epoch": epoch, **metrics})

        try:
            _train(run, places, report, world)
        except Exception:
            # The one broad except: whatever goes wrong in a run is that run's result.
            tell({"epoch": last, "failed": traceback.format_exc()})
            return True
    return False


def _train(run: dict[str, Any], places: Places, report: Any, world: World) -> None:
    trial = from_dict(run["trial"])
    dataset = load(trial.data, cache=Path(places.cache))
    if identity(trial, dataset.fingerprint) != run["identity"]:
        raise RuntimeError("the images have changed since this sweep was planned; start a new sweep")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train(
        trial,
        report,
        dataset=dataset,
        directory=places.checkpoint(run["identity"]),
        device=device,
        world=world,
    )
