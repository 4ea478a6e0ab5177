"""Contrastive attraction and contrastive repulsion, CACR (Zheng et al. 2021).

Far positives are pulled harder, near negatives pushed harder; d2 is the squared distance of two unit rows, 2 - 2 cos.
Here is the form of a batch, and one for mixed images; those with a target network are in `cacr_momentum`.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from contrastive.losses.attraction import (
    Cost,
    Variant,
    check_cost,
    check_shapes,
    check_weights,
    distance,
    held,
    of_same_images,
    shares,
    temperatures,
    unit_views,
)
from contrastive.losses.rows import product, unit_rows


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
    hot, cold = temperatures("cacr", variant, attraction_temperature, repulsion_temperature)
    check_weights("cacr", attraction_weight, repulsion_weight)
    check_cost("cacr", cost)
    _check_batch("cacr", views)
    z = unit_views(views)
    loss = z.new_zeros(())
    if attraction_weight:
        cosines = of_same_images(z, z)
        loss = loss + attraction_weight * distance(cosines, shares(held(cosines, detach_weights), -2 * hot))
    if repulsion_weight:
        cosines = _of_view_pairs(z)
        weights = shares(held(cosines, detach_weights), 2 * cold)
        loss = loss + repulsion_weight * _repulsion(cosines, weights, cost)
    return loss


def mixed_cacr(
    mixture: Float[Tensor, "n d"],
    positives: Float[Tensor, "p n d"],
    negatives: Float[Tensor, "n d"],
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    *,
    attraction_temperature: float,
    repulsion_temperature: float,
    attraction_weight: float = 1.0,
    repulsion_weight: float = 1.0,
    variant: Variant = "full",
    detach_weights: bool = False,
) -> Float[Tensor, ""]:
    """Attract a mixture of two images to both, in proportion; repel it from the others (ours, after BSIM).

    a[i, s] = sum over k of pi+[i, s, k] * d2(m[i], positives[k, s]),  pi+ = softmax over k of hot * d2
    attraction = mean over i of  share[i] * a[i, i] + (1 - share[i]) * a[i, partner[i]]
    repulsion = mean over i of  -sum over j of pi-[i, j] * d2(m[i], negatives[j]),  j not i, not partner[i],
                pi- = softmax over these j of -cold * d2

    Each source's positives share its part among themselves: weighted all together, "far is pulled harder"
    would favour the lesser source. With an image as its own partner it is `cacr` of one query view, whatever
    the share. With a share of 1 and another partner, the partner is still missing among the negatives.

    `mixture` i is of the images i and partner[i], `share` of it (0 to 1) of image i; `positives` are p unmixed
    views of the images, `negatives` is one. None need be normalised, and gradients reach all three. The
    keywords are those of `cacr`, hot and cold its two temperatures. What it refuses is refused, and so are
    shapes that do not fit and fewer than three images.

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> import torch
        >>> from contrastive.losses import mixed_cacr
        >>> key = torch.eye(3)
        >>> partner, share = torch.tensor([1, 2, 0]), torch.full((3,), 0.5)
        >>> mixture = (key + key[partner]) / 2
        >>> loss = mixed_cacr(
        ...     mixture, key[None], key, partner, share, attraction_temperature=1.0, repulsion_temperature=0.9
        ... )
        >>> round(loss.item(), 3)
        -1.414
    """
    hot, cold = temperatures("mixed_cacr", variant, attraction_temperature, repulsion_temperature)
    check_weights("mixed_cacr", attraction_weight, repulsion_weight)
    _check_mixture(mixture, positives, negatives, partner, share)
    m = unit_rows(mixture)
    loss = m.new_zeros(())
    if attraction_weight:
        k = unit_views(positives)
        cosines = (m * torch.stack([k, k[:, partner]])).sum(3)
        weights = (-2 * hot * held(cosines, detach_weights)).softmax(1)
        own, partners = 2 - 2 * (weights * cosines).sum(1)
        loss = loss + attraction_weight * (share * own + (1 - share) * partners).mean()
    if repulsion_weight:
        cosines = product(m, unit_rows(negatives).T)
        sources = torch.stack([torch.arange(len(m), device=m.device), partner], dim=1)
        logits = 2 * cold * held(cosines, detach_weights)
        weights = logits.scatter_(1, sources, -math.inf).softmax(1)
        loss = loss - repulsion_weight * distance(cosines, weights)
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
    """How far from equal the weights of `cacr` are; arguments and errors are the same.

    Paper: https://arxiv.org/abs/2105.03746

    Example:
        >>> import torch
        >>> from contrastive.losses import cacr_weight_entropy
        >>> views = torch.eye(3).expand(2, 3, 3)
        >>> entropy = cacr_weight_entropy(views, attraction_temperature=1.0, repulsion_temperature=0.9)
        >>> round(entropy.repulsion.item(), 3)
        0.693
    """
    hot, cold = temperatures("cacr_weight_entropy", variant, attraction_temperature, repulsion_temperature)
    _check_batch("cacr_weight_entropy", views)
    z = unit_views(views)
    attraction = shares(of_same_images(z, z), -2 * hot)
    repulsion = shares(_of_view_pairs(z), 2 * cold)
    return CACRWeightEntropy(*(torch.special.entr(w).sum(2).mean() for w in (attraction, repulsion)))


def _of_view_pairs(z: Float[Tensor, "v n d"]) -> Float[Tensor, "pairs n n"]:
    """Cosines of all images in a view and all in a later one: the products that are needed, and no other."""
    first, second = torch.triu_indices(len(z), len(z), offset=1, device=z.device)
    return product(z[first], z[second].mT)


def _repulsion(
    cosines: Float[Tensor, "b n m"], weights: Float[Tensor, "b n m"], cost: Cost
) -> Float[Tensor, ""]:
    if cost == "euclidean":
        return -distance(cosines, weights)
    return (weights * (4 * cosines - 4).exp()).sum(2).mean(1).log().mean()


def _check_batch(where: str, views: Tensor) -> None:
    check_shapes(
        where,
        views.ndim == 3 and len(views) > 1 and views.shape[1] > 1 and views.shape[2] > 0,
        "(2 views or more, 2 samples or more, width): other views attract, other samples repel",
        views=views,
    )


def _check_mixture(
    mixture: Tensor, positives: Tensor, negatives: Tensor, partner: Tensor, share: Tensor
) -> None:
    check_shapes(
        "mixed_cacr",
        mixture.ndim == 2
        and len(mixture) > 2
        and len(positives) > 0
        and mixture.shape == negatives.shape == positives.shape[1:]
        and partner.shape == share.shape == mixture.shape[:1],
        "(samples, width), (1 view or more, samples, width), (samples, width) and one partner and share a "
        "sample, for 3 samples or more: with 2, both are sources and none is left to repel",
        mixture=mixture,
        positives=positives,
        negatives=negatives,
        partner=partner,
        share=share,
    )
