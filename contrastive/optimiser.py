"""Optimisers, each with the schedule of its learning rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Literal

from contrastive import types
from contrastive.schedule import Schedule
from contrastive.types import Fraction, Natural, NonNegative, Positive, configuration

if TYPE_CHECKING:
    import torch
    from torch import nn


@configuration
class SGD(Schedule):
    """Stochastic gradient descent."""

    name: Literal["sgd"] = "sgd"
    momentum: Fraction = 0.9
    nesterov: bool = False
    weight_decay: NonNegative = 5e-4
    decay_vectors: bool = True
    """Whether biases and normalisation parameters decay too (MoCo and SCE on CIFAR: yes)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise ValueError(
                "nesterov needs momentum, and momentum is 0; give it some, or set nesterov to false"
            )

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the torch optimiser; its learning rate is set anew at every step."""
        return _torch_optimiser("SGD", self, parameters, momentum=self.momentum, nesterov=self.nesterov)


@configuration
class LARS(Schedule):
    """SGD whose step in each matrix is in proportion to its norm (You et al. 2017), for large batches.

    Biases and normalisation parameters neither decay nor adapt, as in SCE, WCL, BYOL and MoCo v3.
    """

    name: Literal["lars"] = "lars"
    lr: Positive = 0.3
    momentum: Fraction = 0.9
    weight_decay: NonNegative = 1e-6
    trust: Positive = 1e-3
    """Norm of a matrix's step over its own norm, at a learning rate of 1."""
    warmup_epochs: Natural = 10
    norms: Literal["of_sum", "summed"] = "of_sum"
    """What a matrix's norm is divided by: the norm of gradient plus decay (SCE, WCL, BYOL, MoCo v3, MMCL), or
    the norms of both, added up (the paper, solo-learn, lightly)."""
    clip: bool = False
    """Whether no matrix takes a longer step than plain SGD's (solo-learn)."""

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser; its learning rate is set anew at every step."""
        from contrastive.eager import eager
        from contrastive.layerwise_sgd import LayerwiseSGD

        groups = _groups(parameters, self.weight_decay, decay_vectors=False)
        fields = {name: getattr(self, name) for name in ("lr", "momentum", "trust", "norms", "clip")}
        return eager(LayerwiseSGD, groups, **fields)


@configuration
class Adam(Schedule):
    """Adam (Kingma and Ba 2015); weight decay is part of the gradient, as in MMCL's CIFAR runs."""

    name: Literal["adam"] = "adam"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 1e-6
    decay_vectors: bool = True

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the torch optimiser; its learning rate is set anew at every step."""
        return _torch_optimiser("Adam", self, parameters)


@configuration
class AdamW(Schedule):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 1e-4
    decay_vectors: bool = False

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the torch optimiser; its learning rate is set anew at every step."""
        return _torch_optimiser("AdamW", self, parameters)


OPTIMISERS: Final = (SGD, LARS, Adam, AdamW)
"""All optimisers. To add one: its class above, and its name here."""

if TYPE_CHECKING:
    Optimiser = Schedule
else:
    Optimiser = types.union(OPTIMISERS)


def _torch_optimiser(
    kind: str, config: SGD | Adam | AdamW, parameters: Iterable[nn.Parameter], **settings: Any
) -> torch.optim.Optimizer:
    from torch import optim

    from contrastive.eager import eager

    groups = _groups(parameters, config.weight_decay, config.decay_vectors)
    return eager(getattr(optim, kind), groups, lr=config.lr, **settings)


def _groups(parameters: Iterable[nn.Parameter], decay: float, decay_vectors: bool) -> list[dict[str, Any]]:
    """Split matrices and kernels, which always decay, from vectors (biases, normalisation)."""
    parameters = list(parameters)
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": decay if decay_vectors else 0.0},
    ]
