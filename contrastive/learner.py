"""One training step: all that it changes, at the rates in force."""

import torch
from torch import Tensor

from contrastive.config import Trial
from contrastive.distributed import World
from contrastive.methods.protocol import Batch, Embeddings
from contrastive.siamese import Siamese


class Learner:
    """The model of a trial, its optimiser and their schedules."""

    def __init__(self, trial: Trial, *, steps_per_epoch: int, world: World, device: torch.device):
        self.trial, self.steps_per_epoch = trial, steps_per_epoch
        self.model = Siamese(trial, world=world, device=device).to(device)
        self.optimiser = trial.optimiser.build(self.model.online.parameters())

    def step(self, batch: Batch) -> tuple[Tensor, Embeddings]:
        """Updates online network, target and queue, in this order; returns loss and embeddings from before."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(batch.step)
        embeddings = self.model(batch)
        loss = self.model.loss(embeddings)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.model.follow(embeddings, self.momentum(batch.step))
        return loss, embeddings

    def rate(self, step: int) -> float:
        """Learning rate in force at `step`, counted from 0 over the whole run."""
        trial = self.trial
        return trial.optimiser.rate(
            step, steps_per_epoch=self.steps_per_epoch, epochs=trial.epochs, batch=trial.batch
        )

    def momentum(self, step: int) -> float:
        """Share of itself that the target keeps after `step`; 0 where there is no target."""
        momentum = self.trial.method.assembly.momentum
        return momentum.at(step, self.steps_per_epoch * self.trial.epochs) if momentum else 0.0
