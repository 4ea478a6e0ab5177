"""Similarity contrastive estimation (Denize et al. 2023) and ReSSL (Zheng et al. 2021), a part of it."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses.rows import (
    check_columns,
    check_pairs,
    check_positive,
    cosine_logits,
    product,
    unit_rows,
)


class SCETerms(NamedTuple):
    """The three parts of SCE, one number an anchor; SCE weights them c, 1 - c, 1 - c for coefficient c."""

    nce: Float[Tensor, " n"]
    """-log of the positive's share among all keys."""
    relational: Float[Tensor, " n"]
    """Cross-entropy of the target's and the query's softmax over the negatives."""
    ceiling: Float[Tensor, " n"]
    """-log of the negatives' share among all keys; at least 0."""

    def weighted(self, nce: float, relational: float, ceiling: float) -> Float[Tensor, ""]:
        """Mean over anchors of the weighted sum of the terms."""
        return (nce * self.nce + relational * self.relational + ceiling * self.ceiling).mean()


def sce(
    query: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    queue: Float[Tensor, "k d"] | None,
    *,
    temperature: float,
    target_temperature: float,
    coefficient: float,
    positive_in_target: Literal["masked", "zero_logit"] = "masked",
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
            outside [0, 1], or the forms are mixed up.
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
    positive_in_target: Literal["masked", "zero_logit"] = "masked",
    global_keys: Float[Tensor, "g d"] | None = None,
    positive_index: Int[Tensor, " n"] | None = None,
) -> SCETerms:
    """The terms of `sce`, for weights of one's own; arguments and errors are the same."""
    check_positive("sce", temperature=temperature, target_temperature=target_temperature)
    check_pairs("sce", query=query, key=key)
    q, k = unit_rows(query), unit_rows(key.detach())
    negatives, excluded = _negatives(k, queue, global_keys, positive_index)
    neighbour, leak = _target(k, negatives, excluded, target_temperature)
    positive = (q * k).sum(1) / temperature
    others = cosine_logits(q, negatives, temperature, excluded).logsumexp(1)
    nce, ceiling = -logsigmoid(positive - others), -logsigmoid(others - positive)
    relational = others - (q * neighbour).sum(1) / temperature
    if positive_in_target == "masked":
        return SCETerms(nce, relational, ceiling)
    if queue is None or global_keys is not None:
        raise ValueError('sce: positive_in_target="zero_logit" is defined for a queue alone; use "masked".')
    return SCETerms(nce, leak * nce + (1 - leak) * relational, (1 - leak) * ceiling)


def _negatives(
    key: Tensor, queue: Tensor | None, global_keys: Tensor | None, positive_index: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Unit rows to compare with, and the column of each anchor's own positive if it is among them."""
    if (global_keys is None) != (positive_index is None):
        raise ValueError(
            "sce: global_keys and positive_index (rank * n + i) go together; give both or neither."
        )
    if queue is not None:
        check_columns("sce", key.shape[1], queue=queue)
        queue = unit_rows(queue.detach())
        if global_keys is None:
            return queue, None
    if global_keys is None or positive_index is None:
        keys, positive_index = key, torch.arange(len(key), device=key.device)
    else:
        check_columns("sce", key.shape[1], global_keys=global_keys)
        keys = unit_rows(global_keys.detach())
    if queue is None and len(keys) < 2:
        raise ValueError(
            "sce: 1 key and no queue given: there is no negative. Give a queue or a larger batch."
        )
    return keys if queue is None else torch.cat([keys, queue]), positive_index[:, None]


def _target(
    key: Tensor, negatives: Tensor, excluded: Tensor | None, temperature: float
) -> tuple[Float[Tensor, "n d"], Float[Tensor, " n"]]:
    """Each key's mean negative under its own softmax, and the share that a positive of logit 0 would take.

    The cross-entropy with soft target s needs only sum_c s[c] (q.c) = q.(sum_c s[c] c): the (n, k) target is
    neither kept for the backward pass nor multiplied into the logits.
    """
    logits = cosine_logits(key, negatives, temperature, excluded)
    return product(logits.softmax(1), negatives), torch.sigmoid(-logits.logsumexp(1))
