"""Weak labels from the nearest-neighbour graph, and contrast by labels: WCL (Zheng et al. 2021)."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from contrastive.losses.rows import (
    check_columns,
    check_pairs,
    check_positive,
    check_several,
    cosine_logits,
    unit_rows,
)


def supervised_contrast(
    anchors: Float[Tensor, "m d"],
    keys: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    *,
    temperature: float,
    detach_keys: bool = True,
    anchor_labels: Int[Tensor, " m"] | None = None,
) -> Float[Tensor, ""]:
    """Each anchor must pick the other keys of its label: SupCon's "out" form, as WCL has it within a view.

    for i in m:  mean over j != i with label[j] = label[i] of
                 -log( exp(s[i, j] / t) / sum over j' != i of exp(s[i, j'] / t) ),   s = cosine

    WCL adds half of it for each of the two views, each with `weak_labels` of the *other* view. On several
    processes, call it on the embeddings gathered with gradient.

    Args:
        anchors: the same rows as the keys, in the same order; need not be normalised.
        keys: embeddings of one view.
        labels: of the keys.
        temperature: t.
        detach_keys: no gradient reaches the keys, as in the authors' released code. False: the gradient of
            the formula.
        anchor_labels: labels of anchors that are rows of their own, such as crops of other images: no key is
            left out, and all keys of an anchor's label are positives. None: the anchors are the keys' rows.

    Returns:
        The mean over the anchors that have a positive; 0 if none has.

    Raises:
        ValueError: shapes do not fit, fewer than two keys, or a temperature not above 0.

    Paper: https://arxiv.org/abs/2004.11362

    Example:
        >>> import torch
        >>> from contrastive.losses import supervised_contrast
        >>> z = torch.eye(4)
        >>> round(supervised_contrast(z, z, torch.tensor([0, 0, 1, 1]), temperature=0.5).item(), 3)
        1.099
    """
    where = "supervised_contrast"
    _check(where, anchors, keys, temperature)
    _check_one_each(where, "key", len(keys), labels=labels)
    a, k = unit_rows(anchors), unit_rows(keys.detach() if detach_keys else keys)
    if anchor_labels is None:
        check_pairs(where, anchors=anchors, keys=keys)
        itself = torch.arange(len(k), device=k.device)[:, None]
        positive, has_any = _mean_of_label(k, labels, labels, others=k)
    else:
        _check_one_each(where, "anchor", len(anchors), anchor_labels=anchor_labels)
        itself = None
        positive, has_any = _mean_of_label(k, labels, anchor_labels)
    all_keys = cosine_logits(a, k, temperature, excluded=itself).logsumexp(1)
    return _mean_where(has_any, all_keys - (a * positive).sum(1) / temperature)


def mixed_supervised_contrast(
    mixture: Float[Tensor, "n d"],
    keys: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    *,
    temperature: float,
    detach_keys: bool = True,
) -> Float[Tensor, ""]:
    """Contrast of mixtures with the labels of both their sources: `supervised_contrast` in BSIM's form.

    for i in n:  share[i] * l(m[i] in place of anchor i) + (1 - share[i]) * l(m[i] in place of anchor partner[i])

    with l the loss of one anchor in `supervised_contrast`, so that each source leaves out its own key alone.
    Labels come from unmixed embeddings; mixtures are not nodes of the graph.

    Args:
        mixture: embeddings of the mixed images, m[i] of images i and partner[i].
        keys: embeddings of the unmixed images.
        labels: of the keys.
        partner: the other source of each mixture.
        share: of image i in mixture i, from 0 to 1.
        temperature: t.
        detach_keys: no gradient reaches the keys.

    Returns:
        The sum of two means: over mixtures whose first source has a positive, and over those whose partner has
        one. It is linear in the share.

    Raises:
        ValueError: shapes do not fit, fewer than two keys, or a temperature not above 0.

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> import torch
        >>> from contrastive.losses import mixed_supervised_contrast
        >>> key = torch.eye(4)
        >>> labels = torch.tensor([0, 0, 1, 1])
        >>> partner, share = torch.tensor([1, 2, 3, 0]), torch.full((4,), 0.5)
        >>> mixture = (key + key[partner]) / 2
        >>> loss = mixed_supervised_contrast(mixture, key, labels, partner, share, temperature=0.5)
        >>> round(loss.item(), 3)
        1.103
    """
    where = "mixed_supervised_contrast"
    _check(where, mixture, keys, temperature)
    check_pairs(where, mixture=mixture, keys=keys)
    _check_one_each(where, "key", len(keys), labels=labels, partner=partner, share=share)
    m, k = unit_rows(mixture), unit_rows(keys.detach() if detach_keys else keys)
    logits = cosine_logits(m, k, temperature)
    positive, has_any = _mean_of_label(k, labels, labels, others=k)
    weight = share.to(logits.dtype)

    def towards(source: Tensor, weight: Tensor) -> Tensor:
        all_keys = logits.scatter(1, source[:, None], -math.inf).logsumexp(1)
        losses = all_keys - (m * positive[source]).sum(1) / temperature
        return _mean_where(has_any[source], weight * losses)

    return towards(torch.arange(len(k), device=k.device), weight) + towards(partner, 1 - weight)


def neighbour_contrast(
    anchors: Float[Tensor, "m d"],
    keys: Float[Tensor, "n d"],
    positives: Int[Tensor, "m k"],
    *,
    temperature: float,
    detach_keys: bool = True,
) -> Float[Tensor, ""]:
    """Each anchor must pick the k keys given as its positives: WCL's small crops and their image's neighbours.

    for i in m:  mean over p in positives[i] of  -log softmax(a[i].keys / t)[p]

    Args:
        anchors: embeddings of crops; need not be normalised.
        keys: embeddings of whole views.
        positives: rows of `keys`, for each anchor the nearest to its image.
        temperature: t.
        detach_keys: no gradient reaches the keys.

    Returns:
        The mean over the anchors.

    Raises:
        ValueError: shapes do not fit, fewer than two keys, no positive, or a temperature not above 0.

    Paper: https://arxiv.org/abs/2110.04770

    Example:
        >>> import torch
        >>> from contrastive.losses import neighbour_contrast
        >>> z = torch.eye(4)
        >>> loss = neighbour_contrast(z, z, torch.tensor([[0], [1], [2], [3]]), temperature=0.5)
        >>> round(loss.item(), 3)
        0.341
    """
    where = "neighbour_contrast"
    _check(where, anchors, keys, temperature)
    if positives.ndim != 2 or len(positives) != len(anchors) or positives.shape[1] == 0:
        needed = f"({len(anchors)}, 1 or more), rows of keys for each anchor"
        raise ValueError(f"{where}: positives {tuple(positives.shape)} given; needs {needed}.")
    k = unit_rows(keys.detach() if detach_keys else keys)
    logits = cosine_logits(unit_rows(anchors), k, temperature)
    return (logits.logsumexp(1) - logits.gather(1, positives).mean(1)).mean()


def _mean_of_label(
    keys: Tensor, labels: Tensor, wanted: Tensor, *, others: Tensor | None = None
) -> tuple[Float[Tensor, "m d"], Bool[Tensor, " m"]]:
    """Return the mean key of each wanted label, and whether there is any; `others` are keys left out of it.

    By sums over each label, in O((n + m) d): the (m, n) mask of positives is never made.
    """
    in_order = labels.sort().values
    start, end = (torch.searchsorted(in_order, wanted, right=right) for right in (False, True))
    place = torch.searchsorted(in_order, labels)
    # A label past all others starts past the end, and is in no key: any row will do.
    sums = torch.zeros_like(keys).index_add(0, place, keys)[start % len(keys)]
    count = end - start
    if others is not None:
        sums, count = sums - others, count - 1
    return sums / count.clamp(min=1)[:, None], count > 0


def _mean_where(chosen: Bool[Tensor, " n"], values: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Return the mean of the chosen values, 0 if none is."""
    return values.where(chosen, 0).sum() / chosen.sum().clamp(min=1)


def _check(where: str, anchors: Tensor, keys: Tensor, temperature: float) -> None:
    check_positive(where, temperature=temperature)
    check_columns(where, anchors.shape[-1], anchors=anchors, keys=keys)
    check_several(where, keys=keys)


def _check_one_each(where: str, row: str, count: int, **vector: Tensor) -> None:
    for name, values in vector.items():
        if values.shape != (count,):
            raise ValueError(
                f"{where}: {name} {tuple(values.shape)} given; needs ({count},), one for each {row}."
            )
