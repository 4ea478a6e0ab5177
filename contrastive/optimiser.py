"""Optimisers, and the schedules of learning rate and target momentum as functions of the step."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import cos, pi, sqrt
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from contrastive.types import STRICT, Count, Fraction, Natural, NonNegative, Positive


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Schedule:
    """What every optimiser says of its learning rate: a linear warm-up to the peak, then the schedule."""

    lr: Positive = 0.06
    lr_scaling: Literal["linear", "sqrt", "none"] = "linear"
    """The peak for a global batch of b images: `lr` times b / 256, times the square root of b, or `lr`."""
    warmup_epochs: Natural = 5
    warmup_reaches: Literal["zero_and_peak", "zero", "peak", "neither"] = "zero_and_peak"
    """Which ends of its range the warm-up's own first and last steps have: both (SCE, solo-learn), zero alone
    (WCL, ReSSL, BYOL, MoCo v3), the peak alone (lightly) or neither (MMCL)."""
    schedule: Literal["cosine", "constant", "steps"] = "cosine"
    milestones: tuple[Count, ...] = ()
    """For "steps": after how many epochs the rate falls to a tenth, each time."""
    cosine_by: Literal["step", "epoch", "epoch_end"] = "step"
    """For "cosine": whether each step has a rate of its own, or all of an epoch have that of its first step (MoCo)
    or of the step after it (MoCo's CIFAR-10 demonstration, whose last epoch has none)."""

    def __post_init__(self) -> None:
        if (self.schedule == "steps") != bool(self.milestones):
            raise ValueError(
                f"schedule = '{self.schedule}' with milestones = {self.milestones}: milestones are the epochs "
                "at which 'steps' divides the rate by ten; give both, such as 'steps' with (120, 160), or neither"
            )
        if any(later <= earlier for earlier, later in pairwise(self.milestones)):
            raise ValueError(f"milestones = {self.milestones} do not ascend; sort them, each epoch once")

    def peak(self, batch: int) -> float:
        """Learning rate at the end of the warm-up, for a global batch of `batch` images."""
        return self.lr * {"linear": batch / 256, "sqrt": sqrt(batch), "none": 1.0}[self.lr_scaling]

    def rate(self, step: int, *, steps_per_epoch: int, epochs: int, batch: int) -> float:
        """Learning rate in force at `step`, counted from 0 over the whole run."""
        held = (
            self.schedule == "cosine"
            and self.cosine_by != "step"
            and step >= self.warmup_epochs * steps_per_epoch
        )
        if held:
            step = (step // steps_per_epoch + (self.cosine_by == "epoch_end")) * steps_per_epoch
        return learning_rate(
            step,
            steps=epochs * steps_per_epoch,
            warmup=self.warmup_epochs * steps_per_epoch,
            peak=self.peak(batch),
            reaches=self.warmup_reaches,
            schedule=self.schedule,
            milestones=[epoch * steps_per_epoch for epoch in self.milestones],
        )


@dataclass(frozen=True, kw_only=True, config=STRICT)
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
        """The torch optimiser; its learning rate is set anew at every step."""
        groups = _groups(parameters, self.weight_decay, self.decay_vectors)
        return torch.optim.SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov)


@dataclass(frozen=True, kw_only=True, config=STRICT)
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
        """The optimiser; its learning rate is set anew at every step."""
        groups = _groups(parameters, self.weight_decay, decay_vectors=False)
        return LayerwiseSGD(
            groups, lr=self.lr, momentum=self.momentum, trust=self.trust, norms=self.norms, clip=self.clip
        )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Adam(Schedule):
    """Adam (Kingma and Ba 2015); weight decay is part of the gradient, as in MMCL's CIFAR runs."""

    name: Literal["adam"] = "adam"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 1e-6
    decay_vectors: bool = True

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The torch optimiser; its learning rate is set anew at every step."""
        return torch.optim.Adam(_groups(parameters, self.weight_decay, self.decay_vectors), lr=self.lr)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AdamW(Schedule):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 1e-4
    decay_vectors: bool = False

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The torch optimiser; its learning rate is set anew at every step."""
        return torch.optim.AdamW(_groups(parameters, self.weight_decay, self.decay_vectors), lr=self.lr)


Optimiser = Annotated[SGD | LARS | Adam | AdamW, Field(discriminator="name")]


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


def learning_rate(
    step: int,
    *,
    steps: int,
    warmup: int,
    peak: float,
    reaches: Literal["zero_and_peak", "zero", "peak", "neither"] = "zero_and_peak",
    schedule: Literal["cosine", "constant", "steps"] = "cosine",
    milestones: Sequence[int] = (),
) -> float:
    """Linear warm-up over `warmup` steps from 0 to `peak`, of which it `reaches` what is named, then the schedule.

    "cosine" is a half cosine over the rest, "constant" stays, "steps" has a tenth from each of `milestones`
    on. Steps count from 0 to `steps` - 1 over the whole schedule, whether or not a trial is stopped before.
    """
    if step < warmup:
        from_zero, to_peak = reaches in ("zero_and_peak", "zero"), reaches in ("zero_and_peak", "peak")
        return peak * (step + 1 - from_zero) / max(1, warmup + 1 - from_zero - to_peak)
    if schedule == "cosine":
        return peak * (1 + cos(pi * (step - warmup) / (steps - warmup))) / 2
    return peak / 10 ** sum(step >= milestone for milestone in milestones)


class LayerwiseSGD(torch.optim.Optimizer):
    """LARS as published with SCE and WCL, or as solo-learn and lightly have it; `torch.optim` has none.

    for a matrix or kernel w:  u = gradient + weight_decay w,  a = trust |w| / |u|   (1 if a norm is 0)
    norms "summed":            a = trust |w| / (|gradient| + weight_decay |w| + 1e-8)
                               (u = gradient and a = 1 if a norm is 0)
    clip:                      a = min(a / lr, 1)
                               u *= a
    for a vector:              u = gradient
    v = momentum v + u,  w -= lr v
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        *,
        lr: float,
        momentum: float,
        trust: float,
        norms: Literal["of_sum", "summed"] = "of_sum",
        clip: bool = False,
    ):
        defaults = {"lr": lr, "momentum": momentum, "trust": trust, "norms": norms, "clip": clip}
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        update = _adapted(parameter, parameter.grad, group) if parameter.ndim > 1 else parameter.grad
        state = self.state[parameter]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(parameter)
        state["velocity"].mul_(group["momentum"]).add_(update)
        parameter.add_(state["velocity"], alpha=-group["lr"])


def _adapted(parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
    """A matrix's gradient with its decay, in proportion to the matrix."""
    decayed = gradient + group["weight_decay"] * parameter
    summed = group["norms"] == "summed"
    plain = gradient if summed else decayed
    size, length = parameter.norm(), plain.norm()
    share = group["trust"] * size / (length + group["weight_decay"] * size + 1e-8 if summed else length)
    if group["clip"]:
        share = (share / group["lr"]).clamp(max=1)
    # No branch on a tensor's value: a GPU would have to wait for it.
    return torch.where((size > 0) & (length > 0), decayed * share, plain)


def _groups(parameters: Iterable[nn.Parameter], decay: float, decay_vectors: bool) -> list[dict[str, Any]]:
    """Matrices and kernels always decay; vectors (biases, normalisation) only when asked."""
    parameters = list(parameters)
    matrices = [p for p in parameters if p.ndim > 1]
    vectors = [p for p in parameters if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": decay if decay_vectors else 0.0},
    ]
