"""Features of images: whole ones in evaluation mode, or random views of them."""

from abc import ABCMeta
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from contrastive import distributed
from contrastive.branch import Branch
from contrastive.config import Config
from contrastive.data import Split
from contrastive.distributed import World
from contrastive.evaluate.protocols import Layer
from contrastive.views import View, draw, normalise, render

BATCH = 512
"""Images embedded at once; the features do not depend on it."""


@runtime_checkable
class Moments(Protocol):
    """By what images are standardised before an encoder sees them; a data set has its own."""

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel, in 0..1."""
        ...

    @property
    def std(self) -> tuple[float, ...]:
        """Of each channel, in 0..1."""
        ...


@runtime_checkable
class Network(Protocol):
    """An encoder with its projector: an online branch in training, or what a checkpoint gives back."""

    @property
    def encoder(self) -> nn.Module:
        """From images to features."""
        ...

    @property
    def projector(self) -> nn.Module:
        """From features to embeddings."""
        ...


# From Python 3.12 on a protocol looks at attributes without `__getattr__`, by which a module hands out its parts.
cast(ABCMeta, Network).register(Branch)


@dataclass(frozen=True)
class Task:
    """Images to learn from and images to be judged on, as they are shown to an encoder."""

    bank: Split
    queries: Split
    classes: int
    moments: Moments
    """Those the encoder was trained with, also where the images are of another set."""
    config: Config
    """The encoder's own: its numbers' precision and its seed hold here too."""
    device: torch.device

    def embed(self, network: nn.Module, split: Split) -> Float[Tensor, "n d"]:
        """Features of whole images."""
        return embed(network, split, self.moments, self.config, world=World(), device=self.device)

    def views(
        self, split: Split, rows: Sequence[Int[Tensor, " _"]], view: View, stream: torch.Generator
    ) -> Iterator[Float[Tensor, "_ 3 height width"]]:
        """A random view of each image, batch by batch."""
        height, width = split.shape
        for images in split.fetch(rows):
            drawn = draw(view, len(images), height=height, width=width, generator=stream)
            pixels = render(images.to(self.device), drawn.to(self.device), view, dtype=self.config.dtype)
            yield normalise(pixels, self.moments.mean, self.moments.std)


def readout(network: Network, layer: Layer) -> nn.Module:
    """The module whose output are the features of that layer."""
    encoder, projector = network.encoder, network.projector
    return encoder if layer == "encoder" else nn.Sequential(encoder, projector).train(encoder.training)


@torch.no_grad()
def embed(
    encoder: nn.Module, split: Split, moments: Moments, config: Config, *, world: World, device: torch.device
) -> Tensor:
    """Features (N, D) of a split's whole images in evaluation mode, gathered from all processes."""
    training = encoder.training
    encoder.eval()
    parts: list[Tensor] = [encoder(p) for p in prepared(split, world, moments, config.dtype, device)]
    encoder.train(training)
    return distributed.gather_uneven(torch.cat(parts), world, len(split))


def prepared(
    split: Split, world: World, moments: Moments, dtype: torch.dtype, device: torch.device
) -> Iterator[Tensor]:
    """This process's share of a split, standardised, batch by batch."""
    share = torch.arange(len(split))[world.rows(len(split))].split(BATCH)
    for images in split.fetch(share):
        yield normalise(images.to(device, dtype).div_(255), moments.mean, moments.std)
