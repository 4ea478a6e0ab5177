"""What people type, and what they mean by it."""

import doctest
from typing import Any

import pytest

from contrastive import spelling
from contrastive.config import Trial
from contrastive.spelling import resolved
from sweeps.cli.arguments import preset


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ({"temperature": 0.1}, {"method.temperature": 0.1}),
        ({"evaluation.temperature": 0.1}, {"evaluation.temperature": 0.1}),
        ({"optimizer.lr": 1.0}, {"optimiser.lr": 1.0}),
        ({"learning-rate": 1.0}, {"optimiser.lr": 1.0}),
        ({"batch-size": 32}, {"batch": 32}),
        ({"strong.solarize": 0.1}, {"views.strong.solarise": 0.1}),
        ({"views.strong.gray": 0.1}, {"views.strong.grey": 0.1}),
        ({"neighbors": 5}, {"evaluation.neighbours": 5}),
        ({"projector.output": 5}, {"method.projector.output": 5}),
        ({"optimizer": "lars", "trust": 0.01}, {"optimiser.name": "lars", "optimiser.trust": 0.01}),
        (
            {"model": "resnet18", "encoder.name": "timm"},
            {"encoder.model": "resnet18", "encoder.name": "timm"},
        ),
        ({"method": "bsim", "inner": "moco"}, {"method.name": "bsim", "method.inner.name": "moco"}),
        ({"nonsense": 1}, {"nonsense": 1}),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_end_of_a_path_and_american_spelling_find_it(
    typed: dict[str, Any], meant: dict[str, Any], backwards: bool
) -> None:
    assert resolved(Trial(), {}, dict(reversed(typed.items())) if backwards else typed) == meant


def test_the_fields_of_a_recipe_are_found() -> None:
    assert resolved(Trial(), preset("wcl:cifar10"), {"graph_weight": 2.0}) == {"method.graph_weight": 2.0}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            "momentum",
            "--set momentum: there is method.momentum, optimiser.momentum; write which one you mean",
        ),
        ("strong.crop", None),
        ("flip", "there is views.strong.flip, views.weak.flip, "),
    ],
)
def test_a_path_that_may_mean_several_is_refused_with_their_names(typed: str, message: str | None) -> None:
    if message is None:
        assert resolved(Trial(), {}, {typed: 1}) == {typed: 1}
        return
    with pytest.raises(ValueError, match=message):
        resolved(Trial(), {}, {typed: 1})


def test_examples_of_spelling_are_true() -> None:
    assert doctest.testmod(spelling).failed == 0
