"""BSIM's losses against loops, against the closest public code's outputs, and against what must hold."""

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from contrastive.losses import (
    byol,
    info_nce,
    mixed_byol,
    mixed_info_nce,
    mixed_nt_xent,
    mixed_ressl,
    mixed_sce,
    nt_xent,
    ressl,
    sce,
)
from tests import oracles_mixed as oracles
from tests.oracles import Golden, on_the_sphere
from tests.oracles_mixed import golden_mixed

DOUBLE = {"dtype": torch.float64}
FLOATS = [(torch.float64, 1e-9), (torch.float32, 2e-5)]
TAUS = {"temperature": 0.2, "target_temperature": 0.07}


class Batch(NamedTuple):
    mixture: Tensor
    key: Tensor
    queue: Tensor
    partner: Tensor
    share: Tensor

    @property
    def paired(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.mixture, self.key, self.partner, self.share

    @property
    def pairing(self) -> tuple[list[int], list[float]]:
        return self.partner.tolist(), self.share.tolist()


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    n, k, d = draw(st.integers(2, 5)), draw(st.integers(1, 6)), draw(st.integers(2, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    key, noise = torch.randn(2, n, d, generator=generator, **DOUBLE)
    share = draw(st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), min_size=n, max_size=n))
    partner = draw(st.permutations(range(n)))
    return Batch(
        mixture=key + draw(st.sampled_from([0.05, 0.5, 3.0])) * noise,
        key=key,
        queue=torch.randn(k, d, generator=generator, **DOUBLE),
        partner=torch.tensor(partner),
        share=torch.tensor(share, **DOUBLE),
    )


def sample(n: int = 4, d: int = 3, k: int = 5, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    mixture, key = torch.randn(2, n, d, generator=generator, **DOUBLE)
    queue = torch.randn(k, d, generator=generator, **DOUBLE)
    share = torch.rand(n, generator=generator, **DOUBLE)
    return Batch(mixture, key, queue, torch.arange(n).roll(1), share)


temperatures = st.sampled_from([0.05, 0.2, 1.0, 3.0])
coefficients = st.sampled_from([0.0, 0.3, 0.5, 1.0])
switches = st.booleans()

Loss = Callable[[Batch], Tensor]
LOSSES: dict[str, Loss] = {
    "nt_xent": lambda b: mixed_nt_xent(*b.paired, temperature=0.2),
    "nt_xent, rows only": lambda b: mixed_nt_xent(*b.paired, temperature=0.2, rows_only=True),
    "info_nce": lambda b: mixed_info_nce(*b, temperature=0.2),
    "info_nce, batch keys": lambda b: mixed_info_nce(*b, temperature=0.2, batch_keys=True),
    "info_nce, batch keys alone": lambda b: mixed_info_nce(
        *b._replace(queue=None), temperature=0.2, batch_keys=True, detach_keys=False
    ),
    "byol": lambda b: mixed_byol(*b.paired),
    "sce": lambda b: mixed_sce(*b, **TAUS, coefficient=0.4),
    "sce, zero logit": lambda b: mixed_sce(*b, **TAUS, coefficient=0.4, positive_in_target="zero_logit"),
    "sce, batch keys": lambda b: mixed_sce(*b._replace(queue=None), **TAUS, coefficient=0.4),
    "ressl": lambda b: mixed_ressl(*b, **TAUS),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
# The keys' rows of NT-Xent are normalised over the mixtures they are in, so it is not linear in the shares.
LINEAR = {name: loss for name, loss in LOSSES.items() if name != "nt_xent"}
every_linear_loss = pytest.mark.parametrize("loss", LINEAR.values(), ids=LINEAR.keys())


# Against the loops


@given(batches(), temperatures, switches)
def test_on_simclr_it_is_the_loop(batch: Batch, t: float, rows_only: bool):
    loss = mixed_nt_xent(*batch.paired, temperature=t, rows_only=rows_only).item()
    expected = oracles.nt_xent(batch.mixture, batch.key, *batch.pairing, t, rows_only=rows_only)
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(batches(), temperatures, switches, switches)
def test_on_moco_it_is_the_loop(batch: Batch, t: float, batch_keys: bool, with_queue: bool):
    assume(batch_keys or with_queue)
    batch = batch if with_queue else batch._replace(queue=None)
    loss = mixed_info_nce(*batch, temperature=t, batch_keys=batch_keys).item()
    expected = oracles.info_nce(*batch[:3], *batch.pairing, t=t, batch_keys=batch_keys)
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(batches())
def test_on_byol_it_is_the_loop(batch: Batch):
    expected = oracles.byol(batch.mixture, batch.key, *batch.pairing)
    assert mixed_byol(*batch.paired).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(batches(), temperatures, temperatures, coefficients, st.sampled_from(["queue", "batch", "zero_logit"]))
def test_on_sce_it_is_the_loop(batch: Batch, t: float, target_t: float, coefficient: float, form: str):
    batch = batch._replace(queue=None) if form == "batch" else batch
    options = {"temperature": t, "target_temperature": target_t, "coefficient": coefficient}
    positive = "zero_logit" if form == "zero_logit" else "masked"
    loss = mixed_sce(*batch, **options, positive_in_target=positive).item()
    expected = oracles.sce(*batch[:3], *batch.pairing, **options, zero_logit=form == "zero_logit")
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(batches(), temperatures, temperatures)
def test_on_ressl_it_is_the_loop(batch: Batch, t: float, target_t: float):
    taus = {"temperature": t, "target_temperature": target_t}
    loss = mixed_ressl(*batch, **taus).item()
    expected = oracles.ressl(*batch[:3], *batch.pairing, **taus)
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)


# Against the closest public code


def given_by(reference: Golden, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    mixture, key, share = (reference[f"in_{name}"].to(dtype) for name in ("q_mix", "k", "lam"))
    partner = reference["in_perm"]
    return mixture.requires_grad_(), key.requires_grad_(), partner, share.expand(len(partner))


def agrees(gradient: Tensor | None, reference: Golden, name: str, rows: str, tolerance: float) -> None:
    assert gradient is not None
    expected = on_the_sphere(reference[name], reference[rows]).to(gradient.dtype)
    torch.testing.assert_close(gradient, expected, rtol=tolerance, atol=tolerance / 100)


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
@pytest.mark.parametrize("form", ["rows", "both"])
@pytest.mark.parametrize("case", ["bsim_ntxent_01", "bsim_ntxent_02_lam1", "bsim_ntxent_03_roll"])
def test_it_is_nt_xent_with_shares_as_targets(case: str, form: str, dtype: torch.dtype, tolerance: float):
    reference = golden_mixed(case)
    mixture, key, partner, share = given_by(reference, dtype)
    loss = mixed_nt_xent(
        mixture,
        key,
        partner,
        share,
        temperature=reference.number("hp_temperature"),
        rows_only=form == "rows",
    )
    loss.backward()
    assert loss.item() == pytest.approx(reference.number(f"out_loss_{form}"), rel=tolerance)
    agrees(mixture.grad, reference, f"grad_q_mix_{form}", "in_q_mix", tolerance)
    agrees(key.grad, reference, f"grad_k_{form}", "in_k", tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
@pytest.mark.parametrize("case", ["bsim_unmix_moco_01", "bsim_unmix_moco_02_lam1"])
def test_with_a_positive_and_the_queue_it_is_un_mix(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden_mixed(case)
    mixture, key, partner, share = given_by(reference, dtype)
    queue, t = reference["in_queue"].to(dtype).T, reference.number("hp_temperature")
    loss = mixed_info_nce(mixture, key, queue, partner, share, temperature=t)
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("out_loss_mix"), rel=tolerance)
    agrees(mixture.grad, reference, "grad_q_mix", "in_q_mix", tolerance)
    plain = info_nce(reference["in_q"].to(dtype), key, queue, temperature=t)
    assert (plain + loss).item() == pytest.approx(reference.number("out_loss"), rel=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
@pytest.mark.parametrize("case", ["bsim_imix_mocon_01", "bsim_imix_mocon_02_half"])
def test_with_all_keys_in_one_softmax_it_is_i_mix_on_moco(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden_mixed(case)
    mixture, key, partner, share = given_by(reference, dtype)
    queue, t = reference["in_queue"].to(dtype).T, reference.number("hp_temperature")
    loss = mixed_info_nce(mixture, key, queue, partner, share, temperature=t, batch_keys=True)
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("out_loss"), rel=tolerance)
    agrees(mixture.grad, reference, "grad_q_mix", "in_q_mix", tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
@pytest.mark.parametrize("case", ["bsim_imix_npair_01", "bsim_imix_npair_02_lam1"])
def test_without_a_queue_it_is_i_mix_on_n_pairs(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden_mixed(case)
    mixture, key, partner, share = given_by(reference, dtype)
    t = reference.number("hp_temperature")
    loss = mixed_info_nce(
        mixture, key, None, partner, share, temperature=t, batch_keys=True, detach_keys=False
    )
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("out_loss"), rel=tolerance)
    agrees(mixture.grad, reference, "grad_q_mix", "in_q_mix", tolerance)
    agrees(key.grad, reference, "grad_k", "in_k", tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
@pytest.mark.parametrize("case", ["bsim_imix_byol_01", "bsim_imix_byol_02_scalar_flip"])
def test_on_byol_it_is_i_mix(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden_mixed(case)
    mixture, key, partner, share = given_by(reference, dtype)
    loss = mixed_byol(mixture, key, partner, share)
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("out_loss"), rel=tolerance)
    agrees(mixture.grad, reference, "grad_q_mix", "in_q_mix", tolerance)


def test_mixco_is_the_mean_of_two_of_them():
    """MixCo mixes the two halves of a batch, in both views, and scores n / 2 mixtures among n keys."""
    reference = golden_mixed("bsim_mixco_01")
    rows = {name: reference[f"in_{name}"].requires_grad_() for name in ("zi", "zj", "zmix_a", "zmix_b")}
    partner = torch.arange(16).roll(8)

    def half(name: str, key: str) -> Tensor:
        lam = reference[f"in_lam_{name}"]
        return mixed_info_nce(
            rows[f"zmix_{name}"].repeat(2, 1),
            rows[key],
            None,
            partner,
            torch.cat([lam, 1 - lam]),
            temperature=reference.number("hp_mix_temperature"),
            batch_keys=True,
            detach_keys=False,
        )

    loss = (half("a", "zj") + half("b", "zi")) / 2
    loss.backward()
    # The published shares are of single precision, and 1 - share was rounded once more.
    assert loss.item() == pytest.approx(reference.number("out_loss"), rel=1e-7)
    for name, one in rows.items():
        expected = on_the_sphere(reference[f"grad_{name}"], one.detach())
        torch.testing.assert_close(one.grad, expected, rtol=1e-6, atol=1e-9)


# Gradients


@every_loss
def test_its_gradient_is_the_slope_of_its_value(loss: Loss):
    batch = sample()
    assert torch.autograd.gradcheck(lambda x: loss(batch._replace(mixture=x)), batch.mixture.requires_grad_())


@pytest.mark.parametrize("name", ["nt_xent", "nt_xent, rows only", "info_nce, batch keys alone"])
def test_where_keys_learn_their_gradient_is_the_slope_too(name: str):
    batch = sample()
    assert torch.autograd.gradcheck(lambda x: LOSSES[name](batch._replace(key=x)), batch.key.requires_grad_())


@pytest.mark.parametrize("name", [name for name in LOSSES if "nt_xent" not in name and "alone" not in name])
def test_elsewhere_only_the_mixture_learns(name: str):
    batch = sample()
    for rows in batch[:3]:
        rows.requires_grad_()
    LOSSES[name](batch).backward()
    assert batch.mixture.grad is not None
    assert batch.key.grad is None
    assert batch.queue.grad is None


def test_keys_are_detached_unless_asked():
    batch = sample()
    batch.key.requires_grad_()
    loss = mixed_info_nce(*batch._replace(queue=None), temperature=0.2, batch_keys=True)
    assert not loss.requires_grad


# What must hold

PLAIN: dict[str, Loss] = {
    "nt_xent": lambda b: nt_xent(b.mixture, b.key, temperature=0.2),
    "info_nce": lambda b: info_nce(*b[:3], temperature=0.2),
    "byol": lambda b: byol(b.mixture, b.key),
    "sce": lambda b: sce(*b[:3], **TAUS, coefficient=0.4),
    "sce, zero logit": lambda b: sce(*b[:3], **TAUS, coefficient=0.4, positive_in_target="zero_logit"),
    "sce, batch keys": lambda b: sce(*b[:2], None, **TAUS, coefficient=0.4),
    "ressl": lambda b: ressl(*b[:3], **TAUS),
}
every_method = pytest.mark.parametrize("name", PLAIN)
same = partial(torch.testing.assert_close, rtol=1e-10, atol=1e-13)


@every_method
@settings(max_examples=25)
@given(batch=batches())
def test_with_a_share_of_one_it_is_the_methods_own_loss(name: str, batch: Batch):
    same(LOSSES[name](batch._replace(share=torch.ones_like(batch.share))), PLAIN[name](batch))


@every_method
@settings(max_examples=25)
@given(batch=batches())
def test_an_image_mixed_with_itself_gives_the_methods_own_loss(name: str, batch: Batch):
    same(LOSSES[name](batch._replace(partner=torch.arange(len(batch.key)))), PLAIN[name](batch))


@every_method
@settings(max_examples=25)
@given(batch=batches())
def test_with_a_share_of_zero_it_is_the_methods_own_loss_towards_the_partner(name: str, batch: Batch):
    nothing = batch._replace(share=torch.zeros_like(batch.share))
    same(LOSSES[name](nothing), PLAIN[name](batch._replace(key=batch.key[batch.partner])))


@every_loss
@settings(max_examples=25)
@given(batch=batches())
def test_the_sources_may_change_places(loss: Loss, batch: Batch):
    """Mixture i seen from its second source: it comes to that source's place, the first being the partner."""
    first = batch.partner.argsort()
    swapped = batch._replace(mixture=batch.mixture[first], partner=first, share=1 - batch.share[first])
    same(loss(swapped), loss(batch))


@every_linear_loss
@settings(max_examples=25)
@given(batch=batches())
def test_it_is_linear_in_the_share(loss: Loss, batch: Batch):
    ones = torch.ones_like(batch.share)
    first, second = loss(batch._replace(share=ones)), loss(batch._replace(share=0 * ones))
    for share in (0.25, 0.5, 0.7):
        same(loss(batch._replace(share=share * ones)), share * first + (1 - share) * second)


@given(batches(), temperatures, coefficients)
def test_over_the_batch_sce_is_the_cross_entropy_with_the_mixed_target(batch: Batch, t: float, c: float):
    rows, n = torch.nn.functional.normalize(batch.key, dim=1), len(batch.key)
    eye = torch.eye(n, **DOUBLE)
    relation = (rows @ rows.T / 0.07 - 1e9 * eye).softmax(1)
    target = c * eye + (1 - c) * relation
    share = batch.share[:, None]
    target = share * target + (1 - share) * target[batch.partner]
    log_p = (torch.nn.functional.normalize(batch.mixture, dim=1) @ rows.T / t).log_softmax(1)
    loss = mixed_sce(*batch._replace(queue=None), temperature=t, target_temperature=0.07, coefficient=c)
    torch.testing.assert_close(loss, -(target * log_p).sum(1).mean(), rtol=1e-9, atol=1e-12)


@given(batches())
def test_on_byol_it_is_the_regression_to_the_unnormalised_mixed_target(batch: Batch):
    rows, share = torch.nn.functional.normalize(batch.key, dim=1), batch.share[:, None]
    mixed = share * rows + (1 - share) * rows[batch.partner]
    prediction = torch.nn.functional.normalize(batch.mixture, dim=1)
    same(mixed_byol(*batch.paired), 2 - 2 * (prediction * mixed).sum(1).mean())


@every_loss
@settings(max_examples=25)
@given(batch=batches(), random=st.randoms(use_true_random=False))
def test_order_rotation_and_length_change_nothing(loss: Loss, batch: Batch, random):
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    n, d = batch.key.shape
    order = torch.tensor(random.sample(range(n), n))
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, **DOUBLE)).Q
    lengths = 0.1 + 10 * torch.rand(2, n, 1, generator=generator, **DOUBLE)
    moved = Batch(
        mixture=(lengths[0] * batch.mixture @ rotation)[order],
        key=(lengths[1] * batch.key @ rotation)[order],
        queue=3 * batch.queue.flip(0) @ rotation,
        partner=order.argsort()[batch.partner[order]],
        share=batch.share[order],
    )
    torch.testing.assert_close(loss(moved), loss(batch), rtol=1e-8, atol=1e-11)


def test_a_key_in_no_mixture_adds_nothing():
    batch = sample(n=3)._replace(share=torch.tensor([0.0, 1.0, 0.5], **DOUBLE))
    batch = batch._replace(partner=torch.tensor([1, 0, 2]))  # mixtures 0 and 1 are both of image 1 alone
    batch.key.requires_grad_()
    loss = mixed_nt_xent(*batch.paired, temperature=0.2)
    loss.backward()
    expected = oracles.nt_xent(batch.mixture, batch.key, *batch.pairing, 0.2, rows_only=False)
    assert loss.item() == pytest.approx(expected, rel=1e-9)
    assert torch.isfinite(batch.key.grad).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nt_xent", math.log(7)),
        ("nt_xent, rows only", math.log(7)),
        ("info_nce", math.log(6)),
        ("info_nce, batch keys", math.log(9)),
        ("info_nce, batch keys alone", math.log(4)),
        ("byol", 0.0),
        ("ressl", math.log(5)),
        ("sce", 0.4 * math.log(6) + 0.6 * math.log(6)),
        ("sce, batch keys", math.log(4)),
    ],
)
def test_when_all_embeddings_agree_it_is_the_log_of_the_number_of_candidates(name: str, expected: float):
    batch = sample()
    equal = [torch.ones_like(rows) for rows in batch[:3]]
    loss = LOSSES[name](Batch(*equal, batch.partner, batch.share)).item()
    assert loss == pytest.approx(expected, rel=1e-12, abs=1e-15)


# Cost


@pytest.mark.parametrize("name", ["sce", "sce, zero logit", "ressl"])
def test_mixtures_and_keys_are_multiplied_with_the_queue_once_for_logits_and_once_for_means(name: str):
    batch = sample(n=8, k=64, d=5)
    batch.mixture.requires_grad_()
    with FlopCounterMode(display=False) as flops:
        LOSSES[name](batch).backward()
    assert flops.get_total_flops() == 2 * 2 * 2 * 8 * 64 * 5


# Precision

COLD: dict[str, Loss] = {
    "nt_xent": lambda b: mixed_nt_xent(*b.paired, temperature=0.01),
    "info_nce": lambda b: mixed_info_nce(*b, temperature=0.01),
    "info_nce, batch keys": lambda b: mixed_info_nce(*b, temperature=0.01, batch_keys=True),
    "sce": lambda b: mixed_sce(*b, temperature=0.01, target_temperature=0.01, coefficient=0.5),
    "ressl": lambda b: mixed_ressl(*b, temperature=0.01, target_temperature=0.01),
}


@pytest.mark.parametrize("loss", COLD.values(), ids=COLD.keys())
def test_at_temperature_one_hundredth_float32_keeps_up_with_float64(loss: Loss):
    batch = sample(n=16, d=8, k=32)
    low = Batch(*(t.float() if t.is_floating_point() else t for t in batch))
    low.mixture.requires_grad_()
    value = loss(low)
    value.backward()
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(loss(batch).item(), rel=2e-5)
    assert torch.isfinite(low.mixture.grad).all()


@every_loss
def test_autocast_does_not_coarsen_it_and_shares_do_not_change_its_type(loss: Loss):
    batch = sample(n=8, d=16)
    low = batch._replace(mixture=batch.mixture.float(), key=batch.key.float(), queue=batch.queue.float())
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(low)
    assert value.dtype == torch.float32
    assert value == loss(low)
    single = batch._replace(share=batch.share.float())
    assert loss(single).dtype == torch.float64


# Refusals

FUNCTIONS = [mixed_nt_xent, mixed_info_nce, mixed_byol, mixed_sce, mixed_ressl]
with_queue = {mixed_info_nce, mixed_sce, mixed_ressl}


def call(function: Callable[..., Tensor], batch: Batch, **changes: object) -> Tensor:
    """The function itself, without the shape checks that the tests put around it."""
    options = {
        mixed_nt_xent: {"temperature": 0.2},
        mixed_info_nce: {"temperature": 0.2},
        mixed_byol: {},
        mixed_sce: {**TAUS, "coefficient": 0.5},
        mixed_ressl: TAUS,
    }[function]
    given = batch if function in with_queue else batch.paired
    return inspect.unwrap(function)(*given, **{**options, **changes})


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"share": torch.tensor([0.1, 0.2, 0.3, 1.2])}, "share from 0.1 to 1.2"),
        ({"share": torch.tensor([-0.1, 0.2, 0.3, 1.0])}, "share from -0.1 to 1"),
        ({"share": torch.tensor([0.1, 0.2, 0.3, math.nan])}, "needs numbers from 0 to 1"),
        ({"share": torch.tensor([0.1, 0.2, 0.3])}, r"share \(3,\) given for 4"),
        ({"share": torch.tensor(0.5)}, r"share \(\) given for 4"),
        ({"partner": torch.tensor([0, 1, 2])}, r"partner \(3,\)"),
        ({"partner": torch.tensor([1, 2, 3, 3])}, "no permutation of 0 to 3"),
        ({"partner": torch.tensor([1, 2, 3, 4])}, "no permutation of 0 to 3"),
        ({"mixture": torch.ones(3, 3, **DOUBLE)}, r"\(3, 3\) and (key|target) \(4, 3\)"),
        ({"key": torch.ones(4, 2, **DOUBLE)}, r"(key|target) \(4, 2\)"),
    ],
)
def test_what_is_no_mixture_is_refused(function, change: dict[str, Tensor], message: str):
    with pytest.raises(ValueError, match=f"{function.__name__}: .*{message}"):
        call(function, sample()._replace(**change))


@pytest.mark.parametrize("function", [mixed_nt_xent, mixed_info_nce, mixed_sce, mixed_ressl])
def test_a_temperature_of_zero_is_refused(function):
    with pytest.raises(ValueError, match="temperature=0.0"):
        call(function, sample(), temperature=0.0)


def test_a_queue_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"mixed_info_nce: queue \(5, 2\)"):
        call(mixed_info_nce, sample()._replace(queue=torch.ones(5, 2, **DOUBLE)))


@pytest.mark.parametrize("coefficient", [-0.1, 1.1, math.nan])
def test_a_coefficient_that_is_no_share_is_refused(coefficient: float):
    with pytest.raises(ValueError, match="mixed_sce: coefficient"):
        call(mixed_sce, sample(), coefficient=coefficient)


def test_one_sample_has_nobody_to_be_mixed_with():
    one = sample(n=1)
    with pytest.raises(ValueError, match="1 sample given"):
        call(mixed_nt_xent, one)
    assert call(mixed_info_nce, one, batch_keys=True).isfinite()


@pytest.mark.parametrize(("n", "batch_keys"), [(4, False), (1, False), (1, True)])
def test_without_a_negative_info_nce_is_refused(n: int, batch_keys: bool):
    with pytest.raises(ValueError, match="there is no negative"):
        call(mixed_info_nce, sample(n=n)._replace(queue=None), batch_keys=batch_keys)


def test_two_keys_are_enough_without_a_queue():
    assert call(mixed_info_nce, sample(n=2)._replace(queue=None), batch_keys=True).isfinite()
    assert call(mixed_nt_xent, sample(n=2)).isfinite()
