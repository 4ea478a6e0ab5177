"""Runs a plan on Ray: resources, the scheduler that stops runs, and the Tuner."""

import functools
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Generator, Iterable
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
}
# The token that `ray start` leaves behind; a cluster without authentication does not mind it.
if (Path.home() / ".ray" / "auth_token").is_file():
    QUIET["RAY_AUTH_MODE"] = "token"
os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})

import ray  # noqa: E402
import torch  # noqa: E402
from ray import tune  # noqa: E402
from ray.tune.schedulers import FIFOScheduler, TrialScheduler  # noqa: E402

from sweeps.plan import Plan  # noqa: E402
from sweeps.searcher import METRIC, Search  # noqa: E402
from sweeps.stopper import Judge  # noqa: E402
from sweeps.trainable import RETRIES, Slot, inline  # noqa: E402
from sweeps.work import Places  # noqa: E402

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
    """The plan asks for more than there is."""


class Scheduler(FIFOScheduler):
    """Asks the judge after each report; runs of protected arms are compared but never stopped."""

    def __init__(self, search: Search, judge: Judge, protected: frozenset[str]):
        super().__init__()
        self.search, self.judge, self.protected = search, judge, protected

    def __deepcopy__(self, memo: dict[int, Any]) -> "Scheduler":
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {}  # for a restore that is not used here

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Tune's question after each report."""
        run = self.search.observe(trial.trial_id, result)
        if run is None:
            return TrialScheduler.CONTINUE
        reason = self.judge.observe(run.identity, result["epoch"], result[METRIC])
        if reason is None or run.arm in self.protected:
            return TrialScheduler.CONTINUE
        self.search.mark_stopped(trial.trial_id, reason)
        return TrialScheduler.STOP

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """The run's process has died for the last time it may."""
        self.search.mark_died(trial.trial_id, str(trial.get_error()))
        super().on_trial_error(tune_controller, trial)


@contextmanager
def cluster(plan: Plan, address: str | None) -> Generator[None]:
    """A Ray session: the cluster at `address`, or one made of this machine and taken down at the end.

    Raises:
        ResourceError: there is no such cluster, or it cannot hold even one run of the plan.
    """
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    _join(address) if address else _make(plan)
    try:
        # Of this machine too: Ray may see fewer cores than there are, as in a container with a quota.
        check(plan, ray.cluster_resources(), f"the cluster at {address}" if address else "this machine")
        yield
    finally:
        ray.shutdown()


def _make(plan: Plan) -> None:
    # A stopped multi-worker run gives its resources back through the dashboard's state service.
    ray.init(include_dashboard=plan.workers_per_trial > 1, **SESSION)


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


def check_local(plan: Plan) -> None:
    """Refuses, before Ray is started, a plan that this machine cannot run.

    Raises:
        ResourceError: says what is missing.
    """
    check(plan, {"CPU": os.cpu_count() or 1, "GPU": torch.cuda.device_count()}, "this machine")


def check(plan: Plan, available: dict[str, Any], where: str) -> None:
    """Refuses a plan of which not one run fits.

    Raises:
        ResourceError: says what is missing.
    """
    for resource, each in _needs(plan).items():
        needed, there = each * plan.workers_per_trial, available.get(resource, 0)
        if needed > there:
            raise ResourceError(
                f"a run of {plan.workers_per_trial} workers needs {needed:g} {resource}s and {where} has {there:g}; "
                f"lower --workers-per-trial or --gpus-per-worker, or name a larger cluster with --address"
            )


def run(
    plan: Plan,
    search: Search,
    judge: Judge,
    *,
    places: Places,
    protected: frozenset[str],
) -> None:
    """Issues and trains every run of the plan that has not ended; returns when all have."""
    room = ray.cluster_resources()
    slots = min(int(room.get(r, 0) / (n * plan.workers_per_trial)) for r, n in _needs(plan).items())
    # Tune and Train insist on a folder of their own; nothing in it is needed again.
    with tempfile.TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as scratch:
        tune.Tuner(
            _trainable(plan, places, scratch),
            tune_config=tune.TuneConfig(
                search_alg=search,
                scheduler=Scheduler(search, judge, protected),
                num_samples=plan.runs,
                max_concurrent_trials=max(1, slots),
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                storage_path=scratch,
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=RETRIES),
            ),
        ).fit()


def replay(judge: Judge, rows: Iterable[tuple[str, int, float]]) -> None:
    """Gives the judge of a resumed sweep what it had seen: (run, epoch, value) in the order of recording."""
    for run_, epoch, value in rows:
        judge.observe(run_, epoch, value)


def _trainable(plan: Plan, places: Places, scratch: str) -> Callable[[dict[str, Any]], None] | type:
    if plan.workers_per_trial == 1:
        return tune.with_resources(functools.partial(inline, places=places), _needs(plan))
    slot = tune.with_parameters(Slot, plan=plan, places=places, scratch=scratch)
    # The workers hold the resources; the run's own actor only waits for them.
    return tune.with_resources(slot, {"node:__internal_head__": 0.001})


def _needs(plan: Plan) -> dict[str, float]:
    """Resources of one worker."""
    gpus = {"GPU": plan.gpus_per_worker} if plan.gpus_per_worker else {}
    return {"CPU": 1.0, **gpus}
