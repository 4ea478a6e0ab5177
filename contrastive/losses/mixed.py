"""BSIM: a mixture of two images must resemble both, each by its share (Chu, Zhan and Wei, BMVC 2022).

Image i is mixed with image partner[i]: share[i] of the mixture is its own, the rest its partner's (mixup,
CutMix). Only the online network's input is mixed: keys, queue and all that defines a target come from whole
images. Every loss here is share[i] l(m[i], k[i]) + (1 - share[i]) l(m[i], k[partner[i]]) for one method's l,
and takes

    mixture (n, d)   online embeddings of the mixtures; need not be normalised
    key (n, d)       embeddings of the whole other views; key[i] is that of the first source of mixture[i]
    queue (k, d)     earlier keys, of whole images; no gradient
    partner (n)      a permutation; key[partner[i]] is that of the second source of mixture[i]
    share (n)        of the first source in the mixture, 0 to 1

All raise ValueError for shapes that do not fit, and for values of partner and share that are none; these are
looked at on the CPU only, for a GPU would have to wait. No code of the paper is public: each form is that of
the closest public code, or ours, and says so.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses.rows import check_columns, check_pairs, check_positive, cosine_logits, unit_rows
from contrastive.losses.sce import PositiveInTarget, SCETerms, sce_mixture_terms


def mixed_nt_xent(
    mixture: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    *,
    temperature: float,
    rows_only: bool = False,
) -> Float[Tensor, ""]:
    """SimCLR's: among the other 2n - 1 embeddings each mixture finds two keys, each key its mixtures.

    z = mixtures, then keys;  log p(b|a) = s[a, b] / t - log sum over c != a of exp(s[a, c] / t),  s = cosine
    for mixture i:  -share[i] log p(k[i]|m[i]) - (1 - share[i]) log p(k[partner[i]]|m[i])
    for key j:      -sum over i of w[i, j] log p(m[i]|k[j]) / sum over i of w[i, j]
    w[i, j] = share[i] where i = j, plus 1 - share[i] where partner[i] = j

    The form is ours: both positives stay in one softmax, as SimCLR's single one does. A key that is in no
    mixture (all its weights 0) has no target and adds nothing. On several processes, call it on the
    embeddings gathered with gradient: it reaches mixtures and keys.

    `temperature` is t; `rows_only` leaves the keys' terms out. The result is the mean over the 2n anchors
    (n with `rows_only`). One sample is refused, and a temperature not above 0.

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> import torch
        >>> from contrastive.losses import mixed_nt_xent
        >>> key = torch.eye(3)
        >>> partner, share = torch.tensor([1, 2, 0]), torch.full((3,), 0.5)
        >>> mixture = (key + key[partner]) / 2
        >>> round(mixed_nt_xent(mixture, key, partner, share, temperature=0.5).item(), 3)
        1.138
    """
    check_positive("mixed_nt_xent", temperature=temperature)
    check_pairs("mixed_nt_xent", mixture=mixture, key=key)
    _check_mixture("mixed_nt_xent", len(key), partner, share)
    n = len(key)
    if n < 2:
        raise ValueError("mixed_nt_xent: 1 sample given; needs 2 or more, for a mixture has two sources.")
    z = torch.cat([unit_rows(mixture), unit_rows(key)])
    anchor = torch.arange(2 * n, device=z.device)
    log_p = cosine_logits(z, z, temperature, excluded=anchor[:, None]).log_softmax(1)
    own, other = _weights(share, z.dtype)
    rows = own * log_p[anchor[:n], anchor[n:]] + other * log_p[anchor[:n], n + partner]
    if rows_only:
        return -rows.mean()
    second = partner.argsort()  # key j is the second source of mixture second[j]
    whole = (own + other[second]).clamp_min(torch.finfo(z.dtype).tiny)
    columns = own * log_p[anchor[n:], anchor[:n]] + other[second] * log_p[anchor[n:], second]
    return -torch.cat([rows, columns / whole]).mean()


def mixed_info_nce(
    mixture: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    queue: Float[Tensor, "k d"] | None,
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    *,
    temperature: float,
    batch_keys: bool = False,
    detach_keys: bool = True,
) -> Float[Tensor, ""]:
    """MoCo's: each mixture must pick both its keys, out of each and the queue, or out of all keys at once.

    for i in n:  -share[i] log p(k[i]|m[i]) - (1 - share[i]) log p(k[partner[i]]|m[i])
    batch_keys False:  p(k|m) = exp(m.k / t) / (exp(m.k / t) + sum over u of exp(m.queue[u] / t))    (Un-Mix)
    batch_keys True:   p(k|m) = exp(m.k / t) / sum over the batch's keys and the queue               (i-Mix)

    Without a queue and with gradient in the keys the second is i-Mix's N-pair loss, and MixCo's on SimCLR
    is the mean of two of them.

    `temperature` is t; `batch_keys` puts the keys of the whole batch into one softmax, and allows `queue` to
    be None; `detach_keys` keeps the gradient from them, for they come from a target network. The result is
    the mean over the mixtures. A temperature not above 0 is refused, and a call that has no negative.

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> import torch
        >>> from contrastive.losses import mixed_info_nce
        >>> key = torch.eye(3)
        >>> partner, share = torch.tensor([1, 2, 0]), torch.full((3,), 0.5)
        >>> mixture = (key + key[partner]) / 2
        >>> round(mixed_info_nce(mixture, key, -key, partner, share, temperature=0.2).item(), 3)
        0.03
    """
    check_positive("mixed_info_nce", temperature=temperature)
    check_pairs("mixed_info_nce", mixture=mixture, key=key)
    _check_mixture("mixed_info_nce", len(key), partner, share)
    m, k = unit_rows(mixture), unit_rows(key.detach() if detach_keys else key)
    if queue is not None:
        check_columns("mixed_info_nce", key.shape[1], queue=queue)
        queue = unit_rows(queue.detach())
    elif not batch_keys or len(key) < 2:
        raise ValueError("mixed_info_nce: there is no negative. Give a queue, or batch_keys=True and 2 keys.")
    own, other = _weights(share, m.dtype)
    if batch_keys:
        log_p = cosine_logits(m, k if queue is None else torch.cat([k, queue]), temperature).log_softmax(1)
        first = torch.arange(len(key), device=key.device)
        return -(own * log_p[first, first] + other * log_p[first, partner]).mean()
    assert queue is not None
    negatives = cosine_logits(m, queue, temperature).logsumexp(1)
    first, second = ((m * source).sum(1) / temperature for source in (k, k[partner]))
    return -(own * logsigmoid(first - negatives) + other * logsigmoid(second - negatives)).mean()


def mixed_byol(
    prediction: Float[Tensor, "n d"],
    target: Float[Tensor, "n d"],
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
) -> Float[Tensor, ""]:
    """BYOL's and SimSiam's: squared distances to both sources' unit targets, by their shares (i-Mix).

    for i in n:  2 - 2 (share[i] cos(p[i], z[i]) + (1 - share[i]) cos(p[i], z[partner[i]]))

    `prediction` is the mixture's, `target` the key, without gradient; the result is the mean over the
    mixtures, in [0, 4].

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> import torch
        >>> from contrastive.losses import mixed_byol
        >>> key = torch.eye(3)
        >>> partner, share = torch.tensor([1, 2, 0]), torch.full((3,), 0.5)
        >>> mixture = (key + key[partner]) / 2
        >>> round(mixed_byol(mixture, key, partner, share).item(), 3)
        0.586
    """
    check_pairs("mixed_byol", prediction=prediction, target=target)
    _check_mixture("mixed_byol", len(target), partner, share)
    p, z = unit_rows(prediction), unit_rows(target.detach())
    own, other = _weights(share, p.dtype)
    first, second = ((p - source).square().sum(1) for source in (z, z[partner]))
    return (own * first + other * second).mean()


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
    """SCE's: the mixture must show the sum of both sources' targets, by their shares.

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
    _check_mixture("mixed_sce", len(key), partner, share)
    sources = sce_mixture_terms(
        mixture,
        key,
        queue,
        partner,
        temperature=temperature,
        target_temperature=target_temperature,
        positive_in_target=positive_in_target,
    )
    return _by_shares(sources, share).weighted(coefficient, 1 - coefficient, 1 - coefficient)


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
    """ReSSL's: cross-entropy over the queue of both keys' relations, by their shares, and the mixture's.

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
    _check_mixture("mixed_ressl", len(key), partner, share)
    sources = sce_mixture_terms(
        mixture, key, queue, partner, temperature=temperature, target_temperature=target_temperature
    )
    return _by_shares(sources, share).relational.mean()


def _by_shares(sources: tuple[SCETerms, SCETerms], share: Tensor) -> SCETerms:
    own, other = _weights(share, sources[0].nce.dtype)
    return SCETerms(*(own * first + other * second for first, second in zip(*sources, strict=True)))


def _weights(share: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    own = share.to(dtype)
    return own, 1 - own


def _check_mixture(where: str, n: int, partner: Tensor, share: Tensor) -> None:
    """Refuse partners that are no permutation and shares that are no shares."""
    if partner.shape != (n,) or share.shape != (n,):
        given = f"partner {tuple(partner.shape)} and share {tuple(share.shape)}"
        raise ValueError(f"{where}: {given} given for {n} samples; needs one of each a sample.")
    if share.device.type == "cpu" and not ((share >= 0) & (share <= 1)).all():
        given = f"share from {share.min():g} to {share.max():g}"
        raise ValueError(f"{where}: {given} given; needs numbers from 0 to 1.")
    if partner.device.type == "cpu" and partner.sort().values.tolist() != list(range(n)):
        raise ValueError(
            f"{where}: partner given is no permutation of 0 to {n - 1}; it names each sample once."
        )
