"""Life cycle of a sweep on disk: creation, growth, reopening after an interruption."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from contrastive.data import Dataset, load
from contrastive.evaluate.offline import check_evaluation
from contrastive.train import check_batch
from sweeps import store
from sweeps.engine.accuracies import measure_baselines
from sweeps.engine.provenance import code, code_changes
from sweeps.engine.sweep import Sweep
from sweeps.engine.sweep_manifest import carried_out, code_changed, content, next_commands
from sweeps.planning import objectives
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan


def begin(
    plan: Plan, dataset: Dataset, *, root: Path, cache: Path, command: str, program: Callable[[str], str]
) -> Sweep:
    """Create the folder and manifest of a new sweep in the store at `root`, with images that `check` has returned.

    `command` is what was typed; `program` returns what to type for a command on the same store.

    Raises:
        ValueError: the store cannot be used; says why.
    """
    measured = measure_baselines(plan, dataset)
    # Nothing is made before all that can be refused has been.
    now, directory = datetime.now(UTC), store.open_store(root)
    sweep = Sweep(_new_folder(directory, plan.space.name, now), plan, dataset, cache)
    more = {**measured, "command": command, **next_commands(sweep, program)}
    store.write_manifest(sweep.directory, {**content(sweep, now), **more})
    return sweep


def check_images(plan: Plan, *, cache: Path) -> Dataset:
    """Return the images of a plan, checked against each of its arms.

    Raises:
        ValueError: they cannot; says why.
    """
    dataset = load(plan.space.base.data, cache=cache)
    _check(plan, dataset, cache)
    return dataset


def grow(begun: Sweep, plan: Plan, *, program: Callable[[str], str]) -> Sweep:
    """Grow a sweep to a larger plan: its results are kept; what is new is checked as for a new sweep.

    Raises:
        ValueError: the images cannot be used for what is new.
    """
    _check(plan, begun.dataset, begun.cache)
    grown = Sweep(begun.directory, plan, begun.dataset, begun.cache)
    manifest = store.read_manifest(begun.directory)
    kept = {name: manifest[name] for name in ("created", "command")}
    before = [*manifest.get("plans_before", []), manifest["plan"]]
    kept |= carried_out(manifest)
    whole = {**content(grown, datetime.now(UTC)), **measure_baselines(plan, grown.dataset), **kept}
    store.write_manifest(grown.directory, {**whole, **next_commands(grown, program), "plans_before": before})
    return grown


def reopen(directory: Path, *, cache: Path, other_code: bool = False) -> Sweep:
    """Reopen an existing sweep.

    `other_code`: allow it to go on even if the training code has changed since.

    Raises:
        ValueError: its images or its code have changed; says what.
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
    if code_changed(manifest) and not other_code:
        commit = manifest.get("provenance", {}).get("commit")
        raise ValueError(
            f"the code that trains has changed since {manifest['id']} was carried out: "
            f"{code_changes(manifest.get('code') or {}, commit, code())}. Its runs would be of two codes: start a new "
            "sweep, or add --reuse-other-code if you know that both give the same numbers"
        )
    return sweep


def go_on(begun: Sweep) -> Sweep:
    """Return the sweep, with the present code in its manifest if that has changed."""
    manifest = store.read_manifest(begun.directory)
    if code_changed(manifest):
        store.write_manifest(begun.directory, {**manifest, **carried_out(manifest)})
    return begun


def _check(plan: Plan, dataset: Dataset, cache: Path) -> None:
    objectives.check_objectives(plan, classes=len(dataset.classes))
    for config in map(plan.space.config, plans.fixed_arms(plan)):
        check_batch(config, dataset)
        check_evaluation(config, dataset, cache=cache, choosing=True)


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
