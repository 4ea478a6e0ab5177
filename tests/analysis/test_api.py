"""The public Python interface of analysis: light to import, lazy, and the same on a sweep that still runs."""

import ast
import doctest
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from setuptools import Distribution
from setuptools.command.build_py import build_py

import analysis
from sweeps import store

ROOT = Path(__file__).parents[2]
EVIDENCE = ROOT / "tests" / "fixtures" / "evidence"
METHODS, ABLATION = "methods-20261125-110151", "sce_ablation-20261125-111021"
SEARCH = "sce_temperatures-20261125-105047"
PACKAGES = ("analysis", "contrastive", "search_spaces", "sweeps")
HEAVY = ("torch", "ray", "optuna", "matplotlib", "scipy", "numpy", "pyarrow", "duckdb", "pandas", "sklearn")
DOCTESTED = (
    *(
        "",
        ".arms",
        ".compare",
        ".intervals",
        ".multiple",
        ".naming",
        ".paired",
        ".results",
        ".rows",
        ".tables",
    ),
)


@pytest.fixture(scope="module")
def methods() -> analysis.Results:
    return analysis.open(EVIDENCE, METHODS)


def test_importing_the_package_imports_nothing_that_takes_time() -> None:
    code = f"import sys, analysis; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


def test_opening_a_sweep_needs_neither_torch_nor_ray() -> None:
    use = f"analysis.open({str(EVIDENCE)!r}).summary"
    code = f"import sys, analysis; {use}; print({{'torch', 'ray', 'optuna'}} & {{*sys.modules}})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "set()"


def test_every_public_name_can_be_had_and_is_declared_for_type_checkers() -> None:
    for name in analysis.__all__:
        assert getattr(analysis, name) is not None
    tree = ast.parse((ROOT / "analysis" / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {
        alias.asname or alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert declared == set(analysis.__all__)
    assert set(analysis.__all__) <= set(dir(analysis))
    with pytest.raises(AttributeError, match="analysis has no 'nothing'"):
        analysis.nothing  # noqa: B018  # pyright: ignore


def test_no_public_name_is_hidden_by_a_module_of_the_same_name() -> None:
    code = (
        "import analysis, analysis.load, analysis.compare\n"
        "from analysis.fanova import random_forest\n"
        "from analysis import summarise, headline\n"
        "assert callable(analysis.load) and callable(analysis.compare) and callable(analysis.fanova)\n"
        "from analysis.load import Record, load\n"
        "assert load is analysis.load and callable(summarise) and callable(headline)\n"
        "from analysis import tables, stopping\n"
        "print(tables.__name__, analysis.figures.__name__)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "analysis.tables analysis.figures"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_tells_type_checkers_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_a_wheel_holds_the_marks_of_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    distribution = Distribution()
    distribution.parse_config_files()
    build = build_py(distribution)
    build.package_data, build.exclude_package_data, build.manifest_files = distribution.package_data, {}, {}
    for package in PACKAGES:
        held = [Path(path).name for path in build.find_data_files(package, str(ROOT / package))]
        assert held == ["py.typed"]
    held = [
        Path(path).name
        for path in build.find_data_files("analysis.notebooks", str(ROOT / "analysis" / "notebooks"))
    ]
    assert "ablation.ipynb" in held


@pytest.mark.parametrize("kind", [str, Path])
def test_a_sweep_is_opened_by_store_and_name_by_folder_or_the_latest(kind: type) -> None:
    assert analysis.open(kind(EVIDENCE), METHODS).id == METHODS
    assert analysis.open(kind(EVIDENCE / "sweeps" / METHODS)).id == METHODS
    created = {path.name: store.read_manifest(path)["created"] for path in store.sweep_directories(EVIDENCE)}
    assert analysis.open(kind(EVIDENCE)).id == max(created, key=lambda name: created[name])


def test_what_is_no_store_or_no_sweep_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=METHODS):
        analysis.open(EVIDENCE, "methods-2")
    with pytest.raises(ValueError, match="no sweep"):
        analysis.open(store.open_store(tmp_path / "empty"))
    with pytest.raises(ValueError, match=str(tmp_path / "nothing")):
        analysis.open(tmp_path / "nothing")


def test_what_it_is_stands_in_its_short_repr(methods: analysis.Results) -> None:
    for one in (
        methods,
        methods.arms,
        methods.runs,
        methods.compare(),
        methods.summary,
        methods.figures,
        methods.best,
    ):
        assert len(repr(one)) < 200
    assert METHODS in repr(methods)
    assert "55 rows" in repr(methods.runs)
    assert methods.finding.startswith("Ranking: 1. cacr 39.4")


def test_rows_come_out_as_arrow_and_as_frames(methods: analysis.Results) -> None:
    assert len(methods.arms) == 11
    assert len(methods.runs) == 55
    assert len(methods.epochs) == 550
    assert len(methods.events) > 0
    for rows in (methods.arms, methods.runs, methods.epochs, methods.events, methods.compare(margin=2.0)):
        table = rows.to_arrow()
        assert isinstance(table, pa.Table)
        assert table.num_rows == len(rows) == len(list(rows))
        assert list(rows.columns) == table.column_names == list(rows.to_frame().columns)


def test_an_arm_is_a_row_with_its_values_and_its_mean(methods: analysis.Results) -> None:
    first = next(iter(methods.arms))
    assert (first["name"], first["state"], first["seeds"]) == ("cacr", "complete", 5)
    assert first["mean"] == pytest.approx(39.4)
    assert first["interval_low"] < first["mean"] < first["interval_high"]
    assert [row["role"] for row in methods.arms].count("default") == 1
    assert methods.best is not None
    assert methods.best.number == first["arm"]


def test_arms_of_a_search_have_a_column_for_each_parameter() -> None:
    arms = analysis.open(EVIDENCE, SEARCH).arms
    assert {"config.method.temperature", "config.method.target_temperature"} <= set(arms.columns)


def test_a_run_is_a_row_with_its_last_metrics(methods: analysis.Results) -> None:
    row = next(iter(methods.runs))
    assert {"run", "number", "arm", "seed", "state", "epochs", "knn_top1"} <= row.keys()


def test_comparisons_are_corrected_rows_against_the_default(methods: analysis.Results) -> None:
    rows = list(methods.compare(margin=2.0))
    assert len(rows) == 10
    assert rows[0]["name"] == "cacr"
    assert rows[0]["p_holm"] >= rows[0]["p"]
    with pytest.raises(ValueError, match="margin"):
        methods.compare(margin=-1.0)
    parts = analysis.open(EVIDENCE, ABLATION).leave_one_out()
    assert len(parts) == 8
    with pytest.raises(ValueError, match="lists no alternatives"):
        analysis.open(EVIDENCE, SEARCH).leave_one_out()


def test_without_pandas_the_frame_says_how_to_get_it(
    methods: analysis.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas.*to_arrow"):
        methods.arms.to_frame()


def test_a_figure_is_saved_in_the_format_of_its_name(methods: analysis.Results, tmp_path: Path) -> None:
    drawn = methods.figures.forest()
    for name in ("forest.pdf", "forest.png", "deep/forest.svg"):
        path = drawn.save(str(tmp_path / name))
        assert path == tmp_path / name
        assert path.stat().st_size > 1000
    with pytest.raises(ValueError, match=r"\.pdf, \.png or \.svg"):
        drawn.save(tmp_path / "forest.doc")
    assert drawn._repr_png_().startswith(b"\x89PNG")


def test_the_title_of_a_figure_names_unit_and_data_set(methods: analysis.Results) -> None:
    for drawn in (methods.figures.forest(), methods.figures.learning_curves()):
        assert "online kNN top-1 (%)" in drawn.title
        assert "shapes, 1,000 validation images" in drawn.title
        assert drawn.figure.get_suptitle().replace("\n", " ") == drawn.title


def test_a_figure_that_cannot_be_drawn_says_why(methods: analysis.Results) -> None:
    with pytest.raises(ValueError, match="no parameters|lists its arms"):
        methods.figures.response_surface()
    with pytest.raises(ValueError, match="nothing was judged"):
        methods.figures.rung_ladder()


def test_report_tables_and_figures_are_written_where_one_says(tmp_path: Path) -> None:
    results = analysis.open(EVIDENCE, ABLATION)
    assert results.report(str(tmp_path / "report.html")) == tmp_path / "report.html"
    names = {path.name for path in results.tables(str(tmp_path / "tables"))}
    assert {"paper.tex", "paper.md", "paper.csv", "paper.txt", "arms.csv"} <= names
    drawn = {path.name for path in results.save_figures(tmp_path / "figures", formats=("svg",))}
    assert {"overview.svg", "learning-curves.svg", "leaving-one-out.svg"} <= drawn


def test_it_works_while_the_sweep_runs(tmp_path: Path) -> None:
    folder = store.sweep_directory(store.open_store(tmp_path), "running-1")
    domain = {"kind": "log_uniform", "low": 0.01, "high": 1.0}
    space = {"name": "s", "domains": {"method.temperature": domain}, "constraints": []}
    manifest = {
        "id": "running-1",
        "space": space,
        "epochs": 4,
        "seeds": [0],
        "default_arm": "a",
        "created": "2026",
    }
    store.write_manifest(folder, manifest)
    nothing = analysis.open(tmp_path)
    assert nothing.finding == "No arm is complete: no run has started"
    assert len(nothing.arms) == len(nothing.runs) == len(nothing.epochs) == 0
    row = {"run": "r", "number": 0, "arm": "a", "seed": 0, "attempt": 0}
    with store.Writer(folder, "w") as writer:
        writer.run(**row, config={"method": {"temperature": 0.1}}, state="running")
        writer.report("r", 0, 1, {"knn_top1": 40.0})
        results = analysis.open(tmp_path, "running-1")
        assert (len(results.runs), len(results.epochs)) == (1, 1)
        assert results.finding == "No arm is complete: 1 running"
        writer.report("r", 0, 2, {"knn_top1": 41.0})
        assert len(results.refresh().epochs) == 2
        assert len(results.epochs) == 1  # as it was when it was opened
    assert results.best is None
    with pytest.raises(ValueError, match="not complete|is running"):
        results.compare()


@pytest.mark.parametrize("name", DOCTESTED)
def test_examples_in_docstrings_give_what_they_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    module = importlib.import_module(f"analysis{name}")
    found = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0
    assert found.failed == 0


def test_the_command_writes_figures_and_tables_into_the_named_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from analysis.__main__ import main

    folders = ["--figures", str(tmp_path / "figures"), "--tables", str(tmp_path / "tables")]
    sweep = str(EVIDENCE / "sweeps" / ABLATION)
    assert main(["report", sweep, "--out", str(tmp_path / "r.html"), *folders]) == 0
    assert {"overview.pdf", "overview.png"} <= {path.name for path in (tmp_path / "figures").iterdir()}
    assert "paper.tex" in {path.name for path in (tmp_path / "tables").iterdir()}
    assert json.dumps(str(tmp_path / "r.html"))[1:-1] in capsys.readouterr().out
