"""Replay recorded training trajectories through the real training step and say how far apart they are.

    python tests/trajectory.py FILE...

A file holds what a paper's own code has computed in float64 from given weights and given views: the loss and the
rates of each step, and all weights, target and queue at the end. Weights
and views are put into `contrastive.learner`, the step that `contrastive.train` takes.

A line a file: the largest relative difference of each quantity that the file has. Numbers are compared one by one,
tensors by their largest difference over their largest entry, or over SMALL where all entries are below: a mean that
is 0 but for rounding agrees. Exit code 1 if any is above TOLERANCE or no number, 2 if a file cannot be read as a
trajectory, which is said on standard error.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent.parent))

from contrastive.config import Config, from_dict
from contrastive.distributed import World
from contrastive.learner import Learner
from contrastive.methods.protocol import Batch

TOLERANCE = 1e-9
SMALL = 1e-3
Arrays = Mapping[str, np.ndarray]


@dataclass
class Replay:
    """What has been computed beside what the file says, by quantity."""

    pairs: dict[str, list[tuple[Tensor, Tensor]]] = field(default_factory=dict)

    def compare(self, quantity: str, found: Tensor | float, recorded: np.ndarray) -> None:
        expected = torch.from_numpy(np.asarray(recorded, dtype=np.float64))
        found = torch.as_tensor(found, dtype=torch.float64).detach()
        if found.shape != expected.shape:
            raise ValueError(f"{quantity} is {tuple(found.shape)}, in the file {tuple(expected.shape)}")
        self.pairs.setdefault(quantity, []).append((found, expected))

    def differences(self) -> dict[str, float]:
        """The largest of each quantity; no number if any is none."""
        return {
            name: torch.tensor([relative(pair) for pair in pairs]).max().item()
            for name, pairs in self.pairs.items()
        }


def relative(pair: tuple[Tensor, Tensor]) -> float:
    """Largest difference over the largest recorded entry; 0 where all is equal, zeros among it."""
    found, expected = pair
    if torch.equal(found, expected):
        return 0.0
    difference, size = (found - expected).abs().max(), expected.abs().max()
    return (difference / (size.clamp(min=SMALL) if expected.ndim else size)).item()


def replay(arrays: Arrays) -> Replay:
    """Takes the file's steps from the file's initial state."""
    config, steps_per_epoch = _config(json.loads(str(arrays["trial"])))
    learner = Learner(config, steps_per_epoch=steps_per_epoch, world=World(), device=torch.device("cpu"))
    _begin(learner.model, arrays)
    if "loss/0" not in arrays:
        raise KeyError("loss/0")
    result = Replay()
    for step in range(len([*_under(arrays, "loss/")])):
        batch = _batch(arrays, step, steps_per_epoch)
        loss, _ = learner.step(batch)
        in_force = {"rate": learner.optimiser.param_groups[0]["lr"], "momentum": learner.momentum(step)}
        if f"bandwidth/{step}" in arrays:
            in_force["bandwidth"] = config.method.bandwidth_at(batch.epoch)  # pyright: ignore
        result.compare("losses", loss, arrays[f"loss/{step}"])
        for quantity, name in (("rate", "lr"), ("momentum", "momentum"), ("bandwidth", "bandwidth")):
            if f"{name}/{step}" in arrays:
                result.compare(quantity, in_force[quantity], arrays[f"{name}/{step}"])
    _end(learner.model, arrays, result)
    return result


def _config(values: Mapping[str, Any]) -> tuple[Config, int]:
    """The recorded configuration without what makes and judges the views, and the steps of its epochs."""
    parts = {name: values[name] for name in ("method", "encoder", "optimiser", "epochs", "batch", "seed")}
    return from_dict({**parts, "precision": "float64"}), values["data"]["train"] // values["batch"]


def _batch(arrays: Arrays, step: int, steps_per_epoch: int) -> Batch:
    groups = arrays.get(f"groups/{step}")
    return Batch(
        views={int(view): torch.from_numpy(rows).double() for view, rows in _under(arrays, f"views/{step}/")},
        step=step,
        epoch=1 + step // steps_per_epoch,
        # Within a part the order does not matter to its statistics.
        shuffle=None if groups is None else torch.from_numpy(groups).argsort(stable=True),
    )


def _begin(model: nn.Module, arrays: Arrays) -> None:
    branches = [name for name in ("online", "target") if getattr(model, name) is not None]
    for branch in branches:
        _load(getattr(model, branch), dict(_under(arrays, f"initial/{branch}/")), branch)
    if model.queue is not None:
        model.queue.copy_(torch.from_numpy(arrays["initial/queue"]))


def _load(branch: nn.Module, recorded: Arrays, name: str) -> None:
    state = {key: torch.from_numpy(value) for key, value in recorded.items() if _computes(key)}
    apart = set(filter(_computes, branch.state_dict())) ^ state.keys()
    if apart:
        raise ValueError(f"the configuration's {name} network and the file's differ in {sorted(apart)}")
    branch.load_state_dict(state, strict=False)


def _computes(key: str) -> bool:
    """Whether anything depends on an entry of a state dict; the count of batches is bookkeeping."""
    return not key.endswith("num_batches_tracked")


def _end(model: nn.Module, arrays: Arrays, result: Replay) -> None:
    for quantity, branch, key in (
        ("weights", "online", "online"),
        ("target", "target", "target"),
        ("target", "target", "target_parameters"),
    ):
        for name, recorded in _under(arrays, f"final/{key}/"):
            if _computes(name):
                result.compare(quantity, getattr(model, branch).state_dict()[name], recorded)
    if "final/queue" in arrays:
        result.compare("queue", model.queue, arrays["final/queue"])


def _under(arrays: Arrays, prefix: str) -> Iterator[tuple[str, np.ndarray]]:
    return ((name.removeprefix(prefix), arrays[name]) for name in arrays if name.startswith(prefix))


def read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # a damaged archive raises whatever its damage leads to
        raise ValueError(f"cannot be read: {error}") from error


def main(paths: Iterable[Path]) -> int:
    """Prints a line for each file; returns the exit code."""
    code = 0
    for path in paths:
        try:
            found = replay(read(path)).differences()
        except (ValueError, KeyError, AttributeError, TypeError, RuntimeError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else error
            print(f"{path}: no trajectory that can be replayed: {reason}", file=sys.stderr)
            code = 2
            continue
        apart = any(not difference <= TOLERANCE for difference in found.values())
        code = max(code, int(apart))
        told = "  ".join(f"{quantity} {difference:.1e}" for quantity, difference in found.items())
        print(f"{path.name}: {told}{'  APART' if apart else ''}")
    return code


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    torch.set_num_threads(1)
    sys.exit(main(parser.parse_args().files))
