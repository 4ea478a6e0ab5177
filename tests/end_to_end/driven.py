"""The command line, driven as a person would, and what it leaves behind."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sweeps import store
from sweeps.store import segments

ROOT = Path(__file__).parents[2]
SPACES = ROOT / "tests" / "fixtures" / "tiny_space.py"


class Sweeps:
    """The command line with a store and a cache of its own."""

    def __init__(self, folder: Path):
        self.store = folder / "results"
        self.fixed = ["--store", str(self.store), "--cache", str(folder / "cache")]

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "sweeps" / "run.py"), *arguments, *self.fixed],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=500)
        return process.returncode, out, err

    @property
    def directory(self) -> Path:
        (directory,) = store.sweep_directories(self.store)
        return directory

    def states(self) -> dict[int, str]:
        return {row["number"]: row["state"] for row in store.runs(self.directory).to_pylist()}

    def curves(self, metric: str = "knn_top1") -> dict[str, list[float]]:
        curves: dict[str, list[float]] = {}
        for row in self.reports():
            if row["metric"] == metric:
                curves.setdefault(row["run"], []).append(row["value"])
        return curves

    def reports(self) -> list[dict[str, Any]]:
        return store.reports(self.directory).to_pylist()

    def written(self) -> Counter[tuple[str, int]]:
        """How often each epoch was really written, before any reader removes what is double."""
        found = [segments.read_segment(path) for path in segments.paths(self.directory, "reports")]
        rows = [row for one in found if one and one.table is not None for row in one.table.to_pylist()]
        return Counter((row["run"], row["epoch"]) for row in rows)


def wait_for(process: subprocess.Popen[str], pattern: str, count: int = 1) -> str:
    """What the process prints until a line of it has matched `count` times."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if len(re.findall(pattern, seen)) >= count:
            return seen
    raise AssertionError(
        f"it ended before '{pattern}': {seen}{process.stderr.read() if process.stderr else ''}"
    )


def descendants(pid: int) -> list[int]:
    """All processes below one, by /proc."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has just ended
            parents.setdefault(parent, []).append(int(entry.name))
    found = parents.get(pid, [])
    for child in found:
        found = found + descendants(child)
    return found
