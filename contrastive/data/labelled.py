"""Images that keep their label in a semi-supervised evaluation: fixed lists, equal on every machine."""

import numpy as np
import torch
from jaxtyping import Int, Int64
from torch import Tensor


def label_fraction(labels: Int[Tensor, " n"], fraction: float, draw: int) -> Int64[Tensor, " m"]:
    """Sorted indices of a fraction of the images, the same fraction of each class but at least one image.

    A class of n images gives the first max(1, ⌊fraction · n + ½⌋) of an order that only n, the class and
    `draw` decide: the same list on every machine, and the 1 % list of a draw lies inside its 10 % list.

    Args:
        labels: class of each image, from 0.
        fraction: above 0, at most 1; the protocol of SimCLR (Chen et al., 2020, section 4.2) has 0.01 and 0.1.
        draw: which of the lists, from 0; results over several draws show what the choice of images is worth.

    Raises:
        ValueError: there are no labels, or one, `fraction` or `draw` is out of its range.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"label fraction = {fraction}; it lies above 0 and is at most 1, as 0.01 for 1 %.")
    if draw < 0:
        raise ValueError(f"draw = {draw}; draws count from 0.")
    if not len(labels) or int(labels.min()) < 0:
        raise ValueError(
            "A fraction of the labels needs labels, from 0, of all images; give it a split that has them."
        )
    classes = labels.cpu().numpy()
    chosen = [
        _first(np.flatnonzero(classes == label), fraction, [draw, label]) for label in np.unique(classes)
    ]
    return torch.as_tensor(np.sort(np.concatenate(chosen)))


def _first(members: Int[np.ndarray, " n"], fraction: float, seed: list[int]) -> Int[np.ndarray, " m"]:
    order = np.random.default_rng(seed).permutation(len(members))
    return members[order[: max(1, int(fraction * len(members) + 0.5))]]
