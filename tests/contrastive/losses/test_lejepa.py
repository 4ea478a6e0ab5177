"""LeJEPA's loss against loops, numerical integration and a peer's, and against what must hold of it."""

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch import Tensor

from contrastive.losses import lejepa, sigreg

FINE = {"limit": 12.0, "points": 400}


def some(v: int = 2, n: int = 6, d: int = 4, m: int = 5, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(v, n, d, generator=generator, dtype=torch.float64)
    return z, torch.randn(m, d, generator=generator, dtype=torch.float64)


@st.composite
def samples(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)))
    z, directions = some(*shape, seed=draw(st.integers(0, 2**32)))
    return draw(st.sampled_from([0.1, 1.0, 3.0])) * z, directions


def sliced(z: Tensor, directions: Tensor) -> list[list[float]]:
    """Each view along each direction of length 1."""
    return [
        [sum(x * a for x, a in zip(row, axis, strict=True)) / math.hypot(*axis) for row in view]
        for view in z.tolist()
        for axis in directions.tolist()
    ]


def integrand(t: float, x: list[float]) -> float:
    empirical = sum(complex(math.cos(t * value), math.sin(t * value)) for value in x) / len(x)
    return abs(empirical - math.exp(-(t**2) / 2)) ** 2 * math.exp(-(t**2) / 2)


def loop(z: Tensor, directions: Tensor, limit: float, points: int) -> float:
    """By the trapezoidal rule over both signs."""
    grid = np.linspace(-limit, limit, 2 * points - 1).tolist()
    values = [len(x) * np.trapezoid([integrand(t, x) for t in grid], grid) for x in sliced(z, directions)]
    return sum(values) / len(values)


@given(samples(), st.sampled_from([1.0, 3.0, 5.0]), st.sampled_from([2, 9, 17]))
def test_sigreg_is_the_trapezoidal_rule_over_both_signs(sample, limit: float, points: int):
    found = sigreg(*sample, limit=limit, points=points)
    assert found.item() == pytest.approx(loop(*sample, limit, points), rel=1e-9, abs=1e-12)


def test_by_default_its_points_are_the_papers():
    assert sigreg(*some()).item() == pytest.approx(loop(*some(), 5.0, 9), rel=1e-12)


@given(samples())
def test_with_many_points_it_is_the_integral(sample):
    integrals = [
        len(x) * quad(integrand, -math.inf, math.inf, args=(x,), epsabs=1e-11)[0] for x in sliced(*sample)
    ]
    assert sigreg(*sample, **FINE).item() == pytest.approx(sum(integrals) / len(integrals), rel=1e-6)


@given(samples())
def test_the_integral_has_a_closed_form(sample):
    def closed(x: list[float]) -> float:
        pairs = sum(math.exp(-((a - b) ** 2) / 2) for a in x for b in x) / len(x)
        normal = math.sqrt(2) * sum(math.exp(-(a**2) / 4) for a in x)
        return math.sqrt(2 * math.pi) * (pairs - normal + len(x) / math.sqrt(3))

    values = [closed(x) for x in sliced(*sample)]
    assert sigreg(*sample, **FINE).item() == pytest.approx(sum(values) / len(values), rel=1e-9)


def test_of_normal_samples_its_mean_is_known():
    z = torch.randn(400, 64, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = math.sqrt(2 * math.pi) * (1 - 1 / math.sqrt(3))
    assert sigreg(z, torch.ones(1, 1).double(), **FINE).item() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("moved", [lambda z: 0 * z, lambda z: 3 * z, lambda z: z + 1, lambda z: z.abs()])
def test_a_sample_that_is_not_normal_costs_more(moved):
    z = torch.randn(1, 256, 4, generator=torch.Generator().manual_seed(0))
    assert sigreg(moved(z), torch.eye(4)) > 10 * sigreg(z, torch.eye(4))


@given(samples(), st.randoms(use_true_random=False))
def test_order_rotation_sign_and_length_of_directions_change_nothing(sample, random):
    z, directions = sample
    v, n, d = z.shape
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    moved = z[random.sample(range(v), v)][:, random.sample(range(n), n)] @ rotation
    torch.testing.assert_close(
        sigreg(-moved, 7 * directions @ rotation), sigreg(z, directions), rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize("count", [None, 1, 2, 3])
def test_lejepa_is_the_distance_to_the_global_mean_and_the_test(count: int | None):
    z, directions = some(3)
    first = count or 3
    distances = [
        (z[v, j, i] - sum(z[g, j, i] for g in range(first)) / first) ** 2
        for v in range(3)
        for j in range(6)
        for i in range(4)
    ]
    expected = 0.7 * float(sum(distances)) / len(distances) + 0.3 * loop(z, directions, 3.0, 17)
    found = lejepa(z, directions, regularisation_weight=0.3, global_views=count, limit=3.0, points=17)
    assert found.item() == pytest.approx(expected, rel=1e-9)


def test_its_weight_goes_from_prediction_to_test():
    z, directions = some()
    assert lejepa(z, directions, regularisation_weight=1.0) == sigreg(z, directions)
    assert lejepa(z[:1].repeat(2, 1, 1), directions, regularisation_weight=0.0).item() == pytest.approx(
        0, abs=1e-20
    )


def test_its_gradient_is_the_slope_of_its_value():
    z, directions = some(3, 4, 3, 4)
    assert torch.autograd.gradcheck(
        lambda x: lejepa(x, directions, regularisation_weight=0.3, global_views=2), z.requires_grad_()
    )


@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 1e6])
@pytest.mark.parametrize("limit", [1e-3, 5.0, 100.0])
def test_extremes_and_autocast_are_finite(size: float, limit: float):
    z, directions = (x.float() for x in some(2, 16, 8, 32))
    z = (size * z).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = lejepa(z, directions, regularisation_weight=0.5, limit=limit)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()


def test_float32_half_precision_and_autocast_are_near_the_exact_value():
    z, directions = (x.bfloat16() for x in some(2, 16, 8, 32))
    exact = lejepa(z.double(), directions.double(), regularisation_weight=0.5).item()
    found = lejepa(z.float(), directions.float(), regularisation_weight=0.5)
    assert found.item() == pytest.approx(exact, rel=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        assert lejepa(z.float(), directions.float(), regularisation_weight=0.5) == found
    assert lejepa(z, directions, regularisation_weight=0.5).dtype == torch.float32


def test_it_is_lightlys():
    peer = pytest.importorskip("lightly.loss.lejepa_loss", reason="compared with lightly 1.6.0")
    z, directions = (x.float() for x in some(5, 16, 8, 32))
    theirs = peer.LeJEPALoss(lambda_param=0.1)
    unit = torch.nn.functional.normalize(directions, dim=1).T
    theirs.sigreg._generate_unit_vectors = lambda *_, **__: unit
    expected = theirs(local_proj=z[2:], global_proj=z[:2]).item()
    found = lejepa(z, directions, regularisation_weight=0.1, global_views=2, limit=3.0, points=17)
    assert found.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("z", "directions", "options", "message"),
    [
        ((2, 4, 3), (5, 2), {}, r"directions \(5, 2\) given"),
        ((2, 4, 3), (0, 3), {}, r"directions \(0, 3\) given"),
        ((2, 0, 3), (5, 3), {}, r"z \(0, 3\) given"),
        ((2, 4, 3), (5, 3), {"limit": 0.0}, "limit=0.0"),
        ((2, 4, 3), (5, 3), {"limit": math.inf}, "limit=inf"),
        ((2, 4, 3), (5, 3), {"points": 1}, "points=1 given; .* 2 or more"),
    ],
)
def test_what_cannot_be_tested_for_normality_is_refused(z, directions, options, message: str):
    with pytest.raises(ValueError, match=f"sigreg: {message}"):
        inspect.unwrap(sigreg)(torch.ones(z), torch.ones(directions), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regularisation_weight": 1.1}, "regularisation_weight=1.1"),
        ({"regularisation_weight": -0.1}, "regularisation_weight=-0.1"),
        ({"regularisation_weight": math.nan}, "regularisation_weight=nan"),
        ({"global_views": 0}, "global_views=0 given of 2 views; needs 1 to 2"),
        ({"global_views": 3}, "global_views=3 given of 2 views"),
    ],
)
def test_what_has_no_meaning_is_refused(options, message: str):
    with pytest.raises(ValueError, match=f"lejepa: {message}"):
        lejepa(*some(), **{"regularisation_weight": 0.1, **options})
