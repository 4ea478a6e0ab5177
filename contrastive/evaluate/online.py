"""What is reported after each epoch, and the two baselines that any learning must pass."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from contrastive import distributed
from contrastive.config import Trial
from contrastive.data import Dataset, Split
from contrastive.distributed import World
from contrastive.evaluate.collapse import effective_rank
from contrastive.evaluate.knn import knn_accuracy
from contrastive.siamese import seeded
from contrastive.views import normalise

BATCH = 512
"""Images embedded at once; the features do not depend on it."""


def evaluate(
    encoder: nn.Module, dataset: Dataset, trial: Trial, *, world: World, device: torch.device
) -> dict[str, float]:
    """knn_top1 (percent) and effective_rank of the encoder's features of the validation images."""
    bank = embed(encoder, dataset.bank, dataset, trial, world=world, device=device)
    queries = embed(encoder, dataset.validation, dataset, trial, world=world, device=device)
    accuracy = _accuracy(trial, dataset, bank, queries, dataset.validation)
    return {"knn_top1": accuracy, "effective_rank": float(effective_rank(queries))}


def held_out_accuracy(encoder: nn.Module, dataset: Dataset, trial: Trial, *, device: torch.device) -> float:
    """KNN top-1 in percent on the test images: for what is reported at the end, never for a choice."""
    alone = World()
    bank = embed(encoder, dataset.bank, dataset, trial, world=alone, device=device)
    queries = embed(encoder, dataset.test, dataset, trial, world=alone, device=device)
    return _accuracy(trial, dataset, bank, queries, dataset.test)


def baselines(trial: Trial, dataset: Dataset, *, device: torch.device) -> dict[str, float]:
    """KNN top-1 in percent on validation images of raw (standardised) pixels and of the encoder before training."""
    with seeded(trial.seed):
        encoder = trial.encoder.build().to(device, trial.dtype)
    untrained = evaluate(encoder, dataset, trial, world=World(), device=device)
    bank, queries = (
        torch.cat([pixels.flatten(1) for pixels in _prepared(split, World(), dataset, trial.dtype, device)])
        for split in (dataset.bank, dataset.validation)
    )
    raw = _accuracy(trial, dataset, bank, queries, dataset.validation)
    return {"raw pixels": raw, "untrained encoder": untrained["knn_top1"]}


@torch.no_grad()
def embed(
    encoder: nn.Module, split: Split, dataset: Dataset, trial: Trial, *, world: World, device: torch.device
) -> Tensor:
    """Features (N, D) of a split's whole images in evaluation mode, gathered from all processes."""
    training = encoder.training
    encoder.eval()
    parts: list[Tensor] = [encoder(p) for p in _prepared(split, world, dataset, trial.dtype, device)]
    encoder.train(training)
    return distributed.gather_uneven(torch.cat(parts), world, len(split))


def _prepared(
    split: Split, world: World, dataset: Dataset, dtype: torch.dtype, device: torch.device
) -> Iterator[Tensor]:
    share = torch.arange(len(split))[world.rows(len(split))].split(BATCH)
    for images in split.fetch(share):
        yield normalise(images.to(device, dtype).div_(255), dataset.mean, dataset.std)


def _accuracy(trial: Trial, dataset: Dataset, bank: Tensor, queries: Tensor, split: Split) -> float:
    return knn_accuracy(
        bank,
        dataset.bank.labels.to(bank.device),
        queries,
        split.labels.to(bank.device),
        k=trial.evaluation.neighbours,
        temperature=trial.evaluation.temperature,
        classes=len(dataset.classes),
    )
