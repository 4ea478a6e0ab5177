"""The nearest neighbours of every image of a set, by its features."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from contrastive.losses.rows import product, unit_rows


@torch.no_grad()
def nearest(features: Float[Tensor, "n d"], count: int, *, block: int = 1024) -> Int[Tensor, "n {count}"]:
    """The `count` rows most similar to each by cosine, the nearest first, without itself.

    Args:
        features: one image a row; need not be normalised.
        count: neighbours of each, at most n - 1.
        block: rows compared at a time; (block, n) similarities are in memory at once.

    Raises:
        ValueError: there are fewer other rows.
    """
    if not 1 <= count < len(features):
        raise ValueError(
            f"nearest: count={count} given; each of {len(features)} images has 1 to {len(features) - 1} "
            "others. Lower it or keep more images."
        )
    rows = unit_rows(features)
    found: list[Tensor] = []
    for at in range(0, len(rows), block):
        similar = product(rows[at : at + block], rows.T)
        itself = torch.arange(at, at + len(similar), device=rows.device)[:, None]
        found.append(similar.scatter_(1, itself, -2.0).topk(count, dim=1).indices)
    return torch.cat(found)
