"""BSIM on CACR: a mixture of two images is attracted to both."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from contrastive.losses import attraction as parts
from contrastive.losses.attraction import Variant
from contrastive.losses.rows import product, unit_rows


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
    hot, cold = parts.temperatures("mixed_cacr", variant, attraction_temperature, repulsion_temperature)
    parts.check_weights("mixed_cacr", attraction_weight, repulsion_weight)
    _check_mixture(mixture, positives, negatives, partner, share)
    m = unit_rows(mixture)
    loss = m.new_zeros(())
    if attraction_weight:
        k = parts.unit_views(positives)
        cosines = (m * torch.stack([k, k[:, partner]])).sum(3)
        weights = (-2 * hot * parts.weighed(cosines, detach_weights)).softmax(1)
        own, partners = 2 - 2 * (weights * cosines).sum(1)
        loss = loss + attraction_weight * (share * own + (1 - share) * partners).mean()
    if repulsion_weight:
        cosines = product(m, unit_rows(negatives).T)
        sources = torch.stack([torch.arange(len(m), device=m.device), partner], dim=1)
        logits = 2 * cold * parts.weighed(cosines, detach_weights)
        weights = logits.scatter_(1, sources, -math.inf).softmax(1)
        loss = loss - repulsion_weight * parts.distance(cosines, weights)
    return loss


def _check_mixture(
    mixture: Tensor, positives: Tensor, negatives: Tensor, partner: Tensor, share: Tensor
) -> None:
    parts.check_shapes(
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
