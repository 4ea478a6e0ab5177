"""Label-imbalanced training images, exactly as in CACR's experiments."""

import math
from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
from jaxtyping import Int
from numpy import ndarray

Imbalance = Literal["none", "linear", "exponential"]

SHUFFLE: Final = 2021
"""The seed of the published lists."""


def class_shares(kind: Literal["linear", "exponential"], classes: int) -> list[float]:
    """Return the share of each class that is kept: g/10 (linear) or e^g / e^10 (exponential), g = ⌊10c / classes⌋ + 1.

    That is ten steps, each with one class of CIFAR-10 and ten of CIFAR-100 (Zheng et al., "Contrastive
    attraction and contrastive repulsion for representation learning", and its code).
    """
    steps = [10 * label // classes + 1 for label in range(classes)]
    if kind == "linear":
        return [step / 10 for step in steps]
    return [math.exp(step) / math.exp(10) for step in steps]


def unbalanced(
    picked: Mapping[str, Int[ndarray, " _"]], labels: Int[ndarray, " n"], kind: Imbalance, classes: int
) -> dict[str, Int[ndarray, " _"]]:
    """Return the picked splits with an imbalanced "train", and as "labelled" the images before, for kNN.

    A class keeps the first ⌊fraction · n⌋ of a fixed shuffle of its n picked training images in the order of the file.
    With all 50,000 images of CIFAR those are the published lists.
    """
    if kind == "none":
        return dict(picked)
    train, of_file = picked["train"], np.sort(picked["train"])
    kept = [
        _first(of_file[labels[of_file] == label], fraction)
        for label, fraction in enumerate(class_shares(kind, classes))
    ]
    return {**picked, "train": train[np.isin(train, np.concatenate(kept))], "labelled": train}


def _first(members: Int[ndarray, " n"], fraction: float) -> Int[ndarray, " m"]:
    order = np.arange(len(members))
    np.random.RandomState(SHUFFLE).shuffle(order)
    return members[order[: int(fraction * len(members))]]
