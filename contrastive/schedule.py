"""Learning rate and target momentum as functions of the step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import cos, pi, sqrt
from typing import TYPE_CHECKING, Literal

from contrastive.types import Count, Fraction, Natural, Positive, configuration

if TYPE_CHECKING:
    import torch
    from torch import nn


@configuration
class Schedule(ABC):
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

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The torch optimiser; its learning rate is set anew at every step."""

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


@configuration
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
    on. Steps count from 0 to `steps` - 1 over the whole schedule, whether or not a configuration is stopped before.
    """
    if step < warmup:
        from_zero, to_peak = reaches in ("zero_and_peak", "zero"), reaches in ("zero_and_peak", "peak")
        return peak * (step + 1 - from_zero) / max(1, warmup + 1 - from_zero - to_peak)
    if schedule == "cosine":
        return peak * (1 + cos(pi * (step - warmup) / (steps - warmup))) / 2
    return peak / 10 ** sum(step >= milestone for milestone in milestones)
