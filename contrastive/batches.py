"""The views of each step: one random draw an image and view, the same for any number of processes."""

from collections.abc import Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from contrastive.config import Config
from contrastive.data import Dataset
from contrastive.distributed import World
from contrastive.methods.protocol import Batch
from contrastive.randomness import generator
from contrastive.views import Draw, Mixture, View, draw, draw_mixture, normalise, render

RENDERED_AT_ONCE = 256
"""Images whose views are made in one go: the fastest size on a CPU; the result does not depend on it."""


def batches(
    config: Config,
    dataset: Dataset,
    epoch: int,
    *,
    world: World,
    device: torch.device,
    neighbours: Int[Tensor, "n k"] | None = None,
) -> Iterator[Batch]:
    """Yield each step of an epoch: this process's rows of the batch of all processes.

    All processes draw alike and render their own rows, so that the batch, its order and its augmentation do
    not depend on how many there are. The last, incomplete batch is dropped.

    Args:
        config: says which views.
        dataset: the images.
        epoch: from 1.
        world: this process among all.
        device: where views are rendered.
        neighbours: nearest training images of each, for the views that show one of them.
    """
    views = {p: getattr(config.views, name) for p, name in config.method.assembly.views_at(epoch).items()}
    steps = len(dataset.train) // config.batch
    rows = torch.arange(steps * config.batch).view(steps, config.batch)
    own = world.rows(config.batch)
    share = own.stop - own.start
    blocks = rows.split(max(1, RENDERED_AT_ONCE // share))
    generators = {p: generator(config.seed, "views", epoch, p) for p in views}
    mixtures = _mixtures(config, dataset, epoch)
    step = (epoch - 1) * steps
    sources = _sources(config, dataset, epoch, neighbours)
    rows_of = [block[:, own].reshape(-1) for block in blocks]
    for block, pixels in zip(blocks, _pixels(dataset, sources, rows_of), strict=True):
        mine = torch.arange(block.numel()).view(block.shape)[:, own].reshape(-1)
        drawn = {
            p: _draw(view, block.numel(), dataset, generators[p]).rows(mine) for p, view in views.items()
        }
        rendered = {
            p: _rendered(pixels[p].to(device), drawn[p], view, config, dataset).split(share)
            for p, view in views.items()
        }
        for i in range(len(block)):
            own_views = {p: view[i] for p, view in rendered.items()}
            yield Batch(own_views, step, epoch, next(mixtures), _shuffle(config, step))
            step += 1


def _sources(
    config: Config, dataset: Dataset, epoch: int, neighbours: Tensor | None
) -> dict[tuple[int, ...], Tensor]:
    """Which image each row of the epoch shows, for each set of views that show the same."""
    parts = config.method.assembly
    order = torch.randperm(len(dataset.train), generator=generator(config.seed, "order", epoch))
    others = parts.neighbours.views if parts.neighbours and neighbours is not None else ()
    sources = {tuple(view for view in parts.views_at(epoch) if view not in others): order}
    for view in others:
        assert neighbours is not None
        picks = generator(config.seed, "neighbours", epoch, view)
        sources[(view,)] = neighbours[order, torch.randint(neighbours.shape[1], order.shape, generator=picks)]
    return sources


def _pixels(
    dataset: Dataset, sources: dict[tuple[int, ...], Tensor], rows: list[Tensor]
) -> Iterator[dict[int, Tensor]]:
    """The images that each view of each block of rows is made of, by view."""
    fetched = [dataset.train.fetch([source[some] for some in rows]) for source in sources.values()]
    for images in zip(*fetched, strict=True):
        yield {view: pixels for views, pixels in zip(sources, images, strict=True) for view in views}


def _draw(view: View, count: int, dataset: Dataset, stream: torch.Generator) -> Draw:
    height, width = dataset.train.shape
    return draw(view, count, height=height, width=width, generator=stream)


def _rendered(pixels: Tensor, drawn: Draw, view: View, config: Config, dataset: Dataset) -> Tensor:
    images = render(pixels, drawn.to(pixels.device), view, dtype=config.dtype)
    channels = config.views.channels or dataset
    return normalise(images, channels.mean, channels.std)


def _shuffle(config: Config, step: int) -> Tensor | None:
    """Where statistics are of parts of the batch, a key's part shall not be that of its query."""
    if config.method.assembly.batch_norm_splits == 1:
        return None
    return torch.randperm(config.batch, generator=generator(config.seed, "shuffle", step))


def _mixtures(config: Config, dataset: Dataset, epoch: int) -> Iterator[Mixture | None]:
    """The mixture of each step; None where the step does not mix."""
    parts, stream = config.method.assembly, generator(config.seed, "mixture", epoch)
    while parts.mixing is None:
        yield None
    mixing = parts.mixing
    view: View = getattr(config.views, parts.views[mixing.sources[0]])
    height, width = (view.size or side for side in dataset.train.shape)
    while True:
        mixed = float(torch.rand((), generator=stream)) < mixing.batches
        # Drawn in any case: whether a step mixes does not change what later ones draw.
        mixture = draw_mixture(
            config.batch,
            height=height,
            width=width,
            kind=mixing.kind,
            alpha=mixing.alpha,
            per_sample=mixing.per_sample,
            generator=stream,
        )
        yield mixture if mixed else None
