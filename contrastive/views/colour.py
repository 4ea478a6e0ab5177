"""Colour operators in [0, 1], one parameter per image, and the affine map that stands for all of them.

Greyscale is torchvision's 0.2989 R + 0.587 G + 0.114 B (the weights sum to 0.9999).
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)
GREY = (0.2989, 0.587, 0.114)
# The NTSC chroma axes I and Q: each sums to zero, so greys lie on neither.
CHROMA = ((0.596, -0.274, -0.322), (0.211, -0.523, 0.312))


def brightness(images: Float[Tensor, "n 3 h w"], factor: Float[Tensor, " n"]) -> Float[Tensor, "n 3 h w"]:
    """Multiply each image by its factor, clamped to [0, 1]."""
    none = torch.zeros_like(factor)
    return _blend_(images.clone(), factor, none, none)


def contrast(images: Float[Tensor, "n 3 h w"], factor: Float[Tensor, " n"]) -> Float[Tensor, "n 3 h w"]:
    """Blend each image with the mean of its greyscale (0: that mean; 1: the image), clamped to [0, 1]."""
    return _blend_(images.clone(), factor, torch.zeros_like(factor), 1 - factor)


def saturation(images: Float[Tensor, "n 3 h w"], factor: Float[Tensor, " n"]) -> Float[Tensor, "n 3 h w"]:
    """Blend each image with its greyscale (0: greyscale; 1: the image), clamped to [0, 1]."""
    return _blend_(images.clone(), factor, 1 - factor, torch.zeros_like(factor))


def hue(images: Float[Tensor, "n 3 h w"], turn: Float[Tensor, " n"]) -> Float[Tensor, "n 3 h w"]:
    """Turn each image's hue by `turn` of the colour circle; its HSV value and chroma stay.

    HSV's branches are written as arithmetic, several times as fast as comparing and choosing: in sixths of a
    turn the hue is 1 + (G + B - R - min) / chroma away from red, to green's side where G >= B.
    """
    red, green, blue = images.unbind(1)
    lowest = torch.minimum(torch.minimum(red, green), blue)
    chroma = torch.maximum(torch.maximum(red, green), blue) - lowest
    away = (green + blue).sub_(red).sub_(lowest)
    # Grey has chroma zero: 0 / tiny is some hue, and which one does not matter.
    away = away.div_(chroma.clamp(min=torch.finfo(images.dtype).tiny)).add_(1)
    sixths = away.copysign_(green - blue).add_(6 * turn.to(images.dtype)[:, None, None])
    sixths.sub_((sixths / 6).floor_(), alpha=6)
    from_cyan, from_green, from_blue = (sixths - 3).abs_(), (sixths - 2).abs_(), (sixths - 4).abs_()
    shares = from_cyan.sub_(1), from_green.neg_().add_(2), from_blue.neg_().add_(2)
    return torch.stack([torch.addcmul(lowest, chroma, share.clamp_(0, 1)) for share in shares], 1)


def greyscale(images: Float[Tensor, "n 3 h w"], grey: Bool[Tensor, " n"]) -> Float[Tensor, "n 3 h w"]:
    """Replace by its greyscale, in all three channels, each image where `grey` is true."""
    return greyscale_(images.clone(), grey)


def greyscale_(images: Float[Tensor, "n 3 h w"], grey: Bool[Tensor, " n"]) -> Float[Tensor, "n 3 h w"]:
    """Apply `greyscale` in place."""
    images[grey] = _luma(images[grey])[:, None].expand(-1, 3, -1, -1)
    return images


def solarise(
    images: Float[Tensor, "n c h w"], chosen: Bool[Tensor, " n"], threshold: float
) -> Float[Tensor, "n c h w"]:
    """Invert the pixels at or above `threshold` of each image where `chosen` is true."""
    return solarise_(images.clone(), chosen, threshold)


def solarise_(
    images: Float[Tensor, "n c h w"], chosen: Bool[Tensor, " n"], threshold: float
) -> Float[Tensor, "n c h w"]:
    """Apply `solarise` in place."""
    some = images[chosen]
    images[chosen] = torch.where(some >= threshold, 1 - some, some)
    return images


def normalise(
    images: Float[Tensor, "n c h w"],
    mean: Sequence[float] | Float[Tensor, " c"],
    std: Sequence[float] | Float[Tensor, " c"],
) -> Float[Tensor, "n c h w"]:
    """Compute (images - mean) / std per channel, in channels_last order, on which convolutions are fastest.

    A channel of deviation 0, such as the third in two-colour microscopy, becomes 0.
    """
    centre, spread = (torch.as_tensor(v, dtype=images.dtype, device=images.device) for v in (mean, std))
    spread = spread.masked_fill(spread == 0, torch.inf)
    views = (images - centre[:, None, None]).div_(spread[:, None, None])
    return views.contiguous(memory_format=torch.channels_last)


def colour_jitter(
    images: Float[Tensor, "n 3 h w"], factors: Float[Tensor, "n 4"], order: Int[Tensor, "n 4"]
) -> Float[Tensor, "n 3 h w"]:
    """Change brightness, contrast, saturation and hue of each image in its own order (torchvision's ColorJitter).

    Args:
        images: in [0, 1].
        factors: brightness, contrast, saturation, hue; (1, 1, 1, 0) leaves an image as it is.
        order: `order[i, k]` is the operator (its column in `factors`) that image i meets at step k.
    """
    return colour_jitter_(images.clone(), factors, order)


def colour_jitter_(
    images: Float[Tensor, "n 3 h w"], factors: Float[Tensor, "n 4"], order: Int[Tensor, "n 4"]
) -> Float[Tensor, "n 3 h w"]:
    """Apply `colour_jitter` in place."""
    for operator in order.unbind(1):
        factor = factors.gather(1, operator[:, None])[:, 0]
        factor = torch.where(operator == HUE, 1.0, factor)
        rest = 1 - factor
        # Three of the four operators are one blend with other shares: the whole batch takes it at once.
        _blend_(images, factor, rest * (operator == SATURATION), rest * (operator == CONTRAST))
        turned = ((operator == HUE) & (factors[:, HUE] != 0)).nonzero()[:, 0]
        images[turned] = hue(images[turned], factors[turned, HUE])
    return images


def affine_colour(
    images: Float[Tensor, "n 3 h w"], factors: Float[Tensor, "n 4"], grey: Bool[Tensor, " n"]
) -> Float[Tensor, "n 3 h w"]:
    """Apply colour jitter and greyscale as one affine map per image, clamped once; hue turns in the chroma plane.

    There is no order because it does not matter: every operator here keeps greys grey and maps the luma to a
    multiple of itself (contrast: about its mean), so without clamping they commute exactly.

    Args:
        images: in [0, 1].
        factors: as `colour_jitter` takes them.
        grey: whether the image ends as greyscale.
    """
    bright, contrasted, saturated, turn = factors.to(images.dtype).unbind(1)
    luma, total = images.new_tensor(GREY), sum(GREY)
    # A desaturated image's luma shrinks by the weights' sum, 0.9999: this keeps the map equal to torchvision.
    shrunk = torch.where(grey, total, 1.0) * (saturated + (1 - saturated) * total)
    chroma = saturated * ~grey
    angle = 2 * math.pi * turn
    parts = torch.stack([shrunk, chroma * angle.cos(), chroma * angle.sin()], 1)
    matrix = (bright * contrasted)[:, None] * parts @ _hue_basis(images).view(3, 9)
    offset = bright * (1 - contrasted) * shrunk * (images.mean((2, 3)) @ luma)
    views = torch.bmm(matrix.unflatten(1, (3, 3)), images.flatten(2)).view_as(images)
    # Not baddbmm: it first spreads the offset over the whole batch, as dear as the product itself.
    return views.add_(offset[:, None, None, None]).clamp_(0, 1)


def _hue_basis(like: Tensor) -> Float[Tensor, "3 3 3"]:
    """Return the projection on the greys, that on the chroma plane, and the quarter turn in that plane."""
    to_chroma = like.new_tensor((GREY, *CHROMA))
    greys = like.new_tensor(GREY).expand(3, 3) / sum(GREY)
    quarter = like.new_tensor(((0, 0, 0), (0, 0, 1), (0, -1, 0)))
    return torch.stack([greys, torch.eye(3).to(like) - greys, torch.inverse(to_chroma) @ quarter @ to_chroma])


def _luma(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n h w"]:
    red, green, blue = images.unbind(1)
    return (GREY[0] * red).add_(green, alpha=GREY[1]).add_(blue, alpha=GREY[2])


def _blend_(
    images: Float[Tensor, "n 3 h w"],
    own: Float[Tensor, " n"],
    greyscaled: Float[Tensor, " n"],
    mean: Float[Tensor, " n"],
) -> Float[Tensor, "n 3 h w"]:
    """Blend in place: own · image + greyscaled · its greyscale + mean · its greyscale's mean, clamped to [0, 1]."""
    own, greyscaled, mean = (share.to(images.dtype)[:, None, None] for share in (own, greyscaled, mean))
    luma = _luma(images)
    level = mean * luma.mean((1, 2), keepdim=True)
    luma.mul_(greyscaled).add_(level)
    return images.mul_(own[:, None]).add_(luma[:, None]).clamp_(0, 1)
