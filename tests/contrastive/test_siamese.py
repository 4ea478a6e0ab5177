from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from contrastive.config import Config, replace
from contrastive.distributed import World
from contrastive.methods import SimCLR
from contrastive.methods.protocol import Batch
from contrastive.siamese import Siamese

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"
CPU = torch.device("cpu")


def siamese(config: Config, **changes: object) -> Siamese:
    return Siamese(replace(config, {f"method.{k}": v for k, v in changes.items()}), world=World(), device=CPU)


def views(*, count: int = 16, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch({v: torch.randn(count, 3, 32, 32, generator=generator) for v in (0, 1)}, step=seed)


@pytest.mark.parametrize("case", ["sce_step_0", "sce_step_1", "sce_step_2"])
def test_a_step_of_sce_is_that_of_the_papers_code(case: str, config: Config) -> None:
    with np.load(GOLDEN / f"{case}.npz") as file:
        reference = {
            name: torch.from_numpy(np.atleast_1d(file[name])) for name in file.files if name != "meta"
        }
    count, width = reference["crops"].shape[1:]
    method = {
        "temperature": float(reference["tau"]),
        "target_temperature": float(reference["tau_m"]),
        "coefficient": float(reference["lam"]),
        "symmetric": bool(reference["sym"]),
        "positive_in_target": "zero_logit",
        "views": ["strong"] * len(reference["crops"]),
        "projector": {"hidden": [], "output": width},
        "queue": reference["queue_before"].shape[1],
    }
    batch = {"batch": count, "precision": "float64", **{f"method.{k}": v for k, v in method.items()}}
    model = Siamese(replace(config, batch), world=World(), device=CPU)
    for branch, weight in ((model.online, "W_online"), (model.target, "W_target")):
        branch.encoder, branch.projector = nn.Linear(width, width, bias=False).double(), nn.Identity()
        branch.encoder.weight = nn.Parameter(reference[weight].clone())
    model.queue.copy_(reference["queue_before"].T)
    model.pointer.copy_(reference["ptr_before"][0])

    embeddings = model(Batch(dict(enumerate(reference["crops"]))))
    loss = model.loss(embeddings)
    loss.backward()
    model.follow(embeddings, float(reference["momentum"]))

    close = {"rtol": 1e-6, "atol": 1e-9}  # the reference rounds lambda to float32
    torch.testing.assert_close(loss, reference["loss"][0], **close)
    torch.testing.assert_close(model.online.encoder.weight.grad, reference["grad_W_online"], **close)
    torch.testing.assert_close(model.target.encoder.weight.data, reference["W_target_after"])
    torch.testing.assert_close(model.queue, reference["queue_after"].T.contiguous())
    assert int(model.pointer) == int(reference["ptr_after"])


def test_the_target_starts_as_a_copy_and_never_gets_a_gradient(config: Config) -> None:
    model = siamese(config)
    theirs = dict(model.online.named_parameters())
    assert all(torch.equal(p, theirs[name]) for name, p in model.target.named_parameters())
    model.loss(model(views())).backward()
    assert all(p.grad is None for p in model.target.parameters())
    assert all(p.grad is not None for p in model.online.parameters())


@pytest.mark.parametrize(("momentum", "expected"), [(1.0, "target"), (0.0, "online")])
def test_momentum_one_freezes_the_target_and_zero_copies(
    config: Config, momentum: float, expected: str
) -> None:
    model = siamese(config)
    before = {name: p.clone() for name, p in model.target.named_parameters()}
    with torch.no_grad():
        for parameter in model.online.parameters():
            parameter.add_(1.0)
    model.follow(model(views()), momentum)
    online = dict(model.online.named_parameters())
    for name, parameter in model.target.named_parameters():
        torch.testing.assert_close(parameter, before[name] if expected == "target" else online[name])


def test_the_queue_after_a_step_is_the_old_one_with_just_the_keys_written(config: Config) -> None:
    model = siamese(config)
    for step in range(6):  # 64 rows, 16 a step: it wraps around
        before, pointer = model.queue.clone(), int(model.pointer)
        embeddings = model(views(seed=step))
        model.follow(embeddings, 0.9)
        rows = torch.arange(pointer, pointer + 16) % 64
        keys = nn.functional.normalize(embeddings.target[0], dim=1)
        torch.testing.assert_close(model.queue[rows], keys)
        others = torch.ones(64, dtype=torch.bool).index_fill(0, rows, False)
        assert torch.equal(model.queue[others], before[others])
        assert int(model.pointer) == (pointer + 16) % 64


def test_the_loss_sees_the_queue_before_its_own_keys(config: Config) -> None:
    model = siamese(config)
    before = model.queue.clone()
    assert torch.equal(model(views()).queue, before)


def test_initial_weights_follow_from_the_seed_and_leave_torchs_generator_alone(config: Config) -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first, again = siamese(config), siamese(config)
    assert torch.equal(torch.random.get_rng_state(), state)
    for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    other = Siamese(replace(config, {"seed": 1}), world=World(), device=CPU)
    assert not torch.equal(first.queue, other.queue)


def test_simclr_has_neither_target_nor_queue(config: Config) -> None:
    model = Siamese(replace(config, {"method": SimCLR()}), world=World(), device=CPU)
    assert model.target is None
    assert model.queue is None
    assert torch.isfinite(model.loss(model(views())))


def test_sce_without_a_queue_contrasts_with_the_keys_of_the_batch(config: Config) -> None:
    model = siamese(config, queue=0)
    assert model.queue is None
    assert torch.isfinite(model.loss(model(views())))
