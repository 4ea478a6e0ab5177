"""SimSiam's loss from its embeddings, and what makes it one with BYOL."""

import pytest
import torch

from contrastive.batches import batches
from contrastive.config import Config, replace
from contrastive.data import Dataset
from contrastive.distributed import World
from contrastive.learner import Learner
from contrastive.losses import simsiam
from contrastive.methods import SimSiam
from contrastive.methods.protocol import Embeddings

CPU = torch.device("cpu")
HEADS = {
    "projector": {"hidden": [16], "output": 8, "output_batch_norm": True},
    "predictor": {"hidden": [4], "output": 8},
    "views": ["strong", "strong"],
}


def embeddings() -> Embeddings:
    online, projected = torch.randn(2, 2, 6, 4, generator=torch.Generator().manual_seed(0))
    return Embeddings(
        online=dict(enumerate(online)), projected=dict(enumerate(projected)), target={}, queue=None
    )


def test_each_view_predicts_the_others_projection() -> None:
    given = embeddings()
    one, other = (simsiam(given.online[i], given.projected[1 - i]).item() for i in (0, 1))
    assert SimSiam().loss(given, lambda rows: rows).item() == pytest.approx((one + other) / 2)
    assert SimSiam(symmetric=False).loss(given, lambda rows: rows).item() == pytest.approx(other)


def test_it_is_byol_with_momentum_zero(config: Config, dataset: Dataset) -> None:
    """The same weights after five steps, where BYOL's loss, four times as steep, has a quarter of the rate."""
    plain = replace(
        config, {"precision": "float64", "optimiser.weight_decay": 0.0, "optimiser.warmup_epochs": 0}
    )
    byol = {"name": "byol", **HEADS, "momentum": {"start": 0.0}}
    rate = plain.optimiser.lr
    trained, losses = [], []
    for method, lr in (({"name": "simsiam", **HEADS}, rate), (byol, rate / 4)):
        one = replace(plain, {"method": method, "optimiser.lr": lr})
        learner = Learner(one, steps_per_epoch=6, world=World(), device=CPU)
        steps = batches(one, dataset, 1, world=World(), device=CPU)
        losses.append([learner.step(batch)[0].item() for _, batch in zip(range(5), steps, strict=False)])
        trained.append(dict(learner.model.online.named_parameters()))
    assert losses[1] == pytest.approx([4 + 4 * loss for loss in losses[0]], rel=1e-9)
    for name, weights in trained[0].items():
        torch.testing.assert_close(weights, trained[1][name], rtol=1e-7, atol=1e-9)


def test_it_reports_how_far_it_is_from_collapse() -> None:
    method, given = SimSiam(), embeddings()
    spread = torch.cat([torch.eye(4), -torch.eye(4)])
    for rows, expected in ((spread, (8 / 7) ** 0.5), (torch.ones(6, 4), 0.0)):
        given = Embeddings(online={}, projected={0: rows}, target={}, queue=None)
        found = method.diagnose(given, lambda z: z)
        assert tuple(found) == method.diagnosed
        assert found["simsiam_spread"].item() == pytest.approx(expected, abs=1e-6)
