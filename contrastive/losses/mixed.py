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

from contrastive.losses.mixtures import both_shares, check_mixture
from contrastive.losses.rows import check_columns, check_pairs, check_positive, cosine_logits, unit_rows


def mixed_nt_xent(
    mixture: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    *,
    temperature: float,
    rows_only: bool = False,
) -> Float[Tensor, ""]:
    """Let each mixture find two keys, and each key its mixtures, among the other 2n - 1 embeddings (SimCLR).

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
    check_mixture("mixed_nt_xent", len(key), partner, share)
    n = len(key)
    if n < 2:
        raise ValueError("mixed_nt_xent: 1 sample given; needs 2 or more, for a mixture has two sources.")
    z = torch.cat([unit_rows(mixture), unit_rows(key)])
    anchor = torch.arange(2 * n, device=z.device)
    log_p = cosine_logits(z, z, temperature, excluded=anchor[:, None]).log_softmax(1)
    own, other = both_shares(share, z.dtype)
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
    """Let each mixture pick both its keys, out of each and the queue or out of all keys at once (MoCo).

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
    check_mixture("mixed_info_nce", len(key), partner, share)
    m, k = unit_rows(mixture), unit_rows(key.detach() if detach_keys else key)
    if queue is not None:
        check_columns("mixed_info_nce", key.shape[1], queue=queue)
        queue = unit_rows(queue.detach())
    elif not batch_keys or len(key) < 2:
        raise ValueError("mixed_info_nce: there is no negative. Give a queue, or batch_keys=True and 2 keys.")
    own, other = both_shares(share, m.dtype)
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
    """Return squared distances to both sources' unit targets, by their shares (BYOL, SimSiam; i-Mix).

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
    check_mixture("mixed_byol", len(target), partner, share)
    p, z = unit_rows(prediction), unit_rows(target.detach())
    own, other = both_shares(share, p.dtype)
    first, second = ((p - source).square().sum(1) for source in (z, z[partner]))
    return (own * first + other * second).mean()
