"""VICReg's loss against a loop and a peer's, and against what must hold of it."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import vicreg

Pair = tuple[Tensor, Tensor]
WEIGHTS = ("invariance_weight", "variance_weight", "covariance_weight")

weights = st.fixed_dictionaries({name: st.sampled_from([0.0, 1.0, 25.0]) for name in WEIGHTS})


def some(n: int = 6, d: int = 4, *, seed: int = 0) -> Pair:
    z1, noise = torch.randn(2, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return z1, z1 + noise


def only(name: str, weight: float = 1.0) -> dict[str, float]:
    return {other: weight * (other == name) for other in WEIGHTS}


@st.composite
def views(draw: st.DrawFn) -> Pair:
    size = draw(st.sampled_from([0.1, 1.0, 3.0]))
    z1, z2 = some(draw(st.integers(2, 6)), draw(st.integers(1, 5)), seed=draw(st.integers(0, 2**32)))
    return size * z1, size * z2


def covariance(one: list[float], other: list[float]) -> float:
    n = len(one)
    means = sum(one) / n, sum(other) / n
    return sum((x - means[0]) * (y - means[1]) for x, y in zip(one, other, strict=True)) / (n - 1)


def loop(z1: Tensor, z2: Tensor, weights: dict[str, float]) -> float:
    n, d = z1.shape
    distance = sum((z1[i, j].item() - z2[i, j].item()) ** 2 for i in range(n) for j in range(d)) / (n * d)
    total = weights["invariance_weight"] * distance
    for z in (z1, z2):
        columns = z.T.tolist()
        hinges = [max(0.0, 1 - math.sqrt(covariance(c, c) + 1e-4)) for c in columns]
        total += weights["variance_weight"] * sum(hinges) / d / 2
        pairs = [(columns[j], columns[k]) for j in range(d) for k in range(d) if j != k]
        total += weights["covariance_weight"] * sum(covariance(*pair) ** 2 for pair in pairs) / d
    return total


@given(views(), weights)
def test_it_is_the_loop_over_samples_and_coordinates(pair: Pair, weights: dict[str, float]):
    assert vicreg(*pair, **weights).item() == pytest.approx(loop(*pair, weights), rel=1e-9, abs=1e-12)


def test_its_weights_are_by_default_the_authors():
    given_ = dict(zip(WEIGHTS, (25.0, 25.0, 1.0), strict=True))
    assert vicreg(*some()) == vicreg(*some(), **given_)


@given(views(), weights, st.randoms(use_true_random=False))
def test_order_of_samples_coordinates_and_views_and_an_offset_change_nothing(pair: Pair, weights, random):
    z1, z2 = pair
    n, d = z1.shape
    samples, coordinates = random.sample(range(n), n), random.sample(range(d), d)
    moved = [(z[samples][:, coordinates] + 3) for z in (z2, z1)]
    torch.testing.assert_close(vicreg(*moved, **weights), vicreg(z1, z2, **weights), rtol=1e-8, atol=1e-10)


def test_invariance_is_indifferent_to_rotation_and_goes_with_the_square_of_the_size():
    z1, z2 = some()
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(1)).double()).Q
    one = only("invariance_weight")
    torch.testing.assert_close(vicreg(z1 @ rotation, z2 @ rotation, **one), vicreg(z1, z2, **one))
    torch.testing.assert_close(vicreg(3 * z1, 3 * z2, **one), 9 * vicreg(z1, z2, **one))


def test_variance_is_free_beyond_a_deviation_of_one_and_covariance_goes_with_the_fourth_power():
    z1, z2 = some(50, 3)
    assert vicreg(100 * z1, 100 * z2, **only("variance_weight")).item() == 0
    one = only("covariance_weight")
    torch.testing.assert_close(vicreg(2 * z1, 2 * z2, **one), 16 * vicreg(z1, z2, **one))


def test_a_single_coordinate_has_no_covariance():
    assert vicreg(*some(5, 1), **only("covariance_weight")).item() == 0


def test_collapsed_embeddings_cost_the_variance_weight_and_have_a_slope():
    z1, z2 = torch.ones(4, 3, requires_grad=True), torch.ones(4, 3)
    loss = vicreg(z1, z2)
    loss.backward()
    assert loss.item() == pytest.approx(25 * (1 - 0.01))
    assert torch.isfinite(z1.grad).all()


def test_its_gradient_is_the_slope_of_its_value():
    pair = tuple((0.5 * z).requires_grad_() for z in some())
    assert torch.autograd.gradcheck(vicreg, pair)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_float32_half_precision_and_autocast_are_near_and_finite(size: float):
    z1, z2 = (z.bfloat16() for z in some(16, 8))
    exact = vicreg(size * z1.double(), size * z2.double()).item()
    single = (size * z1.float()).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = vicreg(single, size * z2.float())
    loss.backward()
    assert loss.item() == pytest.approx(exact, rel=1e-4)
    assert torch.isfinite(single.grad).all()
    assert vicreg(z1, z2).dtype == torch.float32


def test_it_is_lightlys():
    peer = pytest.importorskip("lightly.loss.vicreg_loss", reason="compared with lightly 1.6.0")
    expected = peer.VICRegLoss(lambda_param=10.0, mu_param=20.0, nu_param=2.0)(*some(9, 5)).item()
    found = vicreg(*some(9, 5), **dict(zip(WEIGHTS, (10.0, 20.0, 2.0), strict=True)))
    assert found.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("z1", "z2", "options", "message"),
    [
        ((4, 3), (4, 2), {}, r"z1 \(4, 3\) and z2 \(4, 2\)"),
        ((0, 3), (0, 3), {}, "not empty"),
        ((1, 3), (1, 3), {}, "1 row of z1 given; needs 2 or more"),
        *(((4, 3), (4, 3), {name: -1.0}, f"{name}=-1.0") for name in WEIGHTS),
        *(((4, 3), (4, 3), {name: math.nan}, f"{name}=nan") for name in WEIGHTS),
    ],
)
def test_what_has_no_meaning_is_refused(z1, z2, options, message: str):
    with pytest.raises(ValueError, match=f"vicreg: .*{message}"):
        inspect.unwrap(vicreg)(torch.ones(z1), torch.ones(z2), **options)


def test_two_samples_are_enough():
    assert torch.isfinite(vicreg(*some(2)))
