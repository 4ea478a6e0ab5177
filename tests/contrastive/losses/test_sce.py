"""SCE and ReSSL against loops, against the authors' own outputs, and against what must hold of them."""

import inspect
import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from contrastive.losses import SCETerms, info_nce, ressl, sce, sce_terms
from contrastive.losses.sce import sce_crops
from tests import oracles
from tests.oracles import golden, on_the_sphere

Inputs = tuple[Tensor, Tensor, Tensor]

temperatures = st.fixed_dictionaries(
    {
        "temperature": st.sampled_from([0.05, 0.1, 0.5, 2.0]),
        "target_temperature": st.sampled_from([0.02, 0.05, 0.07, 0.5, 2.0]),
    }
)
coefficients = st.floats(0, 1)
positives_in_target = st.sampled_from(["masked", "zero_logit"])

USUAL = {"temperature": 0.1, "target_temperature": 0.05}


@st.composite
def inputs(draw: st.DrawFn, least: int = 1) -> Inputs:
    n, k, d = draw(st.integers(least, 5)), draw(st.integers(1, 7)), draw(st.integers(1, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    query, noise = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    queue = torch.randn(k, d, generator=generator, dtype=torch.float64)
    return query, query + draw(st.sampled_from([0.01, 0.5, 3.0])) * noise, queue


def some(n: int = 4, k: int = 6, d: int = 5, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> Inputs:
    generator = torch.Generator().manual_seed(seed)
    q, k_, u = (
        torch.randn(rows, d, generator=generator, dtype=torch.float64).to(dtype) for rows in (n, n, k)
    )
    return q, k_, u


Crops = tuple[dict[int, Tensor], dict[int, Tensor], Tensor | None]
weights = st.tuples(*[st.sampled_from([0.0, 0.3, 1.0, 2.0])] * 3)


@st.composite
def crops(draw: st.DrawFn, least: int = 1, *, with_queue: bool | None = None) -> Crops:
    """Online and target embeddings of several views and perhaps a queue; at least one pair of two views."""
    with_queue = draw(st.booleans()) if with_queue is None else with_queue
    n, d = draw(st.integers(least if with_queue else 2, 4)), draw(st.integers(1, 5))
    views = range(draw(st.integers(2, 5)))
    online = draw(st.sets(st.sampled_from(views), min_size=1))
    target = draw(st.sets(st.sampled_from(views), min_size=1).filter(lambda t: len(t | online) > 1))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    embedded = torch.randn(2, len(views), n, d, generator=generator, dtype=torch.float64)
    queue = torch.randn(draw(st.integers(1, 7)), d, generator=generator, dtype=torch.float64)
    return (
        {o: embedded[0, o].requires_grad_() for o in online},
        {t: embedded[1, t] for t in target},
        queue if with_queue else None,
    )


def shares(logits: Tensor) -> Tensor:
    return torch.tensor([oracles.shares(row) for row in logits.tolist()], dtype=torch.float64)


def cosines(a: Tensor, b: Tensor) -> Tensor:
    return torch.tensor([[oracles.cosine(x, y) for y in b.tolist()] for x in a.tolist()], dtype=torch.float64)


# Against loops


@given(inputs(), temperatures, coefficients, positives_in_target)
def test_with_a_queue_it_is_the_loop_over_the_positive_and_the_queue(
    given: Inputs, taus, coefficient, positive
):
    loss = sce(*given, **taus, coefficient=coefficient, positive_in_target=positive).item()
    expected = oracles.sce_queue(*given, **taus, coefficient=coefficient, zero_logit=positive == "zero_logit")
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(inputs(least=2), temperatures, coefficients)
def test_without_a_queue_it_is_the_loop_over_the_keys_of_the_batch(given: Inputs, taus, coefficient):
    q, k, _ = given
    loss = sce(q, k, None, **taus, coefficient=coefficient).item()
    expected = oracles.sce(q, k, k, range(len(k)), **taus, coefficient=coefficient)
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(inputs(), inputs(), temperatures, coefficients, st.data())
def test_with_all_processes_keys_it_is_the_loop_over_them_and_then_the_queue(
    given: Inputs, others: Inputs, taus, coefficient, data
):
    q, k, queue = given
    with_queue = data.draw(st.booleans())
    elsewhere = others[1].repeat(1, 5)[:, : q.shape[1]]
    rank_before = data.draw(st.booleans())
    global_keys = torch.cat([elsewhere, k] if rank_before else [k, elsewhere])
    index = torch.arange(len(k)) + rank_before * len(elsewhere)
    columns = torch.cat([global_keys, queue]) if with_queue else global_keys
    loss = sce(
        q,
        k,
        queue if with_queue else None,
        **taus,
        coefficient=coefficient,
        global_keys=global_keys,
        positive_index=index,
    )
    expected = oracles.sce(q, k, columns, index.tolist(), **taus, coefficient=coefficient)
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(inputs(), temperatures)
def test_ressl_is_the_loop_over_the_queue(given: Inputs, taus):
    expected = oracles.ressl(*given, taus["temperature"], taus["target_temperature"])
    assert ressl(*given, **taus).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


# Against the authors' own code


def taus_of(reference: oracles.Golden) -> dict[str, float]:
    return {"temperature": reference.number("tau"), "target_temperature": reference.number("tau_m")}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    "case",
    ["sce_queue_0", "sce_queue_1", "sce_queue_4", "sce_queue_6", "sce_queue_7", "sce_batch_usekeysfalse"],
)
def test_with_a_zero_logit_it_is_the_released_loss_and_gradient(case: str, dtype: torch.dtype):
    reference = golden(case)
    written = reference.number("rtol") if "rtol" in reference else 1e-9
    tolerance = written if dtype == torch.float64 else 2e-5
    q, k, queue = (reference[name].to(dtype) for name in ("q", "k", "queue"))
    loss = sce(
        q.requires_grad_(),
        k,
        queue.T,
        **taus_of(reference),
        coefficient=reference.number("lam"),
        positive_in_target="zero_logit",
    )
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=tolerance)
    expected = on_the_sphere(reference["grad_q"], reference["q"]).to(dtype)
    torch.testing.assert_close(q.grad, expected, rtol=tolerance, atol=tolerance / 100)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("case", [f"sce_batch_{i}" for i in range(5)])
def test_masked_it_is_the_successor_repositorys_loss_and_gradient(case: str, dtype: torch.dtype):
    reference = golden(case)
    tolerance = 1e-9 if dtype == torch.float64 else 2e-5
    q, k, keys, queue = (reference[name].to(dtype) for name in ("q", "k", "k_global", "queue"))
    loss = sce(
        q.requires_grad_(),
        k,
        queue.T if queue.numel() else None,
        **taus_of(reference),
        coefficient=reference.number("lam"),
        global_keys=keys,
        positive_index=reference["rank"] * len(q) + torch.arange(len(q)),
    )
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=tolerance)
    expected = on_the_sphere(reference["grad_q"], reference["q"]).to(dtype)
    torch.testing.assert_close(q.grad, expected, rtol=tolerance, atol=tolerance / 100)


@pytest.mark.parametrize("case", ["sce_step_0", "sce_step_1", "sce_step_2"])
def test_over_the_pairs_of_a_step_its_mean_is_the_released_steps_loss_and_gradient(case: str):
    reference = golden(case)
    online, target = reference["online_q"].requires_grad_(), reference["target_z"]
    crops = reference["online_idx"].tolist()
    pairs = [(q, z) for z, q in itertools.product(range(len(target)), range(len(crops))) if crops[q] != z]
    losses = [
        sce(
            online[q],
            target[z],
            reference["queue_before"].T,
            **taus_of(reference),
            coefficient=reference.number("lam"),
            positive_in_target="zero_logit",
        )
        for q, z in pairs
    ]
    loss = torch.stack(losses).mean()
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=1e-9)
    gradient, rows = (reference[name].flatten(0, 1) for name in ("grad_online_q", "online_q"))
    expected = on_the_sphere(gradient, rows.detach())
    torch.testing.assert_close(online.grad.flatten(0, 1), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize("case", ["ressl_solo_0", "ressl_solo_1"])
def test_ressl_is_solo_learns_loss_and_gradient(case: str, dtype: torch.dtype, tolerance: float):
    reference = golden(case)
    q, k, queue = (reference[name].to(dtype) for name in ("q", "k", "queue_kd"))
    taus = {"temperature": reference.number("tau_q"), "target_temperature": reference.number("tau_k")}
    loss = ressl(q.requires_grad_(), k, queue, **taus)
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=tolerance)
    expected = on_the_sphere(reference["grad_q"], reference["q"]).to(dtype)
    torch.testing.assert_close(q.grad, expected, rtol=tolerance, atol=tolerance / 100)


def test_the_relational_term_over_the_batch_is_the_successor_repositorys_ressl():
    reference = golden("ressl_eztorch_batch")
    taus = {"temperature": reference.number("tau_q"), "target_temperature": reference.number("tau_k")}
    loss = sce_terms(reference["q"].requires_grad_(), reference["k"], None, **taus).relational.mean()
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=1e-9)
    expected = on_the_sphere(reference["grad_q"], reference["q"].detach())
    torch.testing.assert_close(reference["q"].grad, expected, rtol=1e-9, atol=1e-12)


def test_with_coefficient_one_over_the_batch_it_is_the_loss_of_moco_v3():
    reference = golden("mocov3_solo")
    t = reference.number("temperature")
    q = reference["q"].requires_grad_()
    loss = 2 * t * sce(q, reference["k"], None, temperature=t, target_temperature=1.0, coefficient=1.0)
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=1e-9)
    torch.testing.assert_close(q.grad, reference["grad_q"], rtol=1e-9, atol=1e-12)


# What must hold


@given(inputs(), temperatures, positives_in_target)
def test_with_coefficient_one_it_is_info_nce(given: Inputs, taus, positive):
    loss = sce(*given, **taus, coefficient=1.0, positive_in_target=positive)
    torch.testing.assert_close(
        loss, info_nce(*given, temperature=taus["temperature"]), rtol=1e-12, atol=1e-15
    )


@given(inputs(), temperatures)
def test_with_coefficient_zero_it_is_ressl_and_the_ceiling(given: Inputs, taus):
    ceiling = sce_terms(*given, **taus).ceiling
    assert (ceiling >= 0).all()
    loss = sce(*given, **taus, coefficient=0.0)
    torch.testing.assert_close(loss, ressl(*given, **taus) + ceiling.mean(), rtol=1e-12, atol=1e-14)


@given(inputs(), temperatures)
def test_the_terms_are_the_shares_they_are_named_after(given: Inputs, taus):
    q, k, queue = given
    terms = sce_terms(*given, **taus)
    p = shares(torch.cat([cosines(q, k).diagonal()[:, None], cosines(q, queue)], 1) / taus["temperature"])
    torch.testing.assert_close(terms.nce, -p[:, 0].log(), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(terms.ceiling, -p[:, 1:].sum(1).log(), rtol=1e-9, atol=1e-12)


def test_weights_fall_on_the_terms_they_are_named_after():
    terms = SCETerms(
        nce=torch.tensor([1.0, 3.0]), relational=torch.tensor([10.0, 30.0]), ceiling=torch.tensor([7.0, 7])
    )
    assert terms.weighted(nce=0.5, relational=0.25, ceiling=2.0).item() == 1 + 5 + 14


@given(inputs(), temperatures, coefficients)
def test_a_zero_logit_is_the_masked_form_with_a_coefficient_of_its_own_for_each_anchor(
    given, taus, coefficient
):
    q, k, queue = given
    for i, weights in enumerate((cosines(k, queue) / taus["target_temperature"]).exp().sum(1)):
        one = q[i : i + 1], k[i : i + 1], queue
        leak = (1 / (1 + weights)).item()
        torch.testing.assert_close(
            sce(*one, **taus, coefficient=coefficient, positive_in_target="zero_logit"),
            sce(*one, **taus, coefficient=coefficient + (1 - coefficient) * leak),
            rtol=1e-9,
            atol=1e-12,
        )


@given(inputs(), temperatures, coefficients, positives_in_target)
def test_it_is_affine_in_the_coefficient(given: Inputs, taus, coefficient, positive):
    at, one, zero = (
        sce(*given, **taus, coefficient=c, positive_in_target=positive) for c in (coefficient, 1.0, 0.0)
    )
    torch.testing.assert_close(at, coefficient * one + (1 - coefficient) * zero, rtol=1e-10, atol=1e-13)


@given(inputs(), temperatures, coefficients)
def test_it_is_never_below_the_entropy_of_its_target(given: Inputs, taus, coefficient):
    _, k, queue = given
    entropy = 0.0
    for key in k.tolist():
        w = oracles.sce_target(key, [key, *queue.tolist()], 0, taus["target_temperature"], coefficient)
        assert sum(w) == pytest.approx(1)
        entropy -= sum(share * math.log(share) for share in w if share > 0) / len(k)
    assert sce(*given, **taus, coefficient=coefficient).item() >= entropy - 1e-9


@given(inputs(), st.sampled_from([0.1, 0.5, 2.0]))
def test_it_is_the_entropy_of_its_target_where_the_query_already_shows_it(given: Inputs, temperature: float):
    _, k, queue = given
    k = k[:1]
    # Query and key agree and the coefficient is the share the query gives to its positive.
    p = shares(torch.cat([torch.ones(1, 1), cosines(k, queue)], 1) / temperature)[0]
    q = k.clone().requires_grad_()
    loss = sce(q, k, queue, temperature=temperature, target_temperature=temperature, coefficient=p[0].item())
    loss.backward()
    assert loss.item() == pytest.approx(-(p * p.log()).sum().item(), rel=1e-9, abs=1e-12)
    assert q.grad.abs().max() < 1e-9 / temperature


def test_only_the_query_is_trained():
    q, k, queue = (rows.requires_grad_() for rows in some())
    keys = some(seed=1)[0].requires_grad_()
    sce(q, k, queue, **USUAL, coefficient=0.5, positive_in_target="zero_logit").backward()
    sce(q, k, None, **USUAL, coefficient=0.5).backward()
    sce(q, k, queue, **USUAL, coefficient=0.5, global_keys=keys, positive_index=torch.arange(4)).backward()
    ressl(q, k, queue, **USUAL).backward()
    assert q.grad is not None
    assert [rows.grad for rows in (k, queue, keys)] == [None, None, None]


def test_what_it_is_given_is_left_as_it_was():
    given = some()
    before = [rows.clone() for rows in given]
    sce(*given, **USUAL, coefficient=0.5)
    sce(*given[:2], None, **USUAL, coefficient=0.5)
    assert all(torch.equal(rows, copy) for rows, copy in zip(given, before, strict=True))


@pytest.mark.parametrize("positive", ["masked", "zero_logit"])
def test_its_gradient_is_the_slope_of_its_value(positive: str):
    q, k, queue = some()
    options = {"temperature": 0.5, "target_temperature": 0.3, "coefficient": 0.4}
    assert torch.autograd.gradcheck(
        lambda x: sce(x, k, queue, **options, positive_in_target=positive), q.requires_grad_()
    )
    assert torch.autograd.gradcheck(lambda x: sce(x, k, None, **options), q.requires_grad_())


@given(inputs(), temperatures, coefficients)
def test_its_gradient_pulls_the_query_from_its_guess_to_its_target(given: Inputs, taus, coefficient):
    q, k, queue = (torch.nn.functional.normalize(rows) for rows in given)
    q.requires_grad_()
    sce(q, k, queue, **taus, coefficient=coefficient).backward()
    for i in range(len(q)):
        columns = torch.cat([k[i : i + 1], queue])
        p = shares(cosines(q[i : i + 1], columns) / taus["temperature"])[0]
        w = oracles.sce_target(k[i].tolist(), columns.tolist(), 0, taus["target_temperature"], coefficient)
        pull = (p - torch.tensor(w, dtype=torch.float64)) @ columns / taus["temperature"] / len(q)
        expected = on_the_sphere(pull[None], q[i : i + 1].detach())
        torch.testing.assert_close(q.grad[i : i + 1], expected, rtol=1e-9, atol=1e-11)


@given(inputs(least=2), temperatures, coefficients, st.randoms(use_true_random=False), st.booleans())
def test_order_rotation_and_length_change_nothing(given: Inputs, taus, coefficient, random, with_queue):
    q, k, queue = given
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    (n, d), size = q.shape, len(queue)
    order, place = random.sample(range(n), n), random.sample(range(size), size)
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    lengths = 0.1 + 10 * torch.rand(3, max(n, size), 1, generator=generator, dtype=torch.float64)
    moved = sce(
        (lengths[0, :n] * q @ rotation)[order],
        (lengths[1, :n] * k @ rotation)[order],
        (lengths[2, :size] * queue @ rotation)[place] if with_queue else None,
        **taus,
        coefficient=coefficient,
    )
    expected = sce(q, k, queue if with_queue else None, **taus, coefficient=coefficient)
    torch.testing.assert_close(moved, expected, rtol=1e-9, atol=1e-11)


def test_a_cold_target_is_the_negative_nearest_to_the_key():
    q, k, queue = some()
    terms = sce_terms(q, k, queue, temperature=0.5, target_temperature=1e-4)
    p = shares(cosines(q, queue) / 0.5)
    nearest = cosines(k, queue).argmax(1, keepdim=True)
    torch.testing.assert_close(terms.relational, -p.gather(1, nearest).log()[:, 0], rtol=1e-9, atol=0)


def test_a_hot_target_smooths_the_label_over_the_negatives():
    q, k, queue = some()
    loss = sce(q, k, queue, temperature=0.5, target_temperature=1e9, coefficient=0.8)
    p = shares(torch.cat([cosines(q, k).diagonal()[:, None], cosines(q, queue)], 1) / 0.5)
    expected = -(0.8 * p[:, 0].log() + 0.2 * p[:, 1:].log().mean(1)).mean()
    torch.testing.assert_close(loss, expected, rtol=1e-8, atol=0)


@pytest.mark.parametrize("positive", ["masked", "zero_logit"])
def test_a_key_far_from_query_and_key_changes_nothing(positive: str):
    near = torch.ones(4, 4, dtype=torch.float64) + 0.1 * torch.eye(4, dtype=torch.float64)
    q, k, queue = near[:1], near[1:2], near[2:]
    options = {
        "temperature": 0.02,
        "target_temperature": 0.02,
        "coefficient": 0.5,
        "positive_in_target": positive,
    }
    loss = sce(q, k, queue, **options)
    assert loss > 0.1
    torch.testing.assert_close(sce(q, k, torch.cat([queue, -q]), **options), loss, rtol=1e-13, atol=0)


def test_the_losses_of_the_ranks_have_the_whole_batchs_loss_and_gradient_as_mean():
    q, k, queue = some(n=6)
    whole, ranks = (q.clone().requires_grad_() for _ in range(2))
    sce(whole, k, queue, **USUAL, coefficient=0.5, global_keys=k, positive_index=torch.arange(6)).backward()
    for rank in range(3):
        own = torch.arange(2 * rank, 2 * rank + 2)
        loss = sce(ranks[own], k[own], queue, **USUAL, coefficient=0.5, global_keys=k, positive_index=own)
        (loss / 3).backward()
    torch.testing.assert_close(ranks.grad, whole.grad, rtol=1e-10, atol=1e-13)


@given(inputs(least=2), temperatures, coefficients)
def test_the_batch_form_is_all_processes_keys_with_one_process(given: Inputs, taus, coefficient):
    q, k, _ = given
    spelled_out = sce(
        q, k, None, **taus, coefficient=coefficient, global_keys=k, positive_index=torch.arange(len(k))
    )
    torch.testing.assert_close(
        sce(q, k, None, **taus, coefficient=coefficient), spelled_out, rtol=1e-12, atol=0
    )


# Several crops


@given(crops(), temperatures, weights, positives_in_target)
def test_over_crops_it_is_the_mean_of_the_pairs_with_any_weights(given: Crops, taus, weights, positive):
    online, target, queue = given
    positive = positive if queue is not None else "masked"
    pairs = [
        sce_terms(online[o], target[t], queue, **taus, positive_in_target=positive).weighted(*weights)
        for t, o in itertools.product(target, online)
        if o != t
    ]
    loss = sce_crops(*given, **taus, weights=weights, positive_in_target=positive)
    torch.testing.assert_close(loss, torch.stack(pairs).mean(), rtol=1e-12, atol=1e-14)
    for crop, expected in zip(
        torch.autograd.grad(loss, list(online.values()), materialize_grads=True),
        torch.autograd.grad(torch.stack(pairs).mean(), list(online.values()), materialize_grads=True),
        strict=True,
    ):
        torch.testing.assert_close(crop, expected, rtol=1e-11, atol=1e-13)


@given(crops(with_queue=True), temperatures, coefficients, positives_in_target)
def test_over_crops_it_is_the_loop_over_the_pairs(given: Crops, taus, coefficient, positive):
    online, target, queue = given
    expected = [
        oracles.sce_queue(
            online[o], target[t], queue, **taus, coefficient=coefficient, zero_logit=positive == "zero_logit"
        )
        for t, o in itertools.product(target, online)
        if o != t
    ]
    weights = (coefficient, 1 - coefficient, 1 - coefficient)
    loss = sce_crops(*given, **taus, weights=weights, positive_in_target=positive).item()
    assert loss == pytest.approx(sum(expected) / len(expected), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("case", ["sce_step_0", "sce_step_1", "sce_step_2"])
def test_over_the_crops_of_a_step_it_is_the_released_steps_loss_and_gradient(case: str):
    reference = golden(case)
    online, target = reference["online_q"].requires_grad_(), reference["target_z"]
    coefficient = reference.number("lam")
    loss = sce_crops(
        dict(zip(reference["online_idx"].tolist(), online, strict=True)),
        dict(enumerate(target)),
        reference["queue_before"].T,
        **taus_of(reference),
        weights=(coefficient, 1 - coefficient, 1 - coefficient),
        positive_in_target="zero_logit",
    )
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=1e-9)
    gradient, rows = (reference[name].flatten(0, 1) for name in ("grad_online_q", "online_q"))
    expected = on_the_sphere(gradient, rows.detach())
    torch.testing.assert_close(online.grad.flatten(0, 1), expected, rtol=1e-9, atol=1e-12)


@given(inputs(), temperatures, coefficients, positives_in_target)
def test_one_pair_of_two_views_is_sce(given: Inputs, taus, coefficient, positive):
    q, k, queue = given
    weights = (coefficient, 1 - coefficient, 1 - coefficient)
    loss = sce_crops({1: q}, {0: k}, queue, **taus, weights=weights, positive_in_target=positive)
    assert loss == sce(q, k, queue, **taus, coefficient=coefficient, positive_in_target=positive)


@given(crops(with_queue=True), temperatures)
def test_the_relational_term_over_crops_is_the_mean_of_ressl(given: Crops, taus):
    online, target, queue = given
    pairs = [ressl(online[o], target[t], queue, **taus) for t in target for o in online if o != t]
    loss = sce_crops(*given, **taus, weights=(0.0, 1.0, 0.0))
    torch.testing.assert_close(loss, torch.stack(pairs).mean(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("targets", "onlines"), [((0, 1), range(6)), ((0,), range(1, 6)), ((0, 1), (0, 1))])
def test_each_view_is_multiplied_with_the_queue_once_for_its_logits_and_once_for_its_mean(targets, onlines):
    n, k, d = 8, 64, 5
    _, _, queue = some(k=k)
    online = {o: some(n, seed=o)[0].requires_grad_() for o in onlines}
    target = {t: some(n, seed=t)[1] for t in targets}
    with FlopCounterMode(display=False) as flops:
        sce_crops(online, target, queue, **USUAL, weights=(1.0, 1.0, 1.0)).backward()
    assert flops.get_total_flops() == 2 * (len(target) + len(online)) * 2 * n * k * d


def test_over_crops_only_the_online_embeddings_are_trained():
    rows = [some(seed=seed)[0].requires_grad_() for seed in range(5)]
    for queue in (rows[4], None):
        loss = sce_crops(
            dict(enumerate(rows[:2])), dict(enumerate(rows[2:4])), queue, **USUAL, weights=(1.0, 1.0, 1.0)
        )
        loss.backward()
    assert [row.grad is not None for row in rows] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("online", "target", "queue", "options", "message"),
    [
        ({0: (4, 3)}, {0: (4, 3)}, (5, 3), {}, r"target views \[0\] and online views \[0\] .* no pair"),
        ({}, {0: (4, 3)}, (5, 3), {}, "no pair"),
        ({0: (4, 3), 1: (3, 3)}, {0: (4, 3)}, (5, 3), {}, r"online\[1\] \(3, 3\) and target\[0\] \(4, 3\)"),
        ({1: (4, 3)}, {0: (4, 3)}, (5, 2), {}, r"queue \(5, 2\)"),
        ({1: (1, 3)}, {0: (1, 3)}, None, {}, "there is no negative"),
        ({1: (4, 3)}, {0: (4, 3)}, None, {"positive_in_target": "zero_logit"}, "queue alone"),
        ({1: (4, 3)}, {0: (4, 3)}, (5, 3), {"temperature": 0.0}, "temperature=0.0"),
        ({1: (4, 3)}, {0: (4, 3)}, (5, 3), {"target_temperature": -1.0}, "target_temperature=-1.0"),
    ],
)
def test_crops_without_meaning_are_refused(online, target, queue, options, message: str):
    given = [{view: torch.ones(shape) for view, shape in views.items()} for views in (online, target)]
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(sce_crops)(
            *given,
            None if queue is None else torch.ones(queue),
            weights=(0.5, 0.5, 0.5),
            **{**USUAL, **options},
        )


# Numbers


@pytest.mark.parametrize("positive", ["masked", "zero_logit"])
def test_at_temperatures_of_one_hundredth_float32_keeps_up_with_float64(positive: str):
    cold = {
        "temperature": 0.01,
        "target_temperature": 0.01,
        "coefficient": 0.5,
        "positive_in_target": positive,
    }
    q = some(32, 64, 4, dtype=torch.float32)[0].requires_grad_()
    loss = sce(q, *some(32, 64, 4, dtype=torch.float32)[1:], **cold)
    loss.backward()
    assert loss.item() == pytest.approx(sce(*some(32, 64, 4), **cold).item(), rel=2e-5)
    assert torch.isfinite(q.grad).all()


@pytest.mark.parametrize("with_queue", [True, False])
def test_autocast_does_not_coarsen_it(with_queue: bool):
    q, k, queue = some(dtype=torch.float32)
    given = q, k, queue if with_queue else None
    with torch.autocast("cpu", torch.bfloat16):
        loss = sce(*given, **USUAL, coefficient=0.5)
    assert loss.dtype == torch.float32
    assert loss == sce(*given, **USUAL, coefficient=0.5)


def test_a_small_loss_keeps_its_digits_in_float32():
    axes = torch.eye(3)
    # Cosine 1 to its key, 0 to the only negative: the loss is log(1 + exp(-20)), far below a step at 20.
    loss = sce(axes[:1], axes[:1], axes[1:2], temperature=0.05, target_temperature=0.05, coefficient=1.0)
    assert loss.item() == pytest.approx(math.log1p(math.exp(-20)), rel=1e-5)


# What has no meaning


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        (((4, 3), (3, 3), (5, 3)), {}, r"query \(4, 3\) and key \(3, 3\)"),
        (((4, 3), (4, 3), (5, 2)), {}, r"queue \(5, 2\)"),
        (((4, 3), (4, 3), (3, 5)), {}, r"queue \(3, 5\)"),
        (((4, 3), (4, 3), (0, 3)), {}, "1 or more"),
        (((0, 3), (0, 3), (5, 3)), {}, "not empty"),
        (((1, 3), (1, 3), None), {}, "there is no negative"),
        (
            ((1, 3), (1, 3), None),
            {"global_keys": torch.ones(1, 3), "positive_index": torch.tensor([0])},
            "no negative",
        ),
        (((4, 3), (4, 3), (5, 3)), {"temperature": 0.0}, "temperature=0.0"),
        (((4, 3), (4, 3), (5, 3)), {"target_temperature": -0.1}, "target_temperature=-0.1"),
        (((4, 3), (4, 3), (5, 3)), {"global_keys": torch.ones(8, 3)}, "give both or neither"),
        (((4, 3), (4, 3), (5, 3)), {"positive_index": torch.arange(4)}, "give both or neither"),
        (
            ((4, 3), (4, 3), None),
            {"global_keys": torch.ones(8, 2), "positive_index": torch.arange(4)},
            r"global_keys \(8, 2\)",
        ),
        (((4, 3), (4, 3), None), {"positive_in_target": "zero_logit"}, "queue alone"),
        (
            ((4, 3), (4, 3), (5, 3)),
            {
                "positive_in_target": "zero_logit",
                "global_keys": torch.ones(8, 3),
                "positive_index": torch.arange(4),
            },
            "queue alone",
        ),
    ],
)
def test_what_has_no_meaning_is_refused(shapes, options, message: str):
    given = [None if shape is None else torch.ones(shape) for shape in shapes]
    with pytest.raises(ValueError, match=message):
        # Unwrapped: with the type checks of the test suite on, they would refuse the shapes first.
        inspect.unwrap(sce_terms)(*given, **{**USUAL, **options})


@pytest.mark.parametrize("coefficient", [-0.01, 1.01, math.nan])
def test_a_coefficient_that_is_no_share_is_refused(coefficient: float):
    with pytest.raises(ValueError, match=f"coefficient={coefficient} given; needs a number from 0 to 1"):
        sce(*some(), **USUAL, coefficient=coefficient)


def test_one_sample_is_enough_with_a_queue_or_another_processs_key():
    q, k, queue = some(n=1)
    assert torch.isfinite(sce(q, k, queue, **USUAL, coefficient=0.5))
    options = {"global_keys": torch.cat([queue, k]), "positive_index": torch.tensor([len(queue)])}
    torch.testing.assert_close(
        sce(q, k, None, **USUAL, coefficient=0.5, **options), sce(q, k, queue, **USUAL, coefficient=0.5)
    )


def test_when_all_embeddings_agree_it_is_the_log_of_the_number_of_candidates():
    same = torch.ones(4, 3, dtype=torch.float64)
    assert sce(same, same, None, **USUAL, coefficient=0.3).item() == pytest.approx(math.log(4), rel=1e-12)
    assert sce(same, same, same, **USUAL, coefficient=0.3).item() == pytest.approx(math.log(5), rel=1e-12)
    assert ressl(same, same, same, **USUAL).item() == pytest.approx(math.log(4), rel=1e-12)
