"""CACR against loops, against the authors' own outputs, and against what must hold of it."""

import inspect
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from contrastive.losses import cacr, cacr_queue, cacr_reweighted, cacr_weight_entropy, mixed_cacr
from tests import oracles_cacr as oracles
from tests.oracles import golden, on_the_sphere
from tests.oracles_cacr import golden_cacr

USUAL = {"attraction_temperature": 1.0, "repulsion_temperature": 2.0}
WEIGHTS = {"attraction_weight": 0.7, "repulsion_weight": 1.3}
PRECISIONS = [(torch.float64, 1e-9), (torch.float32, 2e-5)]

temperatures = st.fixed_dictionaries(
    {
        "attraction_temperature": st.sampled_from([0.0, 0.5, 1.0, 4.0]),
        "repulsion_temperature": st.sampled_from([0.0, 0.9, 2.0, 10.0]),
    }
)
weights = st.fixed_dictionaries(
    {
        "attraction_weight": st.sampled_from([0.0, 1.0, 3.0]),
        "repulsion_weight": st.sampled_from([0.5, 1.0, 2.0]),
    }
)
costs = st.sampled_from(["euclidean", "rbf"])


def some(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """The same numbers in every precision."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


@st.composite
def batches(draw: st.DrawFn, views: int = 4, least: int = 2) -> Tensor:
    """Views that lie close to each other, or not at all."""
    v, n, d = draw(st.integers(2, views)), draw(st.integers(least, 5)), draw(st.integers(1, 5))
    seed = draw(st.integers(0, 2**32))
    return some(n, d, seed=seed) + draw(st.sampled_from([0.01, 0.5, 3.0])) * some(v, n, d, seed=seed + 1)


def slope(value: Callable[[Tensor], float], rows: Tensor, step: float = 1e-5) -> Tensor:
    """Central differences."""
    steps = step * torch.eye(rows.numel(), dtype=rows.dtype).view(-1, *rows.shape)
    return torch.tensor([(value(rows + s) - value(rows - s)) / (2 * step) for s in steps]).view_as(rows)


def tangent(gradient: Tensor, rows: Tensor) -> Tensor:
    return on_the_sphere(gradient.flatten(0, -2), rows.detach().flatten(0, -2)).view_as(rows)


def gradient(loss: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    rows = rows.clone().requires_grad_()
    return torch.autograd.grad(loss(rows), rows)[0]


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-9) -> None:
    """To a share of the largest entry."""
    expected = expected.to(found.dtype)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * expected.abs().max().item())


# Against loops


@given(batches(), temperatures, weights, costs)
def test_it_is_the_loop_over_views_and_images(z: Tensor, taus, weights, cost: str):
    found = cacr(z, **taus, **weights, cost=cost).item()
    assert found == pytest.approx(oracles.cacr(z, **taus, **weights, cost=cost), rel=1e-9, abs=1e-11)


@given(batches(), temperatures, weights, st.booleans(), st.data())
def test_with_a_queue_it_is_the_loop_over_keys_queue_and_queries(
    z: Tensor, taus, weights, intra_batch: bool, data
):
    keys = z[: data.draw(st.integers(2, len(z)))] + 0.3 * some(*z.shape[1:], seed=2)
    given = z, keys, some(data.draw(st.integers(1, 5)), z.shape[2], seed=3)
    found = cacr_queue(*given, **taus, **weights, intra_batch=intra_batch).item()
    expected = oracles.cacr_queue(*given, **taus, **weights, intra_batch=intra_batch)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)


@given(batches(), st.sampled_from([0.1, 0.5, 1.0, 3.0]), costs)
def test_reweighted_it_is_the_loop_over_query_views(z: Tensor, temperature: float, cost: str):
    found = cacr_reweighted(z[1:], z[0], temperature=temperature, cost=cost).item()
    expected = oracles.cacr_reweighted(z[1:], z[0], temperature=temperature, cost=cost)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)


@given(batches(least=3), temperatures, weights, st.data())
def test_mixed_it_is_the_loop_over_both_sources(z: Tensor, taus, weights, data):
    n = z.shape[1]
    partner = data.draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    share = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    given = z[0], z[1:], z[-1] + some(*z.shape[1:], seed=4)
    found = mixed_cacr(
        *given, torch.tensor(partner), torch.tensor(share, dtype=z.dtype), **taus, **weights
    ).item()
    assert found == pytest.approx(
        oracles.mixed_cacr(*given, partner, share, **taus, **weights), rel=1e-9, abs=1e-11
    )


@pytest.mark.parametrize("cost", ["euclidean", "rbf"])
def test_its_gradient_flows_through_the_weights(cost: str):
    z = some(3, 3, 3)
    found = gradient(lambda x: cacr(x, **USUAL, **WEIGHTS, cost=cost), z)
    close(found, slope(lambda x: oracles.cacr(x, **USUAL, **WEIGHTS, cost=cost), z), 1e-7)


@pytest.mark.parametrize("cost", ["euclidean", "rbf"])
def test_with_detached_weights_its_gradient_is_that_of_the_loop_with_constant_weights(cost: str):
    z = some(3, 3, 3)
    found = gradient(lambda x: cacr(x, **USUAL, **WEIGHTS, cost=cost, detach_weights=True), z)
    close(found, slope(lambda x: oracles.cacr(x, **USUAL, **WEIGHTS, cost=cost, constant=z), z), 1e-7)
    assert cacr(z, **USUAL, cost=cost, detach_weights=True) == cacr(z, **USUAL, cost=cost)


@pytest.mark.parametrize("intra_batch", [True, False])
def test_with_a_queue_attraction_weights_and_queue_distances_in_the_weights_are_constants(intra_batch: bool):
    z, keys, queue = some(3, 3, 3), some(2, 3, 3, seed=1), some(4, 3, seed=2)
    options = {**USUAL, **WEIGHTS, "intra_batch": intra_batch}
    found = gradient(lambda x: cacr_queue(x, keys, queue, **options), z)
    close(found, slope(lambda x: oracles.cacr_queue(x, keys, queue, **options, constant=z), z), 1e-7)


@pytest.mark.parametrize("cost", ["euclidean", "rbf"])
def test_reweighted_the_weights_are_constants(cost: str):
    z, key = some(3, 3, 3), some(3, 3, seed=1)
    options = {"temperature": 0.5, "cost": cost}
    found = gradient(lambda x: cacr_reweighted(x, key, **options), z)
    close(found, slope(lambda x: oracles.cacr_reweighted(x, key, **options, constant=z), z), 1e-7)


def test_mixed_its_gradients_reach_mixture_positives_and_negatives():
    m, positives, negatives = some(4, 3), some(2, 4, 3, seed=1), some(4, 3, seed=2)
    partner, share = [1, 2, 3, 0], [0.3, 0.9, 0.5, 0.0]
    mixing = torch.tensor(partner), torch.tensor(share, dtype=torch.float64)
    options = {**USUAL, **WEIGHTS}
    for x, ours, loop in (
        (
            m,
            lambda x: mixed_cacr(x, positives, negatives, *mixing, **options),
            lambda x: oracles.mixed_cacr(x, positives, negatives, partner, share, **options),
        ),
        (
            positives,
            lambda x: mixed_cacr(m, x, negatives, *mixing, **options),
            lambda x: oracles.mixed_cacr(m, x, negatives, partner, share, **options),
        ),
        (
            negatives,
            lambda x: mixed_cacr(m, positives, x, *mixing, **options),
            lambda x: oracles.mixed_cacr(m, positives, x, partner, share, **options),
        ),
        (
            m,
            lambda x: mixed_cacr(x, positives, negatives, *mixing, **options, detach_weights=True),
            lambda x: oracles.mixed_cacr(x, positives, negatives, partner, share, **options, constant=m),
        ),
    ):
        close(gradient(ours, x), slope(loop, x), 1e-7)


def test_no_gradient_reaches_keys_and_queue():
    q, k, queue = some(2, 3, 3).requires_grad_(), some(2, 3, 3, seed=1), some(4, 3, seed=2)
    k.requires_grad_(), queue.requires_grad_()
    cacr_queue(q, k, queue, **USUAL).backward()
    for cost in ("rbf", "euclidean"):
        cacr_reweighted(q, k[0], temperature=0.5, cost=cost).backward()
    assert q.grad is not None
    assert k.grad is None
    assert queue.grad is None


@pytest.mark.parametrize("detach", [True, False])
@pytest.mark.parametrize("cost", ["euclidean", "rbf"])
def test_autograd_agrees_with_differences(cost: str, detach: bool):
    z = some(2, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: cacr(
            x, attraction_temperature=0.0, repulsion_temperature=0.0, cost=cost, detach_weights=detach
        ),
        z,
    )
    assert torch.autograd.gradcheck(lambda x: cacr(x, **USUAL, cost=cost), z)


# Against the authors' own code


def batch_form(numbers: dict) -> dict:
    return {
        "attraction_temperature": numbers["tau_pos"],
        "repulsion_temperature": numbers["tau_neg"],
        "attraction_weight": numbers["alpha"],
        "repulsion_weight": numbers["beta"],
    }


def is_the_reference(
    loss: Callable[[Tensor], Tensor], rows: Tensor, value: Tensor, slopes: Tensor, tolerance: float
) -> None:
    assert loss(rows).item() == pytest.approx(value.item(), rel=tolerance)
    close(gradient(loss, rows), tangent(slopes, rows), tolerance)


SMALL = [
    "small_01_cifar10_K1",
    "small_02_cifar10_K4",
    "small_04_stl_beta2_K2",
    "small_05_t0_K2",
    "small_06_none_K2",
    "small_07_without_w1",
    "small_08_without_w2",
    "small_10_rbf_K1",
    "small_11_rbf_K4",
]


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("case", SMALL)
def test_it_is_the_released_loss_and_gradient_whole_and_in_parts(case: str, dtype, tolerance: float):
    reference, numbers = golden_cacr(case)
    views = reference["in_views"].to(dtype)
    for part, without in (("", {}), ("_ca", {"repulsion_weight": 0.0}), ("_cr", {"attraction_weight": 0.0})):
        options = {
            **batch_form(numbers),
            "cost": numbers["cost"],
            "variant": numbers["choice"],
            **without,
        }
        is_the_reference(
            lambda x, options=options: cacr(x, **options),
            views,
            reference[f"out_loss{part}"],
            reference[f"grad{part}"],
            tolerance,
        )


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("case", ["moco_02_K4", "moco_03_nointra", "moco_04_clustered"])
def test_with_a_queue_it_is_the_released_loss_and_gradient_but_for_its_stale_product(
    case: str, dtype, tolerance: float
):
    reference, numbers = golden_cacr(case)
    q, k, queue = (reference[name].to(dtype) for name in ("in_q", "in_k", "in_queue"))
    for part, grad, without in (
        ("", "q", {}),
        ("_ca", "ca", {"repulsion_weight": 0.0}),
        ("_cr", "cr", {"attraction_weight": 0.0}),
    ):
        options = {**batch_form(numbers), "intra_batch": numbers["intra_batch"], **without}
        is_the_reference(
            lambda x, options=options: cacr_queue(x, k, queue.T, **options),
            q,
            reference[f"out_loss{part}_cachefix"],
            reference[f"grad_{grad}_cachefix"],
            tolerance,
        )


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize(
    "case", ["v3_rbf_01_two_crops", "v3_rbf_02_multicrop", "v3_euc_01_two_crops", "v3_euc_02_multicrop"]
)
def test_reweighted_it_is_the_released_imagenet_loss_and_gradient(case: str, dtype, tolerance: float):
    reference, numbers = golden_cacr(case)
    q, k = reference["in_q"].to(dtype), reference["in_k"].to(dtype)
    images = len(k) if numbers["cost"] == "euclidean" else 1  # released as a sum over images
    is_the_reference(
        lambda x: images * cacr_reweighted(x, k, temperature=numbers["T"], cost=numbers["cost"]),
        q,
        reference["out_loss"],
        reference["grad_q"],
        tolerance,
    )


def test_reweighted_with_one_query_view_it_is_the_loss_of_moco_v3():
    reference = golden("mocov3_solo")
    is_the_reference(
        lambda x: cacr_reweighted(x[None], reference["k"], temperature=reference.number("temperature")),
        reference["q"],
        reference["loss"],
        reference["grad_q"],
        1e-9,
    )


# What must hold of it


@settings(max_examples=30)
@given(batches(), temperatures, costs)
def test_a_temperature_of_zero_is_the_uniform_variant(z: Tensor, taus, cost: str):
    for variant, zero in (
        ("uniform_attraction", {"attraction_temperature": 0.0}),
        ("uniform_repulsion", {"repulsion_temperature": 0.0}),
        ("uniform", {"attraction_temperature": 0.0, "repulsion_temperature": 0.0}),
    ):
        expected = cacr(z, **{**taus, **zero}, cost=cost)
        assert cacr(z, **taus, cost=cost, variant=variant) == expected
        with_queue = z, z, z[0]
        expected = cacr_queue(*with_queue, **{**taus, **zero})
        assert cacr_queue(*with_queue, **taus, variant=variant) == expected


@settings(max_examples=30)
@given(batches(least=3), temperatures)
def test_mixed_a_temperature_of_zero_is_the_uniform_variant(z: Tensor, taus):
    given = z[0], z[1:], z[1], torch.arange(z.shape[1]).roll(1), torch.full(z.shape[1:2], 0.3).to(z.dtype)
    for variant, zero in (
        ("uniform_attraction", {"attraction_temperature": 0.0}),
        ("uniform_repulsion", {"repulsion_temperature": 0.0}),
        ("uniform", {"attraction_temperature": 0.0, "repulsion_temperature": 0.0}),
    ):
        assert mixed_cacr(*given, **taus, variant=variant) == mixed_cacr(*given, **{**taus, **zero})


def distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.tensor([[oracles.d2(x, y) for y in b.tolist()] for x in a.tolist()], dtype=torch.float64)


@given(batches())
def test_at_great_temperatures_it_is_the_farthest_positive_less_the_nearest_negative(z: Tensor):
    v, n = z.shape[:2]
    farthest = [
        max(oracles.d2(z[p, i].tolist(), z[q, i].tolist()) for q in range(v) if q != p)
        for p in range(v)
        for i in range(n)
    ]
    nearest = [
        min(oracles.d2(z[p, i].tolist(), z[q, j].tolist()) for j in range(n) if j != i)
        for p in range(v)
        for q in range(p + 1, v)
        for i in range(n)
    ]
    found = cacr(z, attraction_temperature=1e9, repulsion_temperature=1e9).item()
    assert found == pytest.approx(oracles.mean(farthest) - oracles.mean(nearest), abs=1e-7)


@given(batches(), costs)
def test_one_positive_more_that_is_a_duplicate_changes_the_weights_but_not_the_farthest(z: Tensor, cost: str):
    options = {"repulsion_temperature": 1.0, "repulsion_weight": 0.0, "cost": cost}
    # A copy of each view: the copy of the query itself, at distance 0, is never the farthest.
    twice = torch.cat([z, z])
    farthest = [cacr(x, **options, attraction_temperature=1e9).item() for x in (z, twice)]
    assert farthest[0] == pytest.approx(farthest[1], abs=1e-7)
    level = [cacr(x, **options, attraction_temperature=0.0).item() for x in (z, twice)]
    copies = 2 * (len(z) - 1) / (2 * len(z) - 1)
    assert level[1] == pytest.approx(copies * level[0], rel=1e-9, abs=1e-12)


@given(batches(views=2), st.floats(0, 100), st.floats(0, 100))
def test_with_one_positive_the_attraction_temperature_has_no_effect(z: Tensor, one: float, other: float):
    losses = [cacr(z, attraction_temperature=t, repulsion_temperature=1.0) for t in (one, other)]
    assert losses[0] == losses[1]


@given(batches(views=2), st.sampled_from([0.1, 0.5, 1.0]))
def test_with_one_positive_and_constant_weights_its_gradient_is_that_of_info_nce_without_the_positive_below(
    z: Tensor, temperature: float
):
    found = gradient(
        lambda x: cacr(
            x, attraction_temperature=1.0, repulsion_temperature=1 / (2 * temperature), detach_weights=True
        ),
        z,
    )

    def info_nce_less_the_positive(x: Tensor) -> Tensor:
        unit = x / x.norm(dim=2, keepdim=True)
        cosines = unit[0] @ unit[1].T / temperature
        others = cosines - torch.diag(torch.full((x.shape[1],), math.inf, dtype=x.dtype))
        return 2 * temperature * (others.logsumexp(1) - cosines.diagonal()).mean()

    torch.testing.assert_close(found, gradient(info_nce_less_the_positive, z), rtol=1e-9, atol=1e-11)


@given(batches(), temperatures, st.randoms(use_true_random=False))
def test_attraction_does_not_know_the_order_of_the_views(z: Tensor, taus, random):
    order = random.sample(range(len(z)), len(z))
    found = cacr(z[order], **taus, repulsion_weight=0.0)
    torch.testing.assert_close(found, cacr(z, **taus, repulsion_weight=0.0), rtol=1e-9, atol=1e-12)


def test_the_repulsion_of_two_views_is_one_way():
    z = some(2, 4, 3)
    assert cacr(z, **USUAL) != pytest.approx(cacr(z.flip(0), **USUAL).item(), rel=1e-3)


@settings(max_examples=30)
@given(batches(least=3), temperatures, st.randoms(use_true_random=False))
def test_order_of_images_rotation_and_length_change_nothing(z: Tensor, taus, random):
    v, n, d = z.shape
    seed = random.randrange(2**32)
    order = random.sample(range(n), n)
    rotation = torch.linalg.qr(some(d, d, seed=seed)).Q
    lengths = 0.1 + 10 * some(v, n, 1, seed=seed + 1).abs()
    moved = (lengths * z @ rotation)[:, order]
    partner, share = torch.arange(n).roll(1), torch.full((n,), 0.3, dtype=z.dtype)
    inverse = torch.tensor(order).argsort()
    for before, after in (
        (cacr(z, **taus), cacr(moved, **taus)),
        (cacr(z, **taus, cost="rbf"), cacr(moved, **taus, cost="rbf")),
        (cacr_queue(z, z, z[0], **taus), cacr_queue(moved, moved, moved[0], **taus)),
        (cacr_reweighted(z, z[0], temperature=0.5), cacr_reweighted(moved, moved[0], temperature=0.5)),
        (
            mixed_cacr(z[0], z[1:], z[1], partner, share, **taus),
            mixed_cacr(moved[0], moved[1:], moved[1], inverse[partner[order]], share, **taus),
        ),
    ):
        torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-11)


@given(batches(), temperatures, st.floats(0.1, 5), st.floats(0.1, 5), costs)
def test_it_is_linear_in_both_weights(z: Tensor, taus, alpha: float, beta: float, cost: str):
    attraction = cacr(z, **taus, repulsion_weight=0.0, cost=cost)
    repulsion = cacr(z, **taus, attraction_weight=0.0, cost=cost)
    found = cacr(z, **taus, attraction_weight=alpha, repulsion_weight=beta, cost=cost)
    torch.testing.assert_close(found, alpha * attraction + beta * repulsion, rtol=1e-12, atol=1e-12)


@given(batches(), temperatures)
def test_uniform_with_rbf_its_repulsion_is_the_uniformity_across_views(z: Tensor, taus):
    v, n = z.shape[:2]
    potentials = [
        math.log(
            oracles.mean(
                [
                    math.exp(-2 * oracles.d2(z[p, i].tolist(), z[q, j].tolist()))
                    for i in range(n)
                    for j in range(n)
                    if j != i
                ]
            )
        )
        for p in range(v)
        for q in range(p + 1, v)
    ]
    found = cacr(z, **taus, attraction_weight=0.0, cost="rbf", variant="uniform").item()
    assert found == pytest.approx(oracles.mean(potentials), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("cost", ["euclidean", "rbf"])
def test_the_weights_sum_to_one_so_equal_distances_are_the_loss(cost: str):
    corners = torch.eye(4, dtype=torch.float64).expand(3, 4, 4)
    found = cacr(corners, **USUAL, cost=cost).item()
    assert found == pytest.approx({"euclidean": -2, "rbf": -4}[cost], rel=1e-12)
    assert cacr_queue(corners, corners, torch.eye(4).double()[:1].neg(), **USUAL).item() < -2


def test_a_negative_far_beyond_the_mean_is_pulled_unless_the_weights_are_constants():
    near, far = [1.0, 0.0], [math.cos(3), math.sin(3)]
    z = torch.tensor([[near, near, near], [near, near, far]], dtype=torch.float64)
    toward = torch.tensor([math.sin(3), -math.cos(3)], dtype=torch.float64)
    for detach, downhill in ((False, 1), (True, -1)):
        pull = gradient(
            lambda x, detach=detach: cacr(x, **USUAL, attraction_weight=0.0, detach_weights=detach), z
        )
        assert torch.sign(-pull[1, 2] @ toward) == downhill


@given(batches(), st.booleans())
def test_more_views_of_queries_than_of_keys_are_attracted_to_all_keys(z: Tensor, intra_batch: bool):
    queue, options = z[0] + 1, {**USUAL, "intra_batch": intra_batch}
    crop = some(*z.shape[1:], seed=5)
    found = cacr_queue(torch.cat([z, crop[None]]), z, queue, **options)
    # A key view that no query shares: what a crop's attraction is.
    local = [oracles.lists(crop)[i] for i in range(z.shape[1])]
    attraction = []
    for i, row in enumerate(local):
        d = [oracles.d2(row, z[g, i].tolist()) for g in range(len(z))]
        attraction.append(oracles.weighted(oracles.shares(d), d))
    own = cacr_queue(torch.stack([crop, crop]), torch.stack([crop, crop]), queue, **options)
    expected = (len(z) * cacr_queue(z, z, queue, **options) + own + oracles.mean(attraction)) / (len(z) + 1)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


@given(batches(views=3))
def test_a_queue_that_is_there_twice_changes_nothing(z: Tensor):
    queue = some(3, z.shape[2], seed=1)
    doubled = torch.cat([queue, queue])
    with_both = cacr_queue(z, z, doubled, **USUAL, intra_batch=False)
    torch.testing.assert_close(with_both, cacr_queue(z, z, queue, **USUAL, intra_batch=False))


@given(batches(), costs)
def test_equal_query_views_share_alike(z: Tensor, cost: str):
    options = {"temperature": 0.5, "cost": cost}
    one = cacr_reweighted(z[:1], z[1], **options)
    torch.testing.assert_close(cacr_reweighted(z[:1].repeat(3, 1, 1), z[1], **options), one)


def test_what_is_left_out_is_the_published_form_with_both_weights_one():
    z, whole = some(3, 4, 5), {"attraction_weight": 1.0, "repulsion_weight": 1.0, "variant": "full"}
    assert cacr(z, **USUAL) == cacr(z, **USUAL, **whole, cost="euclidean", detach_weights=False)
    with_queue = z, z, z[0]
    assert cacr_queue(*with_queue, **USUAL) == cacr_queue(*with_queue, **USUAL, **whole, intra_batch=True)
    mixed = z[0], z[1:], z[1], *mixing(4, 0.3, torch.tensor([1, 2, 3, 0]))
    assert mixed_cacr(*mixed, **USUAL) == mixed_cacr(*mixed, **USUAL, **whole)
    assert cacr_reweighted(z, z[0], temperature=0.5) == cacr_reweighted(z, z[0], temperature=0.5, cost="rbf")


# Mixtures


def mixing(n: int, share: float, partner: Tensor | None = None) -> tuple[Tensor, Tensor]:
    return torch.arange(n) if partner is None else partner, torch.full((n,), share, dtype=torch.float64)


@given(batches(views=2, least=3), temperatures, weights, st.floats(0, 1), st.booleans())
def test_an_image_mixed_with_itself_is_plain_cacr_whatever_the_share(z, taus, weights, share, detach):
    options = {**taus, **weights, "detach_weights": detach}
    found = mixed_cacr(z[0], z[1:], z[1], *mixing(z.shape[1], share), **options)
    torch.testing.assert_close(found, cacr(z, **options), rtol=1e-9, atol=1e-11)


@given(batches(least=3), temperatures)
def test_with_a_share_of_one_it_is_plain_cacr_with_the_partner_left_out_of_the_negatives(z: Tensor, taus):
    n = z.shape[1]
    partner = torch.arange(n).roll(1)
    given = z[0], z[1:], z[1]
    attraction, plain = (
        mixed_cacr(*given, *mixing(n, 1, p), **taus, repulsion_weight=0.0) for p in (partner, torch.arange(n))
    )
    torch.testing.assert_close(attraction, plain, rtol=1e-12, atol=0)
    repulsion = []
    for i in range(n):
        d = [
            oracles.d2(z[0, i].tolist(), z[1, j].tolist())
            for j in range(n)
            if j != i and j != partner[i].item()
        ]
        repulsion.append(
            -oracles.weighted(oracles.shares([-taus["repulsion_temperature"] * x for x in d]), d)
        )
    found = mixed_cacr(*given, *mixing(n, 1, partner), **taus, attraction_weight=0.0).item()
    assert found == pytest.approx(oracles.mean(repulsion), rel=1e-9)


@given(batches(least=4), temperatures, st.floats(0, 1))
def test_swapping_the_sources_and_their_shares_changes_nothing(z: Tensor, taus, share: float):
    n = z.shape[1] - z.shape[1] % 2
    z = z[:, :n]
    partner = torch.arange(n).view(-1, 2).flip(1).flatten()
    found = mixed_cacr(z[0][partner], z[1:], z[1], *mixing(n, 1 - share, partner), **taus)
    expected = mixed_cacr(z[0], z[1:], z[1], *mixing(n, share, partner), **taus)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


@given(batches(least=3), temperatures, st.floats(0, 1))
def test_it_is_linear_in_the_share(z: Tensor, taus, share: float):
    n = z.shape[1]
    partner = torch.arange(n).roll(1)
    ends = [mixed_cacr(z[0], z[1:], z[1], *mixing(n, end, partner), **taus) for end in (0, 1)]
    found = mixed_cacr(z[0], z[1:], z[1], *mixing(n, share, partner), **taus)
    torch.testing.assert_close(found, (1 - share) * ends[0] + share * ends[1], rtol=1e-9, atol=1e-11)


# Diagnostics


@given(batches(), temperatures)
def test_the_entropies_are_those_of_the_loops_weights(z: Tensor, taus):
    found = cacr_weight_entropy(z.requires_grad_(), **taus)
    expected = oracles.weight_entropies(z, **taus)
    assert [x.item() for x in found] == pytest.approx(expected, rel=1e-9, abs=1e-11)
    assert not found.attraction.requires_grad
    assert not found.repulsion.requires_grad


def test_equal_weights_have_the_entropy_of_their_number_and_one_alone_none():
    z = some(4, 6, 3)
    level = cacr_weight_entropy(z, attraction_temperature=0.0, repulsion_temperature=0.0)
    assert [x.item() for x in level] == pytest.approx([math.log(3), math.log(5)], rel=1e-12)
    uniform = cacr_weight_entropy(z, attraction_temperature=9.0, repulsion_temperature=9.0, variant="uniform")
    torch.testing.assert_close(uniform, level)
    hot = cacr_weight_entropy(z, attraction_temperature=1e9, repulsion_temperature=1e9)
    assert [x.item() for x in hot] == pytest.approx([0, 0], abs=1e-12)


# Cost and numbers


def flops(loss: Callable[[], Tensor]) -> int:
    with FlopCounterMode(display=False) as counter:
        loss()
    return counter.get_total_flops()


def test_a_part_of_weight_zero_is_not_computed_and_no_product_is_larger_than_needed():
    v, n, d = 4, 8, 5
    z = some(v, n, d)
    attraction, repulsion = 2 * n * v * v * d, 2 * 6 * n * n * d
    for weights, expected in (
        ({}, attraction + repulsion),
        ({"repulsion_weight": 0.0}, attraction),
        ({"attraction_weight": 0.0}, repulsion),
    ):
        assert flops(lambda weights=weights: cacr(z, **USUAL, **weights)) == expected
    only = {"repulsion_weight": 0.0}
    assert flops(lambda: cacr_queue(z, z, z[0], **USUAL, **only)) == attraction
    assert flops(lambda: cacr_queue(z, z, z[0], **USUAL, attraction_weight=0.0)) > attraction
    mixed = z[0], z[1:], z[1], *mixing(n, 0.5)
    assert flops(lambda: mixed_cacr(*mixed, **USUAL, **only)) == 0
    with_nan = z[0], z[1:] * math.nan, z[1], *mixing(n, 0.5)
    assert torch.isfinite(mixed_cacr(*with_nan, **USUAL, attraction_weight=0.0))


def largest_kept(loss: Callable[[], Tensor]) -> int:
    sizes = [0]

    def keep(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss()
    return max(sizes)


def test_nothing_larger_than_the_pairs_or_the_queries_is_kept_for_the_backward_pass():
    v, n, d, k = 3, 16, 64, 512
    z, queue = some(v, n, d).requires_grad_(), some(k, d)
    pairs = 3
    assert largest_kept(lambda: cacr(z, **USUAL)) <= pairs * max(n * n, n * d) < n * n * d
    assert largest_kept(lambda: cacr_queue(z, z, queue, **USUAL)) <= v * n * d < min(v * n * k, k * d)


FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "euclidean": lambda z: cacr(z, **USUAL),
    "rbf": lambda z: cacr(z, **USUAL, cost="rbf"),
    "queue": lambda z: cacr_queue(z[:2], z[1:], z[2], **USUAL),
    "reweighted": lambda z: cacr_reweighted(z[1:], z[0], temperature=0.2),
    "reweighted euclidean": lambda z: cacr_reweighted(z[1:], z[0], temperature=0.2, cost="euclidean"),
    "mixed": lambda z: mixed_cacr(
        z[0],
        z[1:],
        z[1],
        torch.arange(z.shape[1]).roll(1),
        torch.full(z.shape[1:2], 0.3, dtype=z.dtype),
        **USUAL,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_autocast_does_not_coarsen_it(form: str):
    z = some(3, 8, 6, dtype=torch.float32).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = FORMS[form](z)
    assert loss.dtype == torch.float32
    assert loss == FORMS[form](z)
    coarse = FORMS[form](z.to(torch.bfloat16))
    assert coarse.dtype == torch.float32


@pytest.mark.parametrize("form", FORMS)
def test_where_all_rows_coincide_value_and_gradient_are_finite(form: str):
    z = torch.ones(3, 4, 3).requires_grad_()
    loss = FORMS[form](z)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("cost", ["euclidean", "rbf"])
def test_at_great_temperatures_float32_keeps_up_with_float64(cost: str):
    taus = {"attraction_temperature": 100.0, "repulsion_temperature": 100.0, "cost": cost}
    z = some(3, 32, 8, dtype=torch.float32).requires_grad_()
    loss = cacr(z, **taus)
    loss.backward()
    assert loss.item() == pytest.approx(cacr(some(3, 32, 8), **taus).item(), rel=2e-5)
    assert torch.isfinite(z.grad).all()


def test_reweighted_a_small_loss_keeps_its_digits_in_float32():
    axes = torch.eye(2)
    # Cosine 1 to the own key and 0 to the other: log(1 + exp(-20)), far below a step of float32 at 20.
    loss = cacr_reweighted(axes[None], axes, temperature=0.05)
    assert loss.item() == pytest.approx(0.1 * math.log1p(math.exp(-20)), rel=1e-5)


# What has no meaning

BATCH, QUEUE = (torch.ones(2, 3, 4),), (torch.ones(3, 3, 4), torch.ones(2, 3, 4), torch.ones(5, 4))
MIXED = torch.ones(3, 4), torch.ones(2, 3, 4), torch.ones(3, 4), torch.tensor([1, 2, 0]), torch.ones(3)


@pytest.mark.parametrize(
    ("function", "given"),
    [(cacr, BATCH), (cacr_queue, QUEUE), (mixed_cacr, MIXED), (cacr_weight_entropy, BATCH)],
)
def test_numbers_that_mean_nothing_are_refused(function: Callable[..., Tensor], given):
    # Unwrapped: with the type checks of the test suite on, they would refuse the variant first.
    function = inspect.unwrap(function)
    for name in (*USUAL, *WEIGHTS):
        if name in inspect.signature(function).parameters:
            for number in (-0.1, math.inf, math.nan):
                with pytest.raises(
                    ValueError, match=f"{name}={number} given; needs a finite number from 0 up"
                ):
                    function(*given, **{**USUAL, name: number})
    if "attraction_weight" in inspect.signature(function).parameters:
        with pytest.raises(ValueError, match="both weights are 0"):
            function(*given, **USUAL, attraction_weight=0.0, repulsion_weight=0.0)
    if "variant" in inspect.signature(function).parameters:
        with pytest.raises(ValueError, match='variant="none" given; needs one of full, uniform_attraction, '):
            function(*given, **USUAL, variant="none")


@pytest.mark.parametrize("shape", [(1, 3, 4), (2, 1, 4), (2, 3, 0), (3, 4)])
def test_a_batch_without_positive_or_negative_is_refused(shape: tuple[int, ...]):
    for function in (cacr, cacr_weight_entropy):
        with pytest.raises(
            ValueError, match=r"views \(.*\) given; needs \(2 views or more, 2 samples or more"
        ):
            inspect.unwrap(function)(torch.ones(shape), **USUAL)


def test_an_unknown_cost_is_refused():
    with pytest.raises(ValueError, match='cacr: cost="linear" given; needs one of euclidean, rbf'):
        inspect.unwrap(cacr)(*BATCH, **USUAL, cost="linear")
    with pytest.raises(ValueError, match='cacr_reweighted: cost="linear" given; needs one of euclidean, rbf'):
        inspect.unwrap(cacr_reweighted)(torch.ones(1, 3, 4), torch.ones(3, 4), temperature=1.0, cost="linear")


@pytest.mark.parametrize(
    ("queries", "keys", "queue", "message"),
    [
        ((3, 3, 4), (1, 3, 4), (5, 4), r"keys \(1, 3, 4\) given"),
        ((2, 3, 4), (3, 3, 4), (5, 4), r"queries \(2, 3, 4\), keys \(3, 3, 4\) given"),
        ((2, 3, 4), (2, 2, 4), (5, 4), "2 views of keys or more"),
        ((2, 3, 4), (2, 3, 2), (5, 4), "given; needs"),
        ((2, 0, 4), (2, 0, 4), (5, 4), "given; needs"),
        ((3, 4), (2, 3, 4), (5, 4), "given; needs"),
        ((2, 3, 4), (3, 4), (5, 4), "given; needs"),
        ((2, 3, 4), (2, 3, 4), (4, 5), r"queue \(4, 5\) given"),
        ((2, 3, 4), (2, 3, 4), (0, 4), r"queue \(0, 4\) given"),
    ],
)
def test_queries_keys_and_queue_that_do_not_fit_are_refused(queries, keys, queue, message: str):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(cacr_queue)(torch.ones(queries), torch.ones(keys), torch.ones(queue), **USUAL)


@pytest.mark.parametrize(
    ("queries", "key", "message"),
    [
        ((1, 1, 4), (1, 4), r"queries \(1, 1, 4\), key \(1, 4\) given; needs"),
        ((0, 3, 4), (3, 4), "1 view or more"),
        ((1, 3, 4), (2, 4), "2 samples or more"),
        ((3, 4), (4,), "given; needs"),
    ],
)
def test_queries_and_key_that_do_not_fit_are_refused(queries, key, message: str):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(cacr_reweighted)(torch.ones(queries), torch.ones(key), temperature=1.0)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_reweighted_a_temperature_that_is_not_above_zero_is_refused(temperature: float):
    with pytest.raises(ValueError, match=f"cacr_reweighted: temperature={temperature} given"):
        inspect.unwrap(cacr_reweighted)(torch.ones(1, 3, 4), torch.ones(3, 4), temperature=temperature)


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 4), (2, 2, 4), (2, 4), (2,), (2,)),
        ((3, 4), (0, 3, 4), (3, 4), (3,), (3,)),
        ((3, 4), (2, 4, 4), (3, 4), (3,), (3,)),
        ((3, 4), (2, 3, 4), (4, 4), (3,), (3,)),
        ((3, 4), (2, 3, 4), (3, 4), (2,), (3,)),
        ((3, 4), (2, 3, 4), (3, 4), (3,), (2,)),
        ((3, 1, 4), (2, 3, 1, 4), (3, 1, 4), (3,), (3,)),
    ],
)
def test_mixtures_that_do_not_fit_or_have_no_third_image_are_refused(shapes):
    given = [torch.zeros(shape, dtype=torch.long if at == 3 else None) for at, shape in enumerate(shapes)]
    with pytest.raises(ValueError, match=r"mixed_cacr: mixture .* given; needs .* with 2, both are sources"):
        inspect.unwrap(mixed_cacr)(*given, **USUAL)


def test_the_least_that_has_meaning_is_enough():
    assert torch.isfinite(cacr(some(2, 2, 1), **USUAL))
    assert torch.isfinite(cacr_queue(some(2, 1, 2), some(2, 1, 2, seed=1), some(1, 2, seed=2), **USUAL))
    assert torch.isfinite(cacr_reweighted(some(1, 2, 1), some(2, 1, seed=1), temperature=1.0))
    assert torch.isfinite(
        mixed_cacr(some(3, 2), some(1, 3, 2), some(3, 2), *mixing(3, 0.5, torch.tensor([1, 2, 0])), **USUAL)
    )
