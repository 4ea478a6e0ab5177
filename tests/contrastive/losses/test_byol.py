"""BYOL's regression against a loop, against solo-learn's own output, and against what must hold of it."""

import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import byol
from tests import oracles
from tests.oracles import golden


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    shape = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    prediction, noise = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    return prediction, prediction + draw(st.sampled_from([0.1, 1.0, 10.0])) * noise


@given(pairs())
def test_it_is_two_less_twice_the_cosine(pair: tuple[Tensor, Tensor]):
    assert byol(*pair).item() == pytest.approx(oracles.byol(*pair), rel=1e-9, abs=1e-12)


@given(pairs())
def test_it_is_the_squared_distance_of_unit_vectors(pair: tuple[Tensor, Tensor]):
    assert byol(*pair).item() == pytest.approx(oracles.alignment(*pair), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize("case", ["byol_solo_0", "byol_solo_1"])
def test_it_is_solo_learns_loss_and_gradient(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden(case)
    p = reference["p"].to(dtype).requires_grad_()
    loss = byol(p, reference["z"].to(dtype))
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=tolerance)
    torch.testing.assert_close(p.grad, reference["grad_p"].to(dtype), rtol=tolerance, atol=tolerance / 100)


@given(pairs())
def test_its_gradient_is_across_the_prediction_never_along_it(pair: tuple[Tensor, Tensor]):
    prediction, target = pair
    byol(prediction.requires_grad_(), target).backward()
    assert (prediction.grad * prediction).sum(1).abs().max() < 1e-12


def test_its_gradient_is_the_slope_of_its_value():
    p, z = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: byol(x, z), p.requires_grad_())


def test_only_the_prediction_is_trained():
    p, z = (torch.randn(4, 3).requires_grad_() for _ in range(2))
    byol(p, z).backward()
    assert p.grad is not None
    assert z.grad is None


def test_it_is_zero_at_the_target_and_four_opposite_to_it():
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert byol(3 * z, z).item() == pytest.approx(0, abs=1e-30)
    assert byol(-z, z).item() == pytest.approx(4, rel=1e-12)


def test_a_small_distance_keeps_its_digits_in_float32():
    assert byol(torch.tensor([[1.0, 1e-4]]), torch.tensor([[1.0, 0.0]])).item() == pytest.approx(
        1e-8, rel=1e-5
    )


@given(pairs(), st.randoms(use_true_random=False))
def test_order_rotation_length_and_direction_change_nothing(pair: tuple[Tensor, Tensor], random):
    p, z = pair
    n, d = p.shape
    order = random.sample(range(n), n)
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(2, n, 1, generator=generator, dtype=torch.float64)
    moved = byol((lengths[1] * z @ rotation)[order], (lengths[0] * p @ rotation)[order])
    torch.testing.assert_close(moved, byol(p, z), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("prediction", "target"), [((4, 3), (3, 3)), ((4, 3), (4, 2)), ((0, 3), (0, 3)), ((3,), (3,))]
)
def test_what_has_no_meaning_is_refused(prediction: tuple[int, ...], target: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"byol: prediction .* and target .* given"):
        inspect.unwrap(byol)(torch.ones(prediction), torch.ones(target))
