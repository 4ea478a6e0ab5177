"""Common parts of the forms of CACR: cosines of views, the weights made of them, and checks."""

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_not_negative, product, unit_rows

Cost = Literal["euclidean", "rbf"]
Variant = Literal["full", "uniform_attraction", "uniform_repulsion", "uniform"]


def unit_views(views: Float[Tensor, "v n d"]) -> Float[Tensor, "v n d"]:
    """Scale each row of each view to length 1."""
    return unit_rows(views.flatten(0, 1)).view(views.shape)


def of_same_images(queries: Float[Tensor, "v n d"], keys: Float[Tensor, "g n d"]) -> Float[Tensor, "n v g"]:
    """Return the cosines of each image's queries and keys."""
    return product(queries.transpose(0, 1), keys.permute(1, 2, 0))


def weighed(cosines: Float[Tensor, "*b n m"], detach: bool) -> Float[Tensor, "*b n m"]:
    """Return the cosines from which weights are made, as constants or not."""
    return cosines.detach() if detach else cosines


def shares(cosines: Float[Tensor, "b n m"], scale: float) -> Float[Tensor, "b n m"]:
    """Return the softmax along rows of scale * cosines, without an entry's own view or image.

    On the sphere softmax(t d2) is softmax(-2t cos): the constant 2t drops out.
    """
    own = torch.eye(*cosines.shape[1:], dtype=torch.bool, device=cosines.device)
    return (scale * cosines).masked_fill_(own, -math.inf).softmax(2)


def distance(cosines: Float[Tensor, "*b n m"], weights: Float[Tensor, "*b n m"]) -> Float[Tensor, ""]:
    """Return the mean over rows of the weighted mean of d2."""
    return 2 - 2 * (weights * cosines).sum(-1).mean()


def temperatures(
    where: str, variant: str, attraction_temperature: float, repulsion_temperature: float
) -> tuple[float, float]:
    """Return the two temperatures, 0 where the variant's weights are equal.

    Raises:
        ValueError: one is negative or not finite, or the variant is unknown.
    """
    check_not_negative(
        where, attraction_temperature=attraction_temperature, repulsion_temperature=repulsion_temperature
    )
    if variant not in get_args(Variant):
        raise ValueError(f'{where}: variant="{variant}" given; needs one of {", ".join(get_args(Variant))}.')
    return (
        0.0 if variant in ("uniform_attraction", "uniform") else attraction_temperature,
        0.0 if variant in ("uniform_repulsion", "uniform") else repulsion_temperature,
    )


def check_weights(where: str, attraction_weight: float, repulsion_weight: float) -> None:
    """Refuse weights that leave nothing of the loss.

    Raises:
        ValueError: one is negative or not finite, or both are 0.
    """
    check_not_negative(where, attraction_weight=attraction_weight, repulsion_weight=repulsion_weight)
    if attraction_weight == repulsion_weight == 0:
        raise ValueError(f"{where}: both weights are 0: nothing is left. Give one above 0, such as 1.")


def check_cost(where: str, cost: str) -> None:
    """Refuse an unknown cost of repulsion.

    Raises:
        ValueError: it is not one of `Cost`.
    """
    if cost not in get_args(Cost):
        raise ValueError(f'{where}: cost="{cost}" given; needs one of {", ".join(get_args(Cost))}.')


def check_shapes(where: str, fits: bool, needed: str, **given: Tensor) -> None:
    """Refuse tensors whose shapes do not fit.

    Raises:
        ValueError: says which were given and what is needed.
    """
    if not fits:
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in given.items())
        raise ValueError(f"{where}: {shapes} given; needs {needed}.")
