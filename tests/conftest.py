"""Shape and type checks on every tensor function, one thread, and a small data set for all tests."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

with install_import_hook(
    ["contrastive.losses", "contrastive.views", "contrastive.evaluate", "contrastive.siamese"],
    "beartype.beartype",
):
    import tests.checked  # noqa: F401

from contrastive.config import Config
from contrastive.data import Dataset, Shapes, load
from contrastive.encoder import Head, Strided
from contrastive.methods import SCE
from contrastive.optimiser import SGD
from contrastive.schedule import Momentum

torch.set_num_threads(1)
# How long an example takes on a busy machine says nothing about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def config() -> Config:
    """A run of a second: a tiny encoder on few images, with everything that SCE has."""
    return Config(
        method=SCE(queue=64, momentum=Momentum(start=0.9), projector=Head(hidden=(16,), output=8)),
        data=Shapes(train=96, validation=40, test=40),
        encoder=Strided(width=2),
        optimiser=SGD(warmup_epochs=1),
        batch=16,
        epochs=3,
    )


@pytest.fixture(scope="session")
def dataset(config: Config, cache: Path) -> Dataset:
    return load(config.data, cache=cache)
