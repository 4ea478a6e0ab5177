"""One training step: all that it changes, at the rates in force."""

import torch
from torch import Tensor

from contrastive.config import Config
from contrastive.distributed import World
from contrastive.methods.protocol import Batch, Embeddings
from contrastive.siamese import Siamese


class Learner:
    """The model of a configuration, its optimiser and their schedules."""

    def __init__(self, config: Config, *, steps_per_epoch: int, world: World, device: torch.device):
        self.config, self.steps_per_epoch = config, steps_per_epoch
        self.model = Siamese(config, world=world, device=device).to(device)
        self.optimiser = config.optimiser.build(self.model.online.parameters())

    def step(self, batch: Batch) -> tuple[Tensor, Embeddings]:
        """Update online network, target and queue, in this order; return loss and embeddings from before."""
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
        config = self.config
        return config.optimiser.rate(
            step, steps_per_epoch=self.steps_per_epoch, epochs=config.epochs, batch=config.batch
        )

    def momentum(self, step: int) -> float:
        """Share of itself that the target keeps after `step`; 0 where there is no target."""
        momentum = self.config.method.assembly.momentum
        return momentum.at(step, self.steps_per_epoch * self.config.epochs) if momentum else 0.0
