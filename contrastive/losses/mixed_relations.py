"""BSIM on SCE and ReSSL: a mixture must have the relations of both its sources; see `contrastive.losses.mixed`."""

from jaxtyping import Float, Int
from torch import Tensor

from contrastive.losses import relations
from contrastive.losses.mixtures import both_shares, check_mixture
from contrastive.losses.relations import PositiveInTarget, SCETerms
from contrastive.losses.rows import check_pairs, check_positive, log_sum, unit_rows


def mixed_sce(
    mixture: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    queue: Float[Tensor, "k d"] | None,
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    *,
    temperature: float,
    target_temperature: float,
    coefficient: float,
    positive_in_target: PositiveInTarget = "masked",
) -> Float[Tensor, ""]:
    """Match mixtures with the sum of both sources' targets in `sce`, by their shares.

    for i in n:  share[i] l(m[i], k[i]) + (1 - share[i]) l(m[i], k[partner[i]]),  l an anchor's loss in `sce`

    With a queue, each source's positive is compared with the queue; without one all keys of the batch are
    candidates, and this is the cross-entropy of share * w[i] + (1 - share) * w[partner[i]]. The relations
    in w are those of the whole keys, which get no gradient. The composition is ours.

    The keywords are those of `sce`. The result is the mean over the mixtures. What `sce` refuses is refused.

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> import torch
        >>> from contrastive.losses import mixed_sce
        >>> key = torch.eye(3)
        >>> partner, share = torch.tensor([1, 2, 0]), torch.full((3,), 0.5)
        >>> mixture = (key + key[partner]) / 2
        >>> loss = mixed_sce(
        ...     mixture, key, None, partner, share, temperature=0.1, target_temperature=0.05, coefficient=0.5
        ... )
        >>> round(loss.item(), 3)
        2.461
    """
    if not 0 <= coefficient <= 1:
        raise ValueError(f"mixed_sce: coefficient={coefficient} given; needs a number from 0 to 1.")
    check_pairs("mixed_sce", mixture=mixture, key=key)
    check_mixture("mixed_sce", len(key), partner, share)
    asked = (temperature, target_temperature)
    terms = _terms(
        mixture, key, queue, partner, share, temperatures=asked, positive_in_target=positive_in_target
    )
    return terms.weighted(coefficient, 1 - coefficient, 1 - coefficient)


def mixed_ressl(
    mixture: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    queue: Float[Tensor, "k d"],
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    *,
    temperature: float,
    target_temperature: float,
) -> Float[Tensor, ""]:
    """Return the cross-entropy over the queue of both keys' relations, by their shares, and the mixture's (ReSSL).

    Keywords, result and errors are those of `mixed_sce`; the composition is ours.

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> import torch
        >>> from contrastive.losses import mixed_ressl
        >>> key = torch.eye(3)
        >>> partner, share = torch.tensor([1, 2, 0]), torch.full((3,), 0.5)
        >>> mixture = (key + key[partner]) / 2
        >>> loss = mixed_ressl(mixture, key, -key, partner, share, temperature=0.1, target_temperature=0.04)
        >>> round(loss.item(), 3)
        3.537
    """
    check_pairs("mixed_ressl", mixture=mixture, key=key)
    check_mixture("mixed_ressl", len(key), partner, share)
    asked = (temperature, target_temperature)
    return _terms(mixture, key, queue, partner, share, temperatures=asked).relational.mean()


def _terms(
    mixture: Tensor,
    key: Tensor,
    queue: Tensor | None,
    partner: Tensor,
    share: Tensor,
    *,
    temperatures: tuple[float, float],
    positive_in_target: PositiveInTarget = "masked",
) -> SCETerms:
    """Return the terms of `sce` for mixture[i] with key[i] and with key[partner[i]], by their shares.

    Each product is made once. Without a queue all other keys are the negatives of either source.
    """
    temperature, target_temperature = temperatures
    check_positive("sce", temperature=temperature, target_temperature=target_temperature)
    m, k = unit_rows(mixture), unit_rows(key.detach())
    negatives, excluded = relations.negatives_of(k, relations.unit_queue(k, queue), None, None)
    own = relations.target_of(k, negatives, excluded, target_temperature, positive_in_target)
    other = relations.Target(*(part[partner] for part in own))
    first = second = log_sum(m, negatives, temperature, excluded)
    if excluded is not None:
        second = log_sum(m, negatives, temperature, partner[:, None])
    sources = (
        relations.terms_of(m, first, own, temperature),
        relations.terms_of(m, second, other, temperature),
    )
    part, rest = both_shares(share, m.dtype)
    return SCETerms(*(part * one + rest * another for one, another in zip(*sources, strict=True)))
