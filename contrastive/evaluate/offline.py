"""Evaluation after training: protocols on the pretrained network."""

import math
from pathlib import Path
from typing import assert_never

import torch
from jaxtyping import Float, Int
from torch import Tensor

from contrastive import data
from contrastive.config import Config
from contrastive.data import Data, Dataset, Split, label_fraction
from contrastive.evaluate.collapse import alignment, effective_rank, uniformity
from contrastive.evaluate.features import BATCH, Moments, Network, Task, readout
from contrastive.evaluate.fine_tune import fine_tune
from contrastive.evaluate.knn import knn_predict
from contrastive.evaluate.linear import linear_probe
from contrastive.evaluate.protocols import KNN, NEIGHBOURS, Collapse, FineTune, LinearProbe, Protocol
from contrastive.randomness import generator


def after_training(
    network: Network, config: Config, dataset: Dataset, *, device: torch.device, cache: Path | None = None
) -> dict[str, float]:
    """What the configuration's `evaluation.after` asks for, by name: accuracies in percent and collapse diagnostics.

    Nothing is chosen here, so the images of `evaluation.split` are only read. The same network and configuration give
    the same numbers to the bit on the same CPU; the network is left as it was. Every process of a run does
    the whole of it, and gets the same.

    Args:
        network: with an encoder and a projector; it stays in its mode.
        config: what the network was trained by.
        dataset: the images of `config.data`.
        device: where to compute.
        cache: where the images of transfer sets are kept; without one they are read anew.
    """
    found: dict[str, float] = {}
    channels = config.views.channels or dataset
    for protocol in config.evaluation.after:
        images = load_transfer(protocol.data, cache=cache) if protocol.data else dataset
        found |= carry_out(protocol, network, config, images, moments=channels, device=device)
    return found


def check_evaluation(
    config: Config, dataset: Dataset, *, cache: Path | None = None, choosing: bool = False
) -> None:
    """Refuse, before training, an evaluation that could not be carried out at its end.

    `choosing`: something is decided by what this configuration reports, so the test images must not be in it.

    Raises:
        ValueError: says which field, and what is allowed.
        FileNotFoundError: a transfer set is not where its `root` says.
    """
    if choosing and config.evaluation.after and config.evaluation.split == "test":
        raise ValueError(
            "evaluation.split = 'test': a sweep chooses by what its runs report, and nothing is chosen on test "
            "images; leave it at 'validation' and evaluate the chosen run's checkpoint on them"
        )
    _check_labels("evaluation", "kNN", dataset)
    if config.evaluation.neighbours != NEIGHBOURS:  # of which nobody asked for all
        _check_neighbours("evaluation.neighbours", config.evaluation.neighbours, dataset)
    for position, protocol in enumerate(config.evaluation.after):
        images = load_transfer(protocol.data, cache=cache) if protocol.data else dataset
        check_protocol(protocol, images, f"evaluation.after.{position}", config.evaluation.split)


def check_protocol(protocol: Protocol, images: Dataset, where: str, split: str = "validation") -> None:
    """Refuse a protocol that the images do not allow.

    Raises:
        ValueError: says which field, and what is allowed.
    """
    if not isinstance(protocol, Collapse):
        _check_labels(where, protocol.name, images)
    elif (judged := len(getattr(images, split))) < 2:
        raise ValueError(
            f"{where}: collapse compares images with one another, and the {split} split has {judged}; leave it out, "
            "or add images"
        )
    if isinstance(protocol, KNN) and protocol.neighbours not in _USUAL:
        _check_neighbours(f"{where}.neighbours", max(protocol.neighbours), images)
    if isinstance(protocol, FineTune):
        kept = len(label_fraction(images.bank.labels, protocol.fraction, 0))
        if kept < 2:
            raise ValueError(
                f"{where}.fraction keeps {kept} label; batch statistics need 2 or more: raise it"
            )


_USUAL = {(NEIGHBOURS,), *(tuple(preset.values["neighbours"]) for preset in KNN.presets.values())}


def load_transfer(images: Data, *, cache: Path | None) -> Dataset:
    """A transfer set, from the cache where there is one."""
    return images.read() if cache is None else data.load(images, cache=cache)


def carry_out(
    protocol: Protocol,
    network: Network,
    config: Config,
    images: Dataset,
    *,
    moments: Moments,
    device: torch.device,
) -> dict[str, float]:
    """Carry out one protocol; arguments as for `after_training`, `moments` those of the pretraining images."""
    queries: Split = getattr(images, config.evaluation.split)
    task = Task(images.bank, queries, len(images.classes), moments, config, device)
    names, labels = protocol.reported, queries.labels.to(device)
    match protocol:
        case LinearProbe():
            return top(names[0], linear_probe(protocol, network, task), labels)
        case FineTune():
            scores = (fine_tune(protocol, network, task, draw) for draw in range(protocol.draws))
            return _over_draws([top(names[0], some, labels) for some in scores])
        case KNN():
            return _neighbours(protocol, network, task, labels)
        case Collapse():
            return _collapse(protocol, network, task)
        case _:
            assert_never(protocol)


def top(name: str, scores: Float[Tensor, "m classes"], labels: Int[Tensor, " m"]) -> dict[str, float]:
    """Share of images in percent whose class is the best (top1), or with six classes or more among five (top5).

    A class scored -inf was given no vote and is never right.
    """
    found: dict[str, float] = {}
    for k in (1, 5) if scores.shape[1] > 5 else (1,):
        best = scores.topk(k, dim=1)
        hits = ((best.indices == labels[:, None]) & (best.values > -math.inf)).any(1)
        found[f"{name}_top{k}"] = 100 * int(hits.sum()) / len(labels)
    return found


def _neighbours(protocol: KNN, network: Network, task: Task, labels: Tensor) -> dict[str, float]:
    layer = readout(network, protocol.layer)
    bank, queries = task.embed(layer, task.bank), task.embed(layer, task.queries)
    found: dict[str, float] = {}
    for name, k in zip(protocol.reported, protocol.neighbours, strict=True):
        scores = knn_predict(
            bank,
            task.bank.labels.to(task.device),
            queries,
            k=min(k, len(bank)),
            temperature=protocol.temperature,
            classes=task.classes,
        )
        found |= top(name, scores.masked_fill(scores == 0, -math.inf), labels)
    return found


def _collapse(protocol: Collapse, network: Network, task: Task) -> dict[str, float]:
    layer, (name,) = readout(network, protocol.layer), protocol.reported
    training = layer.training
    layer.eval()
    first, second = (_view(protocol, layer, task, position) for position in range(2))
    layer.train(training)
    return {
        f"{name}_alignment": float(alignment(first, second)),
        f"{name}_uniformity": float(uniformity(first)),
        f"{name}_effective_rank": float(effective_rank(task.embed(layer, task.queries))),
    }


@torch.no_grad()
def _view(protocol: Collapse, layer: torch.nn.Module, task: Task, position: int) -> Tensor:
    rows = torch.arange(len(task.queries)).split(BATCH)
    stream = generator(task.config.seed, "collapse", position)
    return torch.cat([layer(v) for v in task.views(task.queries, rows, protocol.view, stream)])


def _over_draws(draws: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each metric over the draws, half its 95 % interval (Student's t), and each draw's value."""
    from scipy.special import stdtrit  # every process that trains imports this module, few come here

    found: dict[str, float] = {}
    for name in draws[0]:
        values = torch.tensor([draw[name] for draw in draws], dtype=torch.float64)
        found[name] = values.mean().item()
        if (n := len(values)) > 1:
            found[f"{name}_interval"] = float(stdtrit(n - 1, 0.975) * values.std() / math.sqrt(n))
        found |= {f"{name}_draw{number}": value.item() for number, value in enumerate(values)}
    return found


def _check_labels(where: str, what: str, images: Dataset) -> None:
    if int(images.bank.labels.min()) < 0:
        raise ValueError(f"{where}: {what} learns from labels, and some images of the bank have none")


def _check_neighbours(where: str, k: int, images: Dataset) -> None:
    if k > len(images.bank):
        raise ValueError(
            f"{where}: k={k} given; needs 1 to {len(images.bank)}, the size of the bank. Lower k or keep more images."
        )
