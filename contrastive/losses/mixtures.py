"""Common parts of the losses of mixtures: which images are mixed, and the share of each."""

import torch
from torch import Tensor


def both_shares(share: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the first source's share of each mixture, and the second's."""
    own = share.to(dtype)
    return own, 1 - own


def check_mixture(where: str, n: int, partner: Tensor, share: Tensor) -> None:
    """Refuse partners that are no permutation and shares outside 0 to 1."""
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
