"""One generator for each purpose, so that nothing depends on the order in which things are drawn."""

import hashlib

import torch


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator of its own for `(seed, purpose)`, such as `generator(0, "order", epoch)`."""
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
