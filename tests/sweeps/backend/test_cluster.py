"""Ray that does not start: tried again, then told in a sentence with what to type."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ray import tune
from ray.tune.experiment import Trial

from sweeps.backend import cluster
from sweeps.backend.adapter import Scheduler, Search
from sweeps.backend.cluster import StartError
from sweeps.backend.worker import Places
from sweeps.engine.arbiter import Arbiter
from sweeps.planning import plan as plans
from sweeps.run import main
from tests.fixtures.tiny_space import TINY

TINY_FILE = Path(__file__).parents[2] / "fixtures" / "tiny_space.py"
PLAN = plans.checked(space=TINY, arms=2)


def failing(times: int) -> tuple[list[int], Callable[..., None]]:
    """A `ray.init` that fails so often, and the list of its calls."""
    calls: list[int] = []

    def init(**_: Any) -> None:
        calls.append(len(calls))
        if len(calls) <= times:
            raise RuntimeError("many words\nThe current node timed out during startup.")

    return calls, init


@pytest.mark.parametrize(("times", "tried"), [(0, 1), (1, 2)])
def test_ray_that_does_not_start_is_started_again(
    times: int, tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, init = failing(times)
    monkeypatch.setattr("ray.init", init)
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 2})
    with cluster.cluster(PLAN, None):
        assert len(calls) == tried


def test_ray_that_does_not_start_twice_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, init = failing(9)
    monkeypatch.setattr("ray.init", init)
    told = "tried twice: The current node timed out during startup"
    with pytest.raises(StartError, match=told), cluster.cluster(PLAN, None):
        pass
    assert len(calls) == 2


def test_watchers_are_told_once_that_training_has_begun() -> None:
    told: list[str] = []
    watcher = SimpleNamespace(training=lambda: told.append("training"))
    engine = SimpleNamespace(ledger=SimpleNamespace(watcher=watcher))
    trials = [Trial("train_fn", stub=True), Trial("train_fn", stub=True)]
    controller = SimpleNamespace(get_trials=lambda: trials)
    scheduler = Scheduler(Search(cast(Any, SimpleNamespace(engines=[engine]))))
    assert scheduler.choose_trial_to_run(controller) is trials[0]
    assert told == []
    trials[0].status = Trial.RUNNING
    for _ in range(2):
        assert scheduler.choose_trial_to_run(controller) is trials[1]
    assert told == ["training"]


def test_tune_is_given_no_callbacks_for_which_it_would_import_mlflow_and_wandb(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tune.RunConfig] = []

    class Tuner:
        def __init__(self, _: Any, *, run_config: tune.RunConfig, **__: Any):
            told.append(run_config)

        def fit(self) -> None:
            pass

    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 2})
    monkeypatch.setattr(tune, "Tuner", Tuner)
    cluster.run(PLAN, Arbiter([]), places=Places(cache=""), say=print)
    assert [config.callbacks for config in told] == [None]


def test_a_sweep_without_ray_says_how_to_go_on(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ray.init", failing(9)[1])
    places = ["--store", str(tmp_path / "results"), "--cache", str(cache)]
    assert main(["--space", f"{TINY_FILE}:TINY", "--arms", "2", *places]) == 1
    out, err = capsys.readouterr()
    assert "Ray could not be started, though it was tried twice: The current node timed out" in out
    (directory,) = (tmp_path / "results" / "sweeps").iterdir()
    assert f"--resume {directory.name}" in out
    assert "Traceback" not in out + err


@pytest.mark.parametrize("main_thread", [True, False])
def test_signals_are_heard_by_the_main_thread_alone_and_given_back(main_thread: bool) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    inside: list[bool] = []

    def carry_out() -> None:
        with cluster._polite_interruption(cast(Any, None), print):
            inside.append(signal.getsignal(signal.SIGTERM) != before[1])
            if main_thread:
                signal.signal(signal.SIGUSR1, lambda *_: None)  # as Tune does, and leaves it there

    if main_thread:
        carry_out()
    else:
        thread = threading.Thread(target=carry_out)
        thread.start()
        thread.join()
    assert inside == [main_thread]
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize(("first", "mode"), [("ray", None), ("sys", "token")])
def test_a_cluster_speaks_the_mode_that_its_driver_is_settled_on(
    first: str, mode: str | None, tmp_path: Path
) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("0" * 64)
    code = f"import {first}, os; from sweeps.backend import cluster; print(os.environ.get('RAY_AUTH_MODE'))"
    alone = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**alone, "HOME": str(tmp_path)}, capture_output=True, check=True
    )
    assert done.stdout.decode().split()[-1] == str(mode)
