"""Every method learns: a smaller version of the README's table, made by the same two commands."""

import subprocess
import sys
from pathlib import Path

import pytest

from contrastive.methods import METHODS
from search_spaces import SPACES
from tests.end_to_end.test_sweep import ROOT, Sweeps

pytestmark = pytest.mark.end_to_end

SMALLER = [
    "data.train=1024", "data.validation=500", "data.test=100", "optimiser.warmup_epochs=1", "batch=32",
]  # fmt: skip


def test_every_method_learns_what_the_untrained_encoder_does_not_know(tmp_path: Path) -> None:
    sweeps = Sweeps(tmp_path)
    changes = [part for change in SMALLER for part in ("--set", change)]
    code, out, err = sweeps.run("--space", "methods", "--seeds", "1-3", "--epochs", "8", *changes)
    assert code == 0, out + err
    command = [
        sys.executable,
        "-m",
        "analysis",
        "learning",
        sweeps.directory.name,
        "--store",
        str(sweeps.store),
    ]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.stdout.splitlines()]
    rows = {cell[0]: cell for cell in cells if len(cell) == 6 and cell[1] == "3" and cell[-1]}
    assert set(rows) == {"simclr", *SPACES["methods"].arms()}
    assert {name.split()[0] for name in rows} == {method().name for method in METHODS}
    assert {name: row[-1] for name, row in rows.items() if "untrained" not in row[-1]} == {}, found.stdout
