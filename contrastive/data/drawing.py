"""The data set of shapes, drawn class by class."""

from typing import Final

import numpy as np
import torch

from contrastive.data.dataset import Dataset, Split, assemble
from contrastive.data.rendering import FORMS, SIZE, Draws, render
from contrastive.data.shapes import CLASSES, Shapes, class_sizes

CHUNK: Final = 512
"""Images rendered at a time, to stay in the processor's cache. Part of what the seed means."""


def drawn(shapes: Shapes) -> Dataset:
    """Draw the splits, each from its own stream of the seed."""
    return assemble(
        tuple(f"{shape}-{texture}" for shape, texture in CLASSES[: shapes.classes]),
        train=_draw(shapes, shapes.train, shapes.imbalance, stream=0),
        validation=_draw(shapes, shapes.validation, 1.0, stream=1),
        test=_draw(shapes, shapes.test, 1.0, stream=2),
        labelled=None if shapes.imbalance == 1 else _draw(shapes, shapes.train, 1.0, stream=3),
    )


def _draw(shapes: Shapes, count: int, imbalance: float, *, stream: int) -> Split:
    generator = np.random.default_rng([shapes.seed, stream])
    sizes = class_sizes(count, shapes.classes, imbalance)
    labels = torch.as_tensor(generator.permutation(np.repeat(np.arange(shapes.classes), sizes)))
    images = torch.empty(count, 3, SIZE, SIZE, dtype=torch.uint8)
    for label, (shape, texture) in enumerate(CLASSES[: shapes.classes]):
        for members in torch.split(torch.nonzero(labels == label).squeeze(1), CHUNK):
            draws = Draws(generator, len(members))
            images[members] = render(shape, texture, label / shapes.classes, FORMS[shapes.form], draws)
    return Split(images, labels)
