"""A result belongs to the code that computed it."""

import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from analysis.headline import headline
from analysis.load import load
from analysis.summarise import codes, summarise
from sweeps import run, store
from sweeps.engine import history as histories
from sweeps.engine import lifecycle, provenance
from sweeps.engine.arbiter import Arbiter
from sweeps.engine.provenance import code_of
from sweeps.engine.sweep_manifest import origin
from sweeps.stoppers import by_text
from tests.crew import Sitting, carry_out, plan, workers
from tests.sweeps.engine.test_lifecycle import begin

FILES = {"__init__.py": "", "losses/__init__.py": "", "losses/sce.py": "tau = 0.1\n"}
HERE = {
    "code": "c1",
    "commit": "a" * 40,
    "diff": "",
    "packages": '{"torch": "1"}',
    "host": "node1",
    "device": "cpu",
}
THERE = {
    "code": "c2",
    "commit": "b" * 40,
    "diff": "d",
    "packages": '{"torch": "2"}',
    "host": "node2",
    "device": "cpu",
}


def package(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def digest(folder: Path, files: dict[str, str] = FILES, torch: str = "2.8.0") -> str:
    return code_of(package(folder, files), torch=torch).digest


def test_the_digest_is_of_sources_their_names_and_torch_and_of_nothing_else(tmp_path: Path) -> None:
    first = digest(tmp_path / "a")
    assert digest(tmp_path / "b") == first  # wherever it is installed
    beside = {"__pycache__/sce.cpython-311.pyc": "x", "presets.toml": "y"}
    assert digest(tmp_path / "c", {**FILES, **beside}) == first
    assert digest(tmp_path / "d", {**FILES, "losses/sce.py": "tau = 0.1\r\n"}) == first
    others = {
        digest(tmp_path / "e", {**FILES, "losses/sce.py": "tau = 0.2\n"}),
        digest(tmp_path / "f", {**FILES, "losses/new.py": ""}),
        digest(tmp_path / "g", {"__init__.py": "", "losses/__init__.py": "", "sce.py": "tau = 0.1\n"}),
        digest(tmp_path / "h", torch="2.9.0"),
    }
    assert len(others | {first}) == 5


def test_a_package_in_an_archive_has_the_digest_of_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "wheel.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"contrastive/{name}", text)
    packed = code_of(zipfile.Path(tmp_path / "wheel.zip", "contrastive/"), torch="2.8.0")
    assert packed == code_of(package(tmp_path / "folder", FILES), torch="2.8.0")


def test_the_code_of_this_process_is_read_once_and_holds_every_loss() -> None:
    assert provenance.code() is provenance.code()
    assert {"losses/sce.py", "train.py", "views/render.py"} - set(provenance.code().files) <= {
        "views/render.py"
    }


@pytest.fixture
def store_of_two(tmp_path: Path) -> tuple[Path, Path]:
    folders = tmp_path / "sweeps" / "one", tmp_path / "sweeps" / "other"
    for folder in folders:
        store.write_manifest(folder, {"id": folder.name})
    return folders


MADE = plan(design="random", arms=4, stopper=by_text("none"))


def reused(folder: Path) -> int:
    return sum(row["reason"].startswith("reused") for row in store.runs(folder).to_pylist())


@pytest.mark.parametrize("before", [THERE, {}], ids=["other code", "code that was not recorded"])
def test_what_other_code_has_trained_is_not_reused_and_that_is_said(
    before: dict[str, str], store_of_two: tuple[Path, Path]
) -> None:
    one, other = store_of_two
    carry_out(Sitting(one, MADE, origin=before))
    elsewhere = histories.finished_elsewhere(other, HERE["code"])
    sitting = Sitting(other, MADE, origin=HERE, reusable=elsewhere)
    said = elsewhere.passed_over(sitting.study.planned())
    what = "commit bbbbbbb, code c2" if before else "commit unknown, code not recorded"
    assert said.startswith(f"4 equal runs exist that other code has trained ({what}): not reused.")
    assert "--reuse-other-code" in said
    carry_out(sitting)
    assert reused(other) == 0
    assert len(elsewhere.met) == 4


def test_a_reused_run_keeps_the_origin_of_its_source_whoever_takes_it_over(
    store_of_two: tuple[Path, Path],
) -> None:
    one, other = store_of_two
    carry_out(Sitting(one, MADE, origin=HERE))
    for code in (HERE["code"], None):  # None: as --reuse-other-code says
        elsewhere = histories.finished_elsewhere(other, code)
        assert elsewhere.passed_over(elsewhere.sweeps) == ""
    now = {**THERE, "space": "tiny", "campaign": "mine"}
    larger = replace(MADE, arms=5)
    carry_out(Sitting(other, larger, origin=now, reusable=histories.finished_elsewhere(other)))
    rows = store.runs(other).to_pylist()
    origins = [{name: row[name] for name in HERE} for row in rows]
    assert origins == [HERE] * 4 + [THERE]
    assert {row["campaign"] for row in rows} == {"mine"}


def test_a_run_that_two_codes_have_trained_is_of_both_and_nobody_takes_it_for_one(
    store_of_two: tuple[Path, Path],
) -> None:
    one, other = store_of_two
    sitting = Sitting(one, MADE, origin=HERE)

    epochs = workers(Arbiter([sitting.engine]))
    for _ in range(MADE.epochs + 2):  # the default is complete, the second has begun
        next(epochs)
    sitting.writer.close()
    carry_out(Sitting(one, MADE, origin=THERE))
    rows = store.runs(one).to_pylist()
    assert [row["code"] for row in rows] == ["c1", "c1+c2", "c2", "c2"]
    assert rows[1]["commit"] == f"{HERE['commit']}+{THERE['commit']}"
    assert rows[0]["host"] == "node1"
    assert len(histories.finished_elsewhere(other, "c2").sweeps) == 2
    assert len(histories.finished_elsewhere(other, "c1").sweeps) == 1


def test_runs_of_several_codes_are_named_in_the_headline(store_of_two: tuple[Path, Path]) -> None:
    one, _ = store_of_two
    carry_out(Sitting(one, MADE, origin=HERE))
    summary = summarise(load(one))
    assert summary.codes == ("commit aaaaaaa, code c1",)
    assert "code" not in headline(summary)
    carry_out(Sitting(one, replace(MADE, arms=6), origin=THERE))
    said = headline(summarise(load(one)))
    assert said.endswith("more than one code (commit aaaaaaa, code c1; commit bbbbbbb, code c2)")
    assert codes(load(one).runs[:1]) == summary.codes


def changed(directory: Path, **code: Any) -> None:
    manifest = store.read_manifest(directory)
    store.write_manifest(directory, {**manifest, "code": {**manifest["code"], **code}})


def test_a_sweep_is_resumed_without_a_question_by_the_code_that_began_it(tmp_path: Path, cache: Path) -> None:
    begun = begin(tmp_path / "results", cache)
    before = store.read_manifest(begun.directory)
    lifecycle.go_on(lifecycle.reopen(begun.directory, cache=cache))
    assert store.read_manifest(begun.directory) == before


def test_a_sweep_of_other_code_is_resumed_when_told_to_and_says_what_has_changed(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = begin(tmp_path / "results", cache)
    files = {**provenance.code().files, "losses/sce.py": "another", "losses/older.py": "gone"}
    del files["train.py"]
    changed(begun.directory, digest="before", files=files, torch="1.0")
    typed = ["--resume", begun.directory.name, "--store", str(tmp_path / "results"), "--cache", str(cache)]
    assert run.main(typed) == 2
    said = capsys.readouterr().err
    for words in (
        "torch 1.0 then",
        "changed in contrastive: losses/sce.py",
        "new in contrastive: train.py",
        "gone in contrastive: losses/older.py",
        "digest before then",
        "--reuse-other-code",
    ):
        assert words in said
    again = lifecycle.go_on(lifecycle.reopen(begun.directory, cache=cache, other_code=True))
    manifest = store.read_manifest(again.directory)
    assert manifest["code"] == asdict(provenance.code())
    assert [one["code"]["digest"] for one in manifest["carried_out_before"]] == ["before"]
    lifecycle.reopen(begun.directory, cache=cache)  # asked once


def test_a_sweep_that_grows_remembers_the_code_it_was_begun_with(tmp_path: Path, cache: Path) -> None:
    begun = begin(tmp_path / "results", cache)
    changed(begun.directory, digest="before")
    again = lifecycle.reopen(begun.directory, cache=cache, other_code=True)
    lifecycle.grow(again, replace(again.plan, arms=5), program="sweeps {}".format)
    manifest = store.read_manifest(begun.directory)
    assert manifest["code"]["digest"] == provenance.code().digest
    assert [one["code"]["digest"] for one in manifest["carried_out_before"]] == ["before"]


def test_a_sweep_begun_before_code_was_recorded_is_of_other_code(tmp_path: Path, cache: Path) -> None:
    begun = begin(tmp_path / "results", cache)
    manifest = store.read_manifest(begun.directory)
    del manifest["code"], manifest["carried_out_before"]
    store.write_manifest(
        begun.directory, {**manifest, "provenance": {**manifest["provenance"], "commit": "f" * 40}}
    )
    with pytest.raises(ValueError, match="was not recorded; commit fffffff then, .* now.*--reuse-other-code"):
        lifecycle.reopen(begun.directory, cache=cache)
    assert lifecycle.reopen(begun.directory, cache=cache, other_code=True).plan == begun.plan


def test_a_store_of_before_has_the_column_and_nothing_in_it() -> None:
    old = Path("tests/fixtures/evidence/sweeps")
    folder = next(old.glob("methods-*"))
    assert set(store.runs(folder)["code"].to_pylist()) <= {None, ""}
    with store.connect(folder) as connection:
        assert connection.execute("select count(code) from runs where code != ''").fetchall() == [(0,)]
    assert "code" not in headline(summarise(load(folder)))


def test_the_origin_of_a_sitting_holds_the_digest_of_its_code(tmp_path: Path, cache: Path) -> None:
    begun = begin(tmp_path / "results", cache)
    assert (
        origin(begun)["code"]
        == provenance.code().digest
        == store.read_manifest(begun.directory)["code"]["digest"]
    )


def test_sources_that_are_not_installed_have_no_version_but_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-package", "torch"))
    packages = provenance.provenance()["packages"]
    assert isinstance(packages, dict)
    assert packages["no-such-package"] is None
    assert packages["torch"]
