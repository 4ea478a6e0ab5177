"""The command `sweeps`: each subcommand takes its own options, and the last sweep where none is named."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import analysis
import sweeps
from sweeps import campaign, store
from sweeps.cli import names
from sweeps.cli.main import COMMANDS, main
from sweeps.planning.estimate import Pace
from sweeps.run import main as script
from sweeps.store.locate import find

EVIDENCE = Path(__file__).parents[2] / "fixtures" / "evidence"
RECORDED = "sce_temperatures-20261125-105047"
TINY_FILE = Path(__file__).parents[2] / "fixtures" / "tiny_space.py"
CAMPAIGN_FILE = TINY_FILE.with_name("tiny_campaign.py")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    shutil.copytree(EVIDENCE, tmp_path / "results")
    return tmp_path / "results"


def test_the_commands_are_these() -> None:
    wanted = "run resume status list show report sql export store replay campaign evaluate download tail stop"
    assert set(COMMANDS) == set(wanted.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"sweeps {name}" in out or "sweeps [OPTIONS]" in out or "Usage: " in out


def test_a_space_is_named_by_its_place_or_by_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for words in (["sce_ablation"], ["--space", "sce_ablation"]):
        assert main(["run", *words, "--dry-run", "--json"]) == 0
        said.append(json.loads(capsys.readouterr().out)["plan"])
    assert script(["--space", "sce_ablation", "--dry-run", "--json"]) == 0
    assert said[0] == said[1] == json.loads(capsys.readouterr().out)["plan"]
    assert main(["run", "sce_ablation", "--space", "methods", "--dry-run"]) == 2
    assert "give one of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "--arms", "3"], "`sweeps status` trains nothing; leave out --arms"),
        (["resume", "--design", "grid"], "`sweeps resume` goes on with the sweep as it was planned, or larger"),
        (["run", "sce_ablation", "--out", "x"], "--out means nothing without `sweeps export`"),
        (["run", "sce_ablation", "--retry-failed"], "--retry-failed means nothing without `sweeps resume`"),
        (["run", "sce_ablation", "--lr", "0.1"], "for --lr write --set optimiser.lr=0.1"),
        (["run", "sce_ablation", "--seed", "3"], "for --seed write --seeds"),
        (["run", "sce_ablation", "--arms", "many"], "'many' is not a valid integer"),
        (["run"], "name a space with --space"),
        (["show"], "missing argument 'NAME'"),
        (["stauts"], "No such command 'stauts'"),
        (["run", "sce_ablation", "--keep", "-1"], "--keep -1: give how many arms keep their checkpoints"),
        (["run", "sce_ablation", "--disk", "0"], "--disk 0.0: give a number of gigabytes above 0"),
        (["list", "colours"], "there is no kind 'colours'"),
    ],
)  # fmt: skip
def test_what_is_typed_wrongly_is_named_as_it_was_typed(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("sweeps: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [["--status", "x", "--resume", "y"], ["--list", "--show", "sce"]])
def test_the_script_does_one_thing_at_a_time(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert script(words) == 2
    assert "one at a time" in capsys.readouterr().err


def test_without_a_name_the_sweep_that_was_carried_out_last_is_meant(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    created = {path.name: store.read_manifest(path)["created"] for path in store.sweep_directories(results)}
    for root in (
        results,
        results / "sweeps" / RECORDED,
    ):  # in a copy, the last that was begun; a sweep is itself
        meant = RECORDED if root != results else max(created, key=lambda name: created[name])
        assert find(None, root=root).name == analysis.open(root).id == sweeps.open(root).id == meant
    (results / "sweeps" / RECORDED / "lock").touch()
    os.utime(results / "sweeps" / RECORDED / "lock", (2e9, 2e9))
    assert find(None, root=results).name == RECORDED
    for words in (["status"], ["status", RECORDED]):
        assert main([*words, "--store", str(results)]) == 0
        assert capsys.readouterr().out.startswith(f"{RECORDED}: ")
    (results / "sweeps" / "methods-20261125-110151" / "lock").touch()
    os.utime(results / "sweeps" / "methods-20261125-110151" / "lock", (3e9, 3e9))
    other = "methods-20261125-110151"
    assert find(None, root=results).name == analysis.open(results).id == sweeps.open(results).id == other


def test_a_dry_run_of_growth_says_what_it_costs_beside_what_there_is(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.planning.estimate.recorded_pace", lambda *_: Pace(1.0, "said by the test"))
    before = sorted(path.stat().st_mtime_ns for path in results.rglob("*"))
    where = ["--store", str(results), "--dry-run"]
    assert main(["resume", RECORDED, *where, "--json"]) == 0
    same = json.loads(capsys.readouterr().out)
    assert main(["resume", RECORDED, "--seeds", "0-9", *where, "--json"]) == 0
    larger = json.loads(capsys.readouterr().out)
    assert same["plan"] == same["plan_before"] == larger["plan_before"]
    assert len(larger["plan"]["seeds"]) == 10
    assert larger["epochs_full"] > same["epochs_full"] >= 0
    more = (10 - len(same["plan"]["seeds"])) * same["plan"]["arms"] * same["plan"]["space"]["base"]["epochs"]
    assert larger["epochs_full"] - same["epochs_full"] <= more
    assert main(["resume", RECORDED, "--seeds", "0-9", *where]) == 0
    out = capsys.readouterr().out
    assert f"{same['epochs_trained']} epochs have been trained; at most {larger['epochs_full']} more" in out
    assert script(["--resume", RECORDED, "--seeds", "0-9", *where]) == 0
    assert capsys.readouterr().out == out
    assert sorted(path.stat().st_mtime_ns for path in results.rglob("*")) == before


def test_all_that_is_listed_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    listed = names.listed()
    assert {
        "spaces",
        "methods",
        "presets",
        "data",
        "encoders",
        "optimisers",
        "designs",
        "stoppers",
        "campaigns",
    } == set(listed)
    known = [name for entries in listed.values() for name in entries]
    assert len(known) == len(set(known))
    for name in known:
        assert main(["show", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)
        assert main(["show", name]) == 0
        assert len(capsys.readouterr().out) > len(name) + 10
    assert main(["show", "asha"]) == 0
    assert "reduction = 2" in capsys.readouterr().out
    assert main(["show", "lars"]) == 0
    assert "lr = 0.3" in capsys.readouterr().out


def test_one_kind_of_names_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "encoders"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "encoders"
    assert campaign.main(["--list", "--json"]) == 0
    assert "papers_laptop" in json.loads(capsys.readouterr().out)["campaigns"]


def test_a_campaign_is_planned_by_the_command_as_by_its_script(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for planned in (lambda words: main(["campaign", *words]), campaign.main):
        assert planned([str(CAMPAIGN_FILE), "--dry-run"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert "To be tested" in said[0]


def test_what_other_packages_do_is_a_subcommand(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for where in ([str(results)], ["--store", str(results)]):
        assert main(["store", "check", *where]) == 0
        assert "0 errors" in capsys.readouterr().out
    assert main(["sql", "select count(*) n from runs", "--store", str(results), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["n"] > 0
    assert main(["report", RECORDED, "--store", str(results)]) == 0
    assert Path(capsys.readouterr().out.strip()).is_file()
    assert main(["report", "nothing", "--store", str(results)]) == 2
    assert capsys.readouterr().err.startswith("sweeps: there is no sweep 'nothing'")
    assert main(["evaluate", "--nonsense"]) == 2
    assert "sweeps evaluate" in capsys.readouterr().err


def test_help_imports_nothing_that_takes_long() -> None:
    heavy = {"torch", "ray", "optuna", "pydantic", "pyarrow", "duckdb", "numpy", "rich", "contrastive"}
    program = "import sys\nfrom sweeps.cli.main import main\nmain(['--help'])"
    code = f"{program}\nprint(sorted({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
