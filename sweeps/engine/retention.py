"""Retention of checkpoints: which a sweep keeps, and their sizes."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contrastive.config import Config


def removable(
    sizes: Mapping[str, int],
    *,
    running: Collection[str],
    paused: Sequence[str],
    failed: Collection[str],
    complete: Sequence[Collection[str]],
    default: Collection[str],
    keep: int,
    budget: int | None,
) -> list[str]:
    """Return the runs whose checkpoints are to be removed, in the order of removal.

    At once: those of stopped runs, and of complete arms beyond the best `keep`. Then, while what is left is larger
    than the budget: of failed runs, of complete arms from the lowest rank up, of paused runs from the lowest up.
    Those of running runs, of the best complete arm and of the default never go; `smallest_budget` holds them all.

    Args:
        sizes: bytes of each checkpoint that exists, by run.
        running: in training, or to be resumed as they are.
        paused: waiting to be promoted, the best first; without its checkpoint one starts again.
        failed: may be tried again, from their checkpoint if it is there.
        complete: the runs of each complete arm, the best arm first.
        default: the runs of the default arm.
        keep: how many complete arms keep theirs beside the default.
        budget: bytes that all checkpoints may take; None: no limit.
    """
    best = complete[0] if complete else ()
    ranked = [run for arm in complete for run in arm]
    safe = {*running, *default, *best}
    beyond = [run for arm in complete[keep:] for run in arm]
    stopped = sizes.keys() - {*paused, *failed, *ranked}
    at_once = dict.fromkeys([*sorted(stopped), *reversed(beyond)])
    going = [run for run in at_once if run in sizes and run not in safe]
    if budget is None:
        return going
    room = budget - sum(sizes.values()) + sum(sizes[run] for run in going)
    for run in [*sorted(failed), *reversed(ranked), *reversed(paused)]:
        if room >= 0:
            break
        if run in sizes and run not in safe and run not in going:
            going.append(run)
            room += sizes[run]
    return going


def checkpoint_sizes(checkpoints: Path) -> dict[str, int]:
    """Return the bytes of each run's checkpoint under this folder, partly written ones included."""
    return {
        Path(folder).name: sum(_size(Path(folder) / name) for name in files)
        for folder, _, files in os.walk(checkpoints)  # which does not mind that others remove what it lists
        if Path(folder).parent == checkpoints
    }


def checkpoint_bytes(config: "Config") -> int:
    """Estimate the bytes of one checkpoint: networks, queue and optimiser states, built without data."""
    import torch

    from contrastive.distributed import World
    from contrastive.siamese import Siamese

    device = torch.device("meta")
    model = Siamese(config, world=World(), device=device).to(device)
    parameters = list(model.online.parameters())
    optimiser = config.optimiser.build(parameters)
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()  # what an optimiser remembers, only it knows
    states = [value for state in optimiser.state.values() for value in state.values()]
    tensors = [*model.state_dict().values(), *states]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if torch.is_tensor(tensor))


def smallest_budget(config: "Config", *, parallel: int, seeds: int) -> int:
    """Return the smallest possible budget: runs in training, one checkpoint being written, and two arms that stay.

    A checkpoint is written beside the one that it replaces.
    """
    return checkpoint_bytes(config) * (2 * parallel + 2 * seeds)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # replaced by a newer one since it was listed
        return 0
