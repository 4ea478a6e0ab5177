"""Which store the notebooks read, and which sweep of it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from analysis.load import Record
from analysis.notebooks.showing import show
from analysis.report.evidence import Evidence, read_evidence
from analysis.report.finding import counted
from analysis.summarise import summarise
from sweeps import store
from sweeps.store.layout import MARK

VARIABLE = "SWEEPS_STORE"
SHIPPED = Path("tests") / "fixtures" / "evidence"
"""A small store of real sweeps, below the root of a checkout."""
CONTROLS = "asha:control=0.2"
"""Early stopping that lets a fifth of those whom it would stop come to their end."""


def find_store(environment: Mapping[str, str] = os.environ, here: Path | None = None) -> Path:
    """The store named by the variable SWEEPS_STORE, else `results` here or in a folder above, else the shipped one.

    Jupyter starts a notebook in the notebook's own folder, so folders above are looked into, also for a relative name.
    Where there is none of these, it is the first that was looked for, which holds nothing yet.
    """
    here = (here or Path.cwd()).resolve()
    named = environment.get(VARIABLE)
    wanted = _above(here, Path(named).expanduser() if named else Path("results"))
    also = [] if named else [shipped(here)]
    return next((path for path in (*wanted, *also) if path and (path / MARK).is_file()), wanted[0])


def shipped(here: Path | None = None) -> Path | None:
    """The store that comes with a checkout, if this is in one."""
    return next((p for p in _above((here or Path.cwd()).resolve(), SHIPPED) if (p / MARK).is_file()), None)


def _above(here: Path, name: Path) -> list[Path]:
    return [folder / name for folder in (here, *here.parents)]


def find(
    root: Path,
    space: str,
    *,
    sweep: str | None = None,
    design: str | None = None,
    stopped: bool | None = None,
    margin: float | None = None,
) -> Evidence:
    """The latest sweep of a store that suits, and a sentence about it; where none does, the command that makes one.

    Reruns of another sweep's best arms are not taken for sweeps of their space. Where none suits, one of the store that
    comes with a checkout stands in for it; where that has none either the evidence is of no run, of which all that
    follows can say as much.

    Args:
        root: the store.
        space: whose sweep.
        sweep: its id, whatever else it is; the latest that suits unless given.
        design: as of `--design`; any unless given.
        stopped: whether runs were to be stopped early; either unless given.
        margin: largest difference, in points, that would not matter.
    """
    where = {path.name: path for path in store.sweep_directories(root)}
    manifests = {name: store.read_manifest(path) for name, path in where.items()}
    suiting = [n for n, manifest in manifests.items() if _suits(manifest, space, design, stopped)]
    if sweep is not None:
        suiting = [sweep] if sweep in where else []
    if not suiting:
        command = _command(root, space, design, stopped)
        show(f"{root} holds {_lacking(where, sweep)}. This makes one: {command}")
        example = shipped() if sweep is None else None
        if example and example != root:
            show("Until then, one that comes with this repository:")
            return find(example, space, design=design, stopped=stopped, margin=margin)
        nothing = Record({"id": f"no sweep of {space}", "space": {"name": space}}, ())
        return Evidence(root, nothing, summarise(nothing), [], [], margin)
    latest = max(suiting, key=lambda name: manifests[name].get("created", ""))
    found = read_evidence(where[latest], margin)
    show(f"{latest} of {root}: {_plan(manifests[latest])}. Runs: {counted(found)}.")
    return found


def _suits(manifest: Mapping[str, Any], space: str, design: str | None, stopped: bool | None) -> bool:
    plan = manifest.get("plan", {})
    drawn, stopper = plan.get("design", ""), plan.get("stopper", {}).get("name", "none")
    return (
        manifest.get("space", {}).get("name") == space
        and (not drawn.startswith("rerun") if design is None else drawn == design)
        and stopped in (None, stopper != "none")
    )


def _plan(manifest: Mapping[str, Any]) -> str:
    plan = manifest.get("plan", {})
    stopper = plan.get("stopper", {}).get("name", "unknown")
    return f"design {plan.get('design', 'unknown')}, stopper {stopper}, seeds {manifest.get('seeds')}"


def _lacking(where: Iterable[str], sweep: str | None) -> str:
    return "no such sweep yet" if sweep is None else f"no sweep '{sweep}', only {', '.join(where) or 'none'}"


def _command(root: Path, space: str, design: str | None, stopped: bool | None) -> str:
    options = f" --design {design}" if design else ""
    options += "" if stopped is None else f" --stopper {CONTROLS if stopped else 'none'}"
    place = "" if root.name == "results" else f" --store {root}"
    return f"python sweeps/run.py --space {space}{options} --seeds 1-5{place}"
