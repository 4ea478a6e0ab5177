"""Decoupled contrastive loss against loops, against lightly's, and against what must hold of it."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from contrastive.losses import decoupled, nt_xent
from tests import oracles_hard_negative as oracles

Pair = tuple[Tensor, Tensor]

temperatures = st.sampled_from([0.05, 0.1, 0.5, 1.0, 3.0])
sigmas = st.sampled_from([None, 0.1, 0.5, 2.0])


def some(n: int = 6, d: int = 4, *, seed: int = 0) -> Pair:
    generator = torch.Generator().manual_seed(seed)
    z1, z2 = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    return z1, z2


@st.composite
def views(draw: st.DrawFn) -> Pair:
    z1, noise = some(draw(st.integers(2, 6)), draw(st.integers(1, 5)), seed=draw(st.integers(0, 2**32)))
    return z1, z1 + draw(st.sampled_from([0.01, 0.5, 3.0])) * noise


# Against loops and a peer


@given(views(), temperatures, sigmas)
def test_it_is_the_loop_of_the_paper(pair: Pair, temperature: float, sigma: float | None):
    loss = decoupled(*pair, temperature=temperature, sigma=sigma)
    expected = oracles.decoupled(*pair, temperature, sigma)
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-10)


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")  # theirs
@pytest.mark.parametrize("sigma", [None, 0.5, 0.2])
def test_it_is_lightlys_with_its_gradient(sigma: float | None):
    peer = pytest.importorskip("lightly.loss.dcl_loss", reason="compared with lightly 1.6.0")
    theirs = peer.DCLLoss(temperature=0.3) if sigma is None else peer.DCLWLoss(temperature=0.3, sigma=sigma)
    mine, its = ([z.requires_grad_() for z in some(7)] for _ in range(2))
    loss = decoupled(*mine, temperature=0.3, sigma=sigma)
    expected = theirs(*its)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-9)
    loss.backward()
    expected.backward()
    for z, other in zip(mine, its, strict=True):
        torch.testing.assert_close(z.grad, other.grad, rtol=1e-9, atol=1e-13)


# What must hold


@given(views(), temperatures)
def test_with_the_positive_back_in_the_denominator_it_is_nt_xent(pair: Pair, temperature: float):
    """log(p + n) - log p = log(1 + exp(log n - log p)), anchor by anchor; here of one anchor that stands for all."""
    z1, z2 = pair
    one = torch.cat([z1[:1], -z1[:1]]), torch.cat([z2[:1], -z2[:1]])  # every anchor sees the same cosines
    coupled = math.log1p(math.exp(decoupled(*one, temperature=temperature).item()))
    assert coupled == pytest.approx(nt_xent(*one, temperature=temperature).item(), rel=1e-9, abs=1e-12)


@given(views(), temperatures)
def test_it_is_always_below_nt_xent(pair: Pair, temperature: float):
    assert decoupled(*pair, temperature=temperature) < nt_xent(*pair, temperature=temperature)


@given(views(), temperatures, sigmas, st.randoms(use_true_random=False))
def test_order_views_rotation_and_length_change_nothing(pair: Pair, temperature, sigma, random):
    z1, z2 = pair
    n, d = z1.shape
    order = random.sample(range(n), n)
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(n, 1, generator=generator, dtype=torch.float64)
    moved = decoupled(
        (z2 @ rotation)[order], (lengths * z1 @ rotation)[order], temperature=temperature, sigma=sigma
    )
    torch.testing.assert_close(
        moved, decoupled(*pair, temperature=temperature, sigma=sigma), rtol=1e-8, atol=1e-10
    )


@given(views(), temperatures)
def test_a_large_sigma_weights_all_positives_alike(pair: Pair, temperature: float):
    plain = decoupled(*pair, temperature=temperature)
    weighted = decoupled(*pair, temperature=temperature, sigma=1e9)
    torch.testing.assert_close(weighted, plain, rtol=1e-6, atol=1e-6)


@given(views(), temperatures)
def test_positives_equally_near_weigh_alike_whatever_sigma(pair: Pair, temperature: float):
    z, _ = pair
    plain, weighted = (decoupled(z, 2 * z, temperature=temperature, sigma=sigma) for sigma in (None, 0.1))
    torch.testing.assert_close(weighted, plain, rtol=1e-9, atol=1e-9)


def test_the_weights_of_positives_fall_with_their_cosine_and_are_one_on_average():
    angles = torch.tensor([0.0, 0.5, 1.0, 3.0], dtype=torch.float64)
    z1 = torch.eye(8, dtype=torch.float64)[::2]
    z2 = (angles.cos()[:, None] * z1 + angles.sin()[:, None] * z1.roll(1, 1)).requires_grad_()
    weighted, plain = (
        torch.autograd.grad(decoupled(z1, z2, temperature=0.5, sigma=sigma), z2)[0] for sigma in (0.5, None)
    )
    # Images share no coordinate, so that the difference of the two gradients is that of the positives.
    tangent = z1 - angles.cos()[:, None] * z2.detach()
    weights = 1 - ((weighted - plain) * tangent).sum(1) / tangent.square().sum(1) * 4 * 0.5
    expected = 2 - 4 * (angles.cos() / 0.5).softmax(0)
    torch.testing.assert_close(weights[1:], expected[1:], rtol=1e-9, atol=1e-12)  # none at angle 0
    assert (expected.diff() > 0).all()


def test_its_gradient_does_not_fade_where_the_positive_is_found():
    z1 = torch.eye(4, dtype=torch.float64)
    turned = (z1 + 0.1 * z1.roll(1, 1)).requires_grad_()
    coupled, free = (
        torch.autograd.grad(loss(z1, turned, temperature=0.1), turned)[0].norm()
        for loss in (nt_xent, decoupled)
    )
    assert free > 10 * coupled


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_its_gradient_is_the_slope_of_its_value(temperature: float):
    z1, z2 = (z.requires_grad_() for z in some())
    assert torch.autograd.gradcheck(lambda a, b: decoupled(a, b, temperature=temperature), (z1, z2))


def test_its_weights_are_constants_to_the_gradient():
    z1, z2 = (z.requires_grad_() for z in some())
    cosines = (normalize(z1) * normalize(z2)).sum(1)
    weights = 2 - 6 * (cosines.detach() / 0.5).softmax(0)
    expected = decoupled(z1, z2, temperature=0.3) + ((1 - weights) * cosines).mean() / 0.3
    loss = decoupled(z1, z2, temperature=0.3, sigma=0.5)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=0)
    for ours, theirs in zip(
        torch.autograd.grad(loss, (z1, z2)), torch.autograd.grad(expected, (z1, z2)), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-13)


# Numbers


@pytest.mark.parametrize("sigma", [None, 0.01, 100.0])
@pytest.mark.parametrize("temperature", [0.001, 0.01, 100.0])
@pytest.mark.parametrize("noise", [0.0, 0.05, 3.0])
def test_at_extreme_temperatures_float32_keeps_up_with_float64(temperature, sigma, noise: float):
    z1, other = some(16, 4, seed=1)
    z2 = z1 + noise * other
    a, b = z1.float().requires_grad_(), z2.float().requires_grad_()
    loss = decoupled(a, b, temperature=temperature, sigma=sigma)
    loss.backward()
    expected = decoupled(z1, z2, temperature=temperature, sigma=sigma).item()
    assert loss.item() == pytest.approx(expected, rel=2e-4, abs=2e-6 / temperature)
    assert torch.isfinite(a.grad).all()
    assert torch.isfinite(b.grad).all()


@pytest.mark.parametrize("sigma", [None, 0.5])
def test_autocast_and_half_precision_do_not_coarsen_it(sigma: float | None):
    z1, z2 = (z.bfloat16() for z in some(8, 16))
    exact = decoupled(z1.float(), z2.float(), temperature=0.1, sigma=sigma)
    assert exact.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert decoupled(z1.float(), z2.float(), temperature=0.1, sigma=sigma) == exact
    assert decoupled(z1, z2, temperature=0.1, sigma=sigma) == exact


# What has no meaning


@pytest.mark.parametrize(
    ("z1", "z2", "options", "message"),
    [
        ((4, 3), (4, 2), {}, r"z1 \(4, 3\) and z2 \(4, 2\)"),
        ((0, 3), (0, 3), {}, "not empty"),
        ((1, 3), (1, 3), {}, "1 row of z1 given; needs 2 or more"),
        ((4, 3), (4, 3), {"temperature": 0.0}, "temperature=0.0"),
        ((4, 3), (4, 3), {"sigma": 0.0}, "sigma=0.0 given; needs a finite number above 0"),
        ((4, 3), (4, 3), {"sigma": math.nan}, "sigma=nan"),
    ],
)
def test_what_has_no_meaning_is_refused(z1, z2, options, message: str):
    with pytest.raises(ValueError, match=f"decoupled: .*{message}"):
        inspect.unwrap(decoupled)(torch.ones(z1), torch.ones(z2), **{"temperature": 0.1, **options})


def test_two_samples_are_enough():
    assert torch.isfinite(decoupled(*some(2), temperature=0.1, sigma=0.5))
