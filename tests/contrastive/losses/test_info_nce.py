"""InfoNCE against loops, against solo-learn's and lightly's own outputs, and against what must hold of it."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import info_nce
from tests import oracles
from tests.oracles import golden, on_the_sphere

temperatures = st.sampled_from([0.05, 0.07, 0.2, 1.0, 3.0])

Inputs = tuple[Tensor, Tensor, Tensor]


@st.composite
def inputs(draw: st.DrawFn) -> Inputs:
    n, k, d = draw(st.integers(1, 5)), draw(st.integers(1, 7)), draw(st.integers(1, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    query, noise = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    queue = torch.randn(k, d, generator=generator, dtype=torch.float64)
    return query, query + draw(st.sampled_from([0.01, 0.5, 3.0])) * noise, queue


@given(inputs(), temperatures)
def test_it_is_the_loop_of_the_paper(given: Inputs, temperature: float):
    loss = info_nce(*given, temperature=temperature).item()
    assert loss == pytest.approx(oracles.info_nce(*given, temperature), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize("case", ["moco_solo_0", "moco_solo_1"])
def test_it_is_solo_learns_loss_and_gradient(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden(case)
    q, k, queue = reference["q"].to(dtype), reference["k"].to(dtype), reference["queue"].to(dtype).T
    loss = info_nce(q.requires_grad_(), k, queue, temperature=reference.number("temperature"))
    loss.backward()
    expected = on_the_sphere(reference["grad_q"], reference["q"]).to(dtype)
    assert loss.item() == pytest.approx(reference.number("loss"), rel=tolerance)
    torch.testing.assert_close(q.grad, expected, rtol=tolerance, atol=tolerance / 100)


def test_it_is_lightlys_loss_with_a_memory_bank():
    reference = golden("moco_lightly_bank")
    q = reference["q"].requires_grad_()
    loss = info_nce(q, reference["k"], reference["bank_before"], temperature=reference.number("temperature"))
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=1e-9)
    torch.testing.assert_close(q.grad, reference["grad_q"], rtol=1e-9, atol=1e-13)


def test_its_gradient_is_the_slope_of_its_value():
    generator = torch.Generator().manual_seed(0)
    q, k, queue = torch.randn(3, 4, 3, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: info_nce(x, k, queue, temperature=0.5), q.requires_grad_())


def test_only_the_query_is_trained():
    q, k, queue = (torch.randn(4, 3).requires_grad_() for _ in range(3))
    info_nce(q, k, queue, temperature=0.1).backward()
    assert q.grad is not None
    assert k.grad is None
    assert queue.grad is None


@given(inputs(), temperatures, st.randoms(use_true_random=False))
def test_order_rotation_and_length_change_nothing(given: Inputs, temperature: float, random):
    q, k, queue = given
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    (n, d), size = q.shape, len(queue)
    order, place = random.sample(range(n), n), random.sample(range(size), size)
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(3, max(n, size), 1, generator=generator, dtype=torch.float64)
    moved = info_nce(
        (lengths[0, :n] * q @ rotation)[order],
        (lengths[1, :n] * k @ rotation)[order],
        (lengths[2, :size] * queue @ rotation)[place],
        temperature=temperature,
    )
    torch.testing.assert_close(moved, info_nce(q, k, queue, temperature=temperature), rtol=1e-9, atol=1e-12)


def test_a_key_far_from_the_query_changes_nothing():
    near = torch.ones(3, 4, dtype=torch.float64) + 0.1 * torch.eye(4, dtype=torch.float64)[:3]
    q, k, queue = near.split(1)
    loss = info_nce(q, k, queue, temperature=0.02)
    assert loss > 0.1
    torch.testing.assert_close(
        info_nce(q, k, torch.cat([queue, -q]), temperature=0.02), loss, rtol=1e-14, atol=0
    )


def test_when_all_embeddings_agree_it_is_the_log_of_the_number_of_candidates():
    same = torch.ones(5, 3, dtype=torch.float64)
    assert info_nce(same[:2], same[:2], same, temperature=0.1).item() == pytest.approx(math.log(6), rel=1e-12)


def test_at_temperature_one_hundredth_float32_keeps_up_with_float64():
    q, k, queue = torch.randn(3, 16, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    low = q.float().requires_grad_()
    loss = info_nce(low, k.float(), queue.float(), temperature=0.01)
    loss.backward()
    assert loss.item() == pytest.approx(info_nce(q, k, queue, temperature=0.01).item(), rel=2e-5)
    assert torch.isfinite(low.grad).all()


def test_autocast_does_not_coarsen_it():
    q, k, queue = torch.randn(3, 8, 16, generator=torch.Generator().manual_seed(2))
    with torch.autocast("cpu", torch.bfloat16):
        loss = info_nce(q, k, queue, temperature=0.1)
    assert loss.dtype == torch.float32
    assert loss == info_nce(q, k, queue, temperature=0.1)


@pytest.mark.parametrize(
    ("query", "key", "queue", "temperature", "message"),
    [
        ((4, 3), (3, 3), (5, 3), 0.1, r"query \(4, 3\) and key \(3, 3\)"),
        ((4, 3), (4, 3), (5, 2), 0.1, r"queue \(5, 2\)"),
        ((4, 3), (4, 3), (3, 5), 0.1, r"queue \(3, 5\)"),
        ((4, 3), (4, 3), (0, 3), 0.1, "1 or more"),
        ((4, 3), (4, 3), (3,), 0.1, r"queue \(3,\)"),
        ((0, 3), (0, 3), (5, 3), 0.1, "not empty"),
        ((4, 3), (4, 3), (5, 3), 0.0, "temperature=0.0"),
    ],
)
def test_what_has_no_meaning_is_refused(query, key, queue, temperature: float, message: str):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(info_nce)(
            torch.ones(query), torch.ones(key), torch.ones(queue), temperature=temperature
        )
