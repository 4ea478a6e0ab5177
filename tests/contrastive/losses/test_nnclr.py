"""NNCLR's neighbours and loss against loops, against lightly's and solo-learn's, and against what must hold."""

import importlib.util
import inspect
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from contrastive.losses import info_nce, nnclr, support_neighbours
from tests import oracles

Pair = tuple[Tensor, Tensor]

temperatures = st.sampled_from([0.05, 0.1, 0.5, 1.0, 3.0])


def some(n: int = 6, d: int = 4, *, seed: int = 0) -> Pair:
    generator = torch.Generator().manual_seed(seed)
    z1, z2 = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    return z1, z2


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    z1, noise = some(draw(st.integers(2, 6)), draw(st.integers(1, 5)), seed=draw(st.integers(0, 2**32)))
    return z1, z1 + draw(st.sampled_from([0.01, 0.5, 3.0])) * noise


@st.composite
def searches(draw: st.DrawFn) -> Pair:
    """Embeddings and a support set."""
    rows, _ = some(draw(st.integers(2, 20)), draw(st.integers(2, 5)), seed=draw(st.integers(0, 2**32)))
    at = draw(st.integers(1, len(rows) - 1))
    return rows[:at], rows[at:]


def solo_learns_loss() -> Callable[..., Tensor]:
    """Read from its file: the package around it wants more than a loss needs."""
    package = importlib.util.find_spec("solo")
    if package is None or package.origin is None:
        pytest.skip("compared with solo-learn 1.0.2")
    file = Path(package.origin).parent / "losses" / "nnclr.py"
    found = importlib.util.spec_from_file_location("solo_learns_nnclr", file)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.nnclr_loss_func


# The neighbours


@given(searches())
def test_a_neighbour_is_the_nearest_of_the_loop(search: Pair):
    expected = torch.tensor(oracles.support_neighbours(*search), dtype=torch.float64)
    torch.testing.assert_close(support_neighbours(*search), expected, rtol=1e-12, atol=1e-12)


def test_neighbours_are_lightlys():
    peer = pytest.importorskip("lightly.models.modules.nn_memory_bank", reason="compared with lightly 1.6.0")
    z, support = some(40, 5)[0][:8], some(40, 5)[0][8:]
    bank = peer.NNMemoryBankModule(size=(len(support), 5))
    bank.bank = normalize(support)
    torch.testing.assert_close(support_neighbours(z, support), bank(z), rtol=1e-12, atol=0)


@given(searches(), st.randoms(use_true_random=False))
def test_order_of_the_support_and_lengths_change_no_neighbour(search: Pair, random):
    z, support = search
    order = random.sample(range(len(support)), len(support))
    moved = support_neighbours(3 * z, 0.1 * support[order])
    torch.testing.assert_close(moved, support_neighbours(z, support), rtol=1e-12, atol=1e-14)


@given(searches())
def test_an_embedding_that_is_in_the_support_is_its_own_neighbour(search: Pair):
    z, support = search
    found = support_neighbours(z, torch.cat([support, 5 * z]))
    torch.testing.assert_close(found, normalize(z), rtol=1e-12, atol=1e-12)


def test_of_neighbours_equally_near_the_first_counts():
    support = torch.tensor([[1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
    found = support_neighbours(torch.tensor([[1.0, 0.0]], dtype=torch.float64), support)
    torch.testing.assert_close(found, normalize(support[:1]))


def test_neighbours_have_no_gradient():
    z, support = (rows.requires_grad_() for rows in some())
    assert not support_neighbours(z, support).requires_grad


# The loss


@given(pairs(), temperatures)
def test_it_is_the_loop_of_the_paper(pair: Pair, temperature: float):
    loss = nnclr(*pair, temperature=temperature).item()
    assert loss == pytest.approx(oracles.nnclr(*pair, temperature), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_it_is_solo_learns_with_its_gradient(temperature: float):
    theirs = solo_learns_loss()
    prediction, neighbour = some(7)
    mine, its = (prediction.clone().requires_grad_() for _ in range(2))
    loss = nnclr(mine, neighbour, temperature=temperature)
    expected = theirs(neighbour, its, temperature)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-9)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(mine.grad, its.grad, rtol=1e-9, atol=1e-13)


@given(pairs(), temperatures, st.randoms(use_true_random=False))
def test_order_rotation_and_length_change_nothing(pair: Pair, temperature: float, random):
    p, nn = pair
    n, d = p.shape
    order = random.sample(range(n), n)
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(n, 1, generator=generator, dtype=torch.float64)
    moved = nnclr((lengths * p @ rotation)[order], (nn @ rotation)[order], temperature=temperature)
    torch.testing.assert_close(moved, nnclr(*pair, temperature=temperature), rtol=1e-9, atol=1e-12)


@given(pairs(), temperatures)
def test_each_neighbour_alone_is_info_nce_with_the_other_predictions_for_a_queue(pair: Pair, temperature):
    p, nn = pair
    others = [torch.cat([p[:i], p[i + 1 :]]) for i in range(len(p))]
    found = [
        info_nce(nn[i : i + 1], p[i : i + 1], others[i], temperature=temperature).item()
        for i in range(len(p))
    ]
    expected = sum(found) / len(found)
    assert nnclr(*pair, temperature=temperature).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(temperatures)
def test_when_all_agree_it_is_the_log_of_the_number_of_images(temperature: float):
    z = torch.ones(5, 3, dtype=torch.float64)
    assert nnclr(z, z, temperature=temperature).item() == pytest.approx(math.log(5), rel=1e-12)


def test_its_gradient_is_the_slope_of_its_value_and_reaches_the_predictions_alone():
    p, nn = (z.requires_grad_() for z in some())
    nnclr(p, nn, temperature=0.5).backward()
    assert nn.grad is None
    assert torch.autograd.gradcheck(lambda x: nnclr(x, nn.detach(), temperature=0.5), p)


# Numbers


@pytest.mark.parametrize("temperature", [0.001, 0.01, 100.0])
@pytest.mark.parametrize("noise", [0.05, 3.0])
def test_at_extreme_temperatures_float32_keeps_up_with_float64(temperature: float, noise: float):
    p, other = some(16, 4, seed=1)
    nn = p + noise * other
    rows = p.float().requires_grad_()
    loss = nnclr(rows, nn.float(), temperature=temperature)
    loss.backward()
    expected = nnclr(p, nn, temperature=temperature).item()
    assert loss.item() == pytest.approx(expected, rel=2e-4, abs=1e-6 / temperature)
    assert torch.isfinite(rows.grad).all()


def test_a_small_loss_keeps_its_digits_in_float32():
    z = torch.eye(4)
    expected = math.log1p(3 * math.exp(-20))
    assert nnclr(z, z, temperature=0.05).item() == pytest.approx(expected, rel=1e-5)


def test_autocast_and_half_precision_do_not_coarsen_it():
    p, nn = (z.bfloat16() for z in some(8, 16))
    exact = nnclr(p.float(), nn.float(), temperature=0.1)
    assert exact.dtype == torch.float32
    near = support_neighbours(p.float(), nn.float())
    with torch.autocast("cpu", torch.bfloat16):
        assert nnclr(p.float(), nn.float(), temperature=0.1) == exact
        assert torch.equal(support_neighbours(p.float(), nn.float()), near)
    assert nnclr(p, nn, temperature=0.1) == exact
    assert torch.equal(support_neighbours(p, nn), near)


# What has no meaning


@pytest.mark.parametrize(
    ("p", "nn", "temperature", "message"),
    [
        ((4, 3), (4, 2), 0.1, r"prediction \(4, 3\) and neighbour \(4, 2\)"),
        ((0, 3), (0, 3), 0.1, "not empty"),
        ((1, 3), (1, 3), 0.1, "1 row of prediction given; needs 2 or more"),
        ((4, 3), (4, 3), 0.0, "temperature=0.0"),
        ((4, 3), (4, 3), math.inf, "temperature=inf"),
    ],
)
def test_what_has_no_meaning_is_refused(p, nn, temperature: float, message: str):
    with pytest.raises(ValueError, match=f"nnclr: .*{message}"):
        inspect.unwrap(nnclr)(torch.ones(p), torch.ones(nn), temperature=temperature)


@pytest.mark.parametrize(
    ("z", "support", "message"),
    [
        ((4, 3), (4, 2), r"support \(4, 2\) given; needs \(1 or more, 3\)"),
        ((4, 3), (0, 3), r"support \(0, 3\)"),
        ((0, 3), (4, 3), r"z \(0, 3\)"),
        ((3,), (4, 3), r"z \(3,\)"),
    ],
)
def test_a_support_set_that_has_no_neighbours_is_refused(z, support, message: str):
    with pytest.raises(ValueError, match=f"support_neighbours: .*{message}"):
        inspect.unwrap(support_neighbours)(torch.ones(z), torch.ones(support))
