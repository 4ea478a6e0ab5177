"""Random numbers of a batch of views: one row per image, whatever the number of workers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from contrastive.views.config import View

D = TypeVar("D", bound="Drawn")
CROP_ATTEMPTS = 10
NUMBERS_PER_IMAGE = 2 * CROP_ATTEMPTS + 2 + 5 + 4 + 4 + 1


class Drawn:
    """Dataclass of tensors whose first dimension is the image."""

    def rows(self: D, index: slice | Int[Tensor, " m"]) -> D:
        """Return the draw of some images: each process draws for the global batch and keeps its own rows."""
        return self._each(lambda tensor: tensor[index])

    def to(self: D, device: torch.device | str) -> D:
        """Return the same draw on another device."""
        return self._each(lambda tensor: tensor.to(device))

    def _each(self: D, change: Callable[[Tensor], Tensor]) -> D:
        return type(self)(**{name: change(tensor) for name, tensor in vars(self).items()})


@dataclass(frozen=True)
class Draw(Drawn):
    """Random numbers drawn for each of n images.

    `box` is (top, left, height, width) in pixels. `factors` are brightness, contrast and saturation (1
    changes nothing) and hue (in turns; 0 changes nothing); they count where `jitter` is true. `order[i, k]`
    is the operator, numbered as in `factors`, that image i meets at step k. `sigma` counts where `blur` is
    true.
    """

    box: Int[Tensor, "n 4"]
    flip: Bool[Tensor, " n"]
    jitter: Bool[Tensor, " n"]
    factors: Float[Tensor, "n 4"]
    order: Int[Tensor, "n 4"]
    grey: Bool[Tensor, " n"]
    blur: Bool[Tensor, " n"]
    sigma: Float[Tensor, " n"]
    solarise: Bool[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.box)


def draw(view: View, count: int, *, height: int, width: int, generator: torch.Generator) -> Draw:
    """Draw one view of each of `count` images of `height` × `width` pixels.

    Every image takes equally much of the generator's stream whatever the recipe. Two recipes that differ in one
    operator therefore see the same crops, and the same draws for every other operator.

    Args:
        view: the recipe.
        count: images in the global batch, over all ranks.
        height: of the images, in pixels.
        width: of the images, in pixels.
        generator: on the CPU, whatever device will render.

    Returns:
        The draw, on the CPU.
    """
    # Double precision: u * k of a single-precision u < 1 can round up to k, one past the last offset.
    numbers = torch.rand(count, NUMBERS_PER_IMAGE, generator=generator, dtype=torch.float64)
    area, ratio, offset, chance, strength, order, sigma = torch.split(
        numbers, [CROP_ATTEMPTS, CROP_ATTEMPTS, 2, 5, 4, 4, 1], dim=1
    )
    chosen = chance < chance.new_tensor([view.flip, view.jitter, view.grey, view.blur, view.solarise])
    flip, jitter, grey, blur, solarise = chosen.unbind(1)
    low, high = view.blur_sigma
    return Draw(
        box=_boxes(view, area, ratio, offset, height=height, width=width),
        flip=flip,
        jitter=jitter,
        factors=_factors(view, strength),
        order=order.argsort(1),
        grey=grey,
        blur=blur,
        sigma=(low + (high - low) * sigma[:, 0]).float(),
        solarise=solarise,
    )


def _factors(view: View, strength: Float[Tensor, "n 4"]) -> Float[Tensor, "n 4"]:
    """ColorJitter.get_params: U(max(0, 1 - s), 1 + s) for the first three, U(-s, s) for hue."""
    spread = [view.brightness, view.contrast, view.saturation]
    low = strength.new_tensor([max(0.0, 1 - s) for s in spread] + [-view.hue])
    high = strength.new_tensor([1 + s for s in spread] + [view.hue])
    return (low + (high - low) * strength).float()


def _boxes(
    view: View,
    area: Float[Tensor, "n attempts"],
    ratio: Float[Tensor, "n attempts"],
    offset: Float[Tensor, "n 2"],
    *,
    height: int,
    width: int,
) -> Int[Tensor, "n 4"]:
    """RandomResizedCrop.get_params: the first attempt that fits in the image, or else a box at its centre."""
    smallest, largest = view.crop_scale
    pixels = height * width * (smallest + (largest - smallest) * area)
    narrow, wide = torch.tensor(view.crop_ratio, dtype=torch.float64).log()
    aspect = (narrow + (wide - narrow) * ratio).exp()
    sides = torch.stack([(pixels / aspect).sqrt(), (pixels * aspect).sqrt()], 2).round()
    image = sides.new_tensor([height, width])
    fits = ((sides > 0) & (sides <= image)).all(2)
    found = fits.any(1, keepdim=True)
    first = fits.int().argmax(1)
    side = sides[torch.arange(len(sides)), first]
    side = torch.where(found, side, image.new_tensor(_fallback(view.crop_ratio, height, width)))
    room = image - side
    corner = torch.where(found, (offset * (room + 1)).floor(), (room / 2).floor())
    return torch.cat([corner, side], 1).long()


def _fallback(ratios: tuple[float, float], height: int, width: int) -> tuple[int, int]:
    """Return (height, width) of the largest box of a legal ratio: the whole image if its own ratio is legal."""
    narrow, wide = ratios
    if width / height < narrow:
        return round(width / narrow), width
    if width / height > wide:
        return height, round(height * wide)
    return height, width
