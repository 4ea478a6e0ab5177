"""One session of a sweep: start or resume it, carry it out on Ray, and report its results."""

import os
import platform
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from sweeps import store
from sweeps.backend import cluster as launch
from sweeps.backend.own import OwnCluster
from sweeps.backend.worker import Places
from sweeps.engine import lifecycle
from sweeps.engine.arbiter import INTERRUPTED, Arbiter
from sweeps.engine.checkpoints import Checkpoints
from sweeps.engine.closing import Closing
from sweeps.engine.engine import Engine
from sweeps.engine.history import Elsewhere, History, finished_elsewhere, read_history
from sweeps.engine.ledger import Watcher
from sweeps.engine.provenance import code
from sweeps.engine.retention import smallest_budget
from sweeps.engine.study import Study
from sweeps.engine.sweep import Sweep
from sweeps.engine.sweep_manifest import origin
from sweeps.planning.plan import Plan
from sweeps.sessions.arguments import Request
from sweeps.sessions.growth import grown
from sweeps.sessions.options import Options
from sweeps.sessions.progress import Progress
from sweeps.store import driver
from sweeps.store.folding import folding

STOPPED, FAILED = 130, 1
Session = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Outcome:
    """Outcome of a session of a sweep or a campaign."""

    directory: Path
    code: int
    """Exit code of the command line."""
    content: Any = field(default=None, repr=False)
    """Results as JSON-ready values; None if it was interrupted."""

    @property
    def interrupted(self) -> bool:
        """Whether it was asked to end early."""
        return self.code == STOPPED


def start(plan: Plan, options: Options, command: str) -> Outcome:
    """Start a sweep and carry it out; `command` is what was typed, for the record.

    Raises:
        ValueError: it cannot be started; says why, and nothing has been written.
    """

    def begin(cluster: Session) -> Sweep:
        images = lifecycle.check_images(plan, cache=options.cache)
        if isinstance(cluster, OwnCluster):
            cluster.prepare()  # nothing can be refused any more: Ray starts beside the baselines
        return lifecycle.begin(
            plan, images, root=options.store, cache=options.cache, command=command, program=options.line
        )

    return with_cluster(plan, options, lambda cluster: _carry_out(begin(cluster), options, cluster))


def resume(directory: Path, options: Options, asked: Request) -> Outcome:
    """Resume a sweep that was interrupted, or let it grow by what is asked for.

    Raises:
        ValueError: it cannot be resumed, or not with this request; says why.
    """
    begun = lifecycle.reopen(directory, cache=options.cache, other_code=options.reuse_other_code)
    plan = grown(begun.plan, asked)

    def grow() -> Sweep:
        with driver.alone(begun.directory):
            same = plan == begun.plan
            return lifecycle.go_on(begun) if same else lifecycle.grow(begun, plan, program=options.line)

    return with_cluster(plan, options, lambda cluster: _carry_out(grow(), options, cluster))


def with_cluster(plan: Plan, options: Options, work: Callable[[Session], Outcome]) -> Outcome:
    """Return what comes of `work`, to which the session of a cluster with the resources of a plan's runs is given.

    A cluster is joined before anything is written; our own is started when needed.

    Raises:
        ValueError: no run fits there, or its checkpoints do not.
    """
    _check_room(plan, options)
    if options.address is None:
        launch.check_room(plan)
        with OwnCluster(plan) as own:
            return work(own)
    with launch.cluster(plan, options.address):
        return work(nullcontext)


def train(arbiter: Arbiter, cache: Path, cluster: Session, say: Callable[[str], None]) -> Closing | None:
    """Train the runs that an arbiter issues; return why this ended early, or None."""
    if arbiter.has_work():
        plan = arbiter.engines[0].plan  # all runs of an arbiter need the same resources
        places = Places(str(cache.resolve()), device=plan.device, devices=plan.gpus)
        try:
            with cluster():
                launch.run(plan, arbiter, places=places, say=say)
        except launch.StartError as error:
            arbiter.close(Closing("failing", str(error)))
    return arbiter.closed


def _check_room(plan: Plan, options: Options) -> None:
    """Refuse a limit on disk space that is too small even for the runs in training."""
    if options.disk is None:
        return
    needed = smallest_budget(plan.space.base, parallel=os.cpu_count() or 1, seeds=len(plan.seeds))
    if options.disk * 1e9 < needed:
        raise ValueError(
            f"disk = {options.disk:g}: checkpoints of the runs in training take {needed / 1e9:.3g} GB"
        )


def _carry_out(begun: Sweep, options: Options, session: Session) -> Outcome:
    console = options.console()
    with driver.alone(begun.directory):
        console.out(f"{begun.directory.name}: {begun.plan.space.question}")
        try:
            closing = _run(begun, options, session, console)
        except KeyboardInterrupt:
            closing = INTERRUPTED
        except OSError as error:  # such as a full disk: what was recorded before is intact
            closing = Closing("failing", f"{type(error).__name__}: {error}")
        except BaseException as error:
            options.notify(begun.directory.name, f"failed: {type(error).__name__}: {error}")
            raise
        outcome = _end(begun, options, console, closing)
    options.notify(begun.directory.name, closing.reason if closing else "ended")
    return outcome


def _end(begun: Sweep, options: Options, console: Console, closing: Closing | None) -> Outcome:
    """Show the results; a sweep that was closed before its end can be resumed."""
    from sweeps.sessions.conclusion import conclude  # figures and statistics have no part in starting

    again = options.again(begun.directory.name)
    if closing == INTERRUPTED:
        console.out(f"\nInterrupted; every reported epoch is kept. {again}")
        return Outcome(begun.directory, STOPPED)
    store.compact(begun.directory, ended=True)
    content, complete = conclude(begun, options)
    if closing:
        console.out(f"\nEnded early: {closing.reason}. {again}")
    failing = not complete or (closing is not None and closing.kind == "failing")
    return Outcome(begun.directory, FAILED if failing else 0, content)


def _run(begun: Sweep, options: Options, session: Session, console: Console) -> Closing | None:
    """Carry the sweep out; return why it ended early, or None."""
    with (
        store.Writer(begun.directory, f"driver-{os.getpid()}", origin=origin(begun)) as writer,
        Progress(begun.plan, console) as progress,
        folding(begun.directory),
    ):
        history = read_history(begun.directory)
        engine = open_engine(begun, options, writer, history, progress)
        if said := passed_over(engine):
            console.out(said)
        asked_to_stop = partial(driver.asked_to_stop, begun.directory)
        arbiter = Arbiter([engine], hours=history.hours, asked_to_stop=asked_to_stop)
        progress.begin(engine)
        closing = train(arbiter, begun.cache, session, progress.say)
        if (met := passed_over(engine, met=True)) not in ("", said):  # a search has found more of them
            console.out(met)
        return closing


def open_engine(
    begun: Sweep, options: Options, writer: store.Writer, history: History, watcher: Watcher
) -> Engine:
    """Return the engine of a sweep, at the point where its record ends."""
    plan, trained_by = begun.plan, None if options.reuse_other_code else code().digest
    writer.event("begun", host=platform.node(), pid=os.getpid(), runs_before=len(history.states))
    return Engine(
        Study(plan, begun.dataset.fingerprint, begun.directory),
        writer,
        history,
        checkpoints=Checkpoints(
            begun.directory / "checkpoints",
            keep=max(options.keep, plan.confirm.arms if plan.confirm else 0),
            room=None if options.disk is None else int(options.disk * 1e9),
        ),
        devices=plan.gpus,
        fail_fast=options.fail_fast,
        retry_failed=options.retry_failed,
        watcher=watcher,
        reusable=finished_elsewhere(begun.directory, trained_by) if options.reuse else (lambda _: None),
    )


def passed_over(engine: Engine, *, met: bool = False) -> str:
    """Say how many runs that a sweep needs, or has `met`, exist but were trained by other code; "" if none."""
    elsewhere = engine.reusable
    if not isinstance(elsewhere, Elsewhere):
        return ""
    waiting = [run for run in engine.study.planned() if run not in engine.ledger.attempts]
    return elsewhere.passed_over(sorted(elsewhere.met) if met else waiting)
