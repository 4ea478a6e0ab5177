"""A space around another base, of which what nobody asked for gives way to few images and few epochs."""

from collections.abc import Mapping
from typing import Any

from contrastive import config
from contrastive.config import Trial, value_at
from contrastive.evaluate.protocols import NEIGHBOURS
from contrastive.fitting import ENDLESS, WARMUPS, for_epochs, has, training_images, with_batch
from search_spaces.shortening import short_of
from search_spaces.space import Space, based_on


def fitted(space: Space, changes: Mapping[str, Any], asked: Mapping[str, Any], *, workers: int = 1) -> Space:
    """The space around its base with these changes.

    Args:
        space: whose base is changed.
        changes: by paths, such as those of a recipe; they give way as the base's own values do.
        asked: by paths; they do not, and no longer vary.
        workers: that share a batch.

    Raises:
        ValueError: the new base does not fit the space.
    """
    wanted = {**changes, **asked}
    epochs = wanted.get("epochs")
    if isinstance(epochs, int) and epochs > 0:
        # All at once: a change may be legal only beside others and for so many epochs.
        base = for_epochs(config.replace(space.base, {**wanted, "epochs": ENDLESS}), epochs, asked)
        space = short_of(space, epochs)
    else:
        base = config.replace(space.base, wanted)
    return based_on(
        space, base if "batch" in {*asked, *space.paths} else _small(space, base, asked, workers), asked
    )


def given_way(space: Space, changes: Mapping[str, Any], asked: Mapping[str, Any], base: Trial) -> list[str]:
    """What of the base of a space `fitted` with these changes is not as it was, a line each, and how to choose it."""
    long = config.replace(space.base, {**changes, **asked, "epochs": ENDLESS})
    lines: list[str] = []
    for path, why in (
        ("batch", "for there are {} training images"),
        *((p, "for {} epochs") for p in WARMUPS),
    ):
        if has(long, path) and (value := value_at(base, path)) != value_at(long, path):
            because = why.format(training_images(base.data) if path == "batch" else base.epochs)
            lines.append(
                f"{path} = {value} instead of {value_at(long, path)}, {because}; --set {path}=... takes another"
            )
    if base.evaluation.neighbours == NEIGHBOURS and (bank := _bank(base)) < NEIGHBOURS:
        lines.append(
            f"kNN with all {bank} training images instead of {NEIGHBOURS}; --set evaluation.neighbours=... takes "
            "another number"
        )
    return lines


def _bank(base: Trial) -> int:
    """Training images, as far as they are few and can be counted."""
    try:
        return NEIGHBOURS if base.batch >= NEIGHBOURS else training_images(base.data) or NEIGHBOURS
    except (OSError, ValueError):  # said where they are read
        return NEIGHBOURS


def _small(space: Space, base: Trial, asked: Mapping[str, Any], workers: int) -> Trial:
    try:
        based_on(space, base, asked)
        images = training_images(base.data)
    except (OSError, ValueError):  # said where the base is put in, or the images are read
        return base

    def accepts(trial: Trial) -> None:
        based_on(space, trial, asked)
        if trial.batch % workers:
            raise ValueError(f"it does not divide among {workers} workers")

    return base if images is None else with_batch(base, images, accepts)
