"""One sitting with a sweep: begin it or go on with it, carry it out on Ray, and say what came of it."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console

from analysis import figures
from analysis.load import Record, load
from analysis.summarise import Arm, Summary, summarise, text
from sweeps import launch, store, sweep
from sweeps import study as studies
from sweeps.plan import Plan
from sweeps.progress import Progress
from sweeps.searcher import METRIC, Search
from sweeps.study import Run, State, Study
from sweeps.sweep import Sweep
from sweeps.work import Places

INTERRUPTED, NOTHING_COMPLETE = 130, 1
Session = Callable[[], AbstractContextManager[None]]
DEFAULT_STORE = Path("results")


def start(plan: Plan, given: argparse.Namespace, command: str) -> int:
    """Begins a sweep and carries it out."""

    def begin() -> Sweep:
        return sweep.begin(plan, root=given.store, cache=given.cache, command=command, program=program(given))

    return _with_cluster(plan, given, begin)


def resume(given: argparse.Namespace) -> int:
    """Goes on with a sweep that was interrupted."""
    begun = sweep.reopen(sweep.find(given.resume, root=given.store), cache=given.cache)
    return _with_cluster(begun.plan, given, lambda: begun)


def _with_cluster(plan: Plan, given: argparse.Namespace, begin: Callable[[], Sweep]) -> int:
    """A cluster is joined before anything is written; one of our own is started once there is work for it."""
    if given.address is None:
        launch.check_local(plan)
        return _carry_out(begin(), given, lambda: launch.cluster(plan, None))
    with launch.cluster(plan, given.address):
        return _carry_out(begin(), given, nullcontext)


def program(given: argparse.Namespace) -> str:
    """How the command line was called, with the store it was told."""
    called = Path(sys.argv[0])
    name = "sweeps" if called.name == "sweeps" else f"python {called}"
    return name if given.store == DEFAULT_STORE else f"{name} --store {given.store}"


def _carry_out(begun: Sweep, given: argparse.Namespace, session: Session) -> int:
    console = Console(stderr=given.json)
    with sweep.alone(begun.directory):
        console.print(f"{begun.directory.name}: {begun.plan.space.question}", highlight=False, soft_wrap=True)
        try:
            _run(begun, session, console)
            store.compact(begun.directory, ended=True)
            return _present(begun, console, as_json=given.json)
        except KeyboardInterrupt:
            address = f" --address {given.address}" if given.address else ""
            again = f"{program(given)} --resume {begun.directory.name}{address}"
            console.print(
                f"\nInterrupted; every reported epoch is kept. Go on with\n  {again}", soft_wrap=True
            )
            return INTERRUPTED


def _run(begun: Sweep, session: Session, console: Console) -> None:
    plan, directory = begun.plan, begun.directory
    study = Study(plan, begun.dataset.fingerprint, directory)
    reports, ended = _history(directory)
    study.reconcile(reports, ended)
    if study.ended():
        return
    judge = plan.stopper.judge(plan.epochs)
    launch.replay(judge, ((run, epoch, value) for run, _, epoch, value in reports))
    attempts = {run: attempt + 1 for run, attempt, _, _ in reports}
    places = Places(str(directory), str(begun.cache.resolve()), device=plan.device)
    with (
        store.Writer(directory, f"driver-{os.getpid()}") as writer,
        Progress(plan, console, before=len(ended)) as progress,
    ):

        def record(run: Run, state: State, reason: str, epochs: int) -> None:
            writer.trial(**run.row(), state=state, reason=reason, epochs=epochs)
            progress.state(run, state, reason, epochs)

        search = Search(study, record=record, seen=progress.report, attempts=attempts)
        with session():
            launch.run(plan, search, judge, places=places, protected=frozenset({begun.default_arm}))


def _history(directory: Path) -> tuple[list[tuple[str, int, int, float]], dict[str, str]]:
    """What the store knows: (run, attempt, epoch, value) as recorded, and the state of runs that have ended."""
    reports: list[dict[str, Any]] = store.reports(directory).sort_by("time").to_pylist()
    rows = [row for row in reports if row["metric"] == METRIC]
    states = {row["trial"]: row["state"] for row in store.trials(directory).to_pylist()}
    ended = {run: state for run, state in states.items() if state != "running"}
    return [(r["trial"], r["attempt"], r["epoch"], r["value"]) for r in rows], ended


def _present(begun: Sweep, console: Console, *, as_json: bool) -> int:
    record = load(begun.directory)
    summary = summarise(record)
    code = 0 if summary.complete else NOTHING_COMPLETE
    tests = _tests(begun, record, summary)
    baselines = record.manifest["baselines"]
    png, pdf = figures.save(
        figures.overview(record, summary, baselines=baselines), begun.directory / "overview"
    )
    content = {**asdict(summary), "test": tests, "baselines": baselines, "sweep": str(begun.directory)}
    content |= {"figures": [str(png), str(pdf)]}
    store.write_whole(
        begun.directory / "summary.json", lambda file: file.write(json.dumps(content, indent=2).encode())
    )
    if as_json:
        print(json.dumps(content))
        return code
    lines = [
        "",
        text(summary),
        *(f"On the test images, read once: {name} {value:.2f} %." for name, value in tests.items()),
        *(f"For comparison, kNN on {name}: {value:.2f} %." for name, value in baselines.items()),
        "",
        f"figure      {png} and .pdf",
        f"summary     {begun.directory / 'summary.json'}",
        f"reports     {begun.directory / 'reports.parquet'}",
        f"study       {begun.directory / studies.FILE} (optuna-dashboard opens it)",
        f"checkpoints {begun.directory / 'checkpoints'}",
    ]
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
    return code


def _tests(begun: Sweep, record: Record, summary: Summary) -> dict[str, float]:
    """Mean kNN top-1 on the test images of the best arm and of the default, over their seeds."""
    reported: dict[str, Arm | None] = {"best": summary.best, "default": summary.default}
    found: dict[str, float] = {}
    read: dict[str, float] = {}  # once for each arm: the best may be the default
    for name, arm in reported.items():
        if arm is None or arm.score is None:
            continue
        if arm.digest not in read:
            runs = [run.trial for run in record.runs if run.arm == arm.digest]
            read[arm.digest] = fmean(sweep.test_accuracy(begun, run) for run in runs)
        found[name] = read[arm.digest]
    return found
