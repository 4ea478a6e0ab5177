"""A data set made here, without a download: coloured, textured objects that differ in more than class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import numpy as np
from jaxtyping import Int
from numpy import ndarray
from pydantic import Field, model_validator

from contrastive.data.base import DataSet
from contrastive.types import Count, Natural, Share, configuration

if TYPE_CHECKING:
    from contrastive.data.dataset import Dataset, Split

VERSION: Final = 1
"""Raised whenever the same seed would give other pixels: results on two versions are not compared."""
CHUNK: Final = 512
"""Images rendered at a time, to stay in the processor's cache. Part of what the seed means."""

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
    imbalance: Share = 1.0
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
        """Return the version of the drawing."""
        return VERSION

    def read(self) -> Dataset:
        """Draw the splits, each from its own stream of the seed."""
        from contrastive.data.dataset import assemble

        return assemble(
            tuple(f"{shape}-{texture}" for shape, texture in CLASSES[: self.classes]),
            train=self._draw(self.train, self.imbalance, stream=0),
            validation=self._draw(self.validation, 1.0, stream=1),
            test=self._draw(self.test, 1.0, stream=2),
            labelled=None if self.imbalance == 1 else self._draw(self.train, 1.0, stream=3),
        )

    def _draw(self, count: int, imbalance: float, *, stream: int) -> Split:
        import torch

        from contrastive.data.dataset import Split
        from contrastive.data.rendering import FORMS, SIZE, Draws, render_objects

        generator = np.random.default_rng([self.seed, stream])
        sizes = class_sizes(count, self.classes, imbalance)
        labels = torch.as_tensor(generator.permutation(np.repeat(np.arange(self.classes), sizes)))
        images = torch.empty(count, 3, SIZE, SIZE, dtype=torch.uint8)
        for label, (shape, texture) in enumerate(CLASSES[: self.classes]):
            for members in torch.split(torch.nonzero(labels == label).squeeze(1), CHUNK):
                draws = Draws(generator, len(members))
                images[members] = render_objects(
                    shape, texture, label / self.classes, FORMS[self.form], draws
                )
        return Split(images, labels)


def class_sizes(count: int, classes: int, imbalance: float) -> Int[ndarray, " classes"]:
    """Divide `count` images among the classes: class c gets a share proportional to imbalance^(c / (classes - 1)).

    The long tail of Cui et al., Class-Balanced Loss (CVPR 2019), section 5.1. Each size is within one of its
    exact share and they add up to `count`.
    """
    weight = imbalance ** (np.arange(classes) / (classes - 1))
    edges = np.rint(np.cumsum(weight) / weight.sum() * count).astype(np.int64)
    return np.diff(edges, prepend=0)
