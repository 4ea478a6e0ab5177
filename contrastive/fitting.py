"""Numbers that nobody asked for give way to small data sets and short runs; those that were asked for do not."""

from collections.abc import Callable, Collection
from typing import Final

from contrastive.config import Trial, replace, value_at
from contrastive.data import Data
from contrastive.data.image_set import ImageSet

WARMUPS: Final = ("optimiser.warmup_epochs", "method.warmup_epochs")
CHANGES: Final = ("optimiser.milestones", "method.bandwidth_drops")
"""Fields that list epochs at which something changes."""
ENDLESS: Final = 10**9


def training_images(data: Data) -> int | None:
    """How many training images a set has; nothing is decoded for it. None where only reading it tells.

    Raises:
        FileNotFoundError: the files are not where `data.root` says.
        ValueError: they are not what the set consists of, or too few.
    """
    return data.counts()["train"] if isinstance(data, ImageSet) else data.train


def with_batch(trial: Trial, images: int, accepts: Callable[[Trial], object] = lambda _: None) -> Trial:
    """The trial, or where its batch is larger than a set of `images` one with the largest batch that is legal.

    So each epoch has a step at least. The learning rate follows the batch as it always does.

    Args:
        trial: what is to be trained.
        images: of training.
        accepts: raises ValueError where a smaller batch will not do, for a reason that the trial does not know.

    Raises:
        ValueError: no batch of these images will do; says why not the largest.
    """
    if trial.batch <= images:
        return trial
    why: ValueError | None = None
    for batch in range(images, 0, -1):
        try:
            smaller = replace(trial, {"batch": batch})
            accepts(smaller)
        except ValueError as error:
            why = why or error
        else:
            return smaller
    raise ValueError(f"{images} training images are too few for any batch: {why}")


def for_epochs(trial: Trial, epochs: int, asked: Collection[str] = ()) -> Trial:
    """The trial for so many epochs: warm-ups leave the last one at least, later changes are left out.

    `asked`: paths that stay as they are, whether it is legal or not.

    Raises:
        ValueError: it is not.
    """
    changes: dict[str, object] = {"epochs": epochs}
    long = replace(trial, {"epochs": ENDLESS})
    for path in (path for path in (*WARMUPS, *CHANGES) if has(long, path) and path not in asked):
        value = value_at(long, path)
        late = (
            [epoch for epoch in value if epoch < epochs]
            if path in CHANGES
            else min(value, max(0, epochs - 1))
        )
        changes |= {path: late} if late != value else {}
        if path == "optimiser.milestones" and value and not late:
            changes["optimiser.schedule"] = "constant"
    return replace(trial, changes)


def has(trial: Trial, path: str) -> bool:
    """Whether the trial has a field at the path, which another method or optimiser has."""
    *parts, field = path.split(".")
    return hasattr(getattr(trial, parts[0]) if parts else trial, field)
