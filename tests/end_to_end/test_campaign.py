"""A campaign through its command line: killed, looked at, stopped, taken up again, concluded."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from sweeps import store
from tests.end_to_end.driven import ROOT, wait_for

pytestmark = pytest.mark.end_to_end


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    fixed = ["--store", str(folder / "results"), "--cache", str(folder / "cache")]
    return subprocess.Popen(
        [sys.executable, str(ROOT / "sweeps" / "campaign.py"), *arguments, *fixed],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def test_a_campaign_is_killed_looked_at_stopped_and_comes_to_its_planned_comparisons(tmp_path: Path) -> None:
    process = start(tmp_path, str(ROOT / "tests" / "fixtures" / "tiny_campaign.py"))
    wait_for(process, r"seed \d: complete")
    (plan,) = (tmp_path / "results" / "campaigns").glob("*/campaign.json")
    before = plan.read_text()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(4)  # Ray's processes notice that their driver is gone
    name = plan.parent.name
    out, _ = start(tmp_path, "--status", name, "--json").communicate(timeout=60)
    assert sum(one["states"].get("complete", 0) for one in json.loads(out)) >= 1
    process = start(tmp_path, "--resume", name)
    wait_for(process, r"seed \d: running")
    start(tmp_path, "--stop", name).communicate(timeout=60)
    process.communicate(timeout=100)
    assert process.returncode == 130
    out, err = (process := start(tmp_path, "--resume", name)).communicate(timeout=300)
    assert process.returncode == 0, (out, err)
    assert plan.read_text() == before  # what was to be tested was not changed by what came out
    results = json.loads((plan.parent / "results.json").read_text())
    assert [(one["sweep"], one["against"], one["seeds"]) for one in results] == [
        ("temperatures", "default", 2),
        ("rates", "default", 2),
    ]
    states = [
        Counter(row["state"] for row in store.runs(directory).to_pylist())
        for directory in store.sweep_directories(tmp_path / "results")
    ]
    # One has its best and its default on two fresh seeds too.
    assert sorted(states, key=Counter.total) == [{"complete": 4}, {"complete": 8}]
    assert (plan.parent / "results.md").read_text() in out
