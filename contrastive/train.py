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
from contrastive.evaluate.knn import nearest
from contrastive.evaluate.offline import after_training, check_evaluation
from contrastive.evaluate.online import evaluate
from contrastive.fitting import with_batch
from contrastive.learner import Learner
from contrastive.methods.protocol import Embeddings

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
    """Pretrain one configuration.

    The same configuration gives the same curve to the bit on the same CPU; more processes give it to rounding.

    Args:
        config: the configuration. A default batch that exceeds the training images is lowered to their number.
        report: called after each epoch with loss, knn_top1 (percent, validation images), effective_rank,
            seconds (training only), images_per_second, evaluation_seconds, learning_rate.
        dataset: the images of `config.data`; None: they are loaded, and kept in the usual cache.
        directory: folder of the checkpoint; a run found there goes on after its last whole epoch,
            which is reported once more.
        device: device of the training.
        world: this process among those that share the run.
        watch: called after each step with its number (from 0) and global loss, at a synchronisation a step.
        clock: current time in seconds, for the rates reported.

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
    run = _Run(config, dataset, world, torch.device(device), watch, clock)
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
    """Report to nobody."""


@dataclass
class _Run:
    """State of one run."""

    config: Config
    dataset: Dataset
    world: World
    device: torch.device
    watch: Callable[[int, float], None] | None
    clock: Callable[[], float]
    last: Embeddings | None = None

    def __post_init__(self) -> None:
        self.identity = identity(self.config, self.dataset.fingerprint)
        self.channels = self.config.views.channels or self.dataset
        self.steps_per_epoch = steps = len(self.dataset.train) // self.config.batch
        self.learner = Learner(self.config, steps_per_epoch=steps, world=self.world, device=self.device)
        self.model, self.optimiser = self.learner.model, self.learner.optimiser

    def epoch(self, epoch: int) -> Metrics:
        """Pass once over the training images, then evaluate.

        Raises:
            FloatingPointError: the loss or the weights are no longer finite.
        """
        try:
            return self._epoch(epoch)
        except (ArithmeticError, RuntimeError, ValueError) as error:
            # Weights that are not finite make later computations fail in many ways.
            if isinstance(error, FloatingPointError) or self._finite():
                raise
            raise FloatingPointError(f"{BLOWN_UP.format(epoch)} ({type(error).__name__}: {error})") from error

    def _epoch(self, epoch: int) -> Metrics:
        started = self.clock()
        loss = self._pass(epoch)
        trained = self.clock()
        if not math.isfinite(loss):
            raise FloatingPointError(f"the mean loss of epoch {epoch} is {loss}; lower the learning rate")
        if not self._finite():  # the last step's effect, which no loss shows
            raise FloatingPointError(BLOWN_UP.format(epoch))
        assert self.last is not None
        layer = readout(self.model.online, self.config.evaluation.layer)
        found = evaluate(layer, self.dataset, self.config, world=self.world, device=self.device)
        metrics = {"loss": loss, **self.model.diagnose(self.last), **found}
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

    def _pass(self, epoch: int) -> float:
        self.model.train()
        total = torch.zeros((), device=self.device, dtype=torch.float64)
        table = self._neighbours(epoch)
        steps = batches(
            self.config, self.dataset, epoch, world=self.world, device=self.device, neighbours=table
        )
        for batch in steps:
            own, self.last = self.learner.step(batch)
            loss = distributed.mean_over(own, self.world)
            total += loss
            if self.watch:
                self.watch(batch.step, float(loss))
        return float(total / self.steps_per_epoch)

    def _neighbours(self, epoch: int) -> Tensor | None:
        """Find the neighbours of every training image, by the encoder's features after the epoch before."""
        parts = self.config.method.assembly
        if parts.neighbours is None or epoch <= parts.warmup_epochs:
            return None
        encoder, images = self.model.online.encoder, self.dataset.train
        features = embed(encoder, images, self.channels, self.config, world=self.world, device=self.device)
        return nearest(features, parts.neighbours.count).cpu()

    def save(self, path: Path, epoch: int, metrics: Metrics) -> None:
        """Save everything the rest of the run depends on; all randomness follows from seed and epoch."""
        state = {
            "identity": self.identity,
            "config": to_dict(self.config),
            "epoch": epoch,
            "metrics": metrics,
            "normalisation": {"mean": self.channels.mean, "std": self.channels.std},
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        checkpoint.save_state(path, state)

    def restore(self, path: Path | None) -> tuple[int, Metrics]:
        """Load the state at `path`, and return its epoch and metrics; epoch 0 if there is none."""
        if path is None or not path.exists():
            return 0, {}
        state = checkpoint.load_state(path, device=self.device)
        if state["identity"] != self.identity:
            raise ValueError(f"{path} belongs to another configuration; give this one a directory of its own")
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        return state["epoch"], state["metrics"]


def check_batch(config: Config, dataset: Dataset, world: World | None = None) -> None:
    """Refuse a batch of which no step can be made.

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
