"""Evaluation of a trained encoder, by protocols on its own or on other images."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch

from contrastive import data
from contrastive.caches import cache_folder
from contrastive.checkpoint import load_encoder
from contrastive.config import Config, replace, to_json
from contrastive.evaluate.offline import carry_out, check_protocol, load_transfer
from contrastive.evaluate.protocols import KNN, LinearProbe, Protocol
from contrastive.pretrained import Pretrained

USUAL: tuple[Protocol, ...] = (LinearProbe(), KNN())


def evaluate_encoder(
    encoder: Pretrained | str | Path,
    *protocols: Protocol,
    split: Literal["validation", "test"] = "validation",
    root: str | Path | None = None,
    cache: str | Path | None = None,
    device: str | torch.device = "cpu",
) -> dict[str, float]:
    """Measure an encoder: accuracies in percent and collapse diagnostics, by name.

    Encoders are frozen but for fine-tuning, classifiers learn on the labelled training images, and the images of
    `split` are only read.

    Args:
        encoder: what `load_encoder` gives, or the file that it reads.
        protocols: what to measure; none: a linear probe and nearest neighbours.
        split: the images to be judged on. What is chosen, choose by "validation".
        root: where the images of the run's own set lie now; None: where they lay.
        cache: the folder of prepared images; None: the usual one.
        device: where to compute.

    Raises:
        FileNotFoundError: the checkpoint or the images are not where they should be.
        ValueError: the images do not allow a protocol, or two report the same; says which field.
    """
    device = torch.device(device)
    found = encoder if isinstance(encoder, Pretrained) else load_encoder(encoder, device=device)
    after = [to_json(protocol) for protocol in protocols or USUAL]
    moved = {} if root is None else {"data.root": str(root)}
    config = replace(found.config, {"evaluation.after": after, "evaluation.split": split, **moved})
    metrics: dict[str, float] = {}
    for one in measure_protocols(found, config, cache=cache, device=device):
        metrics |= one
    return metrics


def measure_protocols(
    encoder: Pretrained, config: Config, *, cache: str | Path | None, device: torch.device
) -> Iterator[dict[str, float]]:
    """What each protocol of `config.evaluation.after` finds, one after the other.

    Raises:
        FileNotFoundError: images are not where they should be.
        ValueError: the images do not allow a protocol; before the first is carried out.
    """
    folder = cache_folder() if cache is None else Path(cache)
    evaluation = config.evaluation
    own = lru_cache(lambda: data.load(config.data, cache=folder))
    todo = [(p, load_transfer(p.data, cache=folder) if p.data else own()) for p in evaluation.after]
    for protocol, images in todo:
        check_protocol(protocol, images, protocol.name, evaluation.split)
    moments = encoder.normalisation or own()
    for protocol, images in todo:
        yield carry_out(protocol, encoder, config, images, moments=moments, device=device)
