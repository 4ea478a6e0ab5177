"""The life of one sweep on disk: begun, carried out (again, after an interruption), concluded."""

import fcntl
import json
import os
import platform
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import IO, Any

import torch

from contrastive.checkpoint import load_encoder
from contrastive.config import arm
from contrastive.data import Dataset, load
from contrastive.evaluate.features import readout
from contrastive.evaluate.offline import check_evaluation
from contrastive.evaluate.online import held_out_accuracy, raw_pixel_accuracy, untrained_accuracy
from contrastive.train import check_batch
from sweeps import store
from sweeps.engine.provenance import code, code_changes, provenance
from sweeps.planning import objectives
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan
from sweeps.store.driver import LOCK, STOP


@dataclass(frozen=True)
class Sweep:
    """A sweep's folder in the store, what it is to do, and its images."""

    directory: Path
    plan: Plan
    dataset: Dataset
    cache: Path

    @property
    def default_arm(self) -> str:
        """The arm that everything is compared with."""
        return arm(self.plan.space.base, self.dataset.fingerprint)


def begin(plan: Plan, dataset: Dataset, *, root: Path, cache: Path, command: str, program: str) -> Sweep:
    """Makes the folder and the manifest of a new sweep in the store at `root`, of images that `check` has given.

    `command` is what was typed, `program` how to call the command line on the same store.

    Raises:
        ValueError: the store cannot be used; says why.
    """
    measured = _baselines(plan, dataset)
    # Nothing is made before all that can be refused has been.
    now, directory = datetime.now(UTC), store.open_store(root)
    sweep = Sweep(_new_folder(directory, plan.space.name, now), plan, dataset, cache)
    more = {**measured, "command": command, **_next(sweep, program)}
    store.write_manifest(sweep.directory, {**_manifest(sweep, now), **more})
    return sweep


def check_images(plan: Plan, *, cache: Path) -> Dataset:
    """The images of a plan, which can be trained on by each of its arms.

    Raises:
        ValueError: they cannot; says why.
    """
    dataset = load(plan.space.base.data, cache=cache)
    _check(plan, dataset, cache)
    return dataset


def grow(begun: Sweep, plan: Plan, *, program: str) -> Sweep:
    """The sweep with a larger plan: what it has is kept, what is new is checked as at its beginning.

    Raises:
        ValueError: the images cannot be used for what is new.
    """
    _check(plan, begun.dataset, begun.cache)
    grown = Sweep(begun.directory, plan, begun.dataset, begun.cache)
    manifest = store.read_manifest(begun.directory)
    kept = {name: manifest[name] for name in ("created", "command")}
    before = [*manifest.get("plans_before", []), manifest["plan"]]
    kept |= _code(manifest)
    content = {**_manifest(grown, datetime.now(UTC)), **_baselines(plan, grown.dataset), **kept}
    store.write_manifest(grown.directory, {**content, **_next(grown, program), "plans_before": before})
    return grown


def reopen(directory: Path, *, cache: Path, other_code: bool = False) -> Sweep:
    """A sweep that was begun before.

    `other_code`: it may go on though the code that trains has changed since.

    Raises:
        ValueError: its images or its code are not what they were; says what has changed.
    """
    manifest = store.read_manifest(directory)
    plan = plans.from_dict(manifest["plan"])
    dataset = load(plan.space.base.data, cache=cache)
    if dataset.fingerprint != manifest["data"]:
        raise ValueError(f"the images of {manifest['id']} have changed since it was begun; start a new sweep")
    sweep = Sweep(directory, plan, dataset, cache)
    if sweep.default_arm != manifest["default_arm"]:
        raise ValueError(
            f"{manifest['id']} was begun by a version whose configurations give other numbers; finish it with that one "
            "or start a new sweep"
        )
    if _changed(manifest) and not other_code:
        commit = manifest.get("provenance", {}).get("commit")
        raise ValueError(
            f"the code that trains has changed since {manifest['id']} was carried out: "
            f"{code_changes(manifest.get('code') or {}, commit, code())}. Its runs would be of two codes: start a new "
            "sweep, or add --reuse-other-code if you know that both give the same numbers"
        )
    return sweep


def go_on(begun: Sweep) -> Sweep:
    """The sweep, with the code of now in its manifest if that has changed."""
    manifest = store.read_manifest(begun.directory)
    if _changed(manifest):
        store.write_manifest(begun.directory, {**manifest, **_code(manifest)})
    return begun


def _changed(manifest: Mapping[str, Any]) -> bool:
    return (manifest.get("code") or {}).get("digest") != code().digest


def _code(before: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says of the code and the place of its sittings: the last one's, and those before that differ."""
    found: dict[str, Any] = {"code": code().to_dict(), "provenance": provenance()}
    earlier = list(before.get("carried_out_before", []))
    if before and _changed(before):
        earlier.append({name: before.get(name) for name in found})
    return {**found, "carried_out_before": earlier}


def origin(begun: Sweep, campaign: str = "") -> dict[str, str]:
    """Where the runs of this sitting come from: columns of each of their rows in the store."""
    found = provenance()
    return {
        "space": begun.plan.space.name,
        "campaign": campaign,
        "data": begun.dataset.fingerprint,
        "commit": str(found["commit"] or ""),
        "diff": str(found["diff"] or ""),
        "code": code().digest,
        "packages": json.dumps(found["packages"], sort_keys=True),
        "host": str(found["host"]),
        "device": begun.plan.device,
    }


@contextmanager
def alone(directory: Path) -> Generator[None]:
    """Keeps a second driver away for as long as this one lives.

    Raises:
        ValueError: another process is carrying the sweep out.
    """
    # Opened for appending: a second driver must not wipe out who the first one is.
    with (directory / LOCK).open("a") as file:
        if not any(map(_locked, [file] * 3)):
            raise ValueError(
                f"another process is running {directory.name}; wait for it, or end it with --stop {directory.name}"
            )
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": platform.node()}))
        file.flush()
        (directory / STOP).unlink(missing_ok=True)
        yield


def _locked(file: IO[str]) -> bool:
    """Whether the lock was to be had; one who only looks holds it for an instant, so it is worth a second try."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        time.sleep(0.1)
        return False
    return True


def asked_to_stop(directory: Path) -> bool:
    """Whether another process has asked the sweep's driver to end it."""
    return (directory / STOP).exists()


def checkpoint(sweep: Sweep, run: str) -> Path:
    """Where the checkpoint of a run is, if it is kept."""
    return sweep.directory / "checkpoints" / run / "checkpoint.pt"


def test_accuracy(sweep: Sweep, run: str) -> float:
    """Top-1 of kNN on the test images, in percent, of a finished run: for what is reported at the end only."""
    device = _device(sweep.plan)
    found = load_encoder(checkpoint(sweep, run), device=device)
    layer = readout(found, found.config.evaluation.layer)
    return held_out_accuracy(layer, sweep.dataset, found.config, device=device)


def _check(plan: Plan, dataset: Dataset, cache: Path) -> None:
    objectives.check_objectives(plan, classes=len(dataset.classes))
    for config in map(plan.space.config, plans.fixed_arms(plan)):
        check_batch(config, dataset)
        check_evaluation(config, dataset, cache=cache, choosing=True)


def _baselines(plan: Plan, dataset: Dataset) -> dict[str, Any]:
    """What any learning must pass; the encoder before training is another one on each seed."""
    device, base = _device(plan), plan.space.base
    raw = raw_pixel_accuracy(base, dataset, device=device)
    configs = {seed: plan.run(plan.space.default(), seed) for seed in plan.seeds}
    untrained = {seed: untrained_accuracy(config, dataset, device=device) for seed, config in configs.items()}
    return {
        "baselines": {"raw pixels": raw, "untrained encoder": fmean(untrained.values())},
        "untrained": untrained,
    }


def _device(plan: Plan) -> torch.device:
    """The driver's own: the machine that asks for GPUs on a cluster need not have one."""
    return torch.device(plan.device if torch.cuda.is_available() else "cpu")


def _new_folder(root: Path, space: str, now: datetime) -> Path:
    stem = f"{space}-{now:%Y%m%d-%H%M%S}"
    for suffix in ("", *(f"-{n}" for n in range(2, 1000))):
        directory = root / "sweeps" / f"{stem}{suffix}"
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            continue
        return directory.resolve()
    raise ValueError(f"{root} holds a thousand sweeps named {stem}; give another store with --store")


def _manifest(sweep: Sweep, now: datetime) -> dict[str, Any]:
    plan, space = sweep.plan, plans.to_dict(sweep.plan)["space"]
    reference = plan.space.reference
    return {
        "id": sweep.directory.name,
        "created": now.isoformat(),
        "plan": plans.to_dict(plan),
        "space": {
            "name": plan.space.name,
            "question": plan.space.question,
            "domains": {
                key: domain | ({"when": space["conditions"][key]} if key in space["conditions"] else {})
                for key, domain in space["domains"].items()
            },
            "alternatives": _named_arms(plan),
            "base_name": plan.space.base_name,
            "reported": space["reported"],
            "constraints": [{"less": [c.smaller, c.larger]} for c in plan.space.constraints],
        },
        "metric": "knn_top1",
        "metric_label": "online kNN top-1 (%)",
        "epochs": plan.epochs,
        "seeds": list(plan.seeds),
        "confirm_seeds": list(plan.confirm_seeds),
        "runs": plan.runs + plan.confirm_runs,
        "epochs_expected": plans.expected_epochs_of(plan)[1],
        "objectives": plans.to_dict(plan)["objectives"],
        "data": sweep.dataset.fingerprint,
        "default_arm": sweep.default_arm,
        "seed_deviation": reference.seed_deviation if reference else None,
        "seed_deviation_seeds": reference.seeds if reference else None,
        **_code({}),
    }


def _named_arms(plan: Plan) -> dict[str, Any]:
    """The arms of a space that lists them, by name; some designs join several of them."""
    if not plan.space.alternatives:
        return {}
    joined = {plan.space.named_arms.name_of(arm): arm for arm in plans.fixed_arms(plan)[1:]}
    return {**plan.space.arms(), **joined}


def _next(sweep: Sweep, program: str) -> dict[str, str]:
    """What to type to go further: fresh seeds for the best arm and the default, all to their end."""
    fresh = max((*sweep.plan.seeds, *sweep.plan.confirm_seeds)) + 1
    seeds = f"{fresh}-{fresh + 4}"
    rerun = f"--design rerun:{sweep.directory.name} --arms 2 --seeds {seeds} --stopper none"
    return {"settle_command": f"{program} {rerun}"}
