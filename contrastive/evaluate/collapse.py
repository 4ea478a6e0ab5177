"""How far features have collapsed: effective rank, alignment, uniformity and spread."""

import math
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_columns, check_pairs, cosine_logits, unit_rows


@torch.no_grad()
def effective_rank(features: Float[Tensor, "n d"]) -> float:
    """Number of directions the features really use (Roy & Vetterli 2007).

    exp( -sum_i p_i log p_i ),   p = singular values of the centred features over their sum

    From 1 (all on one line) to min(n - 1, d) (equal spread in all directions); 0 if all features are equal.
    Singular values within rounding of 0 are taken for 0.

    Args:
        features: one sample a row, not normalised here; their common scale does not matter.

    Raises:
        ValueError: not a non-empty matrix.
    """
    check_columns("effective_rank", features.shape[-1], features=features)
    rows = features.to(torch.promote_types(features.dtype, torch.float32))
    centred = rows - rows.mean(0)
    values = cast(Tensor, torch.linalg.svdvals(centred))  # pyright: ignore[reportUnknownMemberType]
    # Against the uncentred size: rounding of a large common offset is not a direction of the features.
    values = values[values > 10 * torch.finfo(rows.dtype).eps * rows.square().sum().sqrt()]
    if len(values) == 0:
        return 0.0
    share = values / values.sum()
    return math.exp(-(share * share.log()).sum().item())


@torch.no_grad()
def alignment(z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]) -> float:
    """Mean squared distance of the unit embeddings of two views (Wang & Isola 2020, eq. 1, exponent 2).

    0 is perfect alignment; 2 is what unrelated directions give; at most 4.

    Raises:
        ValueError: shapes differ or are empty.
    """
    check_pairs("alignment", z1=z1, z2=z2)
    return (unit_rows(z1) - unit_rows(z2)).square().sum(1).mean().item()


@torch.no_grad()
def uniformity(z: Float[Tensor, "n d"], *, block: int = 1024) -> float:
    """Log of the mean Gaussian potential of pairs of unit embeddings (Wang & Isola 2020, eq. 2, t = 2).

    log( mean over i != j of exp(-2 |z_i - z_j|^2) ),   0 if all coincide, towards -4 on a wide uniform sphere

    Args:
        z: embeddings; need not be normalised.
        block: rows compared at a time; (block, n) similarities are in memory at once.

    Raises:
        ValueError: not a matrix of at least two rows, or a block below 1.
    """
    check_columns("uniformity", z.shape[-1], z=z)
    n = len(z)
    if n < 2:
        raise ValueError("uniformity: 1 embedding given; needs 2 or more, for it is a mean over pairs.")
    if block < 1:
        raise ValueError(f"uniformity: block={block} given; needs at least 1 row a block.")
    unit = unit_rows(z)
    itself = torch.arange(n, device=z.device)[:, None]
    # -2 |a - b|^2 = 4 cos - 4: logits at temperature 1/4, less 4.
    potentials = [
        cosine_logits(unit[at : at + block], unit, 0.25, itself[at : at + block]).logsumexp(1)
        for at in range(0, n, block)
    ]
    return torch.cat(potentials).logsumexp(0).item() - 4 - math.log(n * (n - 1))


@torch.no_grad()
def spread(z: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """Mean standard deviation of the coordinates of unit embeddings, times the root of their number (Chen & He 2021).

    sqrt(d) * mean over j of sd over i of z[i, j],   1 for directions spread evenly over the sphere, 0 if all coincide

    Raises:
        ValueError: not a matrix of at least two rows.
    """
    check_columns("spread", z.shape[-1], z=z)
    if len(z) < 2:
        raise ValueError("spread: 1 embedding given; needs 2 or more, for a deviation is of several.")
    return unit_rows(z).std(0).mean() * math.sqrt(z.shape[1])
