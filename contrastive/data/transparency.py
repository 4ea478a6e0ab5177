"""What is seen through transparent images: the mean colour of the training images, so that it tells nothing."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

GREY: Final = 128
"""What stands for a colour where there is none."""

Images = UInt8[ndarray, "n 3 h w"]
Opacity = Mapping[int, UInt8[ndarray, "h w"]]
"""Of the rows that are not opaque: 0 where nothing is seen of them, 255 where nothing is seen through."""


def opacity(pixels: UInt8[ndarray, "n 4 h w"], first: int = 0) -> dict[int, UInt8[ndarray, "h w"]]:
    """The opacity of those of these images that are not opaque, by their row, counted from `first`."""
    alpha = pixels[:, 3]
    return {first + int(row): alpha[row].copy() for row in np.flatnonzero((alpha < 255).any((1, 2)))}


def mean_colour(blocks: Iterable[tuple[Images, Opacity]]) -> UInt8[ndarray, " 3"]:
    """Of all that is seen of these images, each pixel by its opacity. Composed on it, they have it for their mean."""
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
