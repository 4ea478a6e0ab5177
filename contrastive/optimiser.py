"""Optimisers, and the schedules of learning rate and target momentum as functions of the step."""

from collections.abc import Iterable
from math import cos, pi
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import nn

from contrastive.types import STRICT, Fraction, Natural, NonNegative, Positive


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SGD:
    """Stochastic gradient descent. `lr` is per 256 images of the global batch."""

    name: Literal["sgd"] = "sgd"
    lr: Positive = 0.06
    momentum: Fraction = 0.9
    nesterov: bool = False
    weight_decay: NonNegative = 5e-4
    decay_vectors: bool = True
    """Whether biases and normalisation parameters decay too (MoCo and SCE on CIFAR: yes)."""
    warmup_epochs: Natural = 5

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The torch optimiser; its learning rate is set anew at every step."""
        groups = _groups(parameters, self.weight_decay, self.decay_vectors)
        return torch.optim.SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019). `lr` is per 256 images of the batch."""

    name: Literal["adamw"] = "adamw"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 1e-4
    decay_vectors: bool = False
    warmup_epochs: Natural = 5

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The torch optimiser; its learning rate is set anew at every step."""
        return torch.optim.AdamW(_groups(parameters, self.weight_decay, self.decay_vectors), lr=self.lr)


Optimiser = Annotated[SGD | AdamW, Field(discriminator="name")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Momentum:
    """The target network keeps `start` of itself at each step; "cosine" raises that to 1 at the last step."""

    start: Fraction = 0.99
    schedule: Literal["constant", "cosine"] = "constant"

    def at(self, step: int, steps: int) -> float:
        """Momentum in force at `step` of `steps` (from 0): 1 - (1 - m)(1 + cos(pi s / (S - 1))) / 2."""
        if self.schedule == "constant":
            return self.start
        return 1 - (1 - self.start) * (1 + cos(pi * step / max(1, steps - 1))) / 2


def learning_rate(step: int, *, steps: int, warmup: int, peak: float) -> float:
    """Linear warm-up over `warmup` steps that reaches `peak` at its last, then a half cosine over the rest.

    Steps count from 0 to `steps` - 1 over the whole schedule, whether or not a trial is stopped before.
    """
    if step < warmup:
        return peak * step / max(1, warmup - 1)
    return peak * (1 + cos(pi * (step - warmup) / (steps - warmup))) / 2


def _groups(parameters: Iterable[nn.Parameter], decay: float, decay_vectors: bool) -> list[dict[str, Any]]:
    """Matrices and kernels always decay; vectors (biases, normalisation) only when asked."""
    parameters = list(parameters)
    matrices = [p for p in parameters if p.ndim > 1]
    vectors = [p for p in parameters if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": decay if decay_vectors else 0.0},
    ]
