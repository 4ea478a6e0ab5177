"""Real sweeps through the command line, Ray and all, on runs of seconds."""

import json
import os
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna_dashboard
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from sweeps import store
from tests.end_to_end.driven import SPACES, Sweeps, descendants, wait_for

pytestmark = pytest.mark.end_to_end


def test_a_sweep_goes_from_a_space_to_a_table_and_a_picture(sweeps: Sweeps) -> None:
    code, out, err = sweeps.run("--space", f"{SPACES}:TINY", "--arms", "5")
    assert (code, err) == (0, "")
    states = sweeps.states()
    assert sorted(states) == [0, 1, 2, 3, 4]
    assert states[0] == "complete"  # the default is what all are compared with
    assert set(states.values()) <= {"complete", "stopped"}
    directory = sweeps.directory
    for name in (
        "overview.png",
        "overview.pdf",
        "summary.json",
        "parts",
        "study.log",
    ):
        assert (directory / name).stat().st_size > 0
        assert name.removesuffix(".pdf") in out
    assert not list((directory / "segments").iterdir())
    assert "On the test images, read once" in out
    ours = out.replace(str(directory), "").replace("starting Ray", "")
    noise = re.findall(r".*(?:ray|Ray|WARNING|deprecat|Traceback).*", ours)
    assert not noise
    for row in store.runs(directory).to_pylist():
        assert row["epochs"] == len(sweeps.curves()[row["run"]])


def test_the_json_summary_stands_alone_on_standard_output(sweeps: Sweeps) -> None:
    arguments = [
        "--space",
        f"{SPACES}:TINY",
        "--arms",
        "2",
        "--seeds",
        "2",
        "--stopper",
        "none",
        "--epochs",
        "3",
    ]
    code, out, _ = sweeps.run(*arguments, "--design", "random", "--json")
    summary = json.loads(out)
    assert code == 0
    assert summary["states"] == {"complete": 4}
    assert summary["epochs_spent"] == summary["epochs_full"] == 12
    seeds = [arm["seeds"] for arm in summary["arms"]]
    assert seeds == [[0, 1], [0, 1]]
    settle = [
        "--design",
        f"rerun:{Path(summary['sweep']).name}",
        "--seeds",
        "5-6",
        "--stopper",
        "none",
        "--json",
    ]
    code, out, _ = sweeps.run(*settle)
    assert code == 0
    again = json.loads(out)
    assert {a["digest"] for a in again["arms"]} == {a["digest"] for a in summary["arms"]}
    assert again["arms"][0]["seeds"] == [5, 6]


def test_a_failed_run_is_recorded_the_sweep_goes_on_and_it_can_be_tried_again(sweeps: Sweeps) -> None:
    process = sweeps.start("--space", f"{SPACES}:TINY", "--arms", "3", "--epochs", "40", "--stopper", "none")
    wait_for(process, r"epoch \d+/40", count=8)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    broken = max(sweeps.directory.glob("checkpoints/*/checkpoint.pt"))
    broken.write_bytes(b"no checkpoint")
    code, out, _ = sweeps.run("--resume", sweeps.directory.name)
    assert code == 0
    assert Counter(sweeps.states().values()) == {"complete": 2, "failed": 1}
    (failed,) = (row for row in store.runs(sweeps.directory).to_pylist() if row["state"] == "failed")
    assert failed["run"] == broken.parent.name
    assert failed["reason"].startswith("Traceback")
    assert failed["reason"].strip().splitlines()[-1] in out
    broken.unlink()
    assert sweeps.run("--resume", sweeps.directory.name, "--retry-failed")[0] == 0
    assert set(sweeps.states().values()) == {"complete"}
    assert all(len(curve) == 40 for curve in sweeps.curves().values())


def test_a_run_that_diverges_is_ended_with_that_reason(sweeps: Sweeps) -> None:
    arguments = ["--space", f"{SPACES}:DIVERGING", "--design", "grid", "--arms", "3", "--stopper", "none"]
    code, out, _ = sweeps.run(*arguments)
    assert code == 0
    assert Counter(sweeps.states().values()) == {"complete": 2, "stopped": 1}
    (ended,) = (row for row in store.runs(sweeps.directory).to_pylist() if row["state"] == "stopped")
    assert ended["reason"].startswith("diverged: the mean loss of epoch")
    assert json.loads(ended["config"])["optimiser"]["lr"] == 1e30
    assert "diverged" in out


def test_ctrl_c_ends_all_processes_and_the_sweep_grows_when_it_is_resumed(sweeps: Sweeps) -> None:
    mark = f"SWEEP_OF_A_TEST={sweeps.store}"
    common = ["--space", f"{SPACES}:TINY", "--design", "random", "--epochs", "40", "--stopper", "none"]
    process = sweeps.start(*common, "--arms", "2", SWEEP_OF_A_TEST=str(sweeps.store))
    wait_for(process, r"epoch \d+/40", count=6)
    assert marked(mark)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Finishing the epochs in training" in out
    assert f"--resume {sweeps.directory.name}" in out
    until = time.monotonic() + 30
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.5)
    assert marked(mark) == []
    assert set(sweeps.states().values()) == {"running"}
    before = sweeps.written()
    resumed = sweeps.start("--resume", sweeps.directory.name, "--arms", "3", "--seeds", "0,1")
    wait_for(resumed, r"epoch 39/40", count=2)
    both = sweeps.written()
    assert set(both.values()) == {1}  # no finished epoch is trained again
    assert set(before) < set(both)
    resumed.communicate(timeout=300)
    assert resumed.returncode == 0
    assert Counter(sweeps.states().values()) == {"complete": 6}
    assert {len(curve) for curve in sweeps.curves().values()} == {40}


def marked(mark: str) -> list[int]:
    """Processes that have inherited this assignment in their environment."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue  # it has ended, or is not ours
    return found


def test_the_study_opens_in_the_dashboard_while_the_sweep_runs_and_another_sweep_reuses_its_runs(
    sweeps: Sweeps,
) -> None:
    common = ["--space", f"{SPACES}:TINY", "--design", "random", "--arms", "2", "--epochs", "40"]
    process = sweeps.start(*common, "--stopper", "none")
    wait_for(process, r"epoch \d+/40", count=10)
    first = sweeps.directory
    app = optuna_dashboard.wsgi(JournalStorage(JournalFileBackend(str(first / "study.log"))))
    (study,) = answer(app, "/api/studies")["study_summaries"]
    assert study["study_name"] == first.name
    trials = answer(app, f"/api/studies/{study['study_id']}")["trials"]
    assert any(trial["state"] == "Running" and trial["intermediate_values"] for trial in trials)
    process.communicate(timeout=200)
    code, out, _ = sweeps.run(*common, "--stopper", "none", "--seeds", "0,1")
    assert code == 0
    (second,) = set(store.sweep_directories(sweeps.store)) - {first}
    reasons = Counter(row["reason"] for row in store.runs(second).to_pylist())
    assert reasons == {f"reused from {first.name}": 2, "": 2}
    assert out.count("reused from") == 2


def answer(app: Any, path: str) -> Any:
    """What the dashboard's program answers to a GET, without a server."""
    status: list[str] = []
    environment: dict[str, Any] = {}
    setup_testing_defaults(environment)
    environment["PATH_INFO"] = path
    body = b"".join(app(environment, lambda code, *_: status.append(code)))
    assert status[0].startswith("200"), (status, body)
    return json.loads(body)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers by /proc")
def test_two_workers_a_run_give_the_curves_of_one_also_where_a_worker_is_killed(
    sweeps: Sweeps, tmp_path: Path
) -> None:
    arguments = ["--space", f"{SPACES}:TINY", "--arms", "2", "--design", "random", "--epochs", "40"]
    arguments += ["--stopper", "none", "--set", "precision=float64"]
    process = sweeps.start(*arguments, "--workers-per-run", "2")
    wait_for(process, r"epoch \d+/40", count=5)
    names = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in set(descendants(process.pid))}
    workers = [pid for pid, name in names.items() if "RayTrainWorker" in name]
    assert len(workers) == 2, names
    os.kill(workers[0], signal.SIGKILL)
    process.communicate(timeout=500)
    assert process.returncode == 0
    alone = Sweeps(tmp_path / "alone")
    assert alone.run(*arguments)[0] == 0
    assert sweeps.states() == alone.states() == {0: "complete", 1: "complete"}
    losses = alone.curves("loss")
    for run, curve in sweeps.curves("loss").items():
        assert len(curve) == 40
        assert curve == pytest.approx(losses[run], rel=1e-5)
