"""The regression loss of BYOL (Grill et al. 2020)."""

from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_pairs, unit_rows


def byol(prediction: Float[Tensor, "n d"], target: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """Squared distance of each unit prediction to its unit target, 2 - 2 cosine (BYOL, eq. 2), one direction.

    Args:
        prediction: output of the online predictor; need not be normalised.
        target: target projections of the other views, in the same order; no gradient.

    Returns:
        The mean over the batch, in [0, 4].

    Raises:
        ValueError: shapes differ or are empty.

    Paper: https://arxiv.org/abs/2006.07733

    Example:
        >>> import torch
        >>> from contrastive.losses import byol
        >>> target = torch.eye(3)
        >>> round(byol(-target, target).item(), 3)
        4.0
    """
    check_pairs("byol", prediction=prediction, target=target)
    # As a square it is never negative; 2 - 2 cosine would lose a small loss to rounding.
    return (unit_rows(prediction) - unit_rows(target.detach())).square().sum(1).mean()
