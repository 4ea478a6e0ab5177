"""One sitting with a sweep: begin it or go on with it, carry it out on Ray, and say what came of it."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# from analysis.load import load
# from analysis.summarise import Summary, summarise, to_dict
from rich.console import Console

# from analysis import figures
from sweeps import launch, store, sweep
from sweeps.plan import Plan
from sweeps.progress import Progress
from sweeps.searcher import METRIC, Run, Search, Study
from sweeps.sweep import Sweep
from sweeps.work import Places

INTERRUPTED = 130


def start(plan: Plan, given: argparse.Namespace, command: str) -> int:
    """Begins a sweep and carries it out."""
    launch.check_local(plan, given.address)
    return _carry_out(sweep.begin(plan, root=given.store, cache=given.cache, command=command), given)


def resume(given: argparse.Namespace) -> int:
    """Goes on with a sweep that was interrupted."""
    begun = sweep.reopen(sweep.find(given.resume, root=given.store), cache=given.cache)
    launch.check_local(begun.plan, given.address)
    return _carry_out(begun, given)


def _carry_out(begun: Sweep, given: argparse.Namespace) -> int:
    console = Console(stderr=given.json)
    again = f"{sweep.PROGRAM} --resume {begun.directory}"
    with sweep.alone(begun.directory):
        console.print(f"{begun.directory.name}: {begun.plan.space.question}", highlight=False)
        try:
            _run(begun, given.address, console)
        except KeyboardInterrupt:
            console.print(
                f"\nInterrupted; every reported epoch is kept. Go on with\n  {again}", soft_wrap=True
            )
            return INTERRUPTED
        store.compact(begun.directory, ended=True)
    _present(begun, console, as_json=given.json)
    return 0


def _run(begun: Sweep, address: str | None, console: Console) -> None:
    plan, directory = begun.plan, begun.directory
    study = Study(plan, begun.dataset.fingerprint, directory)
    reports, ended = _history(directory)
    study.reconcile(reports, ended)
    if study.ended():
        return
    judge = plan.stopper.judge(plan.epochs)
    launch.replay(judge, ((run, epoch, value) for run, _, epoch, value in reports))
    attempts = {run: attempt + 1 for run, attempt, _, _ in reports}
    places = Places(sweep=str(directory), cache=str(begun.cache.resolve()))
    with store.Writer(directory, f"driver-{os.getpid()}") as writer, Progress(plan, console) as progress:

        def record(run: Run, state: str, reason: str, epochs: int) -> None:
            writer.trial(**run.row(), state=state, reason=reason, epochs=epochs)
            progress.state(run, state, reason, epochs)

        search = Search(study, record, attempts)
        with launch.cluster(plan, address):
            launch.run(
                plan,
                search,
                judge,
                places=places,
                protected=frozenset({begun.default_arm}),
                seen=progress.report,
            )


def _history(directory: Path) -> tuple[list[tuple[str, int, int, float]], dict[str, str]]:
    """What the store knows: (run, attempt, epoch, value) as recorded, and the state of runs that have ended."""
    reports = store.reports(directory)
    rows = sorted(
        (row for row in reports.to_pylist() if row["metric"] == METRIC), key=lambda row: row["time"]
    )
    states = {row["trial"]: row["state"] for row in store.trials(directory).to_pylist()}
    ended = {run: state for run, state in states.items() if state != "running"}
    return [(r["trial"], r["attempt"], r["epoch"], r["value"]) for r in rows], ended


def _present(begun: Sweep, console: Console, *, as_json: bool) -> None:
    record = load(begun.directory)
    summary = summarise(record)
    content = {**to_dict(summary), "test": _test(begun, summary)}
    figure = figures.overview(record, summary, baselines=record.manifest["baselines"])
    pictures = figures.save(figure, begun.directory / "overview")
    (begun.directory / "summary.json").write_text(json.dumps(content, indent=2))
    if as_json:
        json.dump(
            {**content, "sweep": str(begun.directory), "figures": [str(p) for p in pictures]}, sys.stdout
        )
        print()
        return
    console.print(summary.table())


def _test(begun: Sweep, summary: Any) -> dict[str, Any]:
    return {}


def _lines(items: Iterable[str]) -> str:
    return "\n".join(items)
