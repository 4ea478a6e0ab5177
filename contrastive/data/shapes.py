"""A data set made here, without a download: coloured, textured objects that differ in more than class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import numpy as np
from jaxtyping import Int
from numpy import ndarray
from pydantic import Field, model_validator

from contrastive.data.base import DataSet
from contrastive.types import Count, Natural, configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset

VERSION: Final = 1
"""Raised whenever the same seed would give other pixels: results on two versions are not compared."""

CLASSES: Final = (
    ("triangle", "solid"),
    ("square", "stripes"),
    ("star", "checker"),
    ("ring", "dots"),
    ("cross", "circles"),
    ("trefoil", "wedges"),
    ("disc", "blotches"),
    ("crescent", "gradient"),
    # Two more share both their factors with classes above: neither shape nor texture alone tells them apart.
    ("square", "dots"),
    ("star", "stripes"),
)


@configuration
class Shapes(DataSet):
    """32 x 32 colour images of ten classes, each a pair of a shape and a texture, drawn from the seed.

    Position, size, turn, proportions, both colours, shading, background, clutter, an occluding bar, exposure
    and noise vary from image to image; a class only leans towards a hue. A seed gives the same bits for
    any number of threads.
    """

    name: Literal["shapes"] = "shapes"
    form: Literal["easy", "medium"] = "medium"
    train: Count = 4096
    validation: Count = 2000
    test: Count = 2000
    classes: Annotated[int, Field(ge=2, le=len(CLASSES))] = len(CLASSES)
    imbalance: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Smallest over largest class of the training images, an exponential long tail; other splits are even.

    Below 1 as many even images are drawn for kNN to vote with.
    """
    seed: Natural = 0

    elsewhere: ClassVar[str] = "Shapes are drawn, not downloaded: they need nothing."

    @model_validator(mode="after")
    def _every_class_has_an_image(self) -> Shapes:
        if class_sizes(self.train, self.classes, self.imbalance).min() < 1:
            raise ValueError(
                f"train={self.train} images at imbalance={self.imbalance} leave one of {self.classes} "
                "classes without any. Raise train or imbalance, or lower classes."
            )
        return self

    def state(self) -> object:
        """What the pixels depend on besides this configuration."""
        return VERSION

    def read(self) -> Dataset:
        """Draw the splits, each from its own stream of the seed."""
        from contrastive.data.drawing import drawn

        return drawn(self)


def class_sizes(count: int, classes: int, imbalance: float) -> Int[ndarray, " classes"]:
    """How many of `count` images each class has: class c in proportion to imbalance^(c / (classes - 1)).

    The long tail of Cui et al., Class-Balanced Loss (CVPR 2019), section 5.1. Each size is within one of its
    exact share and they add up to `count`.
    """
    weight = imbalance ** (np.arange(classes) / (classes - 1))
    edges = np.rint(np.cumsum(weight) / weight.sum() * count).astype(np.int64)
    return np.diff(edges, prepend=0)
