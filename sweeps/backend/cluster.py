"""The Ray cluster, its resources and the Tuner that trains an arbiter's runs; handling of Ctrl-C."""

import functools
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Read by Ray when it is imported: no banner of its own, no loggers of its own (the store is ours), no second
# SIGINT handler, and a run without a value does not end the sweep.
QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    # Tune's own snapshots grow with the number of runs, and are never read here.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    # Tune's actors have an environment of their own, which workers that are started beforehand lack.
    "RAY_prestart_worker_first_driver": "0",
}
# The token that `ray start` leaves behind; a cluster without authentication does not mind it. Where Ray was imported
# before, the driver's mode is settled already, and the cluster's must not differ from it.
if "ray" not in sys.modules and (Path.home() / ".ray" / "auth_token").is_file():
    QUIET["RAY_AUTH_MODE"] = "token"
os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})

import ray  # noqa: E402
import torch  # noqa: E402
from ray import tune  # noqa: E402

from sweeps.backend.adapter import Scheduler, Search  # noqa: E402
from sweeps.backend.trainable import RETRIES, train_inline  # noqa: E402
from sweeps.backend.worker import Places  # noqa: E402
from sweeps.engine.arbiter import INTERRUPTED, Arbiter  # noqa: E402
from sweeps.planning.plan import Plan  # noqa: E402

WORKERS = {
    # A training step frees and takes the same memory again: keeping it saves a fifth of the time.
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "OMP_NUM_THREADS": "1",  # as many processes as cores already
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",  # by default an epoch takes 2 s at least
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    **QUIET,
}
SESSION: dict[str, Any] = {
    "log_to_driver": False,
    "logging_level": logging.CRITICAL,
    "runtime_env": {"env_vars": WORKERS},
}


class ResourceError(ValueError):
    """The plan asks for more resources than there are."""


class StartError(OSError):
    """Ray could not be started, even at the second attempt."""


@contextmanager
def cluster(plan: Plan, address: str | None) -> Generator[None]:
    """Open a Ray session: the cluster at `address`, or one on this machine that is shut down at the end.

    Raises:
        ResourceError: there is no such cluster, or it cannot hold even one run of the plan.
        StartError: Ray cannot be started here.
    """
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    _join(address) if address else _make(plan)
    try:
        # Of this machine too: Ray may see fewer cores than there are, as in a container with a quota.
        check_room(plan, ray.cluster_resources(), f"the cluster at {address}" if address else "this machine")
        yield
    finally:
        ray.shutdown()


def _make(plan: Plan) -> None:
    """Start Ray, with a second attempt: on a busy machine one of its processes may come up too late."""
    for attempt in (1, 2):
        try:
            # A stopped multi-worker run gives its resources back through the dashboard's state service.
            ray.init(include_dashboard=plan.workers_per_run > 1, **SESSION)
            return
        except Exception as error:  # Ray has no class of its own for it
            ray.shutdown()
            if attempt == 2:
                why = (str(error).strip().splitlines() or [type(error).__name__])[-1]
                raise StartError(f"Ray could not be started, though it was tried twice: {why}") from error


def _join(address: str) -> None:
    try:
        host, _, port = address.rpartition(":")
        if host and port.isdigit():  # Ray itself would try for four minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address, **SESSION)
    except OSError as error:
        raise ResourceError(
            f"cannot join the Ray cluster at {address}: {error}; see that it runs (ray status), "
            "and that RAY_AUTH_TOKEN holds its token if it was started by somebody else"
        ) from None


def check_room(plan: Plan, available: dict[str, Any] | None = None, where: str = "this machine") -> None:
    """Refuse a plan whose runs do not fit even one at a time; by default into this machine, before Ray is started.

    Raises:
        ResourceError: says what is missing.
    """
    if available is None:
        available = {"CPU": os.cpu_count() or 1, "GPU": torch.cuda.device_count()}
    for resource, each in _needs(plan).items():
        needed, there = each * plan.workers_per_run, available.get(resource, 0)
        if needed > there:
            raise ResourceError(
                f"a run of {plan.workers_per_run} workers needs {needed:g} {resource}s and {where} has {there:g}; "
                f"lower --workers-per-run or --gpus-per-worker, or name a larger cluster with --address"
            )


def run(
    plan: Plan,
    arbiter: Arbiter,
    *,
    places: Places,
    say: Callable[[str], None],
    train: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Train every run that the arbiter issues; return when there are no more.

    `plan` says what a run occupies; `train` is a Tune function to train one with, by default ours. Ctrl-C, or a
    SIGTERM, closes the arbiter, and a second one stops at once.

    Raises:
        KeyboardInterrupt: asked to stop twice.
    """
    room = ray.cluster_resources()
    slots = min(int(room.get(r, 0) / (n * plan.workers_per_run)) for r, n in _needs(plan).items())
    search = Search(arbiter)
    # Tune and Train insist on a folder of their own; nothing in it is needed again.
    with tempfile.TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as scratch:
        tuner = tune.Tuner(
            tune.with_resources(train, _needs(plan)) if train else _trainable(plan, places, scratch),
            tune_config=tune.TuneConfig(
                search_alg=search,
                scheduler=Scheduler(search),
                num_samples=-1,  # as many as the arbiter gives out
                max_concurrent_trials=1 if plan.smoke else max(1, slots),  # each process imports torch anew
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                storage_path=scratch,
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=RETRIES),
            ),
        )
        with _polite_interruption(arbiter, say):
            tuner.fit()


@contextmanager
def _polite_interruption(arbiter: Arbiter, say: Callable[[str], None]) -> Generator[None]:
    def interrupt(*_: object) -> None:
        if arbiter.closing:
            raise KeyboardInterrupt
        arbiter.close(INTERRUPTED)
        say("Finishing the epochs in training; once more to stop at once.")

    # Python hands signals to its main thread alone; a sweep in another one is ended by `sweeps stop`.
    heard = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    # Tune hears SIGUSR1 from then on, with our own handler in hand: left there, it would keep the sweep until exit.
    before = {number: signal.getsignal(number) for number in (*heard, *((signal.SIGUSR1,) if heard else ()))}
    for number in heard:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _trainable(plan: Plan, places: Places, scratch: str) -> Callable[[dict[str, Any]], None] | type:
    if plan.workers_per_run == 1:
        return tune.with_resources(functools.partial(train_inline, places=places), _needs(plan))
    from sweeps.backend.slot import Slot  # Ray Train, which one worker has no use for

    slot = tune.with_parameters(Slot, plan=plan, places=places, scratch=scratch)
    # The workers hold the resources; the run's own actor only waits for them.
    return tune.with_resources(slot, {"node:__internal_head__": 0.001})


def _needs(plan: Plan) -> dict[str, float]:
    """Return the resources of one worker."""
    gpus = {"GPU": plan.gpus_per_worker} if plan.gpus_per_worker else {}
    return {"CPU": 1.0, **gpus}
