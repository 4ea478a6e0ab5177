"""A training run on disk: written whole or not at all, and exact to the bit when read back."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

from contrastive.config import Trial, from_dict


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes atomically: a crash leaves the old file or the new one.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load(path: Path, *, device: torch.device) -> dict[str, Any]:
    """What `save` wrote. Nothing but tensors and plain values is unpickled.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return torch.load(path, map_location=device, weights_only=True)


def load_encoder(path: Path, *, device: torch.device) -> tuple[Trial, nn.Module]:
    """The trained encoder of a run as a plain module in evaluation mode, and the trial it comes from.

    Raises:
        FileNotFoundError: there is no such file.
    """
    state = load(path, device=device)
    trial = from_dict(state["trial"])
    encoder = trial.encoder.build()
    prefix = "online.encoder."
    weights = {k.removeprefix(prefix): v for k, v in state["model"].items() if k.startswith(prefix)}
    encoder.load_state_dict(weights)
    dtype = next(iter(weights.values())).dtype
    encoder = encoder.to(device=device, dtype=dtype).eval()
    return trial, encoder.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
