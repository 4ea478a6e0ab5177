"""The model of one trial: online network, target and queue, assembled from what the method declares."""

import copy
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from contrastive import distributed
from contrastive.config import Trial
from contrastive.distributed import World
from contrastive.encoder import Branch
from contrastive.methods.protocol import Embeddings
from contrastive.randomness import generator


class Siamese(nn.Module):
    """Everything of a trial that learns or remembers; its state dict is the whole of it."""

    queue: Tensor | None
    pointer: Tensor

    def __init__(self, trial: Trial, *, world: World, device: torch.device):
        super().__init__()
        self.method, self.world = trial.method, world
        with seeded(trial.seed):
            online = _branch(trial).to(device=device, dtype=trial.dtype)
        online = online.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.online = distributed.synchronise_batch_norm(online, world)
        self.target = self._copy_without_predictor() if self.method.momentum else None
        self.register_buffer("pointer", torch.zeros((), dtype=torch.long))
        self.register_buffer("queue", self._random_queue(trial.seed, trial.dtype, device))
        self._parallel = (distributed.parallel(self.online, world),)  # a tuple: not a second submodule

    def forward(self, views: Mapping[int, Tensor]) -> Embeddings:
        """Embeds each view where the method wants it. `views`: (N, 3, H, W) by position in method.views."""
        names = self.method.online_views
        online = dict(zip(names, self._parallel[0]([views[v] for v in names]), strict=True))
        target: dict[int, Tensor] = {}
        if self.target is not None:
            names = self.method.target_views
            with torch.no_grad():
                target = dict(zip(names, self.target([views[v] for v in names]), strict=True))
        return Embeddings(online=online, target=target, queue=self.queue)

    def loss(self, embeddings: Embeddings) -> Tensor:
        """The method's loss on this step's embeddings."""
        return self.method.loss(embeddings, lambda rows: distributed.gather(rows, self.world))

    @torch.no_grad()
    def follow(self, embeddings: Embeddings, momentum: float) -> None:
        """After the optimiser's step: the target follows, and the keys of all processes enter the queue."""
        if self.target is not None:
            # Parameters only: running batch statistics are each network's own. The predictor has no twin.
            theirs = dict(self.online.named_parameters())
            for name, parameter in self.target.named_parameters():
                parameter.lerp_(theirs[name], 1 - momentum)
        if self.queue is not None:
            for view in self.method.target_views:
                keys = distributed.gather(embeddings.target[view], self.world)
                start = int(self.pointer)
                self.queue[start : start + len(keys)] = normalize(keys, dim=1)
                self.pointer.fill_((start + len(keys)) % len(self.queue))

    def _copy_without_predictor(self) -> Branch:
        branch = copy.deepcopy(self.online)
        return Branch(branch.encoder, branch.projector).requires_grad_(False)

    def _random_queue(self, seed: int, dtype: torch.dtype, device: torch.device) -> Tensor | None:
        if not self.method.queue:
            return None
        shape = (self.method.queue, self.method.projector.output)
        rows = torch.randn(shape, generator=generator(seed, "queue"), dtype=torch.float64)
        return normalize(rows, dim=1).to(device, dtype)


@contextmanager
def seeded(seed: int) -> Generator[None]:
    """Initial weights come from torch's global generator: seed it here and give it back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator(seed, "initialisation").initial_seed())
        yield


def _branch(trial: Trial) -> Branch:
    method = trial.method
    predictor = method.predictor.build(method.projector.output) if method.predictor else None
    return Branch(trial.encoder.build(), method.projector.build(trial.encoder.dim), predictor)
