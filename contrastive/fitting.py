"""Fitting of configurations to small data sets and short runs; values set by the user stay."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from contrastive.config import Config, replace, value_at
from contrastive.kinds import TAG

WARMUPS: Final = ("optimiser.warmup_epochs", "method.warmup_epochs")
CHANGES: Final = ("optimiser.milestones", "method.bandwidth_drops")
"""Fields that list epochs of a change."""
TO_THE_END: Final = ("method.bandwidth_drops",)
"""Fields among these that may name the last epoch."""
TIMED: Final = (*WARMUPS, *CHANGES)
ENDLESS: Final = 10**9
USUAL: Final[int] = Config().epochs
"""Number of epochs for which the defaults of optimisers and methods are made."""


def with_batch(config: Config, images: int, accepts: Callable[[Config], object] = lambda _: None) -> Config:
    """Lower the batch to the largest legal one that a set of `images` allows, so that each epoch has a step.

    The learning rate follows the batch by the optimiser's rule.

    Args:
        config: configuration to train.
        images: number of training images.
        accepts: raises ValueError for a batch that is refused for a reason outside the configuration.

    Raises:
        ValueError: every batch of these images is refused; gives the reason for the largest.
    """
    if config.batch <= images:
        return config
    why: ValueError | None = None
    for batch in range(images, 0, -1):
        try:
            smaller = replace(config, {"batch": batch})
            accepts(smaller)
        except ValueError as error:
            why = why or error
        else:
            return smaller
    raise ValueError(f"{images} training images are too few for any batch: {why}")


def changed(config: Config, values: Mapping[str, Any]) -> Config:
    """Return the configuration with these values by path; default schedules of a new kind are fitted to its epochs.

    Raises:
        ValueError: a path that does not exist, or an illegal value.
    """
    if not any(path.endswith(f".{TAG}") for path in values):
        return replace(config, values)
    return for_epochs(
        replace(config, {**values, "epochs": ENDLESS}), config.epochs, values, horizon=config.epochs
    )


def for_epochs(
    config: Config, epochs: int, asked: Collection[str] = (), *, horizon: int | None = None
) -> Config:
    """Return the configuration for another number of epochs; settings tied to epochs are shortened in proportion.

    If one warm-up or change of the optimiser, or of the method, does not fit, all of that part are shortened: a warm-up
    to one epoch at least, and to all but the last at most.

    Args:
        config: configuration with its present schedules.
        epochs: number of epochs of a run.
        asked: paths whose values stay, legal or not.
        horizon: number of epochs for which the schedules were made; None: that of the configuration.

    Raises:
        ValueError: the values that stay are not legal.
    """
    changes: dict[str, object] = {"epochs": epochs}
    for owner in ("optimiser", "method"):
        paths = [p for p in TIMED if p.startswith(f"{owner}.") and has(config, p) and p not in asked]
        values = {path: value_at(config, path) for path in paths}
        if all(_last(value) < epochs + (path in TO_THE_END) for path, value in values.items()):
            continue
        whole = _horizon(values.values(), horizon or config.epochs)
        changes |= {path: _shortened(value, epochs, whole) for path, value in values.items()}
    if changes.get("optimiser.milestones") == [] and value_at(config, "optimiser.milestones"):
        changes["optimiser.schedule"] = "constant"
    return replace(config, changes)


def _last(value: int | list[int]) -> int:
    """Return the last epoch of a warm-up or a list of changes."""
    return value if isinstance(value, int) else max(value, default=0)


def _horizon(values: Iterable[int | list[int]], epochs: int) -> int:
    """Return the number of epochs for which schedules were made; defaults of kinds are made for the usual one."""
    longest = max(map(_last, values))
    return epochs if longest < epochs else max(USUAL, longest + 1)


def _shortened(value: int | list[int], epochs: int, horizon: int) -> int | list[int]:
    if isinstance(value, int):
        return min(max(bool(value), round(value * epochs / horizon)), epochs - 1)
    changes = {max(1, round(epoch * epochs / horizon)) for epoch in value}
    return sorted(epoch for epoch in changes if epoch < epochs)


def has(config: Config, path: str) -> bool:
    """Whether the configuration has a field at a path that another method or optimiser may have."""
    *parts, field = path.split(".")
    return hasattr(getattr(config, parts[0]) if parts else config, field)
