"""SimSiam's negative cosine against a loop, BYOL's loss and a peer's, and against what must hold of it."""

import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import byol, simsiam
from tests import oracles

Pair = tuple[Tensor, Tensor]


def some(n: int = 5, d: int = 3, *, seed: int = 0) -> Pair:
    p, z = torch.randn(2, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return p, z


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    p, noise = some(draw(st.integers(1, 6)), draw(st.integers(1, 6)), seed=draw(st.integers(0, 2**32)))
    return p, p + draw(st.sampled_from([0.1, 1.0, 10.0])) * noise


@given(pairs())
def test_it_is_the_loop_over_cosines(pair: Pair):
    rows = list(zip(*map(oracles.numbers, pair), strict=True))
    expected = -sum(oracles.cosine(p, z) for p, z in rows) / len(rows)
    assert simsiam(*pair).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(pairs())
def test_it_is_byols_loss_but_for_scale_and_offset(pair: Pair):
    assert 2 + 2 * simsiam(*pair).item() == pytest.approx(byol(*pair).item(), rel=1e-9, abs=1e-12)


@given(pairs(), st.randoms(use_true_random=False))
def test_order_rotation_length_and_direction_change_nothing(pair: Pair, random):
    p, z = pair
    n, d = p.shape
    order = random.sample(range(n), n)
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(2, n, 1, generator=generator, dtype=torch.float64)
    moved = simsiam((lengths[1] * z @ rotation)[order], (lengths[0] * p @ rotation)[order])
    torch.testing.assert_close(moved, simsiam(p, z), rtol=1e-9, atol=1e-12)


def test_it_is_minus_one_at_the_projection_and_one_opposite_to_it():
    _, z = some()
    assert simsiam(3 * z, z).item() == pytest.approx(-1, rel=1e-12)
    assert simsiam(-z, z).item() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("stopped", [True, False])
def test_the_projection_is_trained_only_where_its_gradient_is_not_stopped(stopped: bool):
    p, z = (rows.requires_grad_() for rows in some())
    simsiam(p, z, stop_gradient=stopped).backward()
    assert p.grad is not None
    assert (z.grad is None) == stopped


def test_by_default_the_gradient_of_the_projection_is_stopped():
    p, z = (rows.requires_grad_() for rows in some())
    simsiam(p, z).backward()
    assert z.grad is None


def test_its_gradient_is_the_slope_of_its_value():
    p, z = some()
    assert torch.autograd.gradcheck(lambda x: simsiam(x, z), p.requires_grad_())
    assert torch.autograd.gradcheck(lambda x, y: simsiam(x, y, stop_gradient=False), (p, z.requires_grad_()))


@pytest.mark.parametrize("scale", [1e-10, 1.0, 1e10])
def test_float32_half_precision_and_autocast_are_exact_and_finite(scale: float):
    p, z = (scale * rows.bfloat16().float() for rows in some(8, 16))
    exact = simsiam(p.double(), z.double()).item()
    assert simsiam(p, z).item() == pytest.approx(exact, rel=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        p.requires_grad_()
        loss = simsiam(p, z)
        loss.backward()
    assert loss.item() == pytest.approx(exact, rel=1e-5)
    assert torch.isfinite(p.grad).all()


def test_it_is_lightlys():
    peer = pytest.importorskip(
        "lightly.loss.negative_cosine_similarity", reason="compared with lightly 1.6.0"
    )
    p, z = some(7, 5)
    assert simsiam(p, z).item() == pytest.approx(peer.NegativeCosineSimilarity()(p, z).item(), rel=1e-9)


@pytest.mark.parametrize(
    ("prediction", "projection"), [((4, 3), (3, 3)), ((4, 3), (4, 2)), ((0, 3), (0, 3)), ((3,), (3,))]
)
def test_what_has_no_meaning_is_refused(prediction: tuple[int, ...], projection: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"simsiam: prediction .* and projection .* given"):
        inspect.unwrap(simsiam)(torch.ones(prediction), torch.ones(projection))
