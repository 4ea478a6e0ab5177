"""NT-Xent against loops, against solo-learn's and lightly's own outputs, and against what must hold of it."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import nt_xent
from tests import oracles
from tests.oracles import golden

temperatures = st.sampled_from([0.05, 0.1, 0.2, 0.5, 1.0, 3.0])


@st.composite
def views(draw: st.DrawFn, most: int = 6) -> tuple[Tensor, Tensor]:
    n, d = draw(st.integers(2, most)), draw(st.integers(1, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    z1 = torch.randn(n, d, generator=generator, dtype=torch.float64)
    noise = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return z1, z1 + draw(st.sampled_from([0.01, 0.5, 3.0])) * noise


@given(views(), temperatures)
def test_it_is_the_double_loop_of_the_paper(pair: tuple[Tensor, Tensor], temperature: float):
    loss = nt_xent(*pair, temperature=temperature).item()
    assert loss == pytest.approx(oracles.nt_xent(*pair, temperature), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize("case", ["ntxent_lightly_0", "ntxent_lightly_1", "ntxent_lightly_2"])
def test_it_is_lightlys_loss_and_gradient(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden(case)
    z1, z2 = (reference[name].to(dtype).requires_grad_() for name in ("z0", "z1"))
    loss = nt_xent(z1, z2, temperature=reference.number("temperature"))
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=tolerance)
    for z, name in ((z1, "grad_z0"), (z2, "grad_z1")):
        torch.testing.assert_close(z.grad, reference[name].to(dtype), rtol=tolerance, atol=tolerance / 100)


@pytest.mark.parametrize("case", ["ntxent_solo_0", "ntxent_solo_1"])
def test_it_is_solo_learns_loss_and_gradient(case: str):
    reference = golden(case)
    z = reference["z"].requires_grad_()
    loss = nt_xent(*z.chunk(2), temperature=reference.number("temperature"))
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=1e-9)
    torch.testing.assert_close(z.grad, reference["grad_z"], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("case", ["ntxent_ddp_0", "ntxent_ddp_1"])
def test_of_gathered_embeddings_it_is_the_mean_of_the_ranks_losses(case: str):
    reference = golden(case)
    za, zb = reference["za"].requires_grad_(), reference["zb"].requires_grad_()
    loss = nt_xent(za, zb, temperature=reference.number("temperature"))
    loss.backward()
    assert loss.item() == pytest.approx(reference["rank_loss_solo"].mean().item(), rel=1e-9)
    ranks = reference["rank_grad_za_solo"].flatten(0, 1) / reference.number("world_size")
    torch.testing.assert_close(za.grad, ranks, rtol=1e-9, atol=1e-13)


def test_its_gradient_is_the_slope_of_its_value():
    z1, z2 = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda a, b: nt_xent(a, b, temperature=0.5), (z1.requires_grad_(), z2.requires_grad_())
    )


@given(views(), temperatures)
def test_swapping_the_views_changes_nothing(pair: tuple[Tensor, Tensor], temperature: float):
    z1, z2 = pair
    torch.testing.assert_close(
        nt_xent(z2, z1, temperature=temperature), nt_xent(z1, z2, temperature=temperature)
    )


@given(views(), temperatures, st.randoms(use_true_random=False))
def test_order_rotation_and_length_change_nothing(pair: tuple[Tensor, Tensor], temperature: float, random):
    z1, z2 = pair
    n, d = z1.shape
    order = random.sample(range(n), n)
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(n, 1, generator=generator, dtype=torch.float64)
    moved = nt_xent((lengths * z1 @ rotation)[order], (z2 @ rotation)[order], temperature=temperature)
    torch.testing.assert_close(moved, nt_xent(z1, z2, temperature=temperature), rtol=1e-9, atol=1e-12)


def test_when_all_embeddings_agree_it_is_the_log_of_the_number_of_candidates():
    z = torch.ones(5, 3, dtype=torch.float64)
    assert nt_xent(z, z, temperature=0.1).item() == pytest.approx(math.log(9), rel=1e-12)


def test_twins_apart_from_all_others_cost_almost_nothing_and_what_they_cost_is_right_in_float32():
    z = torch.eye(4)
    # Six others at cosine 0 against a twin at cosine 1.
    assert nt_xent(z, z, temperature=0.05).item() == pytest.approx(math.log1p(6 * math.exp(-20)), rel=1e-5)


def test_an_embedding_of_zeros_is_at_cosine_zero_to_all():
    z1, z2 = torch.eye(2), torch.zeros(2, 2)
    assert nt_xent(z1, z2, temperature=0.1).item() == pytest.approx(math.log(3))


def test_at_temperature_one_hundredth_float32_keeps_up_with_float64():
    z1, z2 = torch.randn(2, 16, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    a, b = z1.float().requires_grad_(), z2.float()
    loss = nt_xent(a, b, temperature=0.01)
    loss.backward()
    assert loss.item() == pytest.approx(nt_xent(z1, z2, temperature=0.01).item(), rel=2e-5)
    assert torch.isfinite(a.grad).all()


def test_autocast_does_not_coarsen_it():
    z1, z2 = torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(2))
    with torch.autocast("cpu", torch.bfloat16):
        loss = nt_xent(z1, z2, temperature=0.1)
    assert loss.dtype == torch.float32
    assert loss == nt_xent(z1, z2, temperature=0.1)


def test_half_precision_embeddings_are_compared_in_float32():
    z1, z2 = torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(2)).bfloat16()
    assert nt_xent(z1, z2, temperature=0.1) == nt_xent(z1.float(), z2.float(), temperature=0.1)


@pytest.mark.parametrize(
    ("z1", "z2", "temperature", "message"),
    [
        ((4, 3), (4, 2), 0.1, r"z1 \(4, 3\) and z2 \(4, 2\)"),
        ((4, 3), (3, 3), 0.1, r"z1 \(4, 3\) and z2 \(3, 3\)"),
        ((4, 3, 2), (4, 3, 2), 0.1, "two .* matrices"),
        ((0, 3), (0, 3), 0.1, "not empty"),
        ((1, 3), (1, 3), 0.1, "needs 2 or more"),
        ((4, 3), (4, 3), 0.0, "temperature=0.0"),
        ((4, 3), (4, 3), -1.0, "temperature=-1.0"),
        ((4, 3), (4, 3), math.nan, "temperature=nan"),
        ((4, 3), (4, 3), math.inf, "temperature=inf"),
    ],
)
def test_what_has_no_meaning_is_refused(
    z1: tuple[int, ...], z2: tuple[int, ...], temperature: float, message: str
):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(nt_xent)(torch.ones(z1), torch.ones(z2), temperature=temperature)
