"""Export of a sweep's best arm: its configuration, its origin and its trained encoders."""

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis.arms import Arm
from analysis.load import Record, Run, load, recorded_value
from analysis.summarise import summarise
from sweeps.store import write_whole


@dataclass(frozen=True)
class Exported:
    """Files written, and the runs whose checkpoints no longer exist."""

    best: str
    encoders: tuple[str, ...]
    missing: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)

    def text(self) -> str:
        """Return the result as text."""
        return "\n".join([self.best, *self.encoders, *(f"missing: {sentence}" for sentence in self.missing)])


def export(directory: Path, out: Path) -> Exported:
    """Write the best complete arm of a sweep to the folder `out`, which is created.

    best.json has its configuration with its first seed, its score on each seed, and its origin;
    encoder-seedN.safetensors, one for each run of the arm, is loaded by `contrastive.load_encoder`.

    Raises:
        StoreError: there is no sweep in that folder.
        ValueError: no arm is complete.
        OSError: `out` cannot be written.
    """
    from contrastive import checkpoint

    record = load(directory)
    summary = summarise(record)
    best = summary.result.best or summary.best  # the confirmed one, where there was a confirmation
    if best is None:
        raise ValueError(f"{directory.name} has no complete arm to export; resume it first")
    out.mkdir(parents=True, exist_ok=True)
    runs = sorted((run for run in record.runs if run.arm == best.digest), key=lambda run: run.seed)
    content = json.dumps(_described(record, best, runs), indent=2, sort_keys=True, ensure_ascii=False)
    write_whole(out / "best.json", lambda file: file.write(f"{content}\n".encode()))
    encoders, missing = [], []
    for run in runs:
        path = directory / "checkpoints" / run.identity / "checkpoint.pt"
        if not path.is_file():
            missing.append(f"seed {run.seed}, whose checkpoint {path} is not there")
            continue
        encoder = out / f"encoder-seed{run.seed}.safetensors"
        checkpoint.export(path, encoder)
        encoders.append(str(encoder))
    return Exported(str(out / "best.json"), tuple(encoders), tuple(missing))


def _described(record: Record, best: Arm, runs: list[Run]) -> dict[str, Any]:
    manifest = record.manifest
    return {
        "config": runs[0].config,
        "values": best.values,
        "metric": record.metric,
        "score": best.score,
        "deviation": best.deviation,
        "scores": {str(seed): score for seed, score in sorted(best.scores.items())},
        "seeds": list(best.seeds),
        "arm": best.digest,
        "sweep": manifest.get("id"),
        "created": manifest.get("created"),
        "data": manifest.get("data"),
        "command": manifest.get("command"),
        "provenance": manifest.get("provenance"),
        "train": training_command(manifest.get("space", {}).get("name", ""), runs[0].config, best.seeds),
    }


def training_command(space: str, config: dict[str, Any], seeds: tuple[int, ...]) -> str | None:
    """Return the command that trains a configuration on these seeds; None if its space has no name there."""
    from contrastive.config import from_dict, replace, to_dict
    from search_spaces import SPACES

    if space not in SPACES:
        return None
    origin, wanted = SPACES[space].base, {**config, "seed": 0}
    varied = {path: recorded_value(wanted, path) for path in SPACES[space].default()}
    changes = {**varied, **_changes(to_dict(replace(origin, {**varied, "seed": 0})), wanted)}
    if replace(origin, {**changes, "seed": 0}) != from_dict(wanted):
        return None
    settings = [part for path, value in changes.items() for part in ("--set", f"{path}={json.dumps(value)}")]
    listed = ",".join(map(str, seeds)) + "," * (len(seeds) == 1)
    words = ["python", "sweeps/run.py", "--space", space, "--arms", "1", "--seeds", listed, *settings]
    return shlex.join(words)


def _changes(base: dict[str, Any], wanted: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Return the values by which `wanted` differs, by path; a part of another kind is one value."""
    changes: dict[str, Any] = {}
    for name, value in wanted.items():
        before = base.get(name)
        if isinstance(value, dict) and isinstance(before, dict) and value.keys() == before.keys():
            changes |= _changes(before, value, f"{path}{name}.")
        elif value != before:
            changes[f"{path}{name}"] = value
    return changes
