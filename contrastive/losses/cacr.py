"""Contrastive attraction and contrastive repulsion, CACR (Zheng et al. 2021).

Far positives are pulled harder, near negatives pushed harder; d2 is the squared distance of two unit rows, 2 - 2 cos.
Here is the form of a batch; those with a target network are in `cacr_momentum`.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses import attraction as parts
from contrastive.losses.attraction import Cost, Variant
from contrastive.losses.rows import product


def cacr(
    views: Float[Tensor, "v n d"],
    *,
    attraction_temperature: float,
    repulsion_temperature: float,
    attraction_weight: float = 1.0,
    repulsion_weight: float = 1.0,
    cost: Cost = "euclidean",
    variant: Variant = "full",
    detach_weights: bool = False,
) -> Float[Tensor, ""]:
    """Attract every view to the image's other views; repel it, in each later view, from the other images (CACR).

    pi+[p, q, i] = softmax over views q != p of  attraction_temperature * d2(z[p, i], z[q, i])
    pi-[p, q, i, j] = softmax over images j != i of  -repulsion_temperature * d2(z[p, i], z[q, j])
    attraction = mean over p, i of  sum over q of pi+ * d2
    repulsion = mean over p < q, i of  -sum over j of pi- * d2                               (cost "euclidean")
              = mean over p < q of  log( mean over i of sum over j of pi- * exp(-2 d2) )     (cost "rbf")
    loss = attraction_weight * attraction + repulsion_weight * repulsion

    Each pair of views is repelled one way, as in the released code, and its debiasing is left out: there its
    sign is that of a larger bias, and it forgets the weight. On several processes, call it on the views
    gathered with gradient.

    Args:
        views: embeddings of the same n images in each of v views; need not be normalised. v - 1 positives.
        attraction_temperature: 0 weights the positives alike; without effect for 2 views.
        repulsion_temperature: 0 weights the negatives alike; it is 1 / (2 * the temperature) of InfoNCE.
        attraction_weight: of the attraction; at 0 it is not computed.
        repulsion_weight: of the repulsion; at 0 it is not computed.
        cost: of the repulsion; the attraction is Euclidean.
        variant: which weights stay equal, whatever the temperature; the paper's ablation.
        detach_weights: take pi+ and pi- as constants. The release differentiates them, and then a negative
            more than 1 / repulsion_temperature farther than the weighted mean is pulled.

    Returns:
        The loss; gradients reach all views.

    Raises:
        ValueError: fewer than two views or images, a temperature or weight that is negative or not finite,
            both weights 0, or an unknown cost or variant.

    Paper: https://arxiv.org/abs/2105.03746

    Example:
        >>> import torch
        >>> from contrastive.losses import cacr
        >>> views = torch.eye(3).expand(2, 3, 3)
        >>> round(cacr(views, attraction_temperature=1.0, repulsion_temperature=0.9).item(), 3)
        -2.0
    """
    hot, cold = parts.temperatures("cacr", variant, attraction_temperature, repulsion_temperature)
    parts.check_weights("cacr", attraction_weight, repulsion_weight)
    parts.check_cost("cacr", cost)
    _check_batch("cacr", views)
    z = parts.unit_views(views)
    loss = z.new_zeros(())
    if attraction_weight:
        cosines = parts.of_same_images(z, z)
        loss = loss + attraction_weight * parts.distance(
            cosines, parts.shares(parts.weighed(cosines, detach_weights), -2 * hot)
        )
    if repulsion_weight:
        cosines = _of_view_pairs(z)
        weights = parts.shares(parts.weighed(cosines, detach_weights), 2 * cold)
        loss = loss + repulsion_weight * _repulsion(cosines, weights, cost)
    return loss


class CACRWeightEntropy(NamedTuple):
    """Mean entropy of CACR's weights, in nats: log of their number when equal, 0 when one takes all."""

    attraction: Float[Tensor, ""]
    """At most log(v - 1)."""
    repulsion: Float[Tensor, ""]
    """At most log(n - 1)."""


@torch.no_grad()
def cacr_weight_entropy(
    views: Float[Tensor, "v n d"],
    *,
    attraction_temperature: float,
    repulsion_temperature: float,
    variant: Variant = "full",
) -> CACRWeightEntropy:
    """Return the entropy of the weights of `cacr`, largest where they are equal; arguments and errors are the same.

    Paper: https://arxiv.org/abs/2105.03746

    Example:
        >>> import torch
        >>> from contrastive.losses import cacr_weight_entropy
        >>> views = torch.eye(3).expand(2, 3, 3)
        >>> entropy = cacr_weight_entropy(views, attraction_temperature=1.0, repulsion_temperature=0.9)
        >>> round(entropy.repulsion.item(), 3)
        0.693
    """
    hot, cold = parts.temperatures(
        "cacr_weight_entropy", variant, attraction_temperature, repulsion_temperature
    )
    _check_batch("cacr_weight_entropy", views)
    z = parts.unit_views(views)
    attraction = parts.shares(parts.of_same_images(z, z), -2 * hot)
    repulsion = parts.shares(_of_view_pairs(z), 2 * cold)
    return CACRWeightEntropy(*(torch.special.entr(w).sum(2).mean() for w in (attraction, repulsion)))


def _of_view_pairs(z: Float[Tensor, "v n d"]) -> Float[Tensor, "pairs n n"]:
    """Return the cosines of all images in a view and all in a later one."""
    first, second = torch.triu_indices(len(z), len(z), offset=1, device=z.device)
    return product(z[first], z[second].mT)


def _repulsion(
    cosines: Float[Tensor, "b n m"], weights: Float[Tensor, "b n m"], cost: Cost
) -> Float[Tensor, ""]:
    if cost == "euclidean":
        return -parts.distance(cosines, weights)
    return (weights * (4 * cosines - 4).exp()).sum(2).mean(1).log().mean()


def _check_batch(where: str, views: Tensor) -> None:
    parts.check_shapes(
        where,
        views.ndim == 3 and len(views) > 1 and views.shape[1] > 1 and views.shape[2] > 0,
        "(2 views or more, 2 samples or more, width): other views attract, other samples repel",
        views=views,
    )
