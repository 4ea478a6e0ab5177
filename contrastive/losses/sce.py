"""Similarity contrastive estimation (Denize et al. 2023) and ReSSL (Zheng et al. 2021), a part of it."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from contrastive.losses import relations
from contrastive.losses.relations import PositiveInTarget, SCETerms
from contrastive.losses.rows import check_pairs, check_positive, log_sum, unit_rows


def sce(
    query: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    queue: Float[Tensor, "k d"] | None,
    *,
    temperature: float,
    target_temperature: float,
    coefficient: float,
    positive_in_target: PositiveInTarget = "masked",
    global_keys: Float[Tensor, "g d"] | None = None,
    positive_index: Int[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """Cross-entropy of a soft target, part positive and part the key's own similarities to the negatives.

    s[i] = softmax over negatives c of k[i].key[c] / target_temperature         (0 at the positive)
    w[i] = coefficient * onehot(positive) + (1 - coefficient) * s[i]
    for i in n:  -sum over c of w[i, c] * log softmax(q[i].key / temperature)[c]

    Args:
        query: online embeddings; need not be normalised.
        key: target embeddings of the other views, in the same order; no gradient.
        queue: earlier keys, one a row; no gradient. None: the other keys of the batch are the negatives.
        temperature: of the query's similarities.
        target_temperature: of the key's similarities; usually below `temperature`, for a sharper target.
        coefficient: 1 is InfoNCE, 0 relations only (with the ceiling term: not ReSSL).
        positive_in_target: "masked", the paper; "zero_logit", the authors' released code: the positive keeps
            a target logit of 0, a share that matters for small queues. Defined for a queue alone.
        global_keys: the keys of all processes, if they are to be negatives too, before those of the queue.
        positive_index: row of global_keys that is key[i]: rank * n + i.

    Returns:
        The mean over the queries. The mean over processes is the loss of the whole batch.

    Raises:
        ValueError: shapes do not fit, there is no negative, a temperature is not above 0, the coefficient is
            outside [0, 1], or one of global_keys and positive_index is missing.

    Paper: https://arxiv.org/abs/2111.14585

    Example:
        >>> import torch
        >>> from contrastive.losses import sce
        >>> key = torch.eye(3)
        >>> loss = sce(key, key, None, temperature=0.5, target_temperature=0.2, coefficient=0.5)
        >>> round(loss.item(), 3)
        1.24
    """
    if not 0 <= coefficient <= 1:
        raise ValueError(f"sce: coefficient={coefficient} given; needs a number from 0 to 1, such as 0.5.")
    terms = sce_terms(
        query,
        key,
        queue,
        temperature=temperature,
        target_temperature=target_temperature,
        positive_in_target=positive_in_target,
        global_keys=global_keys,
        positive_index=positive_index,
    )
    return terms.weighted(coefficient, 1 - coefficient, 1 - coefficient)


def ressl(
    query: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    queue: Float[Tensor, "k d"],
    *,
    temperature: float,
    target_temperature: float,
) -> Float[Tensor, ""]:
    """Cross-entropy of key's and query's softmax over the queue; the positive is in neither (ReSSL).

    s[i] = softmax(k[i].queue / target_temperature)
    for i in n:  -sum over u of s[i, u] * log softmax(q[i].queue / temperature)[u]

    Args, result and errors are those of `sce`.

    Paper: https://arxiv.org/abs/2107.09282

    Example:
        >>> import torch
        >>> from contrastive.losses import ressl
        >>> key, queue = torch.eye(3), -torch.eye(3)
        >>> round(ressl(key, key, queue, temperature=0.1, target_temperature=0.04).item(), 3)
        0.693
    """
    terms = sce_terms(query, key, queue, temperature=temperature, target_temperature=target_temperature)
    return terms.relational.mean()


def sce_terms(
    query: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    queue: Float[Tensor, "k d"] | None,
    *,
    temperature: float,
    target_temperature: float,
    positive_in_target: PositiveInTarget = "masked",
    global_keys: Float[Tensor, "g d"] | None = None,
    positive_index: Int[Tensor, " n"] | None = None,
) -> SCETerms:
    """Return the terms of `sce`, for other weights; arguments and errors are the same.

    Paper: https://arxiv.org/abs/2111.14585

    Example:
        >>> import torch
        >>> from contrastive.losses import sce_terms
        >>> key = torch.eye(3)
        >>> terms = sce_terms(key, key, None, temperature=0.5, target_temperature=0.2)
        >>> round(terms.relational.mean().item(), 3)
        0.693
    """
    check_positive("sce", temperature=temperature, target_temperature=target_temperature)
    check_pairs("sce", query=query, key=key)
    q, k = unit_rows(query), unit_rows(key.detach())
    negatives, excluded = relations.negatives_of(
        k, relations.unit_queue(k, queue), global_keys, positive_index
    )
    target = relations.target_of(k, negatives, excluded, target_temperature, positive_in_target)
    return relations.terms_of(q, log_sum(q, negatives, temperature, excluded), target, temperature)


def sce_crops(
    online: Mapping[int, Float[Tensor, "n d"]],
    target: Mapping[int, Float[Tensor, "n d"]],
    queue: Float[Tensor, "k d"] | None,
    *,
    temperature: float,
    target_temperature: float,
    weights: tuple[float, float, float],
    positive_in_target: PositiveInTarget = "masked",
) -> Float[Tensor, ""]:
    """Return the mean of `sce` over all pairs of a target view and another online view, each product made once.

    for t in target, o in online, o != t:  sce(online[o], target[t], queue) with these weights of its terms

    Each view meets the queue once, however many pairs it is in: for 2 target and 6 online views 8 products with
    the queue instead of 20.

    Args:
        online: embeddings by view; need not be normalised.
        target: target embeddings by view, samples in the same order; no gradient.
        queue: earlier keys, one a row; no gradient. None: the other keys of the target view are the negatives.
        temperature: of the queries' similarities.
        target_temperature: of the keys' similarities.
        weights: of the terms nce, relational and ceiling; c, 1 - c, 1 - c is SCE with coefficient c, 0, 1, 0 ReSSL.
        positive_in_target: as in `sce`.

    Returns:
        The mean over the pairs and the samples.

    Raises:
        ValueError: no pair, or what `sce` refuses.

    Paper: https://arxiv.org/abs/2111.14585

    Example:
        >>> import torch
        >>> from contrastive.losses import sce_crops
        >>> views = {0: torch.eye(3), 1: torch.eye(3)}
        >>> loss = sce_crops(
        ...     views, views, None, temperature=0.5, target_temperature=0.2, weights=(0.5, 0.5, 0.5)
        ... )
        >>> round(loss.item(), 3)
        1.24
    """
    check_positive("sce", temperature=temperature, target_temperature=target_temperature)
    pairs = [(t, o) for t in target for o in online if o != t]
    if not pairs:
        raise ValueError(
            f"sce: target views {list(target)} and online views {list(online)} given: no pair of two different views."
        )
    for t, o in pairs:
        check_pairs("sce", **{f"online[{o}]": online[o], f"target[{t}]": target[t]})
    crops = {o: unit_rows(online[o]) for o in online}
    keys = {t: unit_rows(target[t].detach()) for t in target}
    units = relations.unit_queue(keys[pairs[0][0]], queue)
    shared = {} if units is None else {o: log_sum(crop, units, temperature) for o, crop in crops.items()}
    losses: list[Tensor] = []
    for t, key in keys.items():
        negatives, excluded = relations.negatives_of(key, units, None, None)
        asked = relations.target_of(key, negatives, excluded, target_temperature, positive_in_target)
        for o in crops.keys() - {t}:
            others = shared[o] if shared else log_sum(crops[o], negatives, temperature, excluded)
            losses.append(relations.terms_of(crops[o], others, asked, temperature).weighted(*weights))
    return torch.stack(losses).mean()
