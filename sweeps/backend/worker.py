"""Training of one run, independent of Ray: every epoch is recorded, and so is a failure."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contrastive import train
from contrastive.config import Config, from_dict, identity
from contrastive.data import Dataset, load
from contrastive.distributed import World, peer_lost
from sweeps.store import Writer, last_epoch, read_manifest

Tell = Callable[[dict[str, Any]], None]
"""Function that hands a result to Tune: returns if Tune decides that the run goes on, else raises."""

ENDINGS = ("failed", "diverged")
"""Names of the results that end a run before its last epoch."""


@dataclass(frozen=True)
class Places:
    """Where a run's processes find the prepared images, and the devices they train on."""

    cache: str
    device: str = "cpu"
    devices: float = 0.0
    """GPUs of a run; 0 if it trains on processors."""


def work(run: dict[str, Any], places: Places, tell: Tell, world: World) -> bool:
    """Train one run, recording every epoch durably before Tune hears of it; return whether the run failed.

    `run["sweep"]` is the folder of its sweep. A failure is reported to Tune as a result that holds the traceback, a
    loss that is no number as one that says so; the sweep goes on.

    Raises:
        RuntimeError: another worker of this run has died; the run can be resumed.
    """
    epoch, steps, directory = 0, 0, Path(run["sweep"])
    with Writer(directory, f"{run['identity']}-{run['attempt']}-{world.rank}") as writer:

        def report(now: int, metrics: dict[str, float]) -> None:
            nonlocal epoch
            if world.rank == 0 and now > recorded:  # a resumed run shows its last epoch again
                step, devices = now * steps, places.devices or world.size
                writer.report(run["identity"], run["attempt"], now, metrics, step=step, devices=devices)
                writer.sync()  # the checkpoint is on disk, and a resumed run shows its last epoch only
            epoch = now
            tell({"epoch": now, "metrics": metrics})

        try:
            read_manifest(directory)  # a node that does not share the store's file system ends here
            recorded = epoch = last_epoch(directory, run["identity"])
            config, dataset = _images(run, places)
            steps = len(dataset.train) // config.batch
            kept = directory / "checkpoints" / run["identity"]
            train(config, report, dataset=dataset, directory=kept, device=places.device, world=world)
        except Exception as error:  # the one broad except: whatever goes wrong in a run is that run's result
            if world.size > 1 and peer_lost(error):
                raise
            diverged = isinstance(error, FloatingPointError)
            why = {"diverged": str(error)} if diverged else {"failed": traceback.format_exc()}
            tell({"epoch": epoch, **why})
            return not diverged
    return False


def _images(run: dict[str, Any], places: Places) -> tuple[Config, Dataset]:
    config = from_dict(run["config"])
    dataset = load(config.data, cache=Path(places.cache))
    if identity(config, dataset.fingerprint) != run["identity"]:
        raise RuntimeError("the images have changed since this sweep was planned; start a new sweep")
    return config, dataset
