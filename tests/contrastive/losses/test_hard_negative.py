"""HCL and DCL against loops, against their authors' own outputs, and against what must hold of them."""

import inspect
import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import nt_xent
from contrastive.losses.hard_negative import debiased, hard_negative
from tests import oracles_hard_negative as oracles
from tests.oracles import golden, on_the_sphere

Pair = tuple[Tensor, Tensor]

temperatures = st.sampled_from([0.1, 0.2, 0.5, 1.0, 3.0])
priors = st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.9])
concentrations = st.sampled_from([0.0, 0.5, 1.0, 2.0])
USUAL = {"temperature": 0.5, "positive_prior": 0.1, "concentration": 1.0}


@st.composite
def views(draw: st.DrawFn) -> Pair:
    z1, noise = some(draw(st.integers(2, 6)), draw(st.integers(1, 5)), seed=draw(st.integers(0, 2**32)))
    return z1, z1 + draw(st.sampled_from([0.01, 0.5, 3.0])) * noise


def some(n: int = 6, d: int = 4, *, seed: int = 0) -> Pair:
    generator = torch.Generator().manual_seed(seed)
    z1, z2 = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    return z1, z2


# Against loops and the authors' own code


@given(views(), temperatures, priors, concentrations)
def test_it_is_the_loop_of_the_paper(pair: Pair, temperature, prior, concentration):
    loss = hard_negative(*pair, temperature=temperature, positive_prior=prior, concentration=concentration)
    expected = oracles.hard_negative(*pair, temperature, prior, concentration)
    assert loss.item() == pytest.approx(expected, rel=1e-8, abs=1e-11)


@given(views(), temperatures, priors)
def test_debiased_it_is_the_loop_of_its_own_paper(pair: Pair, temperature, prior):
    loss = debiased(*pair, temperature=temperature, positive_prior=prior)
    assert loss.item() == pytest.approx(oracles.debiased(*pair, temperature, prior), rel=1e-8, abs=1e-11)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize(
    "case", ["hcl_01_default", "hcl_02_clamped", "hcl_03_easy", "dcl_01_default", "dcl_02_clustered"]
)
def test_it_is_the_authors_loss_and_gradient(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden(case)
    x, y = (reference[name].to(dtype, copy=True).requires_grad_() for name in ("in_x", "in_y"))
    options = {
        "temperature": reference.number("hp_temperature"),
        "positive_prior": reference.number("hp_tau_plus"),
    }
    if case.startswith("dcl"):
        loss = debiased(x, y, **options)
    elif case.endswith("easy"):
        loss = hard_negative(x, y, **{**options, "positive_prior": 0.0, "concentration": 0.0})
    else:
        loss = hard_negative(x, y, **options, concentration=reference.number("hp_beta"))
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("out_loss"), rel=tolerance)
    for rows, name in ((x, "x"), (y, "y")):
        expected = on_the_sphere(reference[f"grad_{name}"], reference[f"in_{name}"]).to(dtype)
        torch.testing.assert_close(rows.grad, expected, rtol=tolerance, atol=tolerance / 100)


# What must hold


@given(views(), temperatures, priors)
def test_without_concentration_it_is_debiased(pair: Pair, temperature: float, prior: float):
    options = {"temperature": temperature, "positive_prior": prior}
    loss = hard_negative(*pair, **options, concentration=0.0)
    torch.testing.assert_close(loss, debiased(*pair, **options), rtol=1e-12, atol=1e-14)


@given(views(), temperatures)
def test_without_prior_and_concentration_it_is_nt_xent(pair: Pair, temperature: float):
    expected = nt_xent(*pair, temperature=temperature)
    loss = debiased(*pair, temperature=temperature, positive_prior=0.0)
    torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-13)


def test_without_prior_and_concentration_its_gradient_is_nt_xents():
    mine, its = ([z.requires_grad_() for z in some()] for _ in range(2))
    hard_negative(*mine, temperature=0.1, positive_prior=0.0, concentration=0.0).backward()
    nt_xent(*its, temperature=0.1).backward()
    for z, expected in zip(mine, its, strict=True):
        torch.testing.assert_close(z.grad, expected.grad, rtol=1e-9, atol=1e-13)


@given(views(), temperatures, priors, concentrations, st.randoms(use_true_random=False))
def test_order_views_rotation_and_length_change_nothing(
    pair: Pair, temperature, prior, concentration, random
):
    z1, z2 = pair
    n, d = z1.shape
    order = random.sample(range(n), n)
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(n, 1, generator=generator, dtype=torch.float64)
    options = {"temperature": temperature, "positive_prior": prior, "concentration": concentration}
    moved = hard_negative((z2 @ rotation)[order], (lengths * z1 @ rotation)[order], **options)
    torch.testing.assert_close(moved, hard_negative(*pair, **options), rtol=1e-8, atol=1e-11)


@given(views(), temperatures, priors)
def test_more_concentration_never_lowers_it(pair: Pair, temperature: float, prior: float):
    losses = [
        hard_negative(*pair, temperature=temperature, positive_prior=prior, concentration=c).item()
        for c in (0.0, 0.5, 1.0, 3.0)
    ]
    assert all(more >= less - 1e-9 for less, more in itertools.pairwise(losses))


def test_a_high_concentration_counts_every_negative_as_the_nearest():
    z1, z2 = some()
    loss = hard_negative(z1, z2, temperature=0.5, positive_prior=0.0, concentration=1e4)
    z = torch.nn.functional.normalize(torch.cat([z1, z2]))
    s = z @ z.T / 0.5
    anchor, twin = torch.arange(12), torch.arange(12).roll(6)
    positive = s[anchor, twin]
    s[anchor, anchor] = s[anchor, twin] = -math.inf
    expected = -(positive - torch.logaddexp(positive, math.log(10) + s.amax(1))).mean()
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("prior", [0.0, 0.2, 0.99])
def test_when_all_embeddings_agree_it_is_the_log_of_the_number_of_candidates(prior: float):
    z = torch.ones(5, 3, dtype=torch.float64)
    loss = hard_negative(z, z, temperature=0.1, positive_prior=prior, concentration=1.0)
    assert loss.item() == pytest.approx(math.log(9), rel=1e-12)


@pytest.mark.parametrize("prior", [0.5, math.exp(-2)])  # Less than nothing is left, and nothing exactly.
def test_negatives_fewer_than_the_hidden_positives_count_as_far_as_can_be_and_have_no_slope(prior: float):
    z = torch.eye(3, dtype=torch.float64).requires_grad_()
    twin = z.detach().clone()
    with torch.autograd.set_detect_anomaly(True):
        loss = hard_negative(z, twin, temperature=0.5, positive_prior=prior, concentration=1.0)
        loss.backward()
    assert loss.item() == pytest.approx(math.log1p(4 * math.exp(-2) / math.exp(2)), rel=1e-12)
    assert z.grad.abs().max() < 1e-12


@pytest.mark.parametrize("prior", [0.0, 0.1])
@pytest.mark.parametrize("concentration", [0.0, 1.5])
def test_its_gradient_is_the_slope_of_its_value(prior: float, concentration: float):
    options = {"temperature": 0.5, "positive_prior": prior, "concentration": concentration}
    z1, z2 = (z.requires_grad_() for z in some())
    assert torch.autograd.gradcheck(lambda a, b: hard_negative(a, b, **options), (z1, z2))


def test_its_gradient_is_the_slope_of_its_value_where_some_anchors_are_at_the_floor():
    z1, _ = some()
    z2 = (z1 + 0.3 * some(seed=1)[0]).requires_grad_()
    options = {"temperature": 0.3, "positive_prior": 0.2}
    free, at_floor = debiased(z1, z2, **options), debiased(z1, z2, **{**options, "positive_prior": 0.9})
    assert free != at_floor
    z1.requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: debiased(a, b, **options), (z1, z2))
    assert torch.autograd.gradcheck(lambda a, b: hard_negative(a, b, **options, concentration=2.0), (z1, z2))


# Numbers


@pytest.mark.parametrize("prior", [0.0, 0.1])
@pytest.mark.parametrize("noise", [0.05, 3.0])
def test_at_temperature_one_hundredth_float32_keeps_up_with_float64(prior: float, noise: float):
    z1, other = some(16, 4, seed=1)
    z2 = z1 + noise * other
    cold = {"temperature": 0.01, "positive_prior": prior, "concentration": 1.0}
    a, b = z1.float().requires_grad_(), z2.float().requires_grad_()
    loss = hard_negative(a, b, **cold)
    loss.backward()
    assert loss.item() == pytest.approx(hard_negative(z1, z2, **cold).item(), rel=2e-5)
    assert torch.isfinite(a.grad).all()
    assert torch.isfinite(b.grad).all()


def test_a_small_loss_keeps_its_digits_in_float32():
    z = torch.eye(4)
    expected = math.log1p(6 * math.exp(-20))
    assert debiased(z, z, temperature=0.05, positive_prior=0.0).item() == pytest.approx(expected, rel=1e-5)


def test_autocast_and_half_precision_do_not_coarsen_it():
    z1, z2 = (z.bfloat16() for z in some(8, 16))
    exact = hard_negative(z1.float(), z2.float(), **USUAL)
    assert exact.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert hard_negative(z1.float(), z2.float(), **USUAL) == exact
    assert hard_negative(z1, z2, **USUAL) == exact


# What has no meaning


@pytest.mark.parametrize(
    ("z1", "z2", "options", "message"),
    [
        ((4, 3), (4, 2), {}, r"z1 \(4, 3\) and z2 \(4, 2\)"),
        ((0, 3), (0, 3), {}, "not empty"),
        ((1, 3), (1, 3), {}, "1 sample given; needs 2 or more"),
        ((4, 3), (4, 3), {"temperature": 0.0}, "temperature=0.0"),
        ((4, 3), (4, 3), {"positive_prior": -0.1}, "positive_prior=-0.1 given; needs 0 or more, below 1"),
        ((4, 3), (4, 3), {"positive_prior": 1.0}, "positive_prior=1.0"),
        ((4, 3), (4, 3), {"positive_prior": math.nan}, "positive_prior=nan"),
        ((4, 3), (4, 3), {"concentration": -0.5}, "concentration=-0.5 given; needs a finite number from 0"),
        ((4, 3), (4, 3), {"concentration": math.inf}, "concentration=inf"),
        ((4, 3), (4, 3), {"concentration": math.nan}, "concentration=nan"),
    ],
)
def test_what_has_no_meaning_is_refused(z1, z2, options, message: str):
    given = {**USUAL, **options}
    with pytest.raises(ValueError, match=f"hard_negative: .*{message}"):
        inspect.unwrap(hard_negative)(torch.ones(z1), torch.ones(z2), **given)
    if "concentration" not in options:
        del given["concentration"]
        with pytest.raises(ValueError, match=f"debiased: .*{message}"):
            inspect.unwrap(debiased)(torch.ones(z1), torch.ones(z2), **given)


def test_two_samples_are_enough():
    assert torch.isfinite(hard_negative(*some(2), **USUAL))
