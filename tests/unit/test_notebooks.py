"""The notebooks: run as they are on real sweeps, and on stores that have little to show."""

import json
import os
import runpy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from analysis.notebooks.evidence import SHIPPED, find, find_store
from sweeps import store

FOLDER = Path(__file__).parents[2] / "analysis" / "notebooks"
NAMES = ("sce_temperatures", "method_comparison", "ablation", "early_stopping_audit", "store_tour")
HEAVY = ("torch", "ray", "optuna", "contrastive", "search_spaces")
LOADED = f"import sys; print(sorted(set({HEAVY}) & set(sys.modules)))"


@dataclass(frozen=True)
class Executed:
    """What a notebook has put out, by cell, and what its kernel had imported at the end."""

    name: str
    outputs: list[list[nbformat.NotebookNode]]
    imported: str
    folder: Path

    @property
    def text(self) -> str:
        """All that is written."""
        return "\n".join(_text(output) for cell in self.outputs for output in cell)

    @property
    def figures(self) -> int:
        """How many are drawn."""
        return sum("image/png" in output.get("data", {}) for cell in self.outputs for output in cell)


@pytest.fixture(scope="module", params=NAMES)
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Executed:
    """A notebook run from top to bottom on the shipped store, in a folder of its own."""
    folder, home = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("home")
    notebook = nbformat.read(FOLDER / f"{request.param}.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(LOADED))
    private = {name: str(home) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR")}
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, **private, "SWEEPS_STORE": str(SHIPPED)})
    *outputs, last = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    return Executed(request.param, outputs, last[0].text.strip(), folder)


def test_every_notebook_runs_to_its_end_and_complains_of_nothing(executed: Executed) -> None:
    assert all(executed.outputs)
    assert "stderr" not in [output.get("name") for cell in executed.outputs for output in cell]


def test_no_notebook_imports_what_trains_or_searches(executed: Executed) -> None:
    assert executed.imported == "[]"


def test_no_notebook_leaves_a_file_behind(executed: Executed) -> None:
    assert list(executed.folder.iterdir()) == []


# What each notebook has to show on the shipped store: so many figures, and these words.
SHOWN = {
    "sce_temperatures": (6, ["fANOVA over 16 arms", "p (Holm)", "on fresh seeds", "Expected best of n arms"]),
    "method_comparison": (4, ["95 % interval", "p (Holm)", "P(better)", "equivalent to the default within ±2"]),
    "ablation": (2, ["p (Holm)", "device-hours", "with 80% power"]),
    "early_stopping_audit": (3, ["Spearman", "controls", "python -m sweeps.replay sce_temperatures-"]),
    "store_tour": (0, ["half_interval", "at_end", "device_hours", "rung", "0 segments", "export"]),
}


def test_every_notebook_shows_its_figures_and_numbers_with_their_intervals(executed: Executed) -> None:
    figures, words = SHOWN[executed.name]
    assert executed.figures == figures
    assert [word for word in words if word not in executed.text] == []


@pytest.mark.parametrize("name", NAMES)
def test_script_and_notebook_are_in_step(name: str) -> None:
    pair = [jupytext.read(FOLDER / f"{name}.{suffix}") for suffix in ("py", "ipynb")]
    script, notebook = ([(cell.cell_type, cell.source) for cell in one.cells] for one in pair)
    assert script == notebook


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_without_what_it_put_out(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[]] * len(code)
    assert [cell.execution_count for cell in code] == [None] * len(code)
    assert [cell.metadata for cell in notebook.cells] == [{}] * len(notebook.cells)
    assert set(notebook.metadata) == {"jupytext", "kernelspec"}  # nothing of the machine that it was run on


# Stores with little to show, and what is said where something would be shown.
COMMAND = "This makes one: python sweeps/run.py --space"
POOR = {
    ("empty", "sce_temperatures"): [COMMAND, "No arm is complete"],
    ("empty", "method_comparison"): [COMMAND, "none is complete"],
    ("empty", "ablation"): [f"{COMMAND} sce_ablation --design pairs", "lists no alternatives"],
    ("empty", "early_stopping_audit"): [f"{COMMAND} sce_temperatures --stopper asha:control=0.2", "too few runs"],
    ("empty", "store_tour"): ["sweeps.store check"],
}


def _text(output: nbformat.NotebookNode) -> str:
    return output.get("text", "") + output.get("data", {}).get("text/plain", "")
