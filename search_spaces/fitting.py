"""Fitting of a space to another base: settings not set by the user give way to few images and few epochs."""

from collections.abc import Iterator, Mapping
from typing import Any

from contrastive import config as configs
from contrastive.config import Config, value_at
from contrastive.evaluate.protocols import NEIGHBOURS
from contrastive.fitting import ENDLESS, TIMED, for_epochs, has, with_batch
from search_spaces.ablations import overlap
from search_spaces.shortening import short_of, within
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
    epochs = wanted.get("epochs", space.base.epochs)
    if isinstance(epochs, int) and epochs > 0:
        # All at once: a change may be legal only together with others and with the number of epochs.
        base = for_epochs(_long(space, wanted), epochs, asked, horizon=_horizon(space, changes, asked))
        space = short_of(space, epochs)
        base = within({key: d for key, d in space.domains.items() if key not in asked}, base)
    else:
        base = configs.replace(space.base, wanted)
    return based_on(
        space, base if "batch" in {*asked, *space.paths} else _small(space, base, asked, workers), asked
    )


def given_way(space: Space, changes: Mapping[str, Any], asked: Mapping[str, Any], fitted: Space) -> list[str]:
    """What of a space `fitted` with these changes is not as it was, a line each, and how to choose it."""
    base, long = fitted.base, _long(space, {**changes, **asked})
    horizon = _horizon(space, changes, asked)
    share = f"to {base.epochs} of {horizon}" if base.epochs < horizon else f"to {base.epochs}"
    why: dict[str, str] = {}
    if base.batch != long.batch:
        why["batch"] = f"for there are {base.data.training_images()} training images"
    why |= dict.fromkeys((*TIMED, "optimiser.schedule"), f"in proportion {share} epochs")
    lines = [f"{line}; --set {path}=... takes another" for path, line in _differences(long, base, why)]
    for before, after in zip(space.alternatives, fitted.alternatives, strict=False):
        if before.name == after.name and before.values != after.values:
            told = _differences(space.config(before.values), fitted.config(after.values), why)
            lines += [f"{after.name}: {line}" for path, line in told if overlap([path], after.values)]
    if base.evaluation.neighbours == NEIGHBOURS and (bank := _bank(base)) < NEIGHBOURS:
        lines.append(
            f"kNN with all {bank} training images instead of {NEIGHBOURS}; --set evaluation.neighbours=... takes "
            "another number"
        )
    return lines


def _differences(before: Config, after: Config, why: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Paths whose value has given way, and what to say of each."""
    for path, reason in why.items():
        if has(before, path) and (now := value_at(after, path)) != (then := value_at(before, path)):
            yield path, f"{path} = {now} instead of {then}, {reason}"


def _long(space: Space, wanted: Mapping[str, Any]) -> Config:
    """The base with these changes, and with room for any schedule."""
    return configs.replace(space.base, {**wanted, "epochs": ENDLESS})


def _horizon(space: Space, changes: Mapping[str, Any], asked: Mapping[str, Any]) -> int:
    """The epochs that the schedules of the base, or of a recipe, were made for."""
    recipe = changes.get("epochs") if "epochs" in asked else None
    return recipe if isinstance(recipe, int) else space.base.epochs


def _bank(base: Config) -> int:
    """Training images, as far as they are few and can be counted."""
    try:
        return NEIGHBOURS if base.batch >= NEIGHBOURS else base.data.training_images() or NEIGHBOURS
    except (OSError, ValueError):  # said where they are read
        return NEIGHBOURS


def _small(space: Space, base: Config, asked: Mapping[str, Any], workers: int) -> Config:
    try:
        based_on(space, base, asked)
        images = base.data.training_images()
    except (OSError, ValueError):  # said where the base is put in, or the images are read
        return base

    def accepts(config: Config) -> None:
        based_on(space, config, asked)
        if config.batch % workers:
            raise ValueError(f"it does not divide among {workers} workers")

    return base if images is None else with_batch(base, images, accepts)
