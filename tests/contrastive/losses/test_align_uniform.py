"""Align-uniform against loops, against the authors' own outputs, and against what must hold of it."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.evaluate.collapse import alignment, uniformity
from contrastive.losses.align_uniform import align_uniform
from tests import oracles_hard_negative as oracles
from tests.oracles import golden, on_the_sphere

Pair = tuple[Tensor, Tensor]

exponents = st.sampled_from([0.5, 1.0, 1.5, 2.0, 4.0])
temperatures = st.sampled_from([0.1, 0.5, 2.0, 3.0, 10.0])
weights = st.sampled_from([(1.0, 1.0), (3.0, 1.0), (0.98, 0.96), (1.0, 0.0), (0.0, 2.0)])


def some(n: int = 6, d: int = 4, *, seed: int = 0) -> Pair:
    generator = torch.Generator().manual_seed(seed)
    z1, z2 = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    return z1, z2


@st.composite
def views(draw: st.DrawFn) -> Pair:
    z1, noise = some(draw(st.integers(2, 6)), draw(st.integers(2, 5)), seed=draw(st.integers(0, 2**32)))
    return z1, z1 + draw(st.sampled_from([0.01, 0.5, 3.0])) * noise


@given(views(), exponents, temperatures, weights)
def test_it_is_the_loop_over_twins_and_pairs(pair: Pair, exponent: float, temperature: float, weights):
    loss = align_uniform(
        *pair,
        alignment_exponent=exponent,
        uniformity_temperature=temperature,
        alignment_weight=weights[0],
        uniformity_weight=weights[1],
    )
    expected = oracles.align_uniform(*pair, exponent, temperature, weights)
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize("case", ["au_01_default", "au_02"])
def test_it_is_the_authors_loss_and_gradient(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden(case)
    x, y = (reference[name].to(dtype, copy=True).requires_grad_() for name in ("in_x", "in_y"))
    loss = align_uniform(
        x,
        y,
        alignment_exponent=float(reference.number("hp_align_alpha")),
        uniformity_temperature=float(reference.number("hp_unif_t")),
    )
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("out_loss"), rel=tolerance)
    for rows, name in ((x, "x"), (y, "y")):
        expected = on_the_sphere(reference[f"grad_{name}"], reference[f"in_{name}"]).to(dtype)
        torch.testing.assert_close(rows.grad, expected, rtol=tolerance, atol=tolerance / 100)


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_it_is_lightlys(exponent: float):
    peer = pytest.importorskip("lightly.loss.hypersphere_loss", reason="compared with lightly 1.6.0")
    theirs = peer.HypersphereLoss(t=1.5, lam=0.3, alpha=exponent)
    ours = align_uniform(
        *some(7), alignment_exponent=exponent, uniformity_temperature=1.5, uniformity_weight=0.3
    )
    assert ours.item() == pytest.approx(theirs(*some(7)).item(), rel=1e-9)


@given(views(), weights)
def test_it_is_the_weighted_sum_of_its_terms(pair: Pair, weights: tuple[float, float]):
    align = align_uniform(*pair, uniformity_weight=0.0)
    uniform = align_uniform(*pair, alignment_weight=0.0)
    whole = align_uniform(*pair, alignment_weight=weights[0], uniformity_weight=weights[1])
    torch.testing.assert_close(whole, weights[0] * align + weights[1] * uniform, rtol=1e-12, atol=1e-12)


@given(views())
def test_by_default_it_is_what_the_collapse_diagnostics_measure(pair: Pair):
    z1, z2 = pair
    expected = alignment(z1, z2) + (uniformity(z1) + uniformity(z2)) / 2
    assert align_uniform(z1, z2).item() == pytest.approx(expected, rel=1e-9, abs=1e-11)


@given(views(), exponents, temperatures, st.randoms(use_true_random=False))
def test_order_views_rotation_and_length_change_nothing(pair: Pair, exponent, temperature, random):
    z1, z2 = pair
    n, d = z1.shape
    order = random.sample(range(n), n)
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(n, 1, generator=generator, dtype=torch.float64)
    options = {"alignment_exponent": exponent, "uniformity_temperature": temperature}
    moved = align_uniform((z2 @ rotation)[order], (lengths * z1 @ rotation)[order], **options)
    torch.testing.assert_close(moved, align_uniform(*pair, **options), rtol=1e-9, atol=1e-9)


def test_when_all_embeddings_agree_it_is_zero():
    z = torch.ones(5, 3, dtype=torch.float64)
    assert align_uniform(z, z).item() == pytest.approx(0, abs=1e-12)


def test_a_large_temperature_sees_the_closest_pairs_alone():
    z1, z2 = some()
    closest = [torch.pdist(torch.nn.functional.normalize(z)).square().min() for z in (z1, z2)]
    align = align_uniform(z1, z2, uniformity_temperature=1e-6)
    loss = align_uniform(z1, z2, uniformity_temperature=1e3)
    expected = align.item() - 1e3 * sum(closest).item() / 2 - math.log(15)
    assert loss.item() == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 3.0])
def test_its_gradient_is_the_slope_of_its_value(exponent: float):
    z1, z2 = (z.requires_grad_() for z in some())
    assert torch.autograd.gradcheck(
        lambda a, b: align_uniform(a, b, alignment_exponent=exponent, uniformity_temperature=1.5), (z1, z2)
    )


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_views_that_coincide_are_aligned_and_have_a_slope(exponent: float):
    z = some()[0].requires_grad_()
    twin = z.detach().clone().requires_grad_()
    loss = align_uniform(z, twin, alignment_exponent=exponent)
    loss.backward()
    assert loss.item() == pytest.approx(uniformity(z), rel=1e-9)
    assert torch.isfinite(z.grad).all()
    torch.testing.assert_close(twin.grad, z.grad, rtol=1e-12, atol=0)


def test_a_large_temperature_does_not_underflow_in_float32():
    z1, z2 = some(16, 4)
    a = z1.float().requires_grad_()
    loss = align_uniform(a, z2.float(), uniformity_temperature=200.0)
    loss.backward()
    expected = align_uniform(z1, z2, uniformity_temperature=200.0).item()
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert torch.isfinite(a.grad).all()


def test_autocast_and_half_precision_do_not_coarsen_it():
    z1, z2 = (z.bfloat16() for z in some(8, 16))
    exact = align_uniform(z1.float(), z2.float())
    assert exact.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert align_uniform(z1.float(), z2.float()) == exact
    assert align_uniform(z1, z2) == exact


@pytest.mark.parametrize(
    ("z1", "z2", "options", "message"),
    [
        ((4, 3), (4, 2), {}, r"z1 \(4, 3\) and z2 \(4, 2\)"),
        ((0, 3), (0, 3), {}, "not empty"),
        ((1, 3), (1, 3), {}, "1 sample given; needs 2 or more"),
        ((4, 3), (4, 3), {"alignment_exponent": 0.0}, "alignment_exponent=0.0"),
        ((4, 3), (4, 3), {"uniformity_temperature": -2.0}, "uniformity_temperature=-2.0"),
        ((4, 3), (4, 3), {"uniformity_temperature": math.inf}, "uniformity_temperature=inf"),
        ((4, 3), (4, 3), {"alignment_weight": -1.0}, "alignment_weight=-1.0 given; needs a finite number"),
        ((4, 3), (4, 3), {"uniformity_weight": math.nan}, "uniformity_weight=nan"),
        ((4, 3), (4, 3), {"alignment_weight": 0.0, "uniformity_weight": 0.0}, "both weights are 0"),
    ],
)
def test_what_has_no_meaning_is_refused(z1, z2, options, message: str):
    with pytest.raises(ValueError, match=f"align_uniform: .*{message}"):
        inspect.unwrap(align_uniform)(torch.ones(z1), torch.ones(z2), **options)


def test_two_samples_are_enough():
    assert torch.isfinite(align_uniform(*some(2)))
