"""Torch's optimisers without its compiler, which takes about as long to import as torch itself and is not used here."""

import inspect
from types import MethodType
from typing import Any

import torch

WRAPPED = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
"""Methods that torch keeps out of graphs in compilation, by a wrapper that imports the compiler on the first call."""


def eager(kind: type[torch.optim.Optimizer], groups: list[Any], **settings: Any) -> torch.optim.Optimizer:
    """An optimiser of this class, whose own methods are not wrapped for the compiler; it computes the same.

    The wrapper of `step` also switches gradients off: that stays.
    """
    optimiser = kind.__new__(kind)
    for name in WRAPPED:
        setattr(optimiser, name, MethodType(inspect.unwrap(getattr(kind, name)), optimiser))
    optimiser.step = MethodType(torch.no_grad()(inspect.unwrap(kind.step)), optimiser)
    optimiser.__init__(groups, **settings)
    return optimiser
