"""Sweeps from Python: one tiny sweep, run in a thread and in a running event loop, and read as it runs."""

import asyncio
import inspect
import subprocess
import sys
import threading
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sweeps
from contrastive.methods import SCE
from sweeps import store
from sweeps.planning.plan import Budget
from tests.fixtures.tiny_space import TINY

EVIDENCE = Path(__file__).parents[1] / "fixtures" / "evidence"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def swept(folder: Path) -> dict[str, Any]:
    """What came of a sweep in a thread, what could be read meanwhile, and of going on with it in a running loop."""
    found: dict[str, Any] = {"states": set()}

    def start() -> None:
        found["sweep"] = sweeps.start(
            TINY, arms=2, seeds=[0], stopper="none", design="random", epochs=4,
            store=folder / "results", cache=str(folder / "cache"), progress=False,
        )  # fmt: skip

    thread = threading.Thread(target=start)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
        if list((folder / "results").glob("sweeps/*/sweep.json")):
            found["states"] |= {row["state"] for row in sweeps.open(folder / "results").runs}

    async def go_on() -> sweeps.Sweep:
        return sweeps.resume(str(folder / "results"), arms=3, cache=folder / "cache", progress=False)

    found["grown"] = asyncio.run(go_on())
    return found


@pytest.mark.end_to_end
def test_a_sweep_runs_in_a_thread_and_is_read_meanwhile(swept: dict[str, Any]) -> None:
    assert swept["sweep"].summary.complete == 2
    assert swept["states"] & {"running", "complete"}


@pytest.mark.end_to_end
def test_a_sweep_grows_inside_a_running_event_loop(swept: dict[str, Any]) -> None:
    grown = swept["grown"]
    assert [row["state"] for row in grown.runs] == ["complete"] * 3
    assert grown.id == swept["sweep"].id
    assert len(grown.epochs) == 12


@pytest.mark.end_to_end
def test_the_best_encoder_comes_with_what_standardises_its_images(swept: dict[str, Any]) -> None:
    best = swept["grown"].best
    found = best.encoder()
    assert found.config.method.name == "sce"
    assert len(found.normalisation.mean) == 3
    with pytest.raises(ValueError, match=r"seed = 7: arm \d has checkpoints of the seeds \[0\]"):
        best.encoder(seed=7)


@pytest.mark.end_to_end
def test_a_store_is_asked_exported_and_reported(swept: dict[str, Any], folder: Path) -> None:
    results = folder / "results"
    answer = sweeps.sql(results, "select number, knn_top1 from final order by number")
    assert answer.arrow()["number"].to_pylist() == [0, 1, 2]
    assert list(answer.df().columns) == ["number", "knn_top1"]
    assert {path.suffix for path in sweeps.export(results, out=folder / "best")} == {".json", ".safetensors"}
    assert sweeps.report(results, out=folder / "page.html").stat().st_size > 0


def test_the_last_sweep_of_a_store_is_opened_with_its_rows() -> None:
    sweep = sweeps.open(EVIDENCE, "sce_ablation-20261125-111021")
    assert sweep.best is not None
    assert sweep.best.score is not None
    assert sweep.arms.to_frame()["name"][0]
    assert "sce_ablation" in repr(sweep)
    assert len(repr(sweep)) < 120
    assert isinstance(sweeps.open(str(EVIDENCE)), sweeps.Sweep)


def test_what_cannot_be_meant_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no space 'sce_temperature'. Did you mean sce_temperatures"):
        sweeps.start("sce_temperature", store=tmp_path / "results")
    with pytest.raises(ValueError, match=r"kep is no option of a sweep. Did you mean keep"):
        sweeps.start(TINY, store=tmp_path / "results", kep=3)
    with pytest.raises(ValueError, match="keep = -1: give how many arms"):
        sweeps.start(TINY, store=tmp_path / "results", keep=-1)
    with pytest.raises(ValueError, match="there is no sweep yet"):
        sweeps.resume(tmp_path / "results")
    with pytest.raises(ValueError, match="there is no campaign 'papers_labtop'. Did you mean papers_laptop"):
        sweeps.start_campaign("papers_labtop", store=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_every_public_name_is_there_and_documented() -> None:
    assert set(sweeps.__all__) <= set(dir(sweeps))
    for name in sweeps.__all__:
        assert getattr(sweeps, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        sweeps.nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("import sweeps", {"torch", "ray", "optuna", "pydantic", "pyarrow", "duckdb", "analysis", "contrastive"}),
        ("from sweeps import store; store.find, store.Writer, store.connect", {"torch", "ray", "contrastive"}),
        (f"import sweeps; sweeps.open({str(EVIDENCE)!r}).runs", {"torch", "ray", "optuna"}),
        (f"import sweeps; sweeps.sql({str(EVIDENCE)!r}, 'select 1')", {"torch", "ray", "optuna"}),
    ],
)  # fmt: skip
def test_only_what_is_needed_is_imported(program: str, unwanted: set[str]) -> None:
    code = f"import sys\n{program}\nprint(sorted({unwanted!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_store_is_found_by_name_though_a_module_has_been_imported() -> None:
    assert callable(store.find)


def test_the_arguments_of_start_are_those_of_the_command_line_and_of_options() -> None:
    from sweeps.cli import running
    from sweeps.sessions.arguments import Flags

    typed = {parameter.name for parameter in running.run.params} | {"set"}
    assert typed >= set(Flags.__annotations__)
    carried = {field.name for field in fields(sweeps.Options)} - {"store", "progress", "program"}
    assert set(sweeps.Arguments.__annotations__) == set(Flags.__annotations__) | carried
    for function in (sweeps.start, sweeps.resume):
        assert set(sweeps.Arguments.__annotations__) < set(inspect.signature(function).parameters)


def test_values_that_are_set_from_python_are_taken_as_json_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def keep(plan: Any, *_: Any) -> Any:
        found.append(plan)
        return SimpleNamespace(
            interrupted=False, directory=EVIDENCE / "sweeps" / "sce_ablation-20261125-111021"
        )

    monkeypatch.setattr("sweeps.sessions.session.start", keep)
    chosen = {"optimizer.lr": 0.25, "strong.crop_scale": (0.5, 1.0), "method": SCE(coefficient=0.25)}
    sweeps.start(TINY, seeds=(4, 5), set=chosen, budget=Budget(runs=9), store=tmp_path)
    base = found[0].space.base
    assert (base.optimiser.lr, base.views.strong.crop_scale, base.method.coefficient) == (
        0.25,
        (0.5, 1.0),
        0.25,
    )
    assert (found[0].seeds, found[0].budget) == ((4, 5), Budget(runs=9))
    with pytest.raises(ValueError, match=r"optimiser.lr = 'NaN'|optimiser.lr = nan"):
        sweeps.start(TINY, set={"optimiser.lr": float("nan")}, store=tmp_path)
