"""Contrastive attraction and contrastive repulsion, CACR (Zheng et al. 2021).

Far positives are pulled harder, near negatives pushed harder; d2 is the squared distance of two unit rows, 2 - 2 cos.
The published forms: of a batch, with a queue, and InfoNCE with its views re-weighted; and a form for mixed images.
"""

import math
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses.rows import check_columns, check_positive, cosine_logits, product, unit_rows

Cost = Literal["euclidean", "rbf"]
Variant = Literal["full", "uniform_attraction", "uniform_repulsion", "uniform"]


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
    """
    hot, cold = _temperatures("cacr", variant, attraction_temperature, repulsion_temperature)
    _check_weights("cacr", attraction_weight, repulsion_weight)
    if cost not in get_args(Cost):
        raise ValueError(f'cacr: cost="{cost}" given; needs one of {", ".join(get_args(Cost))}.')
    _check_batch("cacr", views)
    z = _unit_views(views)
    loss = z.new_zeros(())
    if attraction_weight:
        cosines = _of_same_images(z, z)
        loss = loss + attraction_weight * _distance(
            cosines, _shares(_held(cosines, detach_weights), -2 * hot)
        )
    if repulsion_weight:
        cosines = _of_view_pairs(z)
        weights = _shares(_held(cosines, detach_weights), 2 * cold)
        loss = loss + repulsion_weight * _repulsion(cosines, weights, cost)
    return loss


def cacr_queue(
    queries: Float[Tensor, "v n d"],
    keys: Float[Tensor, "g n d"],
    queue: Float[Tensor, "k d"],
    *,
    attraction_temperature: float,
    repulsion_temperature: float,
    attraction_weight: float = 1.0,
    repulsion_weight: float = 1.0,
    variant: Variant = "full",
    intra_batch: bool = True,
) -> Float[Tensor, ""]:
    """CACR on momentum keys and a queue: the paper's form on MoCo v2, for its large data sets.

    pi+[p, h, i] = softmax over key views h != p of  attraction_temperature * d2(q[p, i], key[h, i])
    pi-[p, i, c] = softmax over candidates c of  -repulsion_temperature * d2(q[p, i], c)
    loss = mean over p, i of  attraction_weight * sum of pi+ * d2 - repulsion_weight * sum of pi- * d2

    The candidates are the queue and, with `intra_batch`, the other queries of the same view. As published,
    pi+ is a constant, and in pi- the distances to the queue are constants while those to the other queries
    are not: gradient flows through their logits, and so through the sum that divides all weights. Unlike the
    released code, every query view meets the queue: there all views reuse the first view's distances to it.

    Args:
        queries: online embeddings of v views, in the first g of them the views of the keys; more, such as
            local crops, are queries only. Need not be normalised.
        keys: target embeddings of the first g views; no gradient.
        queue: earlier keys, one a row; no gradient.
        attraction_temperature: as in `cacr`.
        repulsion_temperature: as in `cacr`.
        attraction_weight: as in `cacr`.
        repulsion_weight: as in `cacr`.
        variant: as in `cacr`.
        intra_batch: whether the other queries of the same view are negatives too.

    Returns:
        The mean over the queries of all views.

    Raises:
        ValueError: shapes do not fit, fewer than two views of keys (a query's own view is no positive), a
            temperature or weight that is negative or not finite, both weights 0, or an unknown variant.
    """
    hot, cold = _temperatures("cacr_queue", variant, attraction_temperature, repulsion_temperature)
    _check_weights("cacr_queue", attraction_weight, repulsion_weight)
    _check_queries(queries, keys, queue)
    q, k = _unit_views(queries), _unit_views(keys.detach())
    loss = q.new_zeros(())
    if attraction_weight:
        cosines = _of_same_images(q, k)
        loss = loss + attraction_weight * _distance(cosines, _shares(cosines.detach(), -2 * hot))
    if repulsion_weight:
        loss = loss - repulsion_weight * _distance_to_queue(q, unit_rows(queue.detach()), cold, intra_batch)
    return loss


def cacr_reweighted(
    queries: Float[Tensor, "v n d"], key: Float[Tensor, "n d"], *, temperature: float, cost: Cost = "rbf"
) -> Float[Tensor, ""]:
    """Losses of several query views on one key view, more of those farther from it: the form on MoCo v3.

    share[p, i] = softmax over views p of  d2(q[p, i], k[i]) / temperature                      (a constant)
    "rbf":  2 * temperature * mean over i of  sum over p of share * -log softmax over j (q[p, i].k[j] / t)[i]
    "euclidean":  mean over i of  sum over p of share * (sum over j != i of w[j] q[p, i].k[j] - q[p, i].k[i])
                  w = softmax over j != i of q[p, i].k[j] / temperature                         (a constant)

    The form released for ImageNet. There the shares weight all of InfoNCE, its repulsion too, and with one
    query view they are 1: "rbf" is then the loss of MoCo v3. The release sums "euclidean" over images, so
    that its scale grows with the batch; here both are means. Average over the keys' views, each with the
    queries of the other views.

    Args:
        queries: online embeddings of v views other than the key's; need not be normalised.
        key: target embeddings of one view; no gradient.
        temperature: of the cosines and of the shares.
        cost: "rbf" is InfoNCE, the released default.

    Returns:
        The mean over the images.

    Raises:
        ValueError: shapes do not fit, fewer than two images, a temperature not above 0, or an unknown cost.
    """
    check_positive("cacr_reweighted", temperature=temperature)
    if cost not in get_args(Cost):
        raise ValueError(f'cacr_reweighted: cost="{cost}" given; needs one of {", ".join(get_args(Cost))}.')
    _check(
        "cacr_reweighted",
        queries.ndim == 3 and len(queries) > 0 and queries.shape[1] > 1 and queries.shape[1:] == key.shape,
        "(1 view or more, samples, width) and (samples, width), for 2 samples or more: the others repel",
        queries=queries,
        key=key,
    )
    q, k = _unit_views(queries), unit_rows(key.detach())
    positive = (q * k).sum(2) / temperature
    share = (-2 * positive.detach()).softmax(0)
    own = torch.arange(len(k), device=k.device).repeat(len(q))[:, None]
    others = cosine_logits(q.flatten(0, 1), k, temperature, excluded=own)
    if cost == "rbf":
        each = -2 * temperature * logsigmoid(positive - others.logsumexp(1).view_as(positive))
    else:
        mean_other = product(others.detach().softmax(1), k).view_as(q)
        each = (q * (mean_other - k)).sum(2)
    return (share * each).sum(0).mean()


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

    Args:
        mixture: embeddings of the mixtures of image i and image partner[i]; need not be normalised.
        positives: embeddings of p unmixed views of the images.
        negatives: embeddings of one unmixed view of the images.
        partner: index of the image mixed in.
        share: of image i in mixture i, from 0 to 1.
        attraction_temperature: hot; as in `cacr`.
        repulsion_temperature: cold; as in `cacr`.
        attraction_weight: as in `cacr`.
        repulsion_weight: as in `cacr`.
        variant: as in `cacr`.
        detach_weights: as in `cacr`.

    Returns:
        The mean over the mixtures; gradients reach mixture, positives and negatives.

    Raises:
        ValueError: shapes do not fit, fewer than three images, a temperature or weight that is negative or
            not finite, both weights 0, or an unknown variant.
    """
    hot, cold = _temperatures("mixed_cacr", variant, attraction_temperature, repulsion_temperature)
    _check_weights("mixed_cacr", attraction_weight, repulsion_weight)
    _check_mixture(mixture, positives, negatives, partner, share)
    m = unit_rows(mixture)
    loss = m.new_zeros(())
    if attraction_weight:
        k = _unit_views(positives)
        cosines = (m * torch.stack([k, k[:, partner]])).sum(3)
        weights = (-2 * hot * _held(cosines, detach_weights)).softmax(1)
        own, partners = 2 - 2 * (weights * cosines).sum(1)
        loss = loss + attraction_weight * (share * own + (1 - share) * partners).mean()
    if repulsion_weight:
        cosines = product(m, unit_rows(negatives).T)
        sources = torch.stack([torch.arange(len(m), device=m.device), partner], dim=1)
        logits = 2 * cold * _held(cosines, detach_weights)
        weights = logits.scatter_(1, sources, -math.inf).softmax(1)
        loss = loss - repulsion_weight * _distance(cosines, weights)
    return loss


class CACRWeightEntropy(NamedTuple):
    """Mean entropy of CACR's weights, in nats: log of their number when equal, 0 when one takes all."""

    attraction: Float[Tensor, ""]
    """At most log(v - 1)."""
    repulsion: Float[Tensor, ""]
    """At most log(n - 1)."""


@torch.no_grad()
def cacr_weight_entropy(
    views: Float[Tensor, "v n d"], *, attraction_temperature: float, repulsion_temperature: float
) -> CACRWeightEntropy:
    """How far from equal the weights of `cacr` are; arguments and errors are the same."""
    hot, cold = _temperatures("cacr_weight_entropy", "full", attraction_temperature, repulsion_temperature)
    _check_batch("cacr_weight_entropy", views)
    z = _unit_views(views)
    attraction = _shares(_of_same_images(z, z), -2 * hot)
    repulsion = _shares(_of_view_pairs(z), 2 * cold)
    return CACRWeightEntropy(*(torch.special.entr(w).sum(2).mean() for w in (attraction, repulsion)))


def _unit_views(views: Float[Tensor, "v n d"]) -> Float[Tensor, "v n d"]:
    return unit_rows(views.flatten(0, 1)).view(views.shape)


def _of_same_images(queries: Float[Tensor, "v n d"], keys: Float[Tensor, "g n d"]) -> Float[Tensor, "n v g"]:
    """Cosines of each image's queries and keys."""
    return product(queries.transpose(0, 1), keys.permute(1, 2, 0))


def _of_view_pairs(z: Float[Tensor, "v n d"]) -> Float[Tensor, "pairs n n"]:
    """Cosines of all images in a view and all in a later one: the products that are needed, and no other."""
    first, second = torch.triu_indices(len(z), len(z), offset=1, device=z.device)
    return product(z[first], z[second].mT)


def _held(cosines: Float[Tensor, "*b n m"], detach: bool) -> Float[Tensor, "*b n m"]:
    """What weights are made of: the cosines, as constants or not."""
    return cosines.detach() if detach else cosines


def _shares(cosines: Float[Tensor, "b n m"], scale: float) -> Float[Tensor, "b n m"]:
    """Softmax along rows of scale * cosines, an entry's own view or image left out.

    On the sphere softmax(t d2) is softmax(-2t cos): the constant 2t goes.
    """
    own = torch.eye(*cosines.shape[1:], dtype=torch.bool, device=cosines.device)
    return (scale * cosines).masked_fill_(own, -math.inf).softmax(2)


def _distance(cosines: Float[Tensor, "*b n m"], weights: Float[Tensor, "*b n m"]) -> Float[Tensor, ""]:
    """Mean over rows of the weighted mean of d2."""
    return 2 - 2 * (weights * cosines).sum(-1).mean()


def _repulsion(
    cosines: Float[Tensor, "b n m"], weights: Float[Tensor, "b n m"], cost: Cost
) -> Float[Tensor, ""]:
    if cost == "euclidean":
        return -_distance(cosines, weights)
    return (weights * (4 * cosines - 4).exp()).sum(2).mean(1).log().mean()


def _distance_to_queue(
    q: Float[Tensor, "v n d"], queue: Float[Tensor, "k d"], temperature: float, intra_batch: bool
) -> Float[Tensor, ""]:
    """Mean over queries of the weighted mean of d2 to the queue and to the other queries of the view.

    The weights within the queue are constants: sum_u w[u] (q.u) = q.(sum_u w[u] u). So the queue is one
    candidate, its weighted mean, with the sum of its weights; nothing of size (v n, k) waits for the backward.
    """
    logits = product(2 * temperature * q.detach().flatten(0, 1), queue.T)
    mean = product(logits.softmax(1), queue).view_as(q)
    mass = logits.logsumexp(1).view(*q.shape[:2], 1)
    cosines = (q * mean).sum(2, keepdim=True)
    if intra_batch:
        among = product(q, q.mT)
        own = torch.eye(q.shape[1], dtype=torch.bool, device=q.device)
        mass = torch.cat([mass, (2 * temperature * among).masked_fill_(own, -math.inf)], dim=2)
        cosines = torch.cat([cosines, among], dim=2)
    return _distance(cosines, mass.softmax(2))


def _check_not_negative(where: str, **numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number < math.inf:
            raise ValueError(f"{where}: {name}={number} given; needs a finite number from 0 up, such as 1.")


def _temperatures(
    where: str, variant: str, attraction_temperature: float, repulsion_temperature: float
) -> tuple[float, float]:
    """The two temperatures, 0 where the variant's weights are equal."""
    _check_not_negative(
        where, attraction_temperature=attraction_temperature, repulsion_temperature=repulsion_temperature
    )
    if variant not in get_args(Variant):
        raise ValueError(f'{where}: variant="{variant}" given; needs one of {", ".join(get_args(Variant))}.')
    return (
        0.0 if variant in ("uniform_attraction", "uniform") else attraction_temperature,
        0.0 if variant in ("uniform_repulsion", "uniform") else repulsion_temperature,
    )


def _check_weights(where: str, attraction_weight: float, repulsion_weight: float) -> None:
    _check_not_negative(where, attraction_weight=attraction_weight, repulsion_weight=repulsion_weight)
    if attraction_weight == repulsion_weight == 0:
        raise ValueError(f"{where}: both weights are 0: nothing is left. Give one above 0, such as 1.")


def _check(where: str, fits: bool, needed: str, **given: Tensor) -> None:
    if not fits:
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in given.items())
        raise ValueError(f"{where}: {shapes} given; needs {needed}.")


def _check_batch(where: str, views: Tensor) -> None:
    _check(
        where,
        views.ndim == 3 and len(views) > 1 and views.shape[1] > 1 and views.shape[2] > 0,
        "(2 views or more, 2 samples or more, width): other views attract, other samples repel",
        views=views,
    )


def _check_queries(queries: Tensor, keys: Tensor, queue: Tensor) -> None:
    _check(
        "cacr_queue",
        queries.ndim == keys.ndim == 3
        and 1 < len(keys) <= len(queries)
        and queries.shape[1:] == keys.shape[1:]
        and 0 not in keys.shape,
        "(views, samples, width) twice, alike but for further views of queries; "
        "2 views of keys or more, for a query's own view does not attract it",
        queries=queries,
        keys=keys,
    )
    check_columns("cacr_queue", queries.shape[2], queue=queue)


def _check_mixture(
    mixture: Tensor, positives: Tensor, negatives: Tensor, partner: Tensor, share: Tensor
) -> None:
    _check(
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
