"""LARS as a torch optimiser: SGD whose step in each matrix is in proportion to its norm (You et al. 2017)."""

from typing import Any, Literal

import torch
from torch import Tensor, nn


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
