"""Fitting of configurations to small data sets and short runs; numbers that were set by the user stay."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from contrastive.config import Config, replace, value_at
from contrastive.kinds import TAG

WARMUPS: Final = ("optimiser.warmup_epochs", "method.warmup_epochs")
CHANGES: Final = ("optimiser.milestones", "method.bandwidth_drops")
"""Fields that list epochs at which something changes."""
TO_THE_END: Final = ("method.bandwidth_drops",)
"""Of these those that may name the last epoch, too."""
TIMED: Final = (*WARMUPS, *CHANGES)
ENDLESS: Final = 10**9
USUAL: Final[int] = Config().epochs
"""What the defaults of optimisers and methods are made for."""


def with_batch(config: Config, images: int, accepts: Callable[[Config], object] = lambda _: None) -> Config:
    """The configuration, or where its batch is larger than a set of `images` one with the largest batch that is legal.

    So each epoch has a step at least. The learning rate follows the batch as it always does.

    Args:
        config: what is to be trained.
        images: of training.
        accepts: raises ValueError where a smaller batch will not do, for a reason that the configuration does not know.

    Raises:
        ValueError: no batch of these images will do; says why not the largest.
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
    """The configuration with these values at dotted paths; default schedules of a new kind give way to its epochs.

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

    With a warm-up or a later change that does not fit, all others of the optimiser, or of the method, are shortened:
    a warm-up to one epoch at least, and to all but the last at most.

    Args:
        config: with the schedules as they are.
        epochs: of a run.
        asked: paths that stay as they are, whether it is legal or not.
        horizon: the epochs that the schedules were made for; None: those of the configuration.

    Raises:
        ValueError: it is not legal.
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
    """The last epoch that a warm-up or a list of changes has to do with."""
    return value if isinstance(value, int) else max(value, default=0)


def _horizon(values: Iterable[int | list[int]], epochs: int) -> int:
    """The epochs that schedules were made for; defaults of kinds are made for the usual number."""
    longest = max(map(_last, values))
    return epochs if longest < epochs else max(USUAL, longest + 1)


def _shortened(value: int | list[int], epochs: int, horizon: int) -> int | list[int]:
    if isinstance(value, int):
        return min(max(bool(value), round(value * epochs / horizon)), epochs - 1)
    changes = {max(1, round(epoch * epochs / horizon)) for epoch in value}
    return sorted(epoch for epoch in changes if epoch < epochs)


def has(config: Config, path: str) -> bool:
    """Whether the configuration has a field at the path, which another method or optimiser has."""
    *parts, field = path.split(".")
    return hasattr(getattr(config, parts[0]) if parts else config, field)
