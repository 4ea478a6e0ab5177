"""Measurements after each epoch, and the two baselines that learning must beat."""

import torch
from torch import Tensor, nn

from contrastive.branch import Branch
from contrastive.config import Config
from contrastive.data import Dataset, Split
from contrastive.distributed import World
from contrastive.evaluate.collapse import effective_rank
from contrastive.evaluate.features import embed, prepared, readout
from contrastive.evaluate.knn import knn_accuracy
from contrastive.siamese import seeded

FEW = 32
"""Images whose number, more than their features, decides their effective rank."""


def evaluate(
    layer: nn.Module, dataset: Dataset, config: Config, *, world: World, device: torch.device
) -> dict[str, float]:
    """knn_top1 (percent) and effective_rank of the validation images' features.

    Of few validation images the rank is low whatever their features: it is then that of the bank, if that has more.
    `layer` gives the features: `readout(branch, config.evaluation.layer)`. Each process embeds its share of the
    images; all of them get the same values.

    Raises:
        FloatingPointError: some feature is not finite.
    """
    channels = config.views.channels or dataset
    bank = embed(layer, dataset.bank, channels, config, world=world, device=device)
    queries = embed(layer, dataset.validation, channels, config, world=world, device=device)
    if not (bank.isfinite().all() and queries.isfinite().all()):  # finite weights can give such features, too
        raise FloatingPointError("features of whole images are no longer finite; lower the learning rate")
    accuracy = _accuracy(config, dataset, bank, queries, dataset.validation)
    ranked = bank if len(queries) < min(FEW, len(bank)) else queries
    return {"knn_top1": accuracy, "effective_rank": float(effective_rank(ranked))}


def held_out_accuracy(layer: nn.Module, dataset: Dataset, config: Config, *, device: torch.device) -> float:
    """KNN top-1 in percent on the test images: for what is reported at the end, never for a choice."""
    alone = World()
    channels = config.views.channels or dataset
    bank = embed(layer, dataset.bank, channels, config, world=alone, device=device)
    queries = embed(layer, dataset.test, channels, config, world=alone, device=device)
    return _accuracy(config, dataset, bank, queries, dataset.test)


def untrained_accuracy(config: Config, dataset: Dataset, *, device: torch.device) -> float:
    """KNN top-1 in percent on validation images of the configuration's network before training."""
    with seeded(config.seed):
        branch = Branch(config.encoder.build(), config.method.assembly.projector.build(config.encoder.dim))
    layer = readout(branch.to(device, config.dtype), config.evaluation.layer)
    return evaluate(layer, dataset, config, world=World(), device=device)["knn_top1"]


def raw_pixel_accuracy(config: Config, dataset: Dataset, *, device: torch.device) -> float:
    """KNN top-1 in percent on validation images of raw (standardised) pixels."""
    bank, queries = (
        torch.cat([pixels.flatten(1) for pixels in prepared(split, World(), dataset, config.dtype, device)])
        for split in (dataset.bank, dataset.validation)
    )
    return _accuracy(config, dataset, bank, queries, dataset.validation)


def _accuracy(config: Config, dataset: Dataset, bank: Tensor, queries: Tensor, split: Split) -> float:
    return knn_accuracy(
        bank,
        dataset.bank.labels.to(bank.device),
        queries,
        split.labels.to(bank.device),
        k=min(config.evaluation.neighbours, len(bank)),
        temperature=config.evaluation.temperature,
        classes=len(dataset.classes),
    )
