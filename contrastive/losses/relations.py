"""Common parts of the losses of SCE's family: three terms, and the target that a view's keys give a query."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses.rows import check_columns, softmax_mean, unit_rows

PositiveInTarget = Literal["masked", "zero_logit"]


class SCETerms(NamedTuple):
    """The three parts of SCE, one number an anchor.

    Other weights give SCE's general form: c, 1 - c, 1 - c are SCE with coefficient c; 0, 1, 0 are ReSSL.

    Paper: https://arxiv.org/abs/2111.14585

    Example:
        >>> import torch
        >>> from contrastive.losses import sce_terms
        >>> key = torch.eye(3)
        >>> terms = sce_terms(key, key, None, temperature=0.1, target_temperature=0.05)
        >>> round(terms.weighted(0.5, 0.5, 0.5).item(), 3)
        5.0
    """

    nce: Float[Tensor, " n"]
    """-log of the positive's share among all keys."""
    relational: Float[Tensor, " n"]
    """Cross-entropy of the target's and the query's softmax over the negatives."""
    ceiling: Float[Tensor, " n"]
    """-log of the negatives' share among all keys; at least 0."""

    def weighted(self, nce: float, relational: float, ceiling: float) -> Float[Tensor, ""]:
        """Mean over anchors of the weighted sum of the terms."""
        return (nce * self.nce + relational * self.relational + ceiling * self.ceiling).mean()


class Target(NamedTuple):
    """Target that one view's keys set for every query."""

    key: Tensor
    neighbour: Tensor
    """(n, d), each key's mean negative under its own softmax: the cross-entropy with soft target s needs only
    sum_c s[c] (q.c) = q.(sum_c s[c] c), so the (n, k) target is neither kept nor multiplied into the logits."""
    leak: Tensor
    """(n,), the share of a positive that keeps a target logit of 0."""


def target_of(
    key: Tensor,
    negatives: Tensor,
    excluded: Tensor | None,
    temperature: float,
    positive_in_target: PositiveInTarget,
) -> Target:
    """Return the target of each key over these negatives, at this temperature."""
    neighbour, others = softmax_mean(key, negatives, temperature, excluded)
    if positive_in_target == "masked":
        return Target(key, neighbour, torch.zeros_like(others))
    if excluded is not None:
        raise ValueError('sce: positive_in_target="zero_logit" is defined for a queue alone; use "masked".')
    return Target(key, neighbour, torch.sigmoid(-others))


def terms_of(query: Tensor, others: Tensor, target: Target, temperature: float) -> SCETerms:
    """Return the terms from the log-sum-exp of the query's logits over the negatives."""
    positive = (query * target.key).sum(1) / temperature
    nce, ceiling = -logsigmoid(positive - others), -logsigmoid(others - positive)
    relational = others - (query * target.neighbour).sum(1) / temperature
    kept = 1 - target.leak
    return SCETerms(nce, target.leak * nce + kept * relational, kept * ceiling)


def unit_queue(key: Tensor, queue: Tensor | None) -> Tensor | None:
    """Return the queue at unit length, without gradient, if its width is the keys'."""
    if queue is None:
        return None
    check_columns("sce", key.shape[1], queue=queue)
    return unit_rows(queue.detach())


def negatives_of(
    key: Tensor, queue: Tensor | None, global_keys: Tensor | None, positive_index: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Return the unit rows to compare with, and the column of each anchor's own positive if it is among them."""
    if global_keys is None and positive_index is None:
        if queue is not None:
            return queue, None
        keys, own = key, torch.arange(len(key), device=key.device)
    elif global_keys is None or positive_index is None:
        raise ValueError(
            "sce: global_keys and positive_index (rank * n + i) go together; give both or neither."
        )
    else:
        check_columns("sce", key.shape[1], global_keys=global_keys)
        keys, own = unit_rows(global_keys.detach()), positive_index
    if queue is not None:
        keys = torch.cat([keys, queue])
    if len(keys) < 2:
        raise ValueError(
            "sce: 1 key and no queue given: there is no negative. Give a queue or a larger batch."
        )
    return keys, own[:, None]
