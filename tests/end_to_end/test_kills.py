"""Kills at random moments: nothing reported is lost or written twice, and the table is that of no kill."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from sweeps import store
from tests.end_to_end.driven import SPACES, Sweeps, descendants

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes by /proc"),
]

MANY = os.environ.get("KILLS") == "many"
DRIVERS, ACTORS, WORKERS = (7, 11, 2) if MANY else (2, 4, 0)
"""Kills of the driver, of a process of Ray Tune's that trains, and of one of Ray Train's."""
EPOCHS = "80" if MANY else "40"


def table(sweeps: Sweeps) -> list[tuple[int, str, list[float], list[float]]]:
    """Of each run: its number, its state, its losses and its accuracies."""
    losses, accuracies = sweeps.curves("loss"), sweeps.curves()
    rows = store.runs(sweeps.directory).to_pylist()
    return [(r["number"], r["state"], losses[r["run"]], accuracies[r["run"]]) for r in rows]


def processes(parent: int, name: str) -> list[int]:
    found: list[int] = []
    for pid in set(descendants(parent)):
        try:
            if name in Path(f"/proc/{pid}/cmdline").read_text():
                found.append(pid)
        except OSError:
            continue  # it has just ended
    return found


def kill_some(sweeps: Sweeps, arguments: list[str], name: str, kills: int, pause: tuple[float, float]) -> int:
    """Starts a sweep and kills so many of its processes of that name, at random moments; how many it got to."""
    chance, done = random.Random(7), 0
    process = sweeps.start(*arguments)
    while done < kills and process.poll() is None:
        time.sleep(chance.uniform(*pause))
        alive = processes(process.pid, name)
        if alive:
            os.kill(chance.choice(alive), signal.SIGKILL)
            done += 1
    process.communicate(timeout=500)
    # A run that was hit too often counts as failed; to try it again is all that is needed.
    assert sweeps.run("--resume", sweeps.directory.name, "--retry-failed")[0] == 0
    return done


ONE = [
    "--space",
    f"{SPACES}:TINY",
    "--design",
    "random",
    "--arms",
    "6",
    "--epochs",
    EPOCHS,
    "--stopper",
    "none",
]
"""Runs of one process; nothing in them depends on which ends first."""
SHARED = [*ONE, "--arms", "2", "--epochs", "50", "--workers-per-run", "2"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Sweeps:
    sweeps = Sweeps(tmp_path_factory.mktemp("undisturbed"))
    assert sweeps.run(*ONE)[0] == 0
    return sweeps


def test_a_driver_killed_at_random_moments_loses_nothing(sweeps: Sweeps, undisturbed: Sweeps) -> None:
    chance = random.Random(7)
    process = sweeps.start(*ONE)
    while not list(sweeps.store.glob("sweeps/*/segments/reports-*")):
        time.sleep(0.1)
    for _ in range(DRIVERS):
        time.sleep(chance.uniform(0.0, 8.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        time.sleep(3)  # Ray's processes notice that their driver is gone
        before = sweeps.written()
        assert set(before.values()) <= {1}
        process = sweeps.start("--resume", sweeps.directory.name)
    out, err = process.communicate(timeout=500)
    assert (process.returncode, err) == (0, ""), out
    assert table(sweeps) == table(undisturbed)


def test_training_processes_of_tune_killed_at_random_moments_lose_nothing(
    sweeps: Sweeps, undisturbed: Sweeps
) -> None:
    assert kill_some(sweeps, ONE, "ray::ImplicitFunc", ACTORS, (0.5, 4.0)) >= ACTORS // 2
    assert table(sweeps) == table(undisturbed)


@pytest.mark.skipif(not WORKERS, reason="KILLS=many; test_sweep kills one of them always")
def test_workers_of_train_killed_at_random_moments_lose_nothing(sweeps: Sweeps, tmp_path: Path) -> None:
    alone = Sweeps(tmp_path / "undisturbed")
    assert alone.run(*SHARED)[0] == 0
    assert kill_some(sweeps, SHARED, "RayTrainWorker", WORKERS, (2.0, 8.0)) >= 1
    assert table(sweeps) == table(alone)
