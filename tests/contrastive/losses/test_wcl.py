"""WCL's graph and contrast against loops, against the authors' own outputs, and against what must hold."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contrastive.losses import (
    mixed_supervised_contrast,
    neighbour_contrast,
    nt_xent,
    sce,
    supervised_contrast,
    weak_labels,
)
from contrastive.losses.weak_labels import components
from tests import oracles_wcl as oracles
from tests.oracles import golden, on_the_sphere

temperatures = st.sampled_from([0.05, 0.1, 0.5, 2.0])
seeds = st.integers(0, 2**32)
precisions = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
# A gradient is the difference of terms of size 1 / temperature: what they lose to rounding does not shrink with it.
ROUNDING = {torch.float64: 1e-13, torch.float32: 1e-6}


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@st.composite
def rows(draw: st.DrawFn, least: int = 2, most: int = 9) -> Tensor:
    n, d = draw(st.integers(least, most)), draw(st.integers(2, 5))
    return normal(n, d, seed=draw(seeds))


@st.composite
def labelled(draw: st.DrawFn) -> tuple[Tensor, list[int]]:
    """Rows and labels of any kind: large, negative, some of them alone."""
    z = draw(rows())
    return z, draw(st.lists(st.sampled_from([-3, 0, 1, 10**12]), min_size=len(z), max_size=len(z)))


def swapped(z1: Tensor, z2: Tensor, temperature: float, **options: bool) -> Tensor:
    """The loss of a step: each view by the other's labels."""
    halves = [
        supervised_contrast(a, a, weak_labels(b), temperature=temperature, **options)
        for a, b in ((z1, z2), (z2, z1))
    ]
    return torch.stack(halves).mean()


# The graph


@given(rows(most=20))
def test_a_weak_label_is_the_smallest_row_of_the_component(z: Tensor):
    assert weak_labels(z).tolist() == oracles.components(oracles.nearest(z))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@given(st.integers(2, 24), st.integers(1, 3), st.integers(1, 3), seeds)
def test_among_neighbours_equally_near_the_first_is_taken(dtype: torch.dtype, n, d, size, seed):
    # A small grid: copies, copies of other lengths, opposites, rows of zeros.
    z = torch.randint(-size, size + 1, (n, d), generator=torch.Generator().manual_seed(seed))
    assert weak_labels(z.to(dtype)).tolist() == oracles.components(oracles.nearest(z.to(dtype)))


@given(st.integers(1, 4), st.integers(2, 9), st.integers(2, 64), seeds)
def test_copies_of_a_row_share_its_label_however_they_are_scaled(n: int, copies: int, d: int, seed: int):
    lengths = 0.1 + 9 * torch.rand(copies * n, 1, generator=torch.Generator().manual_seed(seed))
    for z in (normal(n, d, seed=seed).repeat(copies, 1) * lengths, normal(n, d).float().repeat(copies, 1)):
        assert torch.equal(weak_labels(z), weak_labels(z)[:n].repeat(copies))


@pytest.mark.parametrize("step", [1e-4, -1e-4])
def test_of_two_neighbours_the_nearer_is_taken_though_it_is_hardly_nearer(step: float):
    # Row 0 lies between row 1 and row 3, each of which has a closer companion.
    angles = torch.tensor([0.0, 1 + step, 1.3, -1.0, -1.3], dtype=torch.float64)
    z = torch.stack([angles.cos(), angles.sin()], dim=1)
    expected = [0, 1, 1, 0, 0] if step > 0 else [0, 0, 0, 3, 3]
    assert weak_labels(z.float()).tolist() == weak_labels(z).tolist() == expected
    closer = angles + torch.tensor([0, -step, 0, 0, 0]) * (1 - 1e-10)
    assert weak_labels(torch.stack([closer.cos(), closer.sin()], dim=1)).tolist() == expected


@given(st.lists(st.integers(0, 39), min_size=1, max_size=40))
def test_components_are_those_of_edges_joined_one_by_one(successor: list[int]):
    successor = [j % len(successor) for j in successor]
    assert components(torch.tensor(successor)).tolist() == oracles.components(successor)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 32, 33, 64, 65])
def test_chains_and_cycles_of_any_length_are_one_component(n: int):
    chain = torch.arange(1, n + 1).clamp(max=n - 1)
    cycle = torch.arange(1, n + 1) % n
    back = (torch.arange(n) - 1).clamp(min=0)
    for successor in (chain, cycle, back, cycle.flip(0).argsort()):
        assert components(successor).tolist() == oracles.components(successor.tolist())
    assert components(chain).tolist() == components(cycle).tolist() == [0] * n


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("case", [f"wcl_graph_{i}" for i in range(6)])
def test_the_graph_is_the_authors(case: str, dtype: torch.dtype):
    reference = golden(case)
    labels = weak_labels(reference["feats"].to(dtype))
    assert torch.equal(labels, reference["labels"])
    assert torch.equal(labels[:, None] == labels, reference["mask"])
    assert len(labels.unique()) == reference.number("n_components")


@given(rows(most=20))
def test_each_component_holds_one_pair_of_mutual_neighbours(z: Tensor):
    labels, nearest = weak_labels(z), oracles.nearest(z)
    mutual = [i for i, j in enumerate(nearest) if nearest[j] == i]
    assert sorted(labels[mutual].tolist()) == sorted(labels.unique().tolist() * 2)
    assert torch.equal(labels[labels], labels)


@given(rows(most=20), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_the_components(z: Tensor, random):
    order = random.sample(range(len(z)), len(z))
    labels, moved = weak_labels(z), weak_labels(z[order])
    assert torch.equal(moved[:, None] == moved, (labels[:, None] == labels)[order][:, order])


@given(rows(most=20), st.floats(0.1, 10), seeds)
def test_what_keeps_the_order_of_similarities_keeps_the_labels(z: Tensor, common: float, seed: int):
    rotation = torch.linalg.qr(normal(z.shape[1], z.shape[1], seed=seed)).Q
    lengths = 0.1 + normal(len(z), 1, seed=seed).abs()
    assert torch.equal(weak_labels(lengths * z @ rotation), weak_labels(z))
    # A direction common to all lifts all cosines: (s + c^2) / (1 + c^2).
    lifted = torch.cat([torch.nn.functional.normalize(z), torch.full((len(z), 1), common)], dim=1)
    assert torch.equal(weak_labels(lifted), weak_labels(z))


def test_labels_have_no_gradient_and_leave_the_rows_as_they_were():
    z = normal(6, 3).requires_grad_()
    before = z.detach().clone()
    labels = weak_labels(z)
    assert labels.dtype == torch.long
    assert not labels.requires_grad
    assert torch.equal(z, before)


def test_autocast_does_not_move_the_graph():
    z = normal(256, 16).float()
    with torch.autocast("cpu", torch.bfloat16):
        labels = weak_labels(z)
    assert torch.equal(labels, weak_labels(z))
    assert torch.equal(weak_labels(z.bfloat16()), weak_labels(z.bfloat16().float()))


# The contrast against loops and against the authors' own code


@given(labelled(), temperatures, st.booleans())
def test_it_is_the_loop_over_anchors_and_positives(given, temperature: float, detach: bool):
    z, labels = given
    loss = supervised_contrast(z, z, torch.tensor(labels), temperature=temperature, detach_keys=detach)
    expected = oracles.supervised_contrast(z, z, labels, temperature)
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(labelled(), temperatures, seeds, st.data())
def test_anchors_of_their_own_have_every_key_of_their_label_as_positive(given, temperature, seed, data):
    keys, labels = given
    anchors = normal(data.draw(st.integers(1, 7)), keys.shape[1], seed=seed)
    own = [data.draw(st.sampled_from([-3, 0, 1, 7, 10**13])) for _ in anchors]
    loss = supervised_contrast(
        anchors, keys, torch.tensor(labels), temperature=temperature, anchor_labels=torch.tensor(own)
    )
    expected = oracles.supervised_contrast(anchors, keys, labels, temperature, own)
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(labelled(), temperatures, seeds, st.data())
def test_mixtures_are_the_loop_over_both_sources(given, temperature: float, seed: int, data):
    keys, labels = given
    n = len(keys)
    mixture = normal(*keys.shape, seed=seed)
    partner = data.draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    share = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    loss = mixed_supervised_contrast(
        mixture,
        keys,
        torch.tensor(labels),
        torch.tensor(partner),
        torch.tensor(share, dtype=torch.float64),
        temperature=temperature,
    )
    expected = oracles.mixed_supervised_contrast(
        mixture, keys, labels, partner, share, temperature=temperature
    )
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(rows(), temperatures, seeds, st.data())
def test_given_positives_it_is_the_loop_over_them(keys: Tensor, temperature: float, seed: int, data):
    anchors = normal(data.draw(st.integers(1, 7)), keys.shape[1], seed=seed)
    k = data.draw(st.integers(1, 4))
    choice = st.lists(st.integers(0, len(keys) - 1), min_size=k, max_size=k)
    positives = [data.draw(choice) for _ in anchors]
    loss = neighbour_contrast(anchors, keys, torch.tensor(positives), temperature=temperature)
    expected = oracles.neighbour_contrast(anchors, keys, positives, temperature)
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@precisions
@pytest.mark.parametrize("detach", [True, False])
@pytest.mark.parametrize("case", [f"wcl_supcon_{i}" for i in range(4)])
def test_it_is_the_authors_loss_and_gradient(case: str, detach: bool, dtype: torch.dtype, tolerance: float):
    reference = golden(case)
    t, z = reference.number("temperature"), reference["feats"]
    labels = reference["mask"].argmax(1)
    given = z.to(dtype, copy=True).requires_grad_()
    loss = supervised_contrast(given, given, labels, temperature=t, detach_keys=detach)
    loss.backward()
    assert loss.item() == pytest.approx(reference.number("loss"), rel=tolerance)
    slope = reference["grad_logits"] if detach else reference["grad_logits"] + reference["grad_logits"].T
    expected = on_the_sphere(slope @ z / t, z).to(dtype)
    torch.testing.assert_close(given.grad, expected, rtol=tolerance, atol=ROUNDING[dtype])


@pytest.mark.parametrize("case", [f"wcl_supcon_{i}" for i in range(4)])
def test_with_all_keys_in_the_denominator_it_is_the_authors_loss_without_their_diagonal_mask(case: str):
    reference = golden(case)
    labels = reference["mask"].argmax(1)
    loss = supervised_contrast(
        reference["feats"],
        reference["feats"],
        labels,
        temperature=reference.number("temperature"),
        anchor_labels=labels,
    )
    assert loss.item() == pytest.approx(reference.number("loss_nodiag"), rel=1e-9)


@precisions
@pytest.mark.parametrize(
    ("case", "prefix"),
    [("wcl_forward_0", ""), ("wcl_forward_1", ""), ("wcl_ddp_0", "single_"), ("wcl_ddp_1", "single_")],
)
def test_a_step_has_the_authors_losses_and_gradients(
    case: str, prefix: str, dtype: torch.dtype, tolerance: float
):
    reference = golden(case)
    t, names = reference.number("temperature"), ["z1_nce", "z2_nce", "z1_graph", "z2_graph"]
    z = [reference[name].to(dtype, copy=True).requires_grad_() for name in names]
    instances, graph = nt_xent(z[0], z[1], temperature=t), swapped(z[2], z[3], t)
    (instances + graph).backward()
    assert instances.item() == pytest.approx(reference.number(f"{prefix}nce_loss"), rel=tolerance)
    assert graph.item() == pytest.approx(reference.number(f"{prefix}graph_loss"), rel=tolerance)
    for rows, name in zip(z, names, strict=True):
        expected = reference[f"{prefix}grad_{name}"].to(dtype)
        torch.testing.assert_close(rows.grad, expected, rtol=tolerance, atol=ROUNDING[dtype])


@pytest.mark.parametrize("case", ["wcl_ddp_0", "wcl_ddp_1"])
def test_of_gathered_embeddings_it_is_the_mean_of_the_ranks_losses(case: str):
    reference = golden(case)
    z1, z2 = (reference[name].requires_grad_() for name in ("z1_graph", "z2_graph"))
    loss = swapped(z1, z2, reference.number("temperature"))
    loss.backward()
    assert loss.item() == pytest.approx(reference["rank_graph_loss"].mean().item(), rel=1e-9)
    for z, name in ((z1, "z1"), (z2, "z2")):
        ranks = reference[f"rank_grad_{name}_graph"].flatten(0, 1) / reference.number("world_size")
        torch.testing.assert_close(z.grad, ranks, rtol=1e-9, atol=1e-13)


# What must hold


@given(rows(least=2, most=2), rows(least=2, most=2), temperatures)
def test_two_samples_are_one_component_and_cost_nothing(z1: Tensor, z2: Tensor, temperature: float):
    assert weak_labels(z1).tolist() == [0, 0]
    assert swapped(z1, z1, temperature).item() == pytest.approx(0, abs=1e-12)
    assert swapped(z2, z2, temperature, detach_keys=False).item() == pytest.approx(0, abs=1e-12)


def test_with_all_samples_in_one_component_it_is_the_log_sum_less_the_mean():
    star = torch.cat([torch.zeros(1, 5), torch.eye(5)]) + torch.eye(5)[:1] / 2 + 1
    z = star.double()
    logits = torch.nn.functional.cosine_similarity(z[:, None], z[None], dim=2) / 0.5
    apart = logits[~torch.eye(6, dtype=torch.bool)].view(6, 5)
    loss = supervised_contrast(z, z, torch.zeros(6, dtype=torch.long), temperature=0.5)
    torch.testing.assert_close(loss, (apart.logsumexp(1) - apart.mean(1)).mean(), rtol=1e-12, atol=0)


def test_without_any_positive_it_is_zero_and_so_is_its_gradient():
    z = normal(4, 3).requires_grad_()
    alone = torch.arange(4)
    losses = [
        supervised_contrast(z, z, alone, temperature=0.1, detach_keys=False),
        supervised_contrast(z, z, alone, temperature=0.1, anchor_labels=alone + 9),
        mixed_supervised_contrast(z, z, alone, alone.flip(0), torch.full((4,), 0.3), temperature=0.1),
    ]
    sum(losses).backward()
    assert [loss.item() for loss in losses] == [0, 0, 0]
    assert torch.equal(z.grad, torch.zeros_like(z))


@given(rows(), rows(), temperatures, st.booleans())
def test_swapping_the_views_changes_nothing(z1: Tensor, z2: Tensor, temperature: float, detach: bool):
    n = min(len(z1), len(z2))
    one = swapped(z1[:n], z2[:n], temperature, detach_keys=detach)
    torch.testing.assert_close(one, swapped(z2[:n], z1[:n], temperature, detach_keys=detach))


@given(labelled(), temperatures, st.randoms(use_true_random=False), st.booleans())
def test_order_rotation_length_and_names_of_labels_change_nothing(given, temperature, random, detach):
    z, labels = given[0], torch.tensor(given[1])
    n, d = z.shape
    order, seed = random.sample(range(n), n), random.randrange(2**32)
    rotation = torch.linalg.qr(normal(d, d, seed=seed)).Q
    lengths = 0.1 + normal(n, 1, seed=seed).abs()
    moved = (lengths * z @ rotation)[order]
    options = {"temperature": temperature, "detach_keys": detach}
    loss = supervised_contrast(moved, moved, 5 - labels[order], **options)
    torch.testing.assert_close(loss, supervised_contrast(z, z, labels, **options), rtol=1e-9, atol=1e-11)


def test_labels_of_a_smaller_integer_type_are_labels_too():
    z, labels = normal(6, 3), torch.tensor([1, 1, 2, 2, 2, 9])
    loss = supervised_contrast(z, z, labels, temperature=0.1)
    assert supervised_contrast(z, z, labels.to(torch.int32), temperature=0.1) == loss


@given(labelled(), temperatures, seeds, st.data())
def test_mixtures_of_one_image_alone_are_anchors(given, temperature: float, seed: int, data):
    z, labels = given[0], torch.tensor(given[1])
    mixture = normal(*z.shape, seed=seed)
    partner = torch.tensor(data.draw(st.permutations(range(len(z)))))
    one, none = torch.ones(len(z)).double(), torch.zeros(len(z)).double()
    options = {"temperature": temperature}
    plain = supervised_contrast(mixture, z, labels, **options)
    own = torch.arange(len(z))
    for expected, p, share in (
        (plain, partner, one),
        (plain, own, data.draw(st.floats(0, 1)) * one),
        (supervised_contrast(mixture[partner.argsort()], z, labels, **options), partner, none),
    ):
        loss = mixed_supervised_contrast(mixture, z, labels, p, share, **options)
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-13)


@given(labelled(), temperatures, seeds, st.floats(0, 1), st.data())
def test_mixtures_are_affine_in_the_share_and_blind_to_which_source_comes_first(
    given, temperature: float, seed: int, share: float, data
):
    z, labels = given[0], torch.tensor(given[1])
    mixture = normal(*z.shape, seed=seed)
    partner = torch.tensor(data.draw(st.permutations(range(len(z)))))

    def at(mixture: Tensor, partner: Tensor, share: float) -> Tensor:
        shares = torch.full((len(z),), share, dtype=torch.float64)
        return mixed_supervised_contrast(mixture, z, labels, partner, shares, temperature=temperature)

    between = share * at(mixture, partner, 1.0) + (1 - share) * at(mixture, partner, 0.0)
    torch.testing.assert_close(at(mixture, partner, share), between, rtol=1e-11, atol=1e-13)
    back = partner.argsort()
    torch.testing.assert_close(
        at(mixture[back], back, 1 - share), at(mixture, partner, share), rtol=1e-11, atol=1e-13
    )


@given(rows(), temperatures, seeds)
def test_with_its_own_key_as_only_neighbour_it_is_info_nce_over_the_batch(keys: Tensor, temperature, seed):
    anchors = normal(*keys.shape, seed=seed)
    own = torch.arange(len(keys))[:, None]
    expected = sce(anchors, keys, None, temperature=temperature, target_temperature=1.0, coefficient=1.0)
    loss = neighbour_contrast(anchors, keys, own, temperature=temperature)
    torch.testing.assert_close(loss, expected, rtol=1e-11, atol=1e-13)


@given(labelled(), temperatures, seeds)
def test_neighbours_that_are_all_keys_of_a_label_are_that_label(given, temperature: float, seed: int):
    keys, labels = given[0], torch.tensor(given[1])
    chosen = labels[0].item()
    anchors = normal(3, keys.shape[1], seed=seed)
    positives = (labels == chosen).nonzero().T.repeat(3, 1)
    torch.testing.assert_close(
        neighbour_contrast(anchors, keys, positives, temperature=temperature),
        supervised_contrast(
            anchors, keys, labels, temperature=temperature, anchor_labels=torch.full((3,), chosen)
        ),
        rtol=1e-11,
        atol=1e-13,
    )


SHARE = torch.tensor([0.2, 0.9, 0.5, 0.0, 1.0], dtype=torch.float64)
LABELS = torch.tensor([1, 0, 1, 0, 0])
PARTNER = torch.tensor([1, 0, 3, 4, 2])
FORMS = {
    "anchors": lambda a, k, **o: supervised_contrast(a, k, LABELS, **o),
    "crops": lambda a, k, **o: supervised_contrast(a, k, LABELS, anchor_labels=LABELS.flip(0), **o),
    "mixtures": lambda a, k, **o: mixed_supervised_contrast(a, k, LABELS, PARTNER, SHARE, **o),
    "neighbours": lambda a, k, **o: neighbour_contrast(a, k, PARTNER.view(5, 1).repeat(1, 2), **o),
}
forms = pytest.mark.parametrize("form", list(FORMS))


@forms
def test_its_gradient_is_the_slope_of_its_value(form: str):
    anchors, keys = (z.requires_grad_() for z in normal(2, 5, 3))
    assert torch.autograd.gradcheck(
        lambda a, k: FORMS[form](a, k, temperature=0.5, detach_keys=False), (anchors, keys)
    )


@forms
def test_no_gradient_reaches_the_keys_unless_it_is_asked_for(form: str):
    anchors, keys = (z.requires_grad_() for z in normal(2, 5, 3))
    FORMS[form](anchors, keys, temperature=0.1).backward()
    assert keys.grad is None
    one_sided, anchors.grad = anchors.grad, None
    FORMS[form](anchors, keys, temperature=0.1, detach_keys=False).backward()
    assert keys.grad.abs().max() > 0.01
    torch.testing.assert_close(anchors.grad, one_sided, rtol=1e-12, atol=1e-15)


@forms
def test_what_it_is_given_is_left_as_it_was(form: str):
    anchors, keys = normal(2, 5, 3)
    before = anchors.clone(), keys.clone(), LABELS.clone(), PARTNER.clone()
    FORMS[form](anchors, keys, temperature=0.1)
    assert all(map(torch.equal, (anchors, keys, LABELS, PARTNER), before))


@forms
def test_at_temperature_one_hundredth_float32_keeps_up_with_float64(form: str):
    anchors, keys = normal(2, 5, 3)
    given = anchors.float().requires_grad_()
    loss = FORMS[form](given, keys.float(), temperature=0.01)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(FORMS[form](anchors, keys, temperature=0.01).item(), rel=2e-5)
    assert torch.isfinite(given.grad).all()


@forms
def test_autocast_and_half_precision_do_not_coarsen_it(form: str):
    anchors, keys = normal(2, 5, 3).bfloat16()
    exact = FORMS[form](anchors.float(), keys.float(), temperature=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        assert FORMS[form](anchors.float(), keys.float(), temperature=0.1) == exact
    assert FORMS[form](anchors, keys, temperature=0.1) == exact


@forms
def test_when_all_embeddings_agree_it_is_the_log_of_the_number_of_candidates(form: str):
    same = torch.ones(5, 3, dtype=torch.float64)
    candidates = 4 if form in ("anchors", "mixtures") else 5
    assert FORMS[form](same, same, temperature=0.1).item() == pytest.approx(math.log(candidates), rel=1e-12)


# What has no meaning


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3), "weak_labels: 1 row of z given; needs 2 or more"),
        ((4, 3, 2), "z"),
        ((4,), "z"),
        ((0, 3), "1 or more"),
    ],
)
def test_a_graph_of_less_than_two_rows_is_refused(shape: tuple[int, ...], message: str):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(weak_labels)(torch.ones(shape))


def label(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.long)


@pytest.mark.parametrize(
    ("loss", "anchors", "keys", "given", "options", "message"),
    [
        (supervised_contrast, (4, 3), (4, 2), [label(4)], {}, r"keys \(4, 2\)"),
        (supervised_contrast, (3, 3), (4, 3), [label(4)], {}, r"anchors \(3, 3\) and keys \(4, 3\)"),
        (supervised_contrast, (1, 3), (1, 3), [label(1)], {}, "1 row of keys given; needs 2 or more"),
        (
            supervised_contrast,
            (4, 3),
            (4, 3),
            [label(3)],
            {},
            r"labels \(3,\) given; needs \(4,\), one .* key",
        ),
        (supervised_contrast, (4, 3), (4, 3), [label(4, 1)], {}, r"labels \(4, 1\) given"),
        (
            supervised_contrast,
            (2, 3),
            (4, 3),
            [label(4)],
            {"anchor_labels": label(4)},
            r"anchor_labels \(4,\) given; needs \(2,\), one for each anchor",
        ),
        (supervised_contrast, (2,), (4, 2), [label(4)], {"anchor_labels": label(2)}, r"anchors \(2,\)"),
        (supervised_contrast, (0, 3), (4, 3), [label(4)], {"anchor_labels": label(0)}, r"anchors \(0, 3\)"),
        (supervised_contrast, (4, 3), (4, 3), [label(4)], {"temperature": 0.0}, "temperature=0.0"),
        (mixed_supervised_contrast, (3, 3), (4, 3), [label(4)] * 3, {}, r"mixture \(3, 3\) and keys"),
        (mixed_supervised_contrast, (1, 3), (1, 3), [label(1)] * 3, {}, "1 row of keys"),
        (mixed_supervised_contrast, (4, 3), (4, 3), [label(3), label(4), label(4)], {}, r"labels \(3,\)"),
        (mixed_supervised_contrast, (4, 3), (4, 3), [label(4), label(3), label(4)], {}, r"partner \(3,\)"),
        (mixed_supervised_contrast, (4, 3), (4, 3), [label(4), label(4), label(1)], {}, r"share \(1,\)"),
        (mixed_supervised_contrast, (4, 3), (4, 3), [label(4)] * 3, {"temperature": -1.0}, "temperature=-1"),
        (neighbour_contrast, (4, 3), (5, 2), [label(4, 2)], {}, r"keys \(5, 2\)"),
        (neighbour_contrast, (2,), (5, 2), [label(2, 2)], {}, r"anchors \(2,\)"),
        (neighbour_contrast, (4, 3), (1, 3), [label(4, 2)], {}, "1 row of keys"),
        (neighbour_contrast, (4, 3), (5, 3), [label(3, 2)], {}, r"positives \(3, 2\) given; needs \(4, 1 or"),
        (neighbour_contrast, (4, 3), (5, 3), [label(4, 0)], {}, r"positives \(4, 0\)"),
        (neighbour_contrast, (4, 3), (5, 3), [label(4)], {}, r"positives \(4,\)"),
        (neighbour_contrast, (4, 3), (5, 3), [label(4, 2)], {"temperature": math.nan}, "temperature=nan"),
    ],
)
def test_what_has_no_meaning_is_refused(loss, anchors, keys, given, options, *, message: str):
    with pytest.raises(ValueError, match=f"{loss.__name__}: .*{message}"):
        # Unwrapped: with the type checks of the test suite on, they would refuse the shapes first.
        inspect.unwrap(loss)(torch.ones(anchors), torch.ones(keys), *given, **{"temperature": 0.1, **options})


@pytest.mark.parametrize("width", [1, 3])
def test_one_anchor_is_enough_among_two_keys(width: int):
    keys, labels = torch.eye(3)[:2, :width] + 1, torch.tensor([0, 1])
    one = supervised_contrast(keys[:1], keys, labels, temperature=0.5, anchor_labels=labels[:1])
    assert neighbour_contrast(keys[:1], keys, labels[:1, None], temperature=0.5) == pytest.approx(one.item())
