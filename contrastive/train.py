"""The training loop, readable from top to bottom and independent of Ray, Optuna and the store."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from contrastive import checkpoint, data, distributed
from contrastive.batches import batches
from contrastive.config import Config, identity, to_dict
from contrastive.data import Dataset
from contrastive.distributed import World
from contrastive.evaluate.features import embed, readout
from contrastive.evaluate.offline import after_training, check_evaluation
from contrastive.evaluate.online import evaluate
from contrastive.fitting import with_batch
from contrastive.learner import Learner
from contrastive.methods.protocol import Embeddings
from contrastive.neighbours import nearest

BLOWN_UP = "weights are no longer finite numbers in epoch {}; lower the learning rate"
Metrics = dict[str, float]
Report = Callable[[int, Metrics], None]
"""Called after each epoch with its number (from 1) and its metrics. May raise to end the run."""


@dataclass(frozen=True)
class Outcome:
    """A finished run: its last metrics, and where its checkpoint is (None if none was asked for)."""

    epochs: int
    metrics: Metrics
    checkpoint: Path | None


def train(
    config: Config,
    report: Report | None = None,
    *,
    dataset: Dataset | None = None,
    directory: str | Path | None = None,
    device: str | torch.device = "cpu",
    world: World | None = None,
    watch: Callable[[int, float], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Outcome:
    """Pretrains one configuration.

    The same configuration gives the same curve to the bit on the same CPU; more processes give it to rounding.

    Args:
        config: what to train. Where it has the usual batch and the images are fewer, the batch is as large as they are.
        report: if given, told of each epoch: loss, knn_top1 (percent, validation images), effective_rank,
            seconds (training only), images_per_second, evaluation_seconds, learning_rate.
        dataset: the images of `config.data`; None: they are loaded, and kept in the usual cache.
        directory: where to keep the checkpoint; a run found there goes on after its last whole epoch,
            which is reported once more.
        device: where to train.
        world: this process among those that share the run.
        watch: told of each step's number (from 0) and global loss, which costs a synchronisation a step.
        clock: seconds, for the rates reported.

    Raises:
        ValueError: the images are fewer than one batch, or the batch does not divide among the processes.
        FloatingPointError: the loss, the weights or the features are no longer finite.
    """
    world = world or distributed.current_world()
    dataset = data.load(config.data) if dataset is None else dataset
    if config.batch == Config.batch:  # which nobody gave
        config = with_batch(config, len(dataset.train), lambda smaller: check_batch(smaller, dataset, world))
    check_batch(config, dataset, world)
    check_evaluation(config, dataset)
    run = _Run(config, dataset, world=world, device=torch.device(device), watch=watch, clock=clock)
    path = Path(directory) / "checkpoint.pt" if directory else None
    tell = report or _silent
    epoch, metrics = run.restore(path)
    if epoch:
        tell(epoch, metrics)
    while epoch < config.epochs:
        epoch += 1
        metrics = run.epoch(epoch)
        if path and world.rank == 0:
            run.save(path, epoch, metrics)
        tell(epoch, metrics)
    return Outcome(epochs=epoch, metrics=metrics, checkpoint=path)


def _silent(_epoch: int, _metrics: Metrics) -> None:
    """What is told to nobody."""


class _Run:
    """The moving parts of one run."""

    def __init__(
        self,
        config: Config,
        dataset: Dataset,
        *,
        world: World,
        device: torch.device,
        watch: Callable[[int, float], None] | None,
        clock: Callable[[], float],
    ):
        self.config, self.dataset, self.world, self.device = config, dataset, world, device
        self.watch, self.clock = watch, clock
        self.identity = identity(config, dataset.fingerprint)
        self.steps_per_epoch = len(dataset.train) // config.batch
        self.learner = Learner(config, steps_per_epoch=self.steps_per_epoch, world=world, device=device)
        self.model, self.optimiser = self.learner.model, self.learner.optimiser
        self.last: Embeddings | None = None

    def epoch(self, epoch: int) -> Metrics:
        """One pass over the training images, then one evaluation.

        Raises:
            FloatingPointError: the loss or the weights are no longer finite.
        """
        try:
            return self._epoch(epoch)
        except (ArithmeticError, RuntimeError, ValueError) as error:
            # What is computed of such weights fails in many ways, of which none is a fault of the program.
            if isinstance(error, FloatingPointError) or self._finite():
                raise
            raise FloatingPointError(f"{BLOWN_UP.format(epoch)} ({type(error).__name__}: {error})") from error

    def _epoch(self, epoch: int) -> Metrics:
        started = self.clock()
        loss = self._pass(epoch)
        trained = self.clock()
        if not math.isfinite(loss):
            raise FloatingPointError(f"the mean loss of epoch {epoch} is {loss}; lower the learning rate")
        if not self._finite():  # after the last step, of which no loss can tell
            raise FloatingPointError(BLOWN_UP.format(epoch))
        assert self.last is not None
        metrics = {"loss": loss, **self.model.diagnose(self.last), **self._evaluate()}
        if epoch == self.config.epochs:
            metrics |= after_training(self.model.online, self.config, self.dataset, device=self.device)
        seconds = trained - started
        return {
            **metrics,
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "seconds": seconds,
            "images_per_second": self.steps_per_epoch * self.config.batch / max(seconds, 1e-9),
            "evaluation_seconds": self.clock() - trained,
        }

    def _finite(self) -> bool:
        """Whether all weights are finite numbers; they are the same in all processes."""
        return all(bool(weights.isfinite().all()) for weights in self.model.online.parameters())

    def _evaluate(self) -> Metrics:
        layer = readout(self.model.online, self.config.evaluation.layer)
        return evaluate(layer, self.dataset, self.config, world=self.world, device=self.device)

    def _pass(self, epoch: int) -> float:
        self.model.train()
        total = torch.zeros((), device=self.device, dtype=torch.float64)
        steps = batches(
            self.config,
            self.dataset,
            epoch,
            world=self.world,
            device=self.device,
            neighbours=self._neighbours(epoch),
        )
        for batch in steps:
            own, self.last = self.learner.step(batch)
            loss = distributed.mean_over(own, self.world)
            total += loss
            if self.watch:
                self.watch(batch.step, float(loss))
        return float(total / self.steps_per_epoch)

    def _neighbours(self, epoch: int) -> Tensor | None:
        """Of every training image, by the features of the encoder as the last epoch has left it."""
        parts = self.config.method.assembly
        if parts.neighbours is None or epoch <= parts.warmup_epochs:
            return None
        features = embed(
            self.model.online.encoder,
            self.dataset.train,
            self.config.views.channels or self.dataset,
            self.config,
            world=self.world,
            device=self.device,
        )
        return nearest(features, parts.neighbours.count).cpu()

    def save(self, path: Path, epoch: int, metrics: Metrics) -> None:
        """Everything the rest of the run depends on; all randomness follows from seed and epoch."""
        channels = self.config.views.channels or self.dataset
        state = {
            "identity": self.identity,
            "config": to_dict(self.config),
            "epoch": epoch,
            "metrics": metrics,
            "normalisation": {"mean": channels.mean, "std": channels.std},
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        checkpoint.save_state(path, state)

    def restore(self, path: Path | None) -> tuple[int, Metrics]:
        """The epoch and metrics found at `path`, or epoch 0 of a fresh run."""
        if path is None or not path.exists():
            return 0, {}
        state = checkpoint.load_state(path, device=self.device)
        if state["identity"] != self.identity:
            raise ValueError(f"{path} belongs to another configuration; give this one a directory of its own")
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        return state["epoch"], state["metrics"]


def check_batch(config: Config, dataset: Dataset, world: World | None = None) -> None:
    """Refuse what no step can be made of.

    Raises:
        ValueError: the images are fewer than one batch, or the batch does not divide among the processes.
    """
    size = world.size if world else 1
    images = len(dataset.train)
    if images < config.batch:
        raise ValueError(f"batch = {config.batch}, but there are {images} training images; lower batch")
    if config.batch % size:
        raise ValueError(f"batch = {config.batch} does not divide among {size} processes; change either")
    neighbours = config.method.assembly.neighbours
    if neighbours and neighbours.count >= images:
        raise ValueError(
            f"method.neighbours = {neighbours.count}, but each of {images} training images has {images - 1} "
            "others; lower it"
        )
