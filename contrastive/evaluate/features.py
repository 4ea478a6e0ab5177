"""Features of images: whole ones in evaluation mode, or random views of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from contrastive import distributed
from contrastive.branch import Branch
from contrastive.config import Config
from contrastive.data import Dataset, Split
from contrastive.distributed import World
from contrastive.evaluate.protocols import Layer
from contrastive.pretrained import Normalisation, Pretrained
from contrastive.views import Channels, View, draw, normalise, render

BATCH = 512
"""Images embedded at once; the features do not depend on it."""


Moments = Dataset | Channels | Normalisation
"""Mean and deviation by which images are standardised before an encoder sees them."""
Network = Branch | Pretrained
"""An encoder with its projector: the online branch in training, or the content of a checkpoint."""


@dataclass(frozen=True)
class Task:
    """Images to learn from (`bank`) and to be judged on (`queries`), and how an encoder sees them."""

    bank: Split
    queries: Split
    classes: int
    moments: Moments
    """Those of the encoder's training, also where the images are of another set."""
    config: Config
    """Configuration of the encoder, whose precision and seed hold here too."""
    device: torch.device

    def embed(self, network: nn.Module, split: Split) -> Float[Tensor, "n d"]:
        """Return the features of whole images."""
        return embed(network, split, self.moments, self.config, world=World(), device=self.device)

    def views(
        self, split: Split, rows: Sequence[Int[Tensor, " _"]], view: View, stream: torch.Generator
    ) -> Iterator[Float[Tensor, "_ 3 height width"]]:
        """Yield a random view of each image, batch by batch."""
        height, width = split.shape
        for images in split.fetch(rows):
            drawn = draw(view, len(images), height=height, width=width, generator=stream)
            pixels = render(images.to(self.device), drawn.to(self.device), view, dtype=self.config.dtype)
            yield normalise(pixels, self.moments.mean, self.moments.std)


def readout(network: Network, layer: Layer) -> nn.Module:
    """Return the module whose output is the features of that layer."""
    encoder, projector = network.encoder, network.projector
    return encoder if layer == "encoder" else nn.Sequential(encoder, projector).train(encoder.training)


@torch.no_grad()
def embed(
    encoder: nn.Module, split: Split, moments: Moments, config: Config, *, world: World, device: torch.device
) -> Tensor:
    """Return the features (N, D) of a split's whole images in evaluation mode, gathered from all processes."""
    training = encoder.training
    encoder.eval()
    parts: list[Tensor] = [encoder(p) for p in prepared(split, world, moments, config.dtype, device)]
    encoder.train(training)
    return distributed.gather_uneven(torch.cat(parts), world, len(split))


def prepared(
    split: Split, world: World, moments: Moments, dtype: torch.dtype, device: torch.device
) -> Iterator[Tensor]:
    """Yield this process's share of a split, standardised, batch by batch."""
    share = torch.arange(len(split))[world.rows(len(split))].split(BATCH)
    for images in split.fetch(share):
        yield normalise(images.to(device, dtype).div_(255), moments.mean, moments.std)
