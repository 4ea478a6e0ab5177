"""Barlow Twins' loss against a loop and a peer's, and against what must hold of it."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import barlow_twins

Pair = tuple[Tensor, Tensor]

weights = st.sampled_from([0.0, 0.0051, 1.0, 20.0])


def some(n: int = 6, d: int = 4, *, seed: int = 0) -> Pair:
    z1, noise = torch.randn(2, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return z1, z1 + noise


@st.composite
def views(draw: st.DrawFn) -> Pair:
    return some(draw(st.integers(2, 6)), draw(st.integers(1, 5)), seed=draw(st.integers(0, 2**32)))


def standardised(column: list[float]) -> list[float]:
    mean = sum(column) / len(column)
    variance = sum((x - mean) ** 2 for x in column) / len(column)
    return [(x - mean) / math.sqrt(variance + 1e-5) for x in column]


def loop(z1: Tensor, z2: Tensor, redundancy_weight: float, scale: float) -> float:
    u, v = ([standardised(column) for column in z.T.tolist()] for z in (z1, z2))
    total = 0.0
    for i, first in enumerate(u):
        for j, second in enumerate(v):
            c = sum(x * y for x, y in zip(first, second, strict=True)) / len(first)
            total += (1 - c) ** 2 if i == j else redundancy_weight * c**2
    return scale * total


@given(views(), weights, st.sampled_from([0.024, 1.0, 7.0]))
def test_it_is_the_loop_over_correlations(pair: Pair, weight: float, scale: float):
    loss = barlow_twins(*pair, redundancy_weight=weight, scale=scale)
    assert loss.item() == pytest.approx(loop(*pair, weight, scale), rel=1e-9, abs=1e-12)


def test_by_default_its_scale_is_one():
    assert barlow_twins(*some(), redundancy_weight=0.1) == barlow_twins(
        *some(), redundancy_weight=0.1, scale=1.0
    )


@given(views(), weights, st.randoms(use_true_random=False))
def test_order_of_samples_coordinates_and_views_and_an_offset_change_nothing(
    pair: Pair, weight: float, random
):
    z1, z2 = pair
    n, d = z1.shape
    samples, coordinates = random.sample(range(n), n), random.sample(range(d), d)
    moved = [(z[samples][:, coordinates] + 3) for z in (z2, z1)]
    expected = barlow_twins(z1, z2, redundancy_weight=weight)
    torch.testing.assert_close(
        barlow_twins(*moved, redundancy_weight=weight), expected, rtol=1e-8, atol=1e-10
    )


def test_the_size_of_a_coordinate_changes_nothing():
    z1, z2 = some()
    sizes = torch.tensor([1e2, 1e4, 1e6, 1e8], dtype=torch.float64)
    expected = barlow_twins(1e3 * z1, 1e3 * z2, redundancy_weight=0.1)
    torch.testing.assert_close(
        barlow_twins(sizes * z1, sizes * z2, redundancy_weight=0.1), expected, rtol=1e-6, atol=0
    )


def test_it_is_zero_for_equal_uncorrelated_views_and_four_a_coordinate_for_opposite_ones():
    z = 1e3 * torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    assert barlow_twins(z, z, redundancy_weight=1.0).item() == pytest.approx(0, abs=1e-20)
    assert barlow_twins(z, -z, redundancy_weight=1.0).item() == pytest.approx(8)


def test_coordinates_that_repeat_each_other_cost_the_redundancy_weight_a_pair():
    z = 1e3 * some()[0][:, :1].repeat(1, 3)
    assert barlow_twins(z, z, redundancy_weight=0.5).item() == pytest.approx(3, rel=1e-6)


def test_collapsed_embeddings_cost_one_a_coordinate_and_have_a_slope():
    z1, z2 = torch.ones(4, 3, requires_grad=True), torch.ones(4, 3)
    loss = barlow_twins(z1, z2, redundancy_weight=1.0)
    loss.backward()
    assert loss.item() == pytest.approx(3)
    assert torch.isfinite(z1.grad).all()


def test_its_gradient_is_the_slope_of_its_value():
    pair = tuple(z.requires_grad_() for z in some())
    assert torch.autograd.gradcheck(lambda a, b: barlow_twins(a, b, redundancy_weight=0.3, scale=0.7), pair)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e12])
@pytest.mark.parametrize("weight", [0.0, 1e6])
def test_float32_half_precision_and_autocast_are_near_and_finite(size: float, weight: float):
    z1, z2 = (z.bfloat16() for z in some(16, 8))
    exact = barlow_twins(size * z1.double(), size * z2.double(), redundancy_weight=weight).item()
    single = (size * z1.float()).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = barlow_twins(single, size * z2.float(), redundancy_weight=weight)
    loss.backward()
    assert loss.item() == pytest.approx(exact, rel=1e-4)
    assert torch.isfinite(single.grad).all()
    assert barlow_twins(z1, z2, redundancy_weight=weight).dtype == torch.float32


def test_it_is_lightlys():
    peer = pytest.importorskip("lightly.loss.barlow_twins_loss", reason="compared with lightly 1.6.0")
    expected = peer.BarlowTwinsLoss(lambda_param=0.02)(*some(9, 5)).item()
    assert barlow_twins(*some(9, 5), redundancy_weight=0.02).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("z1", "z2", "options", "message"),
    [
        ((4, 3), (4, 2), {}, r"z1 \(4, 3\) and z2 \(4, 2\)"),
        ((0, 3), (0, 3), {}, "not empty"),
        ((1, 3), (1, 3), {}, "1 row of z1 given; needs 2 or more"),
        ((4, 3), (4, 3), {"redundancy_weight": -1.0}, "redundancy_weight=-1.0"),
        ((4, 3), (4, 3), {"redundancy_weight": math.inf}, "redundancy_weight=inf"),
        ((4, 3), (4, 3), {"scale": 0.0}, "scale=0.0"),
        ((4, 3), (4, 3), {"scale": math.nan}, "scale=nan"),
    ],
)
def test_what_has_no_meaning_is_refused(z1, z2, options, message: str):
    given_ = {"redundancy_weight": 0.1, **options}
    with pytest.raises(ValueError, match=f"barlow_twins: .*{message}"):
        inspect.unwrap(barlow_twins)(torch.ones(z1), torch.ones(z2), **given_)


def test_two_samples_are_enough():
    assert torch.isfinite(barlow_twins(*some(2), redundancy_weight=0.1))
