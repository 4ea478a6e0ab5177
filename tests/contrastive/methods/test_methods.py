"""Each method's loss against the paper's sum written out on its embeddings, and what makes two methods one."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from contrastive.config import Config, in_words, replace
from contrastive.losses import (
    align_uniform,
    byol,
    cacr,
    cacr_queue,
    cacr_reweighted,
    debiased,
    decoupled,
    hard_negative,
    info_nce,
    mmcl,
    mmcl_queue,
    neighbour_contrast,
    nnclr,
    nt_xent,
    ressl,
    sce,
    supervised_contrast,
    support_neighbours,
    weak_labels,
)
from contrastive.methods import (
    BSIM,
    BYOL,
    CACR,
    HCL,
    MMCL,
    NNCLR,
    SCE,
    WCL,
    AlignUniform,
    Debiased,
    Decoupled,
    MoCo,
    ReSSL,
    SimCLR,
)
from contrastive.methods.protocol import Embeddings, Method
from contrastive.schedule import Momentum
from contrastive.views import draw_mixture

COUNT, WIDTH = 12, 6


def rows(seed: int, count: int = COUNT) -> Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def embeddings(method: Method, *, epoch: int = 99, mixed: bool = False) -> Embeddings:
    """Random embeddings of every view that the method wants; view v is near view 0."""
    parts = method.assembly

    def view(position: int, network: int) -> Tensor:
        return rows(0) + 0.5 * rows(1 + position + 100 * network)

    online = parts.mixing.online if mixed and parts.mixing else parts.online
    generator = torch.Generator().manual_seed(3)
    return Embeddings(
        online={v: view(v, 0) for v in online},
        target={v: view(v, 1) for v in parts.target},
        queue=torch.nn.functional.normalize(rows(900, 24), dim=1) if parts.queue else None,
        second={v: view(v, 2) for v in online} if parts.second_projector else {},
        projected={v: view(v, 3) for v in online},
        mixture=draw_mixture(COUNT, height=32, width=32, generator=generator) if mixed else None,
        epoch=epoch,
    )


def loss(method: Method, given: Embeddings) -> float:
    return method.loss(given, lambda z: z).item()


def test_moco_is_info_nce_of_the_online_view_and_the_other_views_key() -> None:
    method = MoCo(queue=24, temperature=0.2)
    given = embeddings(method)
    expected = info_nce(given.online[1], given.target[0], given.queue, temperature=0.2)
    assert loss(method, given) == expected.item()


def test_symmetric_moco_is_the_mean_of_both_directions() -> None:
    method = MoCo(queue=24, symmetric=True)
    given = embeddings(method)
    one, other = (
        info_nce(given.online[i], given.target[1 - i], given.queue, temperature=method.temperature)
        for i in (0, 1)
    )
    assert loss(method, given) == pytest.approx((one + other).item() / 2, rel=1e-12)


def test_byol_adds_its_directions() -> None:
    given = embeddings(BYOL())
    one, other = (byol(given.online[i], given.target[1 - i]) for i in (0, 1))
    assert loss(BYOL(), given) == pytest.approx((one + other).item(), rel=1e-12)
    assert loss(BYOL(symmetric=False), given) == pytest.approx(
        byol(given.online[1], given.target[0]).item(), rel=1e-12
    )


def test_ressl_is_the_mean_over_its_online_crops() -> None:
    method = ReSSL(queue=24, views=("weak", "strong", "local"))
    given = embeddings(method)
    taus = {"temperature": 0.1, "target_temperature": 0.04}
    expected = [ressl(given.online[v], given.target[0], given.queue, **taus).item() for v in (1, 2)]
    assert loss(method, given) == pytest.approx(sum(expected) / 2, rel=1e-12)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("queue", [0, 24])
def test_sce_is_the_mean_over_pairs_of_a_target_view_and_another_online_view(
    symmetric: bool, queue: int
) -> None:
    method = SCE(queue=queue, symmetric=symmetric, views=("strong", "second", "local"), coefficient=0.3)
    given = embeddings(method)
    pairs = [(t, o) for t in ((0, 1) if symmetric else (0,)) for o in given.online if o != t]
    assert len(pairs) == (4 if symmetric else 2)
    expected = [
        sce(
            given.online[o],
            given.target[t],
            given.queue,
            temperature=0.1,
            target_temperature=0.05,
            coefficient=0.3,
        ).item()
        for t, o in pairs
    ]
    assert loss(method, given) == pytest.approx(sum(expected) / len(pairs), rel=1e-12)


def test_sce_with_the_weights_of_a_coefficient_is_sce_with_that_coefficient() -> None:
    given = embeddings(SCE(queue=24))
    weighted = SCE(queue=24, weights=(0.3, 0.7, 0.7))
    assert loss(weighted, given) == pytest.approx(loss(SCE(queue=24, coefficient=0.3), given), rel=1e-12)


def test_sce_without_relations_is_moco() -> None:
    method = SCE(queue=24, coefficient=1.0, temperature=0.2)
    given = embeddings(method)
    assert loss(method, given) == pytest.approx(loss(MoCo(queue=24, temperature=0.2), given), rel=1e-12)


def test_mmcl_hands_all_its_fields_to_its_machines() -> None:
    method = MMCL(
        kernel="rbf", bandwidth=20.0, bandwidth_drops=(6,), regularisation=0.2, penalty=0.1, symmetric=True
    )
    given = embeddings(method, epoch=6)
    options: dict[str, Any] = {"bandwidth": 2.0, "regularisation": 0.2, "penalty": 0.1, "symmetric": True}
    assert loss(method, given) == mmcl(given.online[0], given.online[1], **options).item()
    early = mmcl(given.online[0], given.online[1], **{**options, "bandwidth": 20.0}).item()
    assert loss(method, embeddings(method, epoch=5)) == early


def test_the_bandwidth_drops_in_the_epochs_that_are_named() -> None:
    method = MMCL(bandwidth=50.0, bandwidth_drops=(1, 75, 125))
    found = [method.bandwidth_at(epoch) for epoch in (1, 74, 75, 124, 125, 400)]
    assert found == pytest.approx([5.0, 5.0, 0.5, 0.5, 0.05, 0.05])
    assert MMCL(bandwidth=50.0, bandwidth_drops=(2,)).bandwidth_at(1) == 50.0


def test_mmcl_with_a_queue_asks_the_queue() -> None:
    method = MMCL(queue=24)
    given = embeddings(method)
    expected = mmcl_queue(given.online[1], given.target[0], given.queue, bandwidth=10.0, regularisation=0.1)
    assert loss(method, given) == expected.item()


def test_mmcl_reports_what_its_machines_are_like() -> None:
    method = MMCL(penalty=0.1)
    found = method.diagnose(embeddings(method), lambda z: z)
    assert set(found) == {"mmcl_margin", "mmcl_share_zero", "mmcl_share_at_penalty", "mmcl_kkt_residual"}
    assert found["mmcl_margin"] > 0
    assert found["mmcl_kkt_residual"] < 1e-6


def test_wcl_is_instances_plus_the_graphs_of_the_other_view() -> None:
    method = WCL(graph_weight=0.5)
    given = embeddings(method)
    labels = [weak_labels(given.second[v]) for v in (0, 1)]
    weak = [
        supervised_contrast(given.second[v], given.second[v], labels[1 - v], temperature=0.1) for v in (0, 1)
    ]
    instances = nt_xent(given.online[0], given.online[1], temperature=0.1)
    assert loss(method, given) == pytest.approx((instances + 0.5 * (weak[0] + weak[1]) / 2).item(), rel=1e-12)


def test_wcl_without_its_graph_is_simclr() -> None:
    given = embeddings(WCL())
    assert loss(WCL(graph_weight=0.0), given) == loss(SimCLR(temperature=0.1), given)


def test_wcls_crops_of_neighbours_carry_the_images_weak_label() -> None:
    method = WCL(neighbours=2, crops=2)
    given = embeddings(method)
    rest = loss(WCL(), embeddings(WCL()))
    labels = [weak_labels(given.second[1 - v]) for v in (0, 1)]
    crops = [
        supervised_contrast(
            given.second[c], given.second[v], labels[v], anchor_labels=labels[v], temperature=0.1
        ).item()
        for c in (2, 3)
        for v in (0, 1)
    ]
    assert loss(method, given) == pytest.approx(rest + sum(crops) / 4, rel=1e-12)


def test_wcls_own_crops_have_the_views_nearest_rows_for_positives() -> None:
    method = WCL(neighbours=3, crops=1, crop_reading="features")
    given = embeddings(method)
    terms = []
    for v in (0, 1):
        unit = torch.nn.functional.normalize(given.second[v], dim=1)
        nearest = torch.tensor(
            [sorted(range(COUNT), key=lambda j: -(unit[i] @ unit[j]))[:3] for i in range(COUNT)]
        )
        terms.append(neighbour_contrast(given.second[2], given.second[v], nearest, temperature=0.1).item())
    rest = loss(WCL(), embeddings(WCL()))
    assert loss(method, given) == pytest.approx(rest + sum(terms) / 2, rel=1e-9)


def test_cacr_has_three_forms() -> None:
    taus = {"attraction_temperature": 1.0, "repulsion_temperature": 0.9}
    batch = CACR(positives=2)
    given = embeddings(batch)
    assert loss(batch, given) == cacr(torch.stack([*given.online.values()]), **taus).item()
    queued = CACR(positives=1, momentum=Momentum(), queue=24, local_views=("local",))
    given = embeddings(queued)
    queries, keys = (torch.stack([*some.values()]) for some in (given.online, given.target))
    assert (len(queries), len(keys)) == (3, 2)
    assert loss(queued, given) == cacr_queue(queries, keys, given.queue, **taus).item()
    reweighted = CACR(positives=1, momentum=Momentum(), cost="rbf", local_views=("local",))
    given = embeddings(reweighted)
    expected = [
        cacr_reweighted(
            torch.stack([q for o, q in given.online.items() if o != t]), given.target[t], temperature=1.0
        ).item()
        for t in (0, 1)
    ]
    assert loss(reweighted, given) == pytest.approx(sum(expected) / 2, rel=1e-12)


def test_cacr_may_make_its_second_view_another_way() -> None:
    assert CACR(positives=2, second_view="second").assembly.views == ("strong", "second", "strong")
    assert CACR(positives=1, view="weak").assembly.views == ("weak", "weak")


def test_cacr_reports_how_equal_its_weights_are() -> None:
    even = CACR(positives=2, attraction_temperature=0.0, repulsion_temperature=0.0)
    found = even.diagnose(embeddings(even), lambda z: z)
    assert found["cacr_attraction_entropy"].item() == pytest.approx(math.log(2))
    assert found["cacr_repulsion_entropy"].item() == pytest.approx(math.log(COUNT - 1))
    sharp = CACR(positives=2, attraction_temperature=5.0, repulsion_temperature=5.0)
    given = sharp.diagnose(embeddings(sharp), lambda z: z)
    assert all(given[name] < found[name] for name in found)


def test_debiased_hcl_align_uniform_and_decoupled_hand_their_fields_to_their_losses() -> None:
    given = embeddings(HCL())
    views = given.online[0], given.online[1]
    corrected = {"temperature": 0.3, "positive_prior": 0.2}
    assert loss(Debiased(**corrected), given) == debiased(*views, **corrected).item()
    hard = {**corrected, "concentration": 2.0}
    assert loss(HCL(**hard), given) == hard_negative(*views, **hard).item()
    weighted = {"temperature": 0.3, "sigma": 0.7}
    assert loss(Decoupled(**weighted), given) == decoupled(*views, **weighted).item()
    terms = {"alignment_exponent": 1.0, "uniformity_temperature": 3.0,
             "alignment_weight": 3.0, "uniformity_weight": 0.5}  # fmt: skip
    assert loss(AlignUniform(**terms), given) == align_uniform(*views, **terms).item()


def test_hcl_without_concentration_is_debiased_and_that_without_a_prior_simclr() -> None:
    given = embeddings(SimCLR())
    assert loss(HCL(concentration=0.0), given) == pytest.approx(loss(Debiased(), given), rel=1e-12)
    expected = loss(SimCLR(temperature=0.5), given)
    assert loss(Debiased(positive_prior=0.0), given) == pytest.approx(expected, rel=1e-9)


def test_nnclr_finds_each_views_prediction_by_the_other_views_neighbours_in_the_queue() -> None:
    method = NNCLR(queue=24, temperature=0.2)
    given = embeddings(method)
    terms = [
        nnclr(
            given.online[1 - v], support_neighbours(given.projected[v], given.queue), temperature=0.2
        ).item()
        for v in (0, 1)
    ]
    assert loss(method, given) == pytest.approx(sum(terms) / 2, rel=1e-12)
    assert loss(NNCLR(queue=24, temperature=0.2, symmetric=False), given) == terms[0]


def test_nnclr_without_the_swap_has_no_queue_and_each_embedding_stands_for_itself() -> None:
    method = NNCLR(swap=False, symmetric=False)
    given = embeddings(method)
    assert method.assembly.queue == 0
    expected = nnclr(given.online[1], given.projected[0], temperature=0.1).item()
    assert loss(method, given) == pytest.approx(expected, rel=1e-12)


INNER = [SimCLR(), MoCo(queue=24), MoCo(queue=24, symmetric=True), BYOL(), ReSSL(queue=24), SCE(queue=24),
         SCE(queue=0), MMCL(), MMCL(symmetric=True), WCL(), CACR(positives=2)]  # fmt: skip
each_inner = pytest.mark.parametrize("inner", INNER, ids=lambda inner: inner.name)


@each_inner
def test_a_step_without_mixtures_is_the_inner_methods(inner: Any) -> None:
    given = embeddings(inner)
    assert loss(BSIM(inner=inner), given) == loss(inner, given)


@each_inner
def test_the_weight_goes_from_the_inner_loss_to_the_mixtures(inner: Any) -> None:
    given = embeddings(BSIM(inner=inner, weight=0.5), mixed=True)
    plain, mixed, half, quarter = (loss(BSIM(inner=inner, weight=w), given) for w in (0.0, 1.0, 0.5, 0.25))
    assert plain == pytest.approx(loss(inner, embeddings(inner)), rel=1e-12)
    assert half == pytest.approx((plain + mixed) / 2, rel=1e-12)
    assert quarter == pytest.approx(0.75 * plain + 0.25 * mixed, rel=1e-12)


@pytest.mark.parametrize("inner", [MoCo(queue=24), MoCo(queue=24, symmetric=True), BYOL(), ReSSL(queue=24),
                                   SCE(queue=24), SCE(queue=0), MMCL(), MMCL(symmetric=True)],
                         ids=lambda inner: inner.name)  # fmt: skip
def test_a_mixture_that_is_all_its_first_source_is_the_inner_methods_query(inner: Any) -> None:
    """Share 1 and the clean embedding in the mixture's place: the inner method's own loss."""
    from dataclasses import replace as changed

    given = embeddings(BSIM(inner=inner, weight=0.5), mixed=True)
    sources = BSIM(inner=inner).assembly.mixing.sources
    clean = {len(inner.assembly.views) + i: given.online[s] for i, s in enumerate(sources)}
    whole = changed(given.mixture, share=torch.ones(COUNT))
    given = changed(given, online={**given.online, **clean}, mixture=whole)
    assert loss(BSIM(inner=inner), given) == pytest.approx(loss(inner, given), rel=1e-9)


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: BSIM(inner=SCE(views=("strong", "second", "local"))), "inner.views: .*give two views"),
        (lambda: BSIM(inner=SCE(weights=(1.0, 0.0, 0.0))), "inner.weights: .*set coefficient"),
        (lambda: BSIM(inner=MMCL(queue=64)), "inner.queue: .*set it to 0"),
        (lambda: BSIM(inner=WCL(neighbours=4)), "inner.neighbours: .*set it to 0"),
        (lambda: BSIM(inner=CACR(momentum=Momentum(), queue=64)), "inner.momentum: .*leave out momentum and queue"),
        (lambda: BSIM(inner=CACR(cost="rbf")), "inner.cost: .*'euclidean'"),
        (lambda: BSIM(inner=CACR(local_views=("local",))), "inner.local_views: .*leave them out"),
        (lambda: BSIM(inner=SimCLR(), batch_keys=True), "batch_keys .*inner is 'simclr'"),
        (lambda: MMCL(kernel="tanh"), "'tanh' is not positive definite"),
        (lambda: MMCL(kernel="min", unit_diagonal=True), r"k\(x, x\) taken for 1 is not"),
        (lambda: MMCL(queue=64, symmetric=True), "a queue goes with"),
        (lambda: CACR(queue=64), "give momentum, or set queue to 0"),
        (lambda: CACR(attraction_weight=0.0, repulsion_weight=0.0), "both 0"),
        (lambda: CACR(momentum=Momentum(), queue=64, cost="rbf"), "'euclidean' only"),
        (lambda: CACR(momentum=Momentum(), attraction_temperature=0.0), "above 0"),
        (lambda: SCE(weights=(0.0, 0.0, 0.0)), "leaves no term"),
        (lambda: MMCL(queue=64, views_together=True), "views_together joins nothing"),
        (lambda: CACR(batch_norm_splits=4), "give momentum, or set it to 1"),
        (lambda: CACR(momentum=Momentum(), variant="uniform"), "the re-weighted form has no variant"),
        (lambda: MMCL(kernel="tanh", solver="inverse"), "may find no inverse"),
        (lambda: AlignUniform(alignment_weight=0.0, uniformity_weight=0.0), "both 0"),
        (lambda: Debiased(positive_prior=1.0), "positive_prior = 1.0"),
        (lambda: HCL(concentration=-1.0), "concentration = -1.0"),
        (lambda: Decoupled(sigma=0.0), "sigma = 0.0"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_the_reason(build: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        in_words(build)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"batch": 1, "method": {"name": "simclr"}}, "batch = 1: method 'simclr' .*at least 2 images"),
        ({"batch": 2, "method": {"name": "bsim", "inner": {"name": "cacr"}}}, "at least 3 images"),
        (
            {"batch": 16, "method": {"name": "wcl", "neighbours": 20, "crop_reading": "features"}},
            "at least 20 images",
        ),
        (
            {"batch": 16, "method": {"name": "moco", "batch_norm_splits": 3}},
            "batch_norm_splits = 3 does not divide",
        ),
        (
            {"batch": 16, "method": {"name": "moco", "queue": 100}},
            "queue = 100 is not a multiple of the 16 keys",
        ),
        ({"method": {"name": "byol", "projector": {"output": 32}}}, "output = 32; make them equal"),
        ({"batch": 16, "method": {"name": "nnclr", "queue": 100}}, "not a multiple of the 16 keys"),
        ({"method": {"name": "nnclr", "queue": 64, "projector": {"output": 32}}}, "make them equal"),
        ({"batch": 1, "method": {"name": "hcl"}}, "batch = 1: method 'hcl' .*at least 2 images"),
        (
            {"method": {"name": "wcl", "warmup_epochs": 3}},
            "method.warmup_epochs = 3 leaves nothing of the 3 epochs",
        ),
        ({"method": {"name": "mmcl", "bandwidth_drops": [2, 1]}}, "ascending order"),
        ({"method": {"name": "mmcl", "bandwidth_drops": [4]}}, "none after the last, 3"),
        (
            {"method": {"name": "bsim", "inner": {"name": "byol"}}, "views.second.size": 16},
            "views strong, second have different sizes",
        ),
        ({"method": {"name": "mocha"}}, "wants a name that exists: one of 'sce', 'mmcl'"),
    ],
)
def test_a_batch_that_a_method_cannot_use_is_refused(
    changes: dict[str, Any], reason: str, config: Config
) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(config, changes)
