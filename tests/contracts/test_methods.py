"""What every method keeps to; a new method is found here by its name in the union."""

import dataclasses
from typing import get_args

import pytest
import torch

from contrastive.config import Trial, replace, to_json
from contrastive.data import CIFAR10
from contrastive.distributed import World
from contrastive.methods import METHODS, Method
from contrastive.siamese import Siamese
from contrastive.views import Views

CPU = torch.device("cpu")
PRESETS = [(method, name) for method in METHODS for name in method.presets]
parametrize = pytest.mark.parametrize("method", METHODS)


def small(trial: Trial, method: type) -> Trial:
    """The tests' own small run of the method."""
    return trial if isinstance(trial.method, method) else replace(trial, {"method": to_json(method())})


def test_the_union_and_the_list_of_methods_are_the_same() -> None:
    assert set(get_args(get_args(Method)[0])) == set(METHODS)


@parametrize
def test_a_method_is_one_final_frozen_dataclass(method: type) -> None:
    assert dataclasses.is_dataclass(method)
    assert method.__bases__ == (object,)
    with pytest.raises(dataclasses.FrozenInstanceError):
        method().name = "other"


@parametrize
def test_what_a_method_declares_fits_together(method: type) -> None:
    declared = method()
    positions = set(range(len(declared.views)))
    assert set(declared.online_views) | set(declared.target_views) == positions
    assert all(name in vars(Views()) for name in declared.views)
    assert bool(declared.target_views) == (declared.momentum is not None)
    assert not declared.queue or declared.target_views


@parametrize
def test_every_online_parameter_learns_and_nothing_else_does(method: type, trial: Trial) -> None:
    model = Siamese(small(trial, method), world=World(), device=CPU)
    generator = torch.Generator().manual_seed(0)
    model.loss(model({v: torch.randn(16, 3, 32, 32, generator=generator) for v in (0, 1)})).backward()
    learning = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    online = {name for name, _ in model.named_parameters() if name.startswith("online.")}
    # A bias or shift in front of a normalisation has no effect; all else must learn.
    assert {name for name in online - learning if not name.endswith("bias")} == set()
    assert learning <= online


@pytest.mark.parametrize(("method", "name"), PRESETS)
def test_a_preset_has_a_source_and_makes_a_legal_trial(method: type, name: str, trial: Trial) -> None:
    preset = method.presets[name]
    made = replace(small(trial, method), {"data": to_json(CIFAR10()), **preset.values})
    assert preset.source
    assert made.method.name == method().name
    assert made.epochs >= 100
