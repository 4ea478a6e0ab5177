"""Commands on one trained network."""

import argparse
import dataclasses
import json
from typing import Any

import torch

from contrastive import checkpoint, data
from contrastive.config import Config, closest, replace, to_dict, to_json
from contrastive.data.download import download as fetch
from contrastive.evaluate.encoder import measure_protocols
from contrastive.evaluate.protocols import PROTOCOLS

KINDS: dict[str, type[Any]] = {kind.name: kind for kind in PROTOCOLS}


def evaluate(given: argparse.Namespace) -> None:
    """Print what the protocols measure.

    Raises:
        ValueError: a file, name or value that cannot be meant; says what is allowed.
        OSError: a file cannot be read.
    """
    device = torch.device(given.device)
    network = checkpoint.load_encoder(given.checkpoint, device=device)
    config = _with_protocols(network.config, given)
    metrics: dict[str, float] = {}
    for found in measure_protocols(network, config, cache=given.cache, device=device):
        metrics |= found
        if not given.json:
            print(*(f"{name:<40} {value:8.2f}" for name, value in found.items()), sep="\n", flush=True)
    if given.json:
        evaluation = to_dict(config)["evaluation"]
        asked = {"split": evaluation["split"], "protocols": evaluation["after"]}
        print(json.dumps({"checkpoint": str(given.checkpoint), **asked, "metrics": metrics}, indent=2))


def export(given: argparse.Namespace) -> None:
    """Write a checkpoint's network as safetensors.

    Raises:
        ValueError: it is no checkpoint, or the new name is not legal.
        OSError: a file cannot be read or written.
    """
    checkpoint.export(given.checkpoint, given.out)
    print(given.out)


def download(given: argparse.Namespace) -> None:
    """Fetch a data set.

    Raises:
        ValueError: there is no such set, or what came is damaged.
        OSError: it cannot be reached or written.
    """
    try:
        fetch(given.name, given.root)
    except RuntimeError as error:
        raise ConnectionError(str(error)) from error


def _with_protocols(config: Config, given: argparse.Namespace) -> Config:
    """The configuration with the evaluation that the flags describe, and its images where they lie now."""
    asked = [_protocol(text) for text in given.protocol or ("linear", "knn")]
    for text in given.set:
        _assign(text, asked)
    if given.data:
        asked = [{**values, "data": to_json(data.parse(given.data))} for values in asked]
    moved = {"data.root": given.root} if given.root else {}
    return replace(config, {"evaluation.after": asked, "evaluation.split": given.split, **moved})


def _protocol(text: str) -> dict[str, Any]:
    name, _, recipe = text.partition(":")
    if name not in KINDS:
        raise ValueError(f"there is no protocol '{name}'. {closest(name, list(KINDS))}")
    presets = KINDS[name].presets
    if recipe and recipe not in presets:
        raise ValueError(f"{name} has no preset '{recipe}'. {closest(recipe, list(presets))}")
    return {"name": name, **(presets[recipe].values if recipe else {})}


def _assign(text: str, asked: list[dict[str, Any]]) -> None:
    """Set the field that `[NAME.]FIELD=VALUE` names in every protocol that is meant; VALUE as JSON or text."""
    path, equals, value = text.partition("=")
    name, _, field = path.rpartition(".")
    named = [values for values in asked if name in ("", values["name"])]
    meant = [values for values in named if field in _fields(values["name"])]
    if not equals or not meant:
        allowed = sorted(
            {f"{values['name']}.{known}" for values in named or asked for known in _fields(values["name"])}
        )
        raise ValueError(f"--set {text}: give [PROTOCOL.]FIELD=VALUE. {closest(path, allowed)}")
    for values in meant:
        try:
            values[field] = json.loads(value)
        except json.JSONDecodeError:
            values[field] = value


def _fields(name: str) -> list[str]:
    return [field.name for field in dataclasses.fields(KINDS[name]) if field.name not in ("name", "data")]
