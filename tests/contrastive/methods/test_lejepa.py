"""LeJEPA's directions: of the step, the same wherever and however often it is asked for them."""

from dataclasses import replace

import pytest
import torch

from contrastive.batches import batches
from contrastive.config import Config, in_words
from contrastive.config import replace as replace_in
from contrastive.data import Dataset
from contrastive.distributed import World
from contrastive.learner import Learner
from contrastive.losses import lejepa, sigreg
from contrastive.methods import LeJEPA
from contrastive.methods.protocol import Embeddings
from contrastive.randomness import generator

METHOD = LeJEPA(slices=3, views=("strong", "second"), local_views=("local",))


def embeddings(step: int = 5, seed: int = 7) -> Embeddings:
    views = torch.randn(3, 6, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Embeddings(online=dict(enumerate(views)), target={}, queue=None, step=step, seed=seed)


def loss(given: Embeddings, method: LeJEPA = METHOD) -> float:
    return method.loss(given, lambda z: z).item()


def test_the_loss_is_that_of_all_views_along_the_steps_directions() -> None:
    given = embeddings()
    rows = torch.stack([*given.online.values()])
    directions = torch.randn(3, 16, generator=generator(7, "loss", 5), dtype=torch.float64)
    options = {"regularisation_weight": 0.05, "global_views": 2, "limit": 5.0, "points": 9}
    assert loss(given) == lejepa(rows, directions, **options).item()
    found = METHOD.diagnose(given, lambda z: z)
    assert found["lejepa_sigreg"] == sigreg(rows[:1], directions)
    assert tuple(found) == METHOD.diagnosed


def test_directions_are_those_of_seed_and_step_at_each_call() -> None:
    assert loss(embeddings()) == loss(embeddings())
    others = [loss(embeddings(step=6)), loss(embeddings(seed=8))]
    assert len({loss(embeddings()), *others}) == 3
    torch.manual_seed(0)
    state = torch.random.get_rng_state()
    loss(replace(embeddings(), step=1))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_one_view_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="one view in all, which is its own prediction"):
        in_words(lambda: LeJEPA(views=("strong",), local_views=()))


def test_a_vision_transformer_of_timm_learns_by_it(config: Config, dataset: Dataset) -> None:
    pytest.importorskip("timm")
    vit = {"name": "timm", "model": "vit_tiny_patch16_224", "image_size": 32}
    method = {"name": "lejepa", "slices": 16, "local_views": [], "projector": {"hidden": [16], "output": 8}}
    small = replace_in(
        config, {"encoder": vit, "method": method, "optimiser": {"name": "adamw", "warmup_epochs": 0}}
    )
    learner = Learner(small, steps_per_epoch=6, world=World(), device=torch.device("cpu"))
    batch = next(batches(small, dataset, 1, world=World(), device=torch.device("cpu")))
    losses = [
        learner.step(batch)[0].item() for _ in range(4)
    ]  # along the same directions: the step is the same
    assert losses[-1] < losses[0]
