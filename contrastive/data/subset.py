"""Choice of images from a larger set, drawn from the seed with each class in its proportion."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int
from numpy import ndarray


def stratified_order(labels: Int[ndarray, " n"], generator: np.random.Generator) -> Int[ndarray, " n"]:
    """Order images at random so that any stretch holds each class in its proportion, within 2 images.

    The members of a class are shuffled and spread evenly over [0, 1), one in each of its equal intervals;
    the order is that of the places. So 1,000 images of 100 classes are 10 of each, not 3 to 20.
    """
    order = generator.permutation(len(labels))
    members = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = (rank + generator.random(len(labels))) / np.repeat(sizes, sizes)
    return members[np.argsort(place, kind="stable")]


def pick(
    labels: Int[ndarray, " n"], wanted: Mapping[str, int], *, seed: int, where: str
) -> dict[str, Int[ndarray, " _"]]:
    """Draw the indices of as many images as `wanted` gives for each split, none of them in two splits.

    The first split is taken from the front of the order, the others from its end: asking for more training
    images only adds to them and leaves the validation images as they were.

    Raises:
        ValueError: `where` holds fewer images than all splits ask for.
    """
    if sum(wanted.values()) > len(labels):
        asked = " and ".join(f"{split}={count}" for split, count in wanted.items())
        raise ValueError(
            f"{where} holds {len(labels)} images, but {asked} ask for {sum(wanted.values())}. Ask for fewer."
        )
    order = stratified_order(labels, np.random.default_rng(seed))
    first, *others = wanted
    picked, end = {first: order[: wanted[first]]}, len(order)
    for split in reversed(others):
        start = end - wanted[split]
        picked[split], end = order[start:end], start
    return picked
