"""What a run on a GPU must share with the same run on a processor. Skipped where there is no GPU."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic products, read when CUDA starts

from contrastive import train
from contrastive.checkpoint import load_encoder
from contrastive.config import Config, replace
from contrastive.data import Dataset
from contrastive.distributed import World, _Gather, synchronise_batch_norm  # pyright: ignore[reportPrivateUsage]
from tests.contracts.variants import VARIANTS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

TIMES = ("seconds", "images_per_second", "evaluation_seconds")
Curve = list[tuple[int, dict[str, float]]]


@pytest.fixture(autouse=True)
def _deterministic() -> Iterator[None]:
    before = torch.backends.cudnn.allow_tf32
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.allow_tf32 = before


def curve(
    config: Config, dataset: Dataset, device: str, directory: Path | None = None, until: int = 99
) -> Curve:
    """All that is reported of a run but its speed, up to an epoch."""
    reports: Curve = []

    def report(epoch: int, metrics: dict[str, float]) -> None:
        reports.append((epoch, {k: v for k, v in metrics.items() if k not in TIMES}))
        if epoch == until:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        train(config, report, dataset=dataset, directory=directory, device=device)
    return reports


def named(config: Config, variant: str, precision: str = "float32") -> Config:
    return replace(config, {"method": VARIANTS[variant], "precision": precision})


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_method_has_the_processors_curve_in_double_precision(
    variant: str, config: Config, dataset: Dataset
) -> None:
    double = named(config, variant, "float64")
    for (_, ours), (_, theirs) in zip(
        curve(double, dataset, "cuda"), curve(double, dataset, "cpu"), strict=True
    ):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)
        assert ours["effective_rank"] == pytest.approx(theirs["effective_rank"], rel=1e-3)


@pytest.mark.parametrize("variant", ["simclr", "sce", "mmcl", "wcl", "cacr", "bsim on simclr"])
def test_the_first_epoch_in_single_precision_is_the_processors(
    variant: str, config: Config, dataset: Dataset
) -> None:
    single = named(config, variant)
    ours, theirs = (curve(single, dataset, device, until=1)[0][1]["loss"] for device in ("cuda", "cpu"))
    assert ours == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize("variant", ["simclr", "sce", "mmcl", "wcl", "cacr", "bsim on simclr"])
def test_a_second_run_repeats_the_first_to_the_bit(variant: str, config: Config, dataset: Dataset) -> None:
    once = named(config, variant)
    assert curve(once, dataset, "cuda") == curve(once, dataset, "cuda")


def test_a_run_taken_up_after_an_epoch_ends_as_an_unbroken_one(
    config: Config, dataset: Dataset, tmp_path: Path
) -> None:
    curve(config, dataset, "cuda", tmp_path, until=1)
    assert curve(config, dataset, "cuda", tmp_path)[-1] == curve(config, dataset, "cuda")[-1]


def test_an_encoder_trained_on_a_gpu_embeds_alike_on_a_processor(
    config: Config, dataset: Dataset, tmp_path: Path
) -> None:
    train(config, lambda *_: None, dataset=dataset, directory=tmp_path, device="cuda")
    images = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    features = [
        load_encoder(tmp_path / "checkpoint.pt", device=device).module(images.to(device)).cpu()
        for device in ("cuda", "cpu")
    ]
    torch.testing.assert_close(features[0], features[1], rtol=1e-4, atol=1e-4)


@pytest.fixture
def _nccl(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("nccl", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("_nccl")
def test_gathering_by_nccl_in_a_world_of_one_changes_nothing() -> None:
    rows = torch.randn(8, 4, device="cuda", requires_grad=True)
    gathered = _Gather.apply(rows, World(0, 1))
    gathered.square().sum().backward()
    assert torch.equal(gathered, rows)
    assert torch.equal(rows.grad, 2 * rows)


@pytest.mark.usefixtures("_nccl")
def test_synchronised_batch_norm_of_one_gpu_is_batch_norm() -> None:
    images = torch.randn(8, 4, 5, 5, device="cuda", dtype=torch.float64)
    plain = nn.BatchNorm2d(4).to("cuda", torch.float64)
    synchronised = synchronise_batch_norm(nn.Sequential(plain), World(0, 2))
    assert isinstance(synchronised[0], nn.SyncBatchNorm)
    torch.testing.assert_close(synchronised(images), nn.BatchNorm2d(4).to("cuda", torch.float64)(images))
