"""The notebooks: run as they are on real sweeps, and on stores that have little to show."""

import json
import os
import re
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from analysis.notebooks.evidence import find, find_store, shipped
from sweeps import store

FOLDER = Path(__file__).parents[2] / "analysis" / "notebooks"
EVIDENCE = Path(__file__).parents[1] / "fixtures" / "evidence"
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
    client.execute(env={**os.environ, **private, "SWEEPS_STORE": str(EVIDENCE)})
    *outputs, last = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    return Executed(request.param, outputs, last[0].text.strip(), folder)


def test_every_notebook_runs_to_its_end_and_complains_of_nothing(executed: Executed) -> None:
    assert any(executed.outputs)
    assert "stderr" not in [output.get("name") for cell in executed.outputs for output in cell]


def test_no_notebook_imports_what_trains_or_searches(executed: Executed) -> None:
    assert executed.imported == "[]"


def test_no_notebook_leaves_a_file_behind(executed: Executed) -> None:
    assert list(executed.folder.iterdir()) == []


# What each notebook has to show on the shipped store: so many figures, and these words.
SHOWN = {
    "sce_temperatures": (6, ["fANOVA over 16 arms", "p (Holm)", "on fresh seeds", "Expected best of n arms"]),
    "method_comparison": (
        4,
        ["95% interval", "p (Holm)", "P(better)", "equivalent to the default within ±2"],
    ),
    "ablation": (2, ["p (Holm)", "p (flips)", "with 80% power"]),
    "early_stopping_audit": (3, ["Spearman", "control", "python -m sweeps.replay sce_temperatures-"]),
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
def test_a_notebook_is_kept_with_what_it_put_out_on_the_shipped_store(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [cell.outputs for cell in code]
    kept = Executed(name, outputs, "", FOLDER)
    figures, words = SHOWN[name]
    assert kept.figures == figures
    assert [word for word in words if word not in kept.text] == []
    assert "error" not in [output.output_type for cell in outputs for output in cell]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_notebook_keeps_is_small_and_tells_nothing_of_the_machine(name: str) -> None:
    path = FOLDER / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size < 400_000
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [None] * len(code)
    assert [cell.metadata for cell in notebook.cells] == [{}] * len(notebook.cells)
    assert set(notebook.metadata) == {"jupytext", "kernelspec"}
    written = [_text(output) for cell in code for output in cell.outputs]
    absolute = re.compile(r"(?<![\w.~])/(?:home|root|tmp|work|Users|opt|usr|var)/")
    assert [text for text in written if absolute.search(text)] == []


@dataclass(frozen=True)
class Again:
    """How the shipped sweeps are recorded again: one seed, so many of 4 epochs, and one state at the end."""

    state: Any
    epochs: int
    said: dict[str, str]
    """What each notebook says where it has little to show."""


AGAIN = {
    "failed": Again(
        "failed",
        0,
        {
            "sce_temperatures": "No arm is complete: 12 failed.",
            "method_comparison": "the arm to compare with is failed",
            "ablation": "the arm to compare with is failed",
            "early_stopping_audit": "too few runs are complete to rank them",
            "store_tour": "out of memory",
        },
    ),
    "stopped": Again(
        "stopped",
        2,
        {
            "sce_temperatures": "needs 6 complete arms, got 0",
            "method_comparison": "the arm to compare with is stopped",
            "ablation": "the arm to compare with is stopped",
            "early_stopping_audit": "At epoch 2: 12 stopped; 24 epochs saved.",
            "store_tour": "out of memory",
        },
    ),
    "one seed": Again(
        "complete",
        4,
        {
            "sce_temperatures": "one seed cannot tell",
            "method_comparison": "one seed cannot tell",
            "ablation": "one seed cannot tell",
            "early_stopping_audit": "No control was spared",
            "store_tour": "There is no row.",
        },
    ),
}


@pytest.fixture(scope="module", params=AGAIN)
def again(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Again]:
    """A store of the shipped sweeps' first seeds with another end."""
    root, chosen = store.open_store(tmp_path_factory.mktemp("again")), AGAIN[request.param]
    for source in store.sweep_directories(EVIDENCE):
        manifest = store.read_manifest(source)
        seed, target = manifest["seeds"][0], store.sweep_directory(root, source.name)
        store.write_manifest(target, {**manifest, "seeds": [seed], "confirm_seeds": [], "epochs": 4})
        runs = [run for run in store.runs(source).to_pylist() if run["seed"] == seed]
        with store.Writer(target, "driver") as writer:
            for run in runs:
                named = {name: run[name] for name in ("run", "number", "arm", "seed", "dropped")}
                end: Any = {"state": chosen.state, "reason": "out of memory", "epochs": chosen.epochs}
                for epoch in range(1, chosen.epochs + 1):
                    metrics = {"knn_top1": 30.0 + epoch + run["number"] % 7, "seconds": 1.0}
                    writer.report(run["run"], 0, epoch, metrics)
                writer.run(**named, attempt=0, config=json.loads(run["config"]), **end)
        store.compact(target)
    return root, chosen


@pytest.mark.parametrize("name", NAMES)
def test_runs_that_show_little_get_sentences(
    again: tuple[Path, Again], name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, chosen = again
    assert chosen.said[name] in said(name, root, monkeypatch, capsys)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_store_gets_the_command_that_fills_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "python sweeps/run.py --space" in said(name, store.open_store(tmp_path), monkeypatch, capsys)


def test_a_folder_that_is_no_store_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NAMES:
        assert str(tmp_path) in said(name, tmp_path, monkeypatch, capsys)
    assert list(tmp_path.iterdir()) == []


def test_the_store_is_the_named_one_or_the_nearest_results_or_the_shipped_one(tmp_path: Path) -> None:
    inner = tmp_path / "analysis" / "notebooks"
    inner.mkdir(parents=True)
    assert find_store({"SWEEPS_STORE": str(tmp_path / "mine")}, inner) == tmp_path / "mine"
    assert find_store({}, inner) == inner / "results"
    example = store.open_store(tmp_path / "tests" / "fixtures" / "evidence")
    assert find_store({}, inner) == example
    nearest = store.open_store(tmp_path / "results")
    assert find_store({}, inner) == nearest
    assert find_store({}, tmp_path) == nearest
    mine = store.open_store(tmp_path / "mine")
    assert (
        find_store({"SWEEPS_STORE": "mine"}, inner) == mine
    )  # named from the root, where Jupyter was started
    assert find_store({"SWEEPS_STORE": "missing"}, inner) == inner / "missing"


def test_where_no_sweep_suits_one_that_is_shipped_stands_in_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = store.open_store(tmp_path / "tests" / "fixtures" / "evidence")
    made(example, "shipped", "2026-01-01T08:00")
    mine = store.open_store(tmp_path / "results")
    monkeypatch.chdir(mine)
    assert shipped() == example
    assert find(mine, "mine").summary.identifier == "shipped"
    said = capsys.readouterr().out
    assert f"{mine} holds no such sweep yet. This makes one: python sweeps/run.py --space mine" in said
    assert f"Until then, one that comes with this repository:\nshipped of {example}" in said
    assert find(mine, "mine", sweep="another").record.runs == ()  # who names one means that one
    assert find(example, "other").record.runs == ()


def made(root: Path, identifier: str, created: str, design: str = "tpe", stopper: str = "asha") -> None:
    plan = {"design": design, "stopper": {"name": stopper}}
    manifest = {"id": identifier, "created": created, "space": {"name": "mine"}, "plan": plan, "seeds": [0]}
    store.write_manifest(store.sweep_directory(root, identifier), manifest)


def test_the_sweep_is_the_latest_that_suits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = store.open_store(tmp_path / "results")
    made(root, "z-first", "2026-01-01T08:00")
    made(root, "a-second", "2026-01-02T08:00", stopper="none")
    made(root, "rerun", "2026-01-03T08:00", design="rerun:a-second", stopper="none")
    made(root, "pairs", "2025-01-01T08:00", design="pairs", stopper="none")

    def chosen(**wanted: Any) -> str:
        return find(root, "mine", **wanted).summary.identifier

    assert chosen() == "a-second"  # a rerun is of another sweep
    assert chosen(stopped=True) == "z-first"
    assert chosen(design="pairs") == "pairs"
    assert chosen(sweep="rerun") == "rerun"
    assert "a-second of" in capsys.readouterr().out


def test_where_no_sweep_suits_the_command_that_makes_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = store.open_store(tmp_path / "results")
    made(root, "mine-1", "2026-01-01T08:00", stopper="none")
    assert find(root, "mine", stopped=True).record.runs == ()
    assert "run.py --space mine --stopper asha:control=0.2 --seeds 1-5\n" in capsys.readouterr().out
    find(root, "mine", sweep="mine-2")
    assert "holds no sweep 'mine-2', only mine-1." in capsys.readouterr().out


def said(name: str, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a notebook's script prints on a store, where none is shipped."""
    monkeypatch.chdir(root)
    monkeypatch.setenv("SWEEPS_STORE", str(root))
    runpy.run_path(str(FOLDER / f"{name}.py"))
    return capsys.readouterr().out


def _text(output: nbformat.NotebookNode) -> str:
    return output.get("text", "") + output.get("data", {}).get("text/plain", "")
