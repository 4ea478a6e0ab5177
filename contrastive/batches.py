"""The views of each step: one random draw an image and view, the same for any number of processes."""

from collections.abc import Iterator

import torch
from torch import Tensor

from contrastive.config import Trial
from contrastive.data import Dataset
from contrastive.distributed import World
from contrastive.randomness import generator
from contrastive.views import draw, normalise, render

RENDERED_AT_ONCE = 256
"""Images whose views are made in one go: the fastest size on a CPU; the result does not depend on it."""


def batches(
    trial: Trial, dataset: Dataset, epoch: int, *, world: World, device: torch.device
) -> Iterator[dict[int, Tensor]]:
    """Yields this process's rows of each global batch: views (N, 3, S, S) by position in method.views.

    All processes draw the whole epoch alike and render their own rows, so that the batch, its order and its
    augmentation do not depend on how many there are. The last, incomplete batch is dropped.
    """
    count = len(dataset.train) // trial.batch * trial.batch
    order = torch.randperm(len(dataset.train), generator=generator(trial.seed, "order", epoch))[:count]
    configs = [getattr(trial.views, name) for name in trial.method.views]
    height, width = dataset.train.shape
    draws = [
        draw(
            view, count, height=height, width=width, generator=generator(trial.seed, "views", epoch, position)
        )
        for position, view in enumerate(configs)
    ]
    rows = torch.arange(count).view(-1, trial.batch)[:, world.rows(trial.batch)]
    blocks = [steps.reshape(-1) for steps in rows.split(max(1, RENDERED_AT_ONCE // rows.shape[1]))]
    for chosen, images in zip(blocks, dataset.train.fetch([order[block] for block in blocks]), strict=True):
        pixels = images.to(device)
        views = [
            normalise(
                render(pixels, drawn.rows(chosen).to(device), view, dtype=trial.dtype),
                dataset.mean,
                dataset.std,
            )
            for drawn, view in zip(draws, configs, strict=True)
        ]
        for step in zip(*(view.split(rows.shape[1]) for view in views), strict=True):
            yield dict(enumerate(step))
