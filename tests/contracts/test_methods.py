"""What every method keeps to; a new method is found here by its name in the union."""

import dataclasses
from typing import Any, get_args

import pytest
import torch

from contrastive.batches import batches
from contrastive.config import Config, replace, to_json
from contrastive.data import CIFAR10, Dataset
from contrastive.distributed import World
from contrastive.evaluate.knn import nearest
from contrastive.methods import INNER as INNER_METHODS
from contrastive.methods import METHODS, Method
from contrastive.methods.protocol import Batch, Diagnosed, Embeddings
from contrastive.siamese import Siamese
from contrastive.views import Views
from tests.contracts.variants import INNER, VARIANTS

CPU = torch.device("cpu")
PRESETS = [(method, name) for method in METHODS for name in method.presets]
parametrize = pytest.mark.parametrize("method", METHODS)
of_all_variants = pytest.mark.parametrize("variant", VARIANTS)


def small(config: Config, variant: str) -> Config:
    """The tests' own small run of a method in one of its forms."""
    return replace(config, {"method": VARIANTS[variant]})


def step(config: Config, dataset: Dataset) -> tuple[Siamese, Batch]:
    """A fresh model and its first real batch after the warm-up."""
    epoch = config.method.assembly.warmup_epochs + 1
    neighbours = config.method.assembly.neighbours
    table = nearest(dataset.train.images.flatten(1).float(), neighbours.count) if neighbours else None
    model = Siamese(config, world=World(), device=CPU)
    return model, next(batches(config, dataset, epoch, world=World(), device=CPU, neighbours=table))


@of_all_variants
def test_a_method_names_what_it_has_to_say_of_a_step(variant: str, config: Config, dataset: Dataset) -> None:
    model, batch = step(small(config, variant), dataset)
    said = model.method.diagnosed if isinstance(model.method, Diagnosed) else ()
    assert list(model.diagnose(model(batch))) == list(said)


def test_the_union_and_the_list_of_methods_are_the_same() -> None:
    assert set(get_args(get_args(Method)[0])) == set(METHODS)


def test_the_variants_are_of_every_method_and_of_every_method_under_mixtures() -> None:
    assert {variant["name"] for variant in VARIANTS.values()} == {method().name for method in METHODS}
    mixable = get_args(get_args(INNER_METHODS)[0])
    assert {inner["name"] for inner in INNER.values()} == {method().name for method in mixable}


@parametrize
def test_a_method_is_one_final_frozen_dataclass(method: type) -> None:
    assert dataclasses.is_dataclass(method)
    assert method.__bases__ == (object,)
    with pytest.raises(dataclasses.FrozenInstanceError):
        method().name = "other"


@of_all_variants
def test_what_a_method_declares_fits_together(variant: str, config: Config) -> None:
    declared = small(config, variant).method.assembly
    positions = set(range(len(declared.views)))
    embedded = set(declared.online) | set(declared.target)
    if declared.mixing:
        mixtures = {len(positions) + i for i in range(len(declared.mixing.sources))}
        assert mixtures <= set(declared.mixing.online) <= positions | mixtures
    assert embedded == positions
    assert all(name in vars(Views()) for name in (*declared.views, *declared.warmup_views))
    assert bool(declared.target) == (declared.momentum is not None)
    assert bool(declared.queue) == bool(declared.queued)
    assert set(declared.queued) <= set(declared.target or declared.online)


@of_all_variants
def test_every_online_parameter_learns_and_nothing_else_does(
    variant: str, config: Config, dataset: Dataset
) -> None:
    model, batch = step(small(config, variant), dataset)
    model.loss(model(batch)).backward()
    learning = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    online = {name for name, _ in model.named_parameters() if name.startswith("online.")}
    # A bias or shift in front of a normalisation has no effect; all else must learn.
    assert {name for name in online - learning if not name.endswith("bias")} == set()
    assert learning <= online


# The published solver stops far from its solution, so its loss is not a smooth function of the weights.
@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "mmcl, as published"])
def test_the_loss_falls_when_it_is_followed_downhill(variant: str, config: Config, dataset: Dataset) -> None:
    model, batch = step(replace(small(config, variant), {"precision": "float64"}), dataset)
    before = model.loss(model(batch))
    before.backward()
    with torch.no_grad():
        learning = [p for p in model.online.parameters() if p.grad is not None]
        norm = sum(p.grad.square().sum() for p in learning).sqrt()
        for parameter in learning:
            parameter.sub_(1e-3 * parameter.grad / norm)
    assert model.loss(model(batch)).item() < before.item()


@of_all_variants
def test_the_target_and_the_queue_stay_out_of_the_gradient(
    variant: str, config: Config, dataset: Dataset
) -> None:
    model, batch = step(small(config, variant), dataset)
    embeddings: Embeddings = model(batch)
    assert not any(rows.requires_grad for rows in embeddings.target.values())
    assert embeddings.queue is None or not embeddings.queue.requires_grad
    assert all(rows.requires_grad for rows in embeddings.online.values())


@pytest.mark.parametrize(("method", "name"), PRESETS)
def test_a_preset_has_a_source_and_makes_a_legal_configuration(
    method: type, name: str, config: Config
) -> None:
    preset = method.presets[name]
    base = replace(config, {"method": to_json(method()), "epochs": 100})
    made = replace(base, {"data": to_json(CIFAR10()), **preset.values})
    assert preset.source
    assert made.method.name == method().name
    assert made.epochs >= 100


@pytest.mark.parametrize(("method", "name"), PRESETS)
def test_a_preset_says_what_it_means_by_every_field_it_names(method: type, name: str, config: Config) -> None:
    def leaves(values: Any, path: str = "") -> set[str]:
        if not isinstance(values, dict):
            return {path}
        return {leaf for key, value in values.items() for leaf in leaves(value, f"{path}.{key}")}

    preset = method.presets[name]
    base = replace(config, {"method": to_json(method()), "epochs": 100})
    made = to_json(replace(base, preset.values))
    for path, value in preset.values.items():
        node = made
        for part in path.split("."):
            node = node[part]
        assert leaves(to_json(value)) <= leaves(node), path
