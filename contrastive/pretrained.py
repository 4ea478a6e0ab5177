"""A trained encoder in use: images in, features out, standardised as in pretraining."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from contrastive.config import Config
from contrastive.views import normalise


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of each channel by which an encoder's images, in 0..1, were standardised."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    """0 for a channel that never varies: `contrastive.views.normalise` standardises it to 0."""


@dataclass(frozen=True, repr=False)
class Pretrained:
    """Result of pretraining: plain modules in evaluation mode, their configuration and normalisation.

    Call it with images to get their features. To train further, apply `module` to the result of `standardised`.

    Example:
        >>> import torch
        >>> from contrastive.config import Config
        >>> from contrastive.encoder import Head, Strided
        >>> config = Config(encoder=Strided(width=4))
        >>> moments = Normalisation(mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2))
        >>> encoder = Pretrained(config, Strided(width=4).build().eval(), Head().build(16), moments)
        >>> encoder(torch.zeros(2, 3, 32, 32, dtype=torch.uint8)).shape
        torch.Size([2, 16])
    """

    config: Config
    module: nn.Module
    """The encoder: standardised images (N, 3, H, W) to features (N, `config.encoder.dim`)."""
    projector: nn.Module
    """Features to embeddings."""
    normalisation: Normalisation | None
    """None if the checkpoint does not say; it is then that of the images of `config.data`."""

    @property
    def encoder(self) -> nn.Module:
        """`module`, as a network in training calls it."""
        return self.module

    @torch.no_grad()
    def __call__(self, images: UInt8[Tensor, "n 3 h w"] | Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """Return the features of images: bytes, or numbers from 0 to 1.

        Raises:
            ValueError: the images are neither, or their normalisation is not known.
        """
        return self.module(self.standardised(images))

    def standardised(
        self, images: UInt8[Tensor, "n 3 h w"] | Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n 3 h w"]:
        """Return images standardised for `module`, on its device and in its precision; errors as for a call."""
        if self.normalisation is None:
            raise ValueError(
                "the checkpoint does not say by what its images were standardised; give "
                "dataclasses.replace(encoder, normalisation=Normalisation(mean=..., std=...)) those of its data set"
            )
        _check(images)
        like = next(self.module.parameters())
        pixels = images.to(like.device, like.dtype)
        pixels = pixels / 255 if images.dtype == torch.uint8 else pixels
        return normalise(pixels, self.normalisation.mean, self.normalisation.std)

    def __repr__(self) -> str:
        return f"Pretrained({self.config!r}, {self.config.encoder.dim} features)"


def _check(images: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images {tuple(images.shape)} given; needs (images, 3, height, width)")
    if images.dtype == torch.uint8:
        return
    low, high = images.aminmax() if images.numel() else (0.0, 0.0)
    if not images.is_floating_point() or low < 0 or high > 1:
        raise ValueError(
            f"images of {images.dtype} from {low:g} to {high:g} given; needs bytes (torch.uint8), or real numbers "
            "from 0 to 1: they are standardised here"
        )
