"""Embeddings of validation images by the best encoder of a sweep, for users without its checkpoint."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from analysis.load import Record
from analysis.summary import Summary
from contrastive.checkpoint import load_encoder
from contrastive.data import Split
from contrastive.distributed import World
from contrastive.evaluate.features import embed, readout
from sweeps import store
from sweeps.engine.sweep import Sweep

FILE = "embeddings.npz"
MAX_IMAGES, SIDE = 1000, 64
"""Maximum number of images, the first of the split, and of pixels of their longer side: enough to look at."""


def write_embeddings(begun: Sweep, record: Record, summary: Summary) -> None:
    """Write embeddings.npz into the folder of a sweep if its best arm has a checkpoint.

    Its arrays: features (N, D) float32, labels (N,), classes (C,), images (N, H, W, 3) uint8, run: its number.
    """
    best = summary.result.best
    runs = [run for run in record.runs if best and run.arm == best.digest and run.seed in best.scores]
    kept = [run for run in sorted(runs, key=lambda run: run.seed) if begun.checkpoint(run.identity).is_file()]
    if not kept:
        return
    arrays: Any = {
        **_arrays(begun, begun.checkpoint(kept[0].identity)),
        "run": np.array(kept[0].number),
    }
    store.write_whole(begun.directory / FILE, lambda file: np.savez_compressed(file, **arrays))


def _arrays(begun: Sweep, checkpoint: Path) -> dict[str, Any]:
    device, images = torch.device("cpu"), _first(begun.dataset.validation)
    found = load_encoder(checkpoint, device=device)
    layer = readout(found, found.config.evaluation.layer)
    channels = found.config.views.channels or begun.dataset
    features = embed(layer, images, channels, found.config, world=World(), device=device)
    return {
        "features": features.float().numpy(),
        "labels": images.labels.numpy(),
        "classes": np.array(begun.dataset.classes),
        **_shown(images),
    }


def _first(split: Split) -> Split:
    rows = torch.arange(min(MAX_IMAGES, len(split)))
    return Split(torch.cat(list(split.fetch(rows.split(256)))), split.labels[rows])


def _shown(split: Split) -> dict[str, Any]:
    """Subsample the pixels of images that are larger than shown."""
    assert isinstance(split.images, torch.Tensor)
    step = -(-max(split.shape) // SIDE)
    return {"images": split.images[:, :, ::step, ::step].permute(0, 2, 3, 1).contiguous().numpy()}
