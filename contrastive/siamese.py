"""The model of one configuration: online network, target and queue, assembled from what the method declares."""

import copy
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from contrastive import distributed
from contrastive.batch_norm import split_batch_norm
from contrastive.branch import Branch
from contrastive.config import Config
from contrastive.distributed import World
from contrastive.methods.protocol import Batch, Diagnosed, Embeddings
from contrastive.randomness import generator
from contrastive.views import mix


class Siamese(nn.Module):
    """Everything of a configuration that learns or remembers; its state dict is the whole of it."""

    queue: Tensor | None
    pointer: Tensor

    def __init__(self, config: Config, *, world: World, device: torch.device):
        super().__init__()
        self.method, self.assembly = config.method, config.method.assembly
        self.world, self.seed = world, config.seed
        with seeded(config.seed):
            online = _branch(config).to(device=device, dtype=config.dtype)
        online = online.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        target = copy.deepcopy(online)
        parts = self.assembly
        self.online = _batch_norm(online, 1 if parts.whole_online else parts.batch_norm_splits, world)
        self.target = _target(target, parts.batch_norm_splits, world) if parts.momentum else None
        self.register_buffer("pointer", torch.zeros((), dtype=torch.long))
        self.register_buffer("queue", self._random_queue(config, device))
        self._parallel = (distributed.parallel(self.online, world),)  # a tuple: not a second submodule

    def forward(self, batch: Batch) -> Embeddings:
        """Embed each view of the batch where the method wants it."""
        views, names = self._mixed(batch)
        names = [view for view in names if view in views]
        outputs = dict(zip(names, self._parallel[0]([views[v] for v in names]), strict=True))
        return Embeddings(
            online={view: found.embedding for view, found in outputs.items()},
            projected={view: found.projection for view, found in outputs.items()},
            second={view: found.second for view, found in outputs.items() if found.second is not None},
            target=self._targets(batch),
            queue=self.queue,
            prototypes=self.online.prototypes,
            mixture=batch.mixture,
            epoch=batch.epoch,
            step=batch.step,
            seed=self.seed,
        )

    def loss(self, embeddings: Embeddings) -> Tensor:
        """The method's loss on this step's embeddings."""
        return self.method.loss(embeddings, self._gather)

    @torch.no_grad()
    def diagnose(self, embeddings: Embeddings) -> dict[str, float]:
        """Return the method's diagnostics of this step."""
        if not isinstance(self.method, Diagnosed):
            return {}
        found = self.method.diagnose(embeddings, self._gather)
        return {name: float(value) for name, value in found.items()}

    @torch.no_grad()
    def follow(self, embeddings: Embeddings, momentum: float) -> None:
        """After the optimiser's step: the target follows, and the keys of all processes enter the queue.

        Prototypes are put back to length 1.
        """
        if self.target is not None:
            # Parameters only: running batch statistics are each network's own. The predictor has no twin.
            theirs = dict(self.online.named_parameters())
            for name, parameter in self.target.named_parameters():
                parameter.lerp_(theirs[name], 1 - momentum)
        if self.online.prototypes is not None:
            self.online.prototypes.copy_(normalize(self.online.prototypes, dim=1))
        if self.queue is not None:
            rows = embeddings.projected if self.target is None else embeddings.target
            for view in self.assembly.queued:
                keys = self._gather(rows[view])
                start = int(self.pointer)
                self.queue[start : start + len(keys)] = normalize(keys, dim=1)
                self.pointer.fill_((start + len(keys)) % len(self.queue))

    def _gather(self, rows: Tensor) -> Tensor:
        return distributed.gather(rows, self.world)

    def _mixed(self, batch: Batch) -> tuple[Mapping[int, Tensor], tuple[int, ...]]:
        """Return all views, mixtures among them, and the positions of those that the online network embeds."""
        mixing, mixture = self.assembly.mixing, batch.mixture
        if mixing is None or mixture is None:
            return batch.views, self.assembly.online
        views = dict(batch.views)
        for i, source in enumerate(mixing.sources):
            images = views[source]
            partners = distributed.permute(images, mixture.partner, self.world)
            mine = mixture.rows(self.world.rows(len(mixture.partner))).to(images.device)
            views[len(self.assembly.views) + i] = mix(images, partners, mine)
        return views, mixing.online

    @torch.no_grad()
    def _targets(self, batch: Batch) -> dict[int, Tensor]:
        if self.target is None:
            return {}
        names, images = self.assembly.target, [batch.views[view] for view in self.assembly.target]
        if batch.shuffle is None:
            return {v: found.embedding for v, found in zip(names, self.target(images), strict=True)}
        order = batch.shuffle
        shuffled = [distributed.permute(view, order, self.world) for view in images]
        found = self.target(shuffled)
        keys = [distributed.permute(one.embedding, order.argsort(), self.world) for one in found]
        return dict(zip(names, keys, strict=True))

    def _random_queue(self, config: Config, device: torch.device) -> Tensor | None:
        if not self.assembly.queue:
            return None
        shape = (self.assembly.queue, self.assembly.projector.output)
        rows = torch.randn(shape, generator=generator(config.seed, "queue"), dtype=torch.float64)
        return normalize(rows, dim=1).to(device, config.dtype)


@contextmanager
def seeded(seed: int) -> Generator[None]:
    """Seed torch's global generator, which draws initial weights, and restore its state afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator(seed, "initialisation").initial_seed())
        yield


def _batch_norm(branch: Branch, splits: int, world: World) -> Branch:
    """Make batch statistics those of all processes, or in the encoder those of parts of the batch."""
    for name, part in list(branch.named_children()):
        if name == "encoder" and splits > 1:
            split_batch_norm(part, splits, world)
        else:
            setattr(branch, name, distributed.synchronise_batch_norm(part, world))
    return branch


def _target(twin: Branch, splits: int, world: World) -> Branch:
    """Return the target network: encoder and projector of an online branch."""
    target = Branch(twin.encoder, twin.projector, together=twin.together)
    return _batch_norm(target, splits, world).requires_grad_(False)


def _branch(config: Config) -> Branch:
    parts = config.method.assembly
    predictor = parts.predictor.build(parts.projector.output) if parts.predictor else None
    encoder = config.encoder.build()
    projector = parts.projector.build(config.encoder.dim)
    second = parts.second_projector.build(config.encoder.dim) if parts.second_projector else None
    prototypes = torch.randn(parts.prototypes, parts.projector.output) if parts.prototypes else None
    return Branch(encoder, projector, predictor, second, prototypes=prototypes, together=parts.together)
