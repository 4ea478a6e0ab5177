"""Methods learn: a smaller version of the README's table, made by the same two commands."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.driven import ROOT, Sweeps

pytestmark = pytest.mark.end_to_end

SMALLER = [
    "data.train=1536",
    "data.validation=1000",
    "data.test=100",
    "batch=32",
    "optimiser.warmup_epochs=1",
]


def test_methods_learn_what_the_untrained_encoder_does_not_know(tmp_path: Path) -> None:
    sweeps = Sweeps(tmp_path)
    changes = [part for change in SMALLER for part in ("--set", change)]
    code, out, err = sweeps.run(
        "--space", "methods", "--arms", "4", "--seeds", "1-6", "--epochs", "8", *changes
    )
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
    rows = {cell[0]: cell for cell in cells if len(cell) == 6 and cell[1] == "6" and cell[-1]}
    assert set(rows) == {"simclr", "sce", "mmcl", "wcl"}
    assert {name: row[-1] for name, row in rows.items() if "untrained" not in row[-1]} == {}, found.stdout
