"""The negative cosine of SimSiam (Chen & He 2021)."""

from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_pairs, unit_rows


def simsiam(
    prediction: Float[Tensor, "n d"], projection: Float[Tensor, "n d"], *, stop_gradient: bool = True
) -> Float[Tensor, ""]:
    """Negative cosine of each prediction with the other view's projection (SimSiam, eq. 1), one direction.

    for i in n:  -cos(p[i], z[i])

    It is BYOL's loss of a target that does not lag: half of that, less 1.

    Args:
        prediction: output of the predictor; need not be normalised.
        projection: output of the projector for the other views, in the same order.
        stop_gradient: whether no gradient reaches the projection; without it the networks collapse.

    Returns:
        The mean over the batch, in [-1, 1].

    Raises:
        ValueError: shapes differ or are empty.

    Paper: https://arxiv.org/abs/2011.10566

    Example:
        >>> import torch
        >>> from contrastive.losses import simsiam
        >>> z = torch.eye(3)
        >>> round(simsiam(z, z).item(), 3)
        -1.0
    """
    check_pairs("simsiam", prediction=prediction, projection=projection)
    target = projection.detach() if stop_gradient else projection
    return -(unit_rows(prediction) * unit_rows(target)).sum(1).mean()
