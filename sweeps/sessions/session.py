"""One sitting with a sweep: begin it or go on with it, carry it out on Ray, and say what came of it."""

import argparse
import json
import os
import platform
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console

from analysis import figures, report
from analysis.arms import Arm
from analysis.load import Record, load
from analysis.summarise import summarise
from analysis.summary import Summary
from analysis.terminal import summary_text
from sweeps import store
from sweeps.backend import cluster as launch
from sweeps.backend.worker import Places
from sweeps.cli import arguments, flags
from sweeps.engine import history as histories
from sweeps.engine import journal, lifecycle
from sweeps.engine.accuracies import test_accuracy
from sweeps.engine.arbiter import INTERRUPTED, Arbiter
from sweeps.engine.checkpoints import Checkpoints
from sweeps.engine.closing import Closing
from sweeps.engine.engine import Engine, Options
from sweeps.engine.history import Elsewhere, History
from sweeps.engine.ledger import Watcher
from sweeps.engine.provenance import code
from sweeps.engine.retention import smallest_budget
from sweeps.engine.study import Study
from sweeps.engine.sweep import Sweep
from sweeps.engine.sweep_manifest import origin
from sweeps.planning.plan import Plan
from sweeps.sessions import embeddings, webhook
from sweeps.sessions.progress import Progress
from sweeps.store import driver
from sweeps.store.driver import program
from sweeps.store.folding import folding

STOPPED, FAILED = 130, 1
Session = Callable[[], AbstractContextManager[None]]


def start(plan: Plan, given: argparse.Namespace, command: str) -> int:
    """Begins a sweep and carries it out."""

    def begin() -> Sweep:
        return lifecycle.begin(
            plan,
            lifecycle.check_images(plan, cache=given.cache),
            root=given.store,
            cache=given.cache,
            command=command,
            program=program(given.store),
        )

    return with_cluster(plan, given, lambda cluster: _carry_out(begin(), given, cluster))


def resume(given: argparse.Namespace) -> int:
    """Goes on with a sweep that was interrupted, or lets it grow."""
    found = store.find(given.resume, root=given.store)
    begun = lifecycle.reopen(found, cache=given.cache, other_code=given.reuse_other_code)
    plan = arguments.grown(begun.plan, given)

    def grow() -> Sweep:
        with driver.alone(begun.directory):
            if plan == begun.plan:
                return lifecycle.go_on(begun)
            return lifecycle.grow(begun, plan, program=program(given.store))

    return with_cluster(plan, given, lambda cluster: _carry_out(grow(), given, cluster))


def with_cluster(plan: Plan, given: argparse.Namespace, work: Callable[[Session], int]) -> int:
    """A cluster is joined before anything is written; one of our own is started once there is work for it.

    `plan` says what a run occupies; `work` is given what to train within.

    Raises:
        ValueError: not one run fits there, or its checkpoints do not.
    """
    _check_room(plan, given)
    if given.address is None:
        launch.check_local(plan)
        return work(lambda: launch.cluster(plan, None))
    with launch.cluster(plan, given.address):
        return work(nullcontext)


def train(arbiter: Arbiter, cache: Path, cluster: Session, say: Callable[[str], None]) -> Closing | None:
    """Trains what an arbiter gives out; says why it ended early, None if it did not."""
    if arbiter.has_work():
        plan = arbiter.engines[0].plan  # all of an arbiter occupy alike
        gpus = plan.gpus_per_worker * plan.workers_per_run
        places = Places(str(cache.resolve()), device=plan.device, devices=gpus)
        try:
            with cluster():
                launch.run(plan, arbiter, places=places, say=say)
        except launch.StartError as error:
            arbiter.close(Closing("failing", str(error)))
    return arbiter.closed


def _check_room(plan: Plan, given: argparse.Namespace) -> None:
    """Refuses a budget of disk space that not even the runs in training fit into."""
    if given.keep < 0:
        raise ValueError(f"--keep {given.keep}: give how many arms keep their checkpoints, 0 or more")
    if given.disk is None:
        return
    if not 0 < given.disk < float("inf"):
        raise ValueError(f"--disk {given.disk}: give a number of gigabytes above 0")
    needed = smallest_budget(plan.space.base, parallel=os.cpu_count() or 1, seeds=len(plan.seeds))
    if given.disk * 1e9 < needed:
        raise ValueError(
            f"--disk {given.disk:g}: checkpoints of the runs in training take {needed / 1e9:.3g} GB"
        )


def _carry_out(begun: Sweep, given: argparse.Namespace, session: Session) -> int:
    console = Console(stderr=given.json)
    with driver.alone(begun.directory):
        console.print(f"{begun.directory.name}: {begun.plan.space.question}", highlight=False, soft_wrap=True)
        try:
            closing = _run(begun, given, session, console)
        except KeyboardInterrupt:
            closing = INTERRUPTED
        except OSError as error:  # a full disk, for one: what was recorded before is intact
            closing = Closing("failing", f"{type(error).__name__}: {error}")
        except BaseException as error:
            _notify(given, begun, f"failed: {type(error).__name__}: {error}")
            raise
        code = _conclude(begun, given, console, closing)
    _notify(given, begun, closing.reason if closing else "ended")
    return code


def _conclude(begun: Sweep, given: argparse.Namespace, console: Console, closing: Closing | None) -> int:
    """Shows what came of it; a sweep that was closed before its end can be resumed."""
    again = f"Go on with\n  {program(given.store)} --resume {begun.directory.name}{flags.places(given)}"
    if closing == INTERRUPTED:
        console.print(f"\nInterrupted; every reported epoch is kept. {again}", soft_wrap=True)
        return STOPPED
    store.compact(begun.directory, ended=True)
    code = _present(begun, console, as_json=given.json)
    if closing:
        console.print(
            f"\nEnded early: {closing.reason}. {again}", highlight=False, markup=False, soft_wrap=True
        )
    return FAILED if closing and closing.kind == "failing" else code


def _notify(given: argparse.Namespace, begun: Sweep, how: str) -> None:
    if given.webhook:
        webhook.notify(given.webhook, {"sweep": begun.directory.name, "state": how, "host": platform.node()})


def _run(begun: Sweep, given: argparse.Namespace, session: Session, console: Console) -> Closing | None:
    """Carries the sweep out; says why it ended early, None if it did not."""
    with (
        store.Writer(begun.directory, f"driver-{os.getpid()}", origin=origin(begun)) as writer,
        Progress(begun.plan, console) as progress,
        folding(begun.directory),
    ):
        history = histories.read_history(begun.directory)
        engine = open_engine(begun, given, writer, history, progress)
        said = passed_over(engine)
        if said:
            console.print(said, highlight=False, markup=False, soft_wrap=True)
        arbiter = Arbiter(
            [engine], hours=history.hours, asked_to_stop=lambda: driver.asked_to_stop(begun.directory)
        )
        progress.begin(engine)
        closing = train(arbiter, begun.cache, session, progress.say)
        if (met := passed_over(engine, met=True)) and met != said:  # a search has come to more of them
            console.print(met, highlight=False, markup=False, soft_wrap=True)
        return closing


def open_engine(
    begun: Sweep, given: argparse.Namespace, writer: store.Writer, history: History, watcher: Watcher
) -> Engine:
    """The engine of a sweep, at the point where its record ends."""
    plan = begun.plan
    writer.event("begun", host=platform.node(), pid=os.getpid(), runs_before=len(history.states))
    return Engine(
        Study(plan, begun.dataset.fingerprint, begun.directory),
        writer,
        history,
        options=Options(
            default_arm=begun.default_arm,
            fail_fast=given.fail_fast,
            retry_failed=given.retry_failed,
            devices=plan.gpus_per_worker * plan.workers_per_run,
        ),
        checkpoints=Checkpoints(
            begun.directory / "checkpoints",
            keep=max(given.keep, plan.confirm.arms if plan.confirm else 0),
            room=None if given.disk is None else int(given.disk * 1e9),
        ),
        watcher=watcher,
        reusable=(lambda _: None) if given.no_reuse else _elsewhere(begun, given),
    )


def passed_over(engine: Engine, *, met: bool = False) -> str:
    """How many runs that a sweep is to train, or has `met`, exist but were trained by other code; "" if none."""
    elsewhere = engine.reusable
    if not isinstance(elsewhere, Elsewhere):
        return ""
    waiting = [run for run in engine.study.planned() if run not in engine.ledger.attempts]
    return elsewhere.passed_over(sorted(elsewhere.met) if met else waiting)


def _elsewhere(begun: Sweep, given: argparse.Namespace) -> Elsewhere:
    return histories.finished_elsewhere(begun.directory, None if given.reuse_other_code else code().digest)


def _present(begun: Sweep, console: Console, *, as_json: bool) -> int:
    content, summary = write_summary(begun)
    page = write_report(begun, console)
    code = 0 if summary.complete else FAILED
    if as_json:
        print(json.dumps(content))
        return code
    lines = [
        "",
        summary_text(summary),
        *(f"On the test images, read once: {name} {value:.2f} %." for name, value in content["test"].items()),
        *map(str, store.torn(begun.directory)),
        *(f"For comparison, kNN on {name}: {value:.2f} %." for name, value in content["baselines"].items()),
        "",
        f"figure      {content['figures'][0]} and .pdf",
        f"report      {page or 'could not be written'}",
        f"summary     {begun.directory / 'summary.json'}",
        f"reports     {begun.directory / 'parts'} (python -m sweeps.store sql ... asks them)",
        f"study       {begun.directory / journal.FILE} (optuna-dashboard opens it)",
        f"checkpoints {begun.directory / 'checkpoints'}",
    ]
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
    return code


def write_summary(begun: Sweep) -> tuple[dict[str, Any], Summary]:
    """Writes summary.json and the figure of a sweep; returns what it wrote, and the summary itself."""
    record = load(begun.directory)
    summary, baselines = summarise(record), record.manifest["baselines"]
    overview = figures.overview(record.search, summary, baselines=baselines)
    png, pdf = figures.save(overview, begun.directory / "overview")
    embeddings.write_embeddings(begun, record, summary)
    content = {
        **asdict(summary),
        "verdict": summary.result.verdict,
        "test": _tests(begun, record, summary),
        "baselines": baselines,
        "sweep": str(begun.directory),
        "figures": [str(png), str(pdf)],
    }
    store.write_json(begun.directory / "summary.json", content)
    return content, summary


def write_report(begun: Sweep, console: Console) -> Path | None:
    """Writes the page about a sweep; its path, or None and a sentence where that fails: all else is on disk."""
    try:
        return report.write(begun.directory)
    except Exception as error:
        again = f"python -m analysis report {begun.directory}"
        console.print(
            f"The report: {type(error).__name__}: {error}. Try: {again}", markup=False, soft_wrap=True
        )
        return None


def _tests(begun: Sweep, record: Record, summary: Summary) -> dict[str, float]:
    """Mean kNN top-1 on the test images of the best arm and of the default, over their seeds."""
    result = summary.result
    reported: dict[str, Arm | None] = {"best": result.best, "default": result.default}
    found: dict[str, float] = {}
    read: dict[str, float] = {}  # once for each arm: the best may be the default
    for name, arm in reported.items():
        if arm is None or arm.score is None:
            continue
        if arm.digest not in read:
            runs = [run.identity for run in record.runs if run.arm == arm.digest and run.seed in arm.scores]
            kept = [run for run in runs if begun.checkpoint(run).is_file()]
            if len(kept) < len(runs):
                continue  # reused from a sweep that no longer has it, or the room was too small
            read[arm.digest] = fmean(test_accuracy(begun, run) for run in runs)
        found[name] = read[arm.digest]
    return found
