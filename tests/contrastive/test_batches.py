"""The views of a step: drawn alike whatever is rendered at once, of neighbours and in mixtures where asked for."""

import pytest
import torch

from contrastive import batches as module
from contrastive.batch_norm import SplitBatchNorm2d, split_batch_norm
from contrastive.batches import batches
from contrastive.config import Config, replace
from contrastive.data import Dataset
from contrastive.distributed import World
from contrastive.evaluate.knn import nearest
from contrastive.methods.protocol import Batch
from contrastive.siamese import Siamese
from contrastive.views import mix
from tests.contracts.variants import INNER, VARIANTS

CPU = torch.device("cpu")


def epoch(config: Config, dataset: Dataset, number: int = 1, **options) -> list[Batch]:
    return list(batches(config, dataset, number, world=World(), device=CPU, **options))


def test_the_views_do_not_depend_on_how_many_are_rendered_at_once(
    config: Config, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = epoch(config, dataset)
    monkeypatch.setattr(module, "RENDERED_AT_ONCE", 16)
    for one, other in zip(whole, epoch(config, dataset), strict=True):
        assert one.step == other.step
        for view in one.views:
            torch.testing.assert_close(one.views[view], other.views[view])


def test_a_recipe_may_standardise_by_channels_of_its_own(config: Config, dataset: Dataset) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    theirs = replace(config, {"views.channels": {"mean": mean, "std": std}})
    for own, other in zip(epoch(config, dataset), epoch(theirs, dataset), strict=True):
        for view, images in own.views.items():
            for channel in range(3):
                pixels = images[:, channel] * dataset.std[channel] + dataset.mean[channel]
                expected = (pixels - mean[channel]) / std[channel]
                torch.testing.assert_close(other.views[view][:, channel], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [2, 4])
def test_the_processes_together_have_the_views_of_one(size: int, config: Config, dataset: Dataset) -> None:
    whole = epoch(config, dataset)
    shares = [list(batches(config, dataset, 1, world=World(r, size), device=CPU)) for r in range(size)]
    for step, parts in zip(whole, zip(*shares, strict=True), strict=True):
        for view, images in step.views.items():
            torch.testing.assert_close(torch.cat([part.views[view] for part in parts]), images)


def test_steps_are_numbered_through_all_epochs(config: Config, dataset: Dataset) -> None:
    numbers = [batch.step for e in (1, 2, 3) for batch in epoch(config, dataset, e)]
    assert numbers == list(range(3 * (96 // 16)))


def test_a_warm_up_has_its_own_views_and_no_crops(config: Config, dataset: Dataset) -> None:
    wcl = replace(config, {"method": VARIANTS["wcl, neighbours' crops"], "views.gentle.solarise": 1.0})
    table = nearest(dataset.train.images.flatten(1).float(), 4)
    early, late = epoch(wcl, dataset, 1), epoch(wcl, dataset, 2, neighbours=table)
    assert all(set(batch.views) == {0, 1} for batch in early)
    assert all(set(batch.views) == {0, 1, 2, 3} for batch in late)
    assert all(batch.views[2].shape == (16, 3, 14, 14) for batch in late)
    plain = epoch(replace(wcl, {"views.gentle.solarise": 0.0}), dataset, 1)
    assert not torch.equal(early[0].views[0], plain[0].views[0])


def test_crops_of_neighbours_show_a_neighbour_and_not_the_image(config: Config, dataset: Dataset) -> None:
    """Images of one grey level each: a view tells which image it shows."""
    levels = torch.arange(96, dtype=torch.uint8)
    images = levels[:, None, None, None].expand(96, 3, 32, 32).contiguous()
    from dataclasses import replace as changed

    flat = changed(dataset, train=changed(dataset.train, images=images))
    calm = {"jitter": 0.0, "grey": 0.0}
    wcl = replace(
        config,
        {
            "method": {**VARIANTS["wcl, neighbours' crops"], "views": ["weak", "weak"], "crop_view": "weak"},
            "views.weak": calm,
        },
    )
    table = torch.stack([(levels.long() + step) % 96 for step in (1, 2, 3, 4)], 1)
    for batch in epoch(wcl, flat, 2, neighbours=table):
        shown = {
            v: (view.mean((1, 2, 3)) * flat.std[0] + flat.mean[0]).mul(255).round().long() % 96
            for v, view in batch.views.items()
        }
        own = (batch.views[0][:, 0, 0, 0] * flat.std[0] + flat.mean[0]).mul(255).round().long()
        for crop in (2, 3):
            theirs = (batch.views[crop][:, 0, 0, 0] * flat.std[0] + flat.mean[0]).mul(255).round().long()
            assert set(((theirs - own) % 96).tolist()) <= {1, 2, 3, 4}
        assert torch.equal(shown[0], shown[1])


def test_neighbours_are_the_most_similar_others() -> None:
    features = torch.randn(30, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    unit = torch.nn.functional.normalize(features, dim=1)
    found = nearest(features, 4, block=7)
    for i in range(30):
        others = sorted((j for j in range(30) if j != i), key=lambda j: -float(unit[i] @ unit[j]))
        assert found[i].tolist() == others[:4]


def test_more_neighbours_than_there_are_others_are_refused() -> None:
    with pytest.raises(ValueError, match="count=30 given; each of 30 images has 1 to 29 others"):
        nearest(torch.randn(30, 5), 30)


def test_mixtures_are_the_same_whoever_asks_and_as_many_as_wanted(config: Config, dataset: Dataset) -> None:
    mixed = replace(config, {"method": VARIANTS["bsim on simclr"]})
    every, some, none = (
        epoch(replace(mixed, {"method.batches": share}), dataset) for share in (1.0, 0.5, 0.0)
    )
    assert all(batch.mixture is not None for batch in every)
    assert all(batch.mixture is None for batch in none)
    kept = [batch.mixture is not None for batch in some]
    assert 0 < sum(kept) < len(kept)
    for one, other in zip(every, some, strict=True):
        if other.mixture is not None:
            assert torch.equal(one.mixture.partner, other.mixture.partner)
            assert torch.equal(one.mixture.share, other.mixture.share)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_the_online_network_sees_mixtures_and_the_target_does_not(
    kind: str, config: Config, dataset: Dataset
) -> None:
    mixed = replace(config, {"method": {**VARIANTS["bsim on moco"], "kind": kind}})
    model = Siamese(mixed, world=World(), device=CPU).eval()
    batch = epoch(mixed, dataset)[0]
    found = model(batch)
    images = mix(batch.views[1], batch.views[1][batch.mixture.partner], batch.mixture)
    assert set(found.online) == {2}
    torch.testing.assert_close(found.online[2], model.online([images])[0][0])
    torch.testing.assert_close(found.target[0], model.target([batch.views[0]])[0][0])


def test_a_weight_of_zero_is_the_inner_method_to_the_bit(config: Config, dataset: Dataset) -> None:
    plain = replace(config, {"method": INNER["moco"]})
    mixed = replace(config, {"method": {"name": "bsim", "inner": INNER["moco"], "weight": 0.0}})
    losses = [
        [model.loss(model(batch)).item() for batch in epoch(run, dataset)]
        for run in (plain, mixed)
        for model in [Siamese(run, world=World(), device=CPU)]
    ]
    assert losses[0] == losses[1]


def test_each_part_of_a_batch_is_normalised_by_itself() -> None:
    images = torch.randn(12, 3, 5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    images[4:8] += 7
    network = torch.nn.Sequential(torch.nn.Sequential(torch.nn.BatchNorm2d(3))).double()
    with torch.no_grad():
        network[0][0].weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
        network[0][0].bias.copy_(torch.tensor([0.1, 0.2, 0.3]))
    split_batch_norm(network, 3, World())
    assert isinstance(network[0][0], SplitBatchNorm2d)
    whole = torch.nn.BatchNorm2d(3).double()
    whole.load_state_dict(network[0][0].state_dict())
    expected = torch.cat([whole(part) for part in images.chunk(3)])
    torch.testing.assert_close(network(images), expected)
    means = torch.stack([part.mean((0, 2, 3)) for part in images.chunk(3)])
    torch.testing.assert_close(network[0][0].running_mean, 0.1 * means.mean(0))
    assert torch.equal(network.eval()(images), torch.nn.functional.batch_norm(
        images, network[0][0].running_mean, network[0][0].running_var, network[0][0].weight, network[0][0].bias
    ))  # fmt: skip


def test_the_target_shuffles_so_that_statistics_do_not_give_the_key_away(
    config: Config, dataset: Dataset
) -> None:
    split = replace(config, {"method": VARIANTS["moco, symmetric, split batch norm"], "precision": "float64"})
    model = Siamese(split, world=World(), device=CPU)
    batch, next_batch, *_ = epoch(split, dataset)
    unshuffled = model.target([batch.views[0]])[0][0]
    orders = (batch.shuffle, epoch(split, dataset)[0].shuffle, next_batch.shuffle)
    first, again, later = (model(Batch(batch.views, shuffle=order)).target[0] for order in orders)
    assert torch.equal(first, again)
    assert not torch.allclose(first, unshuffled)
    assert not torch.allclose(first, later)
    whole = Siamese(replace(split, {"method.batch_norm_splits": 1}), world=World(), device=CPU)
    aligned = torch.nn.functional.cosine_similarity(first, whole.target([batch.views[0]])[0][0])
    assert aligned.mean() > 0.5  # rows came back in their own order


@pytest.mark.parametrize(
    ("variant", "online_parts"), [("sce, split batch norm", 1), ("moco, symmetric, split batch norm", 4)]
)
def test_sce_splits_its_targets_statistics_alone_and_moco_both_networks(
    variant: str, online_parts: int, config: Config, dataset: Dataset
) -> None:
    split = replace(config, {"method": VARIANTS[variant], "precision": "float64"})
    batch = epoch(split, dataset)[0]
    model, whole = (
        Siamese(replace(split, {"method.batch_norm_splits": parts}), world=World(), device=CPU)
        for parts in (4, 1)
    )
    heads = {"online": whole.online.projector, "target": whole.target.projector}
    found, order = model(batch), batch.shuffle
    for name, encoder, parts, rows in (
        ("online", whole.online.encoder, online_parts, torch.arange(16)),
        ("target", whole.target.encoder, 4, order),
    ):
        for view, embedded in getattr(found, name).items():
            features = torch.cat([encoder(part) for part in batch.views[view][rows].chunk(parts)])
            torch.testing.assert_close(embedded[rows], heads[name](features))


def test_without_split_statistics_nothing_is_shuffled(config: Config, dataset: Dataset) -> None:
    assert all(batch.shuffle is None for batch in epoch(config, dataset))


def test_parts_that_do_not_divide_among_the_processes_are_refused() -> None:
    with pytest.raises(ValueError, match="batch_norm_splits = 3 parts do not divide among 2 processes"):
        split_batch_norm(torch.nn.Sequential(torch.nn.BatchNorm2d(3)), 3, World(0, 2))
