"""Fitting of a space to another base: settings not set by the user give way to few images and few epochs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contrastive import config as configs
from contrastive.config import Config, value_at
from contrastive.evaluate.protocols import NEIGHBOURS
from contrastive.fitting import ENDLESS, TIMED, for_epochs, has, with_batch
from search_spaces import normalise
from search_spaces.ablations import overlap, without_pinned
from search_spaces.parts import Alternative
from search_spaces.shortening import short_of, within
from search_spaces.space import Space


def fitted(space: Space, changes: Mapping[str, Any], asked: Mapping[str, Any], *, workers: int = 1) -> Space:
    """Return the space around its base with these changes, shortened to the epochs and images that there are.

    Args:
        space: the space.
        changes: values by path, such as those of a recipe; few epochs and images alter them like the base's own.
        asked: values by path that the user asked for; nothing alters them, and they no longer vary.
        workers: number of workers that share a batch.

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


def based_on(space: Space, base: Config, pinned: Collection[str] = ()) -> Space:
    """Return the space around another base; pinned paths no longer vary.

    Results measured on the old base are dropped, and so are domains that never exist on the new base and first
    settings that it does not allow.

    Raises:
        ValueError: the new base does not fit the space.
    """
    normalise.check_kinds(space.name, space.conditional, base, pinned, listed=bool(space.alternatives))
    domains, conditions = normalise.unpinned(space.conditional, base, pinned)
    changes: dict[str, Any] = {"base": base, "domains": domains, "conditions": conditions, "first": ()}
    changes["alternatives"] = without_pinned(space.alternatives, pinned)
    if base != space.base:
        changes |= {"reference": None, "reported": ()}
    moved = replace(space, **changes)
    return replace(moved, first=tuple(a for a in without_pinned(space.first, pinned) if _fits(moved, a)))


def _fits(space: Space, alternative: Alternative) -> bool:
    """Whether a search of the space can try the setting first."""
    try:
        space.check_first(alternative)
    except ValueError:
        return False
    return True


def given_way(space: Space, changes: Mapping[str, Any], asked: Mapping[str, Any], fitted: Space) -> list[str]:
    """Describe each value that differs in a space `fitted` with these changes, a line each, and how to choose it."""
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
    """Yield each path whose value differs, and a sentence on it."""
    for path, reason in why.items():
        if has(before, path) and (now := value_at(after, path)) != (then := value_at(before, path)):
            yield path, f"{path} = {now} instead of {then}, {reason}"


def _long(space: Space, wanted: Mapping[str, Any]) -> Config:
    """Return the base with these changes and epochs enough for any schedule."""
    return configs.replace(space.base, {**wanted, "epochs": ENDLESS})


def _horizon(space: Space, changes: Mapping[str, Any], asked: Mapping[str, Any]) -> int:
    """Return the number of epochs that the schedules of the base, or of a recipe, were made for."""
    recipe = changes.get("epochs") if "epochs" in asked else None
    return recipe if isinstance(recipe, int) else space.base.epochs


def _bank(base: Config) -> int:
    """Return the number of training images if they are few and can be counted, else the usual number."""
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
