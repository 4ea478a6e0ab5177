"""A training run on disk: written whole or not at all, and exact to the bit when read back."""

import json
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from contrastive.config import Config, from_dict, to_dict
from contrastive.pretrained import Normalisation, Pretrained

EXPORT = ".safetensors"


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write atomically: a crash leaves the old file or the new one.

    Raises:
        OSError: the folder cannot be written.
    """
    _replace(path, lambda partial: torch.save(state, partial))


def load_state(path: Path, *, device: torch.device) -> dict[str, Any]:
    """Load what `save_state` wrote. Only tensors and plain values are unpickled.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return torch.load(path, map_location=device, weights_only=True)


def load_encoder(path: str | Path, *, device: str | torch.device = "cpu") -> Pretrained:
    """Load the trained encoder of a run, with its projector, its configuration and what standardises its images.

    Args:
        path: a checkpoint of training, or an export of one (.safetensors).
        device: where the modules shall be.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is neither.
    """
    device = torch.device(device)
    config, weights, normalisation = _read(Path(path), device)
    encoder, projector = config.encoder.build(), config.method.assembly.projector.build(config.encoder.dim)
    for name, module in (("encoder.", encoder), ("projector.", projector)):
        module.load_state_dict({k.removeprefix(name): v for k, v in weights.items() if k.startswith(name)})
        module.to(device=device, dtype=config.dtype).eval()
    encoder = encoder.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return Pretrained(config, encoder, projector, normalisation)


def export(path: str | Path, out: str | Path) -> None:
    """Write the online network of a checkpoint as safetensors: `encoder.*`, `projector.*` and other heads.

    The metadata hold the configuration ("config") and, where the checkpoint has them, the mean and
    standard deviation that images are standardised by ("normalisation"), both as JSON.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: it is none, or the new file would not be called .safetensors.
    """
    path, out = Path(path), Path(out)
    if out.suffix != EXPORT:
        raise ValueError(f"{out}: an export is read back by its name; let it end in {EXPORT}")
    config, weights, normalisation = _read(path, torch.device("cpu"))
    about = {"format": "pt", "config": json.dumps(to_dict(config))}
    if normalisation:
        about["normalisation"] = json.dumps({"mean": normalisation.mean, "std": normalisation.std})
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}

    def write(partial: Path) -> None:
        save_file(tensors, partial, metadata=about)
        partial.chmod(0o644)  # for others to read: safetensors leaves it to its owner alone

    _replace(out, write)


def _read(path: Path, device: torch.device) -> tuple[Config, dict[str, Tensor], Normalisation | None]:
    """The configuration, the online network's weights by name and the normalisation."""
    path = path.expanduser().absolute()
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        config, weights, moments = (_read_export if path.suffix == EXPORT else _read_checkpoint)(path, device)
    except (KeyError, TypeError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise ValueError(f"{path} is neither a checkpoint of a run nor an export of one ({error})") from error
    normalisation = Normalisation(tuple(moments["mean"]), tuple(moments["std"])) if moments else None
    return from_dict(config), weights, normalisation


def _read_checkpoint(path: Path, device: torch.device) -> tuple[Any, dict[str, Tensor], Any]:
    state = load_state(path, device=device)
    online = {k.removeprefix("online."): v for k, v in state["model"].items() if k.startswith("online.")}
    return _config(state), online, state.get("normalisation")


def _read_export(path: Path, device: torch.device) -> tuple[Any, dict[str, Tensor], Any]:
    with safe_open(path, framework="pt", device=str(device)) as file:
        about = file.metadata()
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    return json.loads(_config(about)), weights, json.loads(about.get("normalisation", "null"))


def _config(found: Mapping[str, Any]) -> Any:
    """The entry that holds the configuration; former versions called it a trial."""
    return found["config"] if "config" in found else found["trial"]  # former


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    write(partial)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)
