"""Barlow Twins and VICReg: their losses from embeddings, what they report of collapse, and what they refuse."""

from typing import Any

import pytest
import torch
from torch import Tensor

from contrastive.config import Config, in_words, replace
from contrastive.encoder import Head
from contrastive.losses import barlow_twins, vicreg
from contrastive.methods import BarlowTwins, VICReg
from contrastive.methods.protocol import Embeddings, Method

WEIGHTS = {"invariance_weight": 3.0, "variance_weight": 2.0, "covariance_weight": 0.5}


def embeddings(first: Tensor, second: Tensor | None = None) -> Embeddings:
    views = {0: first} if second is None else {0: first, 1: second}
    return Embeddings(online=views, target={}, queue=None)


def doubled(rows: Tensor) -> Tensor:
    """As if another process had the same rows, less a half."""
    return torch.cat([rows, rows - 0.5])


@pytest.mark.parametrize(
    ("method", "loss", "options"),
    [
        (
            BarlowTwins(redundancy_weight=0.3, scale=0.5),
            barlow_twins,
            {"redundancy_weight": 0.3, "scale": 0.5},
        ),
        (VICReg(**WEIGHTS), vicreg, WEIGHTS),
    ],
    ids=["barlow_twins", "vicreg"],
)
def test_statistics_are_of_the_batch_of_all_processes(
    method: Method, loss: Any, options: dict[str, float]
) -> None:
    first, second = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    found = method.loss(embeddings(first, second), doubled)
    assert found == loss(doubled(first), doubled(second), **options)
    assert found != method.loss(embeddings(first, second), lambda rows: rows)


def test_the_spectrum_tells_collapse() -> None:
    spread = torch.cat([torch.eye(4), -torch.eye(4)])
    line = spread[:, :1].repeat(1, 4)
    for method, rank in ((BarlowTwins(), "barlow_twins_rank"), (VICReg(), "vicreg_rank")):
        for rows, directions in ((spread, 4.0), (line, 1.0), (torch.ones(6, 4), 0.0)):
            found = method.diagnose(embeddings(rows), lambda z: z)
            assert tuple(found) == method.diagnosed
            assert found[rank].item() == pytest.approx(directions, abs=1e-5)


def test_vicreg_reports_the_deviation_that_it_holds_up() -> None:
    rows = torch.tensor([[1.0, 10.0], [3.0, 10.0]])
    found = VICReg().diagnose(embeddings(rows), lambda z: z)
    assert found["vicreg_deviation"].item() == pytest.approx(2**0.5 / 2)


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: VICReg(projector=Head(batch_norm=False)), "projector.batch_norm = false: .*set it to true"),
        (
            lambda: VICReg(invariance_weight=0.0, variance_weight=0.0, covariance_weight=0.0),
            "all three weights are 0",
        ),
        (lambda: VICReg(variance_weight=-1.0), "variance_weight"),
        (lambda: BarlowTwins(redundancy_weight=-0.1), "redundancy_weight"),
        (lambda: BarlowTwins(scale=0.0), "scale"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(build: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        in_words(build)


def test_an_expander_without_hidden_layers_needs_no_batch_statistics() -> None:
    assert VICReg(projector=Head(hidden=(), batch_norm=False)).covariance_weight == 1.0
    for name in ("invariance_weight", "variance_weight", "covariance_weight"):
        others = {other: 0.0 for other in WEIGHTS if other != name}
        assert getattr(VICReg(**others), name) > 0


@pytest.mark.parametrize("name", ["barlow_twins", "vicreg"])
def test_a_batch_too_small_for_a_covariance_is_refused(config: Config, name: str) -> None:
    with pytest.raises(ValueError, match=f"batch = 1: method '{name}' .*at least 2 images"):
        replace(config, {"batch": 1, "method": {"name": name}})
