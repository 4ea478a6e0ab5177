"""Mixtures of two images: partners, shares and boxes (mixup, CutMix)."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from contrastive.views.draws import Drawn

MixingKind = Literal["mixup", "cutmix", "both"]


@dataclass(frozen=True)
class Mixture(Drawn):
    """Partner, share and box drawn for each of n images.

    `partner` is the position of the image mixed in, in the global batch also after `rows`. `share` is the part left
    of the image itself: its weight in mixup, its share of the pixels in CutMix. `box` (top, left, height, width) is
    where the partner shows, in pixels; it counts where `cut` is true, and is empty elsewhere.
    """

    partner: Int[Tensor, " n"]
    share: Float[Tensor, " n"]
    box: Int[Tensor, "n 4"]
    cut: Bool[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.partner)


def draw_mixture(
    count: int,
    *,
    height: int,
    width: int,
    kind: MixingKind = "cutmix",
    alpha: float = 1.0,
    per_sample: bool = False,
    generator: torch.Generator,
) -> Mixture:
    """Draw partners, shares and boxes for one global batch.

    No image is its own partner: partners are neighbours at a random distance on a random circle. The share is
    Beta(alpha, alpha) (mixup, Zhang et al. 2018); in CutMix (Yun et al. 2019) it sets a box of its shape's
    sides times sqrt(1 - share) at a uniform centre, cut off at the border, and what then remains is the
    share. Every batch takes equally much of the generator's stream whatever the arguments. Two recipes
    that differ in one argument therefore see the same partners, and shares in the same order.

    Args:
        count: images in the global batch, over all ranks.
        height: of the views that will be mixed, in pixels.
        width: of the views that will be mixed, in pixels.
        kind: "both" takes mixup or CutMix with equal chance for each batch.
        alpha: small for mixtures that are almost one image, large for equal parts; 1 is uniform.
        per_sample: whether each image has a share and a box of its own; else the batch has one of each.
        generator: on the CPU.

    Returns:
        The mixtures, on the CPU.

    Raises:
        ValueError: fewer than two images, or an alpha not above 0.
    """
    from scipy.special import betaincinv  # most methods mix nothing

    _check(count, alpha)
    numbers = torch.rand(count, 4, generator=generator, dtype=torch.float64)
    distance, chosen = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    circle = numbers[:, 0].argsort()
    partner = torch.empty_like(circle)
    partner[circle] = circle.roll(-1 - int(distance * (count - 1)))
    drawn = numbers[:, 1:] if per_sample else numbers[:1, 1:].expand(count, 3)
    share = torch.from_numpy(betaincinv(alpha, alpha, drawn[:, 0].numpy()))
    cut = torch.full((count,), kind == "cutmix" or (kind == "both" and chosen < 0.5))
    box = _boxes(share, drawn[:, 1:], height=height, width=width) * cut[:, None]
    kept = (height * width - box[:, 2] * box[:, 3]) / (height * width)
    return Mixture(partner=partner, share=torch.where(cut, kept, share.float()), box=box, cut=cut)


def mix(
    images: Float[Tensor, "n c h w"], partners: Float[Tensor, "n c h w"], mixture: Mixture
) -> Float[Tensor, "n c h w"]:
    """Blend each image with its partner's, or paste the partner's pixels into its box.

    Args:
        images: views of the first sources.
        partners: views of the second sources, in the same order: images[mixture.partner] of a whole batch.
        mixture: one row per image, on the images' device.

    Raises:
        ValueError: images, partners and mixture do not fit each other.
    """
    if images.shape != partners.shape or len(images) != len(mixture):
        shapes = f"images {tuple(images.shape)}, partners {tuple(partners.shape)}, {len(mixture)} mixtures"
        raise ValueError(f"mix: {shapes} given; needs one partner and one mixture per image.")
    own = torch.where(mixture.cut, 1, mixture.share).to(images.dtype)
    top, left, height, width = mixture.box[:, :, None].unbind(1)
    row = torch.arange(images.shape[2], device=images.device)
    column = torch.arange(images.shape[3], device=images.device)
    rows = (row >= top) & (row < top + height) & mixture.cut[:, None]
    columns = (column >= left) & (column < left + width)
    blended = torch.lerp(partners, images, own[:, None, None, None])
    return torch.where(rows[:, None, :, None] & columns[:, None, None, :], partners, blended)


def _boxes(
    share: Float[Tensor, " n"], centre: Float[Tensor, "n 2"], *, height: int, width: int
) -> Int[Tensor, "n 4"]:
    """CutMix's published box: half sides rounded down, about a pixel drawn uniformly, clipped to the image."""
    image = torch.tensor([height, width])
    half = ((1 - share).sqrt()[:, None] * image).long() // 2
    middle = (centre * image).long()
    first = (middle - half).clamp_min(0)
    last = torch.minimum(middle + half, image)
    return torch.cat([first, last - first], 1)


def _check(count: int, alpha: float) -> None:
    if count < 2:
        raise ValueError(f"draw_mixture: {count} image given; a mixture has two sources: needs 2 or more.")
    if not 0 < alpha < float("inf"):
        raise ValueError(f"draw_mixture: alpha={alpha} given; needs a finite number above 0, such as 1.0.")
