"""Two real gloo processes give what one process gives."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import multiprocessing, nn

from contrastive import distributed, train
from contrastive.config import Config, replace
from contrastive.data import Dataset, load
from contrastive.distributed import World
from tests.contracts.variants import VARIANTS


def _enter(rank: int, size: int, folder: str, work: Callable[[World], object]) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=size)
    torch.save(work(World(rank, size)), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def in_processes(work: Callable[[World], object], size: int, folder: Path) -> list[object]:
    """What `work` returns in each of `size` processes."""
    multiprocessing.spawn(_enter, args=(size, str(folder), work), nprocs=size)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(size)]


def _train(world: World, config: Config, cache: str) -> dict[str, list[float]]:
    losses: list[float] = []
    accuracies: list[float] = []
    train(
        config,
        lambda _, metrics: accuracies.append(metrics["knn_top1"]),
        dataset=load(config.data, cache=Path(cache)),
        world=world,
        watch=lambda _, loss: losses.append(loss),
    )
    return {"losses": losses, "accuracies": accuracies}


# One of each way in which processes need each other: shared keys, partners, shuffles, graphs, neighbours.
SHARED = [
    "sce", "sce, multi-crop", "sce, no queue", "sce, split batch norm",
    "moco, symmetric, split batch norm", "simclr, views together", "mmcl, views together",
    "cacr, queue, split batch norm", "bsim on simclr, views together", "simclr", "byol", "moco", "ressl",
    "mmcl, symmetric, boxed", "mmcl, queue", "wcl, neighbours' crops", "wcl, own crops", "cacr",
    "simsiam", "barlow_twins", "vicreg", "lejepa", "swav",
    "swav, queue, multi-crop",
    "cacr, queue", "cacr, reweighted", "bsim on simclr", "bsim on moco, half", "bsim on wcl", "bsim on cacr",
    "debiased", "hcl", "align_uniform", "decoupled, weighted, views together", "nnclr",
]  # fmt: skip


def _first_steps(world: World, config: Config, cache: str) -> dict[str, dict[str, list[float]]]:
    methods = {name: replace(config, {"method": VARIANTS[name]}) for name in SHARED}
    return {name: _train(world, one, cache) for name, one in methods.items()}


def test_two_processes_give_the_curve_of_one(
    config: Config, dataset: Dataset, cache: Path, tmp_path: Path
) -> None:
    config = replace(config, {"precision": "float64", "epochs": 3})
    work = functools.partial(_first_steps, config=config, cache=str(cache))
    alone = work(World())
    for both in in_processes(work, 2, tmp_path):
        for name in SHARED:
            assert both[name]["losses"] == pytest.approx(alone[name]["losses"], rel=1e-5), name
            assert both[name]["accuracies"] == pytest.approx(alone[name]["accuracies"], abs=1.0), name


def _gather(world: World) -> dict[str, torch.Tensor]:
    whole = torch.linspace(-1, 1, 12, dtype=torch.float64).view(6, 2)
    mine = whole[world.rows(6)].clone().requires_grad_()
    gathered = distributed.gather(mine, world)
    (gathered.cos() * torch.arange(12).view(6, 2)).sum().backward()
    uneven = distributed.gather_uneven(whole[:5][world.rows(5)], world, 5)
    return {"gathered": gathered.detach(), "gradient": mine.grad, "uneven": uneven}


def test_gathering_keeps_the_order_and_sums_the_gradients(tmp_path: Path) -> None:
    alone = _gather(World())
    for rank, found in enumerate(in_processes(_gather, 2, tmp_path)):
        assert torch.equal(found["gathered"], alone["gathered"])
        assert torch.equal(found["uneven"], alone["uneven"])
        torch.testing.assert_close(found["gradient"], 2 * alone["gradient"][World(rank, 2).rows(6)])


def _normalise(world: World) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    whole = torch.randn(8, 3, 2, 2, generator=generator, dtype=torch.float64)
    network = nn.Sequential(nn.Sequential(nn.BatchNorm2d(3)), nn.Flatten(), nn.BatchNorm1d(12, affine=False))
    network = distributed.synchronise_batch_norm(network.double(), world)
    mine = whole[world.rows(8)].clone().requires_grad_()
    out = network(mine)
    distributed.gather(out, world).pow(3).sum().div(world.size).backward()
    state = {name: value for name, value in network.state_dict().items() if "tracked" not in name}
    return {"out": out.detach(), "gradient": mine.grad, **state}


def test_batch_statistics_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    alone = _normalise(World())
    for rank, found in enumerate(in_processes(_normalise, 2, tmp_path)):
        rows = World(rank, 2).rows(8)
        for name, value in found.items():
            expected = alone[name][rows] if name in ("out", "gradient") else alone[name]
            torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-12)


def test_shares_cover_all_rows_once() -> None:
    for size in (1, 2, 3, 5):
        rows = [list(range(17))[World(rank, size).rows(17)] for rank in range(size)]
        assert [row for share in rows for row in share] == list(range(17))
        assert max(map(len, rows)) - min(map(len, rows)) <= 1


def test_a_batch_that_does_not_divide_is_refused(config: Config, dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="batch = 16 does not divide among 3 processes"):
        train(config, lambda *_: None, dataset=dataset, world=World(0, 3))
