"""Kernels between unit rows, as MMCL (Shah et al. 2022) uses them."""

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import product

Kernel = Literal["rbf", "linear", "tanh", "polynomial", "min"]


def kernel_matrix(
    rows: Float[Tensor, "n d"], columns: Float[Tensor, "m d"], kernel: Kernel, bandwidth: float
) -> Float[Tensor, "n m"]:
    """Return k(row, column) for all pairs of unit rows; for "rbf" less 1.

    rbf         exp(-|a - b|² / bandwidth) - 1: a support vector machine cannot see a constant, for its weights sum
                to 0, and near 1, where wide kernels live, float32 would have no digits left
    linear      a.b
    tanh        tanh(bandwidth * a.b), not positive semidefinite
    polynomial  (a.b + 1/2)³
    min         sum over d of min(max(a_d, 0), max(b_d, 0))

    Raises:
        ValueError: an unknown kernel.
    """
    if kernel == "min":
        a, b = rows.relu(), columns.relu()
        # min(a, b) = (a + b - |a - b|) / 2: no (n, m, d) tensor.
        return (a.sum(1)[:, None] + b.sum(1) - torch.cdist(a, b, p=1)) / 2
    cosines = product(rows, columns.T)
    match kernel:
        case "rbf":
            return torch.expm1((2 * cosines - 2) / bandwidth)
        case "linear":
            return cosines
        case "tanh":
            return torch.tanh(bandwidth * cosines)
        case "polynomial":
            return (cosines + 0.5) ** 3
        case _:
            raise ValueError(f"mmcl: kernel={kernel!r} given; needs one of {', '.join(get_args(Kernel))}.")
