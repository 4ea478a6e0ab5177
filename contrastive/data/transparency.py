"""Composition of transparent images on the mean colour of the training images, which tells no classes apart."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

GREY: Final = 128
"""Stands for the mean colour where all pixels are transparent."""

Images = UInt8[ndarray, "n 3 h w"]
Opacity = Mapping[int, UInt8[ndarray, "h w"]]
"""Opacity of each image that is not opaque, by its row: 0 is transparent, 255 opaque."""


def opacity(pixels: UInt8[ndarray, "n 4 h w"], first: int = 0) -> dict[int, UInt8[ndarray, "h w"]]:
    """Return the opacity of each image that is not opaque, by its row counted from `first`."""
    alpha = pixels[:, 3]
    return {first + int(row): alpha[row].copy() for row in np.flatnonzero((alpha < 255).any((1, 2)))}


def mean_colour(blocks: Iterable[tuple[Images, Opacity]]) -> UInt8[ndarray, " 3"]:
    """Return the mean colour of images, each pixel weighted by its opacity: also the mean of them composed on it."""
    total, weight = np.zeros(3, np.int64), 0
    for images, opacities in blocks:
        total += 255 * images.sum((0, 2, 3), dtype=np.int64)
        weight += 255 * images[:, 0].size
        for row, alpha in opacities.items():
            hidden = 255 - alpha.astype(np.int64)
            total -= (images[row] * hidden).sum((1, 2))
            weight -= int(hidden.sum())
    return np.full(3, GREY, np.uint8) if not weight else np.rint(total / weight).astype(np.uint8)


def compose(images: Images, opacities: Opacity, colour: UInt8[ndarray, " 3"]) -> None:
    """Put `colour` behind the images that are not opaque, in place."""
    for row, alpha in opacities.items():
        seen = images[row].astype(np.int64) * alpha
        behind = colour.astype(np.int64)[:, None, None] * (255 - alpha.astype(np.int64))
        images[row] = (seen + behind + 127) // 255
