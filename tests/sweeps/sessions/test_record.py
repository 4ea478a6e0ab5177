"""What the engine records beside states and values: costs, rungs, comparisons, where runs come from."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.load import load
from analysis.summarise import summarise
from contrastive import train as pretrain
from contrastive.config import value_at
from search_spaces import SPACES
from sweeps import store
from sweeps.engine.arbiter import Arbiter
from sweeps.engine.runs import IssuedRun
from sweeps.engine.sweep_manifest import origin
from sweeps.sessions import embeddings
from sweeps.stoppers import by_text
from sweeps.store.folding import folding
from tests.crew import Sitting, abandon, by_temperature, carry_out, place, plan, train
from tests.sweeps.engine.test_lifecycle import begin


@pytest.fixture(autouse=True)
def _abandoned() -> Iterator[None]:
    yield
    abandon()


def events(directory: Path, kind: str) -> list[dict[str, Any]]:
    found = [event for event in store.events(directory).to_pylist() if event["kind"] == kind]
    return [{**event, **json.loads(event["detail"])} for event in found]


def test_a_run_costs_what_its_epochs_took_on_all_its_devices(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(stopper=by_text("asha:grace=1"), workers_per_run=2))
    carry_out(sitting)
    for row in store.runs(tmp_path).to_pylist():
        assert row["seconds"] == 2.0 * row["epochs"]
        assert row["device_seconds"] == 4.0 * row["epochs"]


def test_on_gpus_those_are_counted_and_not_the_processes(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, plan(arms=1, workers_per_run=2), options={"devices": 0.5})
    carry_out(sitting)
    (row,) = store.runs(tmp_path).to_pylist()
    assert row["device_seconds"] == 0.5 * row["seconds"]


@pytest.mark.parametrize(
    "stopper", ["asha:grace=2", "promote:grace=2", "median:grace=2,startup=1", "hyperband"]
)
def test_what_a_run_was_compared_with_is_recorded_at_every_rung(stopper: str, tmp_path: Path) -> None:
    carry_out(Sitting(tmp_path, plan(arms=9, stopper=by_text(stopper))), count=2)
    rungs = events(tmp_path, "rung")
    assert rungs
    rows = {row["run"]: row for row in store.runs(tmp_path).to_pylist()}
    last = {event["run"]: event["epoch"] for event in rungs}
    assert {run: row["rung"] for run, row in rows.items()} == {**dict.fromkeys(rows, 0), **last}
    assert Counter((e["run"], e["epoch"]) for e in rungs).most_common(1)[0][1] == 1
    for event in rungs:
        if event["decision"] == "stop":
            assert rows[event["run"]]["state"] == "stopped"
            assert event["value"] < event["cutoff"]
            assert rows[event["run"]]["epochs"] == event["epoch"]
    assert {event["decision"] for event in rungs} <= {"goes on", "stop", "pause", "spared"}


def test_at_a_rung_of_asha_the_cutoff_is_the_last_place_among_those_that_came(tmp_path: Path) -> None:
    carry_out(Sitting(tmp_path, plan(arms=9, stopper=by_text("asha:grace=1,reduction=3"))))
    seen: list[float] = []
    for event in (event for event in events(tmp_path, "rung") if event["epoch"] == 1):
        seen.append(event["value"])
        assert event["peers"] == len(seen)
        assert event["cutoff"] == sorted(seen, reverse=True)[-(-len(seen) // 3) - 1]
    assert len(seen) == 9


def test_every_run_is_asked_once_and_started_as_often_as_it_was(tmp_path: Path) -> None:
    given = plan(stopper=by_text("none"), seeds=(3, 4))
    arbiter = Arbiter([Sitting(tmp_path, given).engine])
    doomed = place(arbiter.issue())
    assert doomed is not None
    train(arbiter, doomed[0], 1, by_temperature, {})
    abandon()
    carry_out(Sitting(tmp_path, given))
    asked = events(tmp_path, "asked")
    assert Counter(event["run"] for event in asked) == Counter(store.runs(tmp_path)["run"].to_pylist())
    for event in asked:
        (config,) = (r["config"] for r in store.runs(tmp_path).to_pylist() if r["run"] == event["run"])
        assert event["arm"]["method.temperature"] == json.loads(config)["method"]["temperature"]
        assert event["design"] == "tpe"
    with store.connect(tmp_path) as database:
        started = database.execute(
            "SELECT run, count(*) FROM events WHERE kind = 'started' GROUP BY 1"
        ).fetchall()
    assert dict(started) == {row["run"]: row["attempt"] + 1 for row in store.runs(tmp_path).to_pylist()}
    assert max(dict(started).values()) == 2


def test_a_failed_run_that_is_tried_again_leaves_a_trace(tmp_path: Path) -> None:
    given = plan(arms=1)
    arbiter = Arbiter([Sitting(tmp_path, given).engine])
    issued = arbiter.issue()
    issued.engine.end(issued.run, failed="Traceback\nMemoryError: no memory")  # type: ignore[union-attr]
    abandon()
    carry_out(Sitting(tmp_path, given, options={"retry_failed": True}))
    assert [event["run"] for event in events(tmp_path, "retried")] == store.runs(tmp_path)["run"].to_pylist()
    with store.connect(tmp_path) as database:
        (failed,) = database.execute("SELECT detail FROM events WHERE kind = 'failed'").fetchall()
    assert json.loads(failed[0])["reason"] == "Traceback\nMemoryError: no memory"
    assert store.runs(tmp_path)["state"].to_pylist() == ["complete"]


def test_an_arm_of_an_ablation_is_recorded_with_what_it_leaves_out(tmp_path: Path) -> None:
    space = SPACES["sce_ablation"]
    sitting = Sitting(tmp_path, plan(space=space, design="leave_one_out", arms=9))

    def flat(run: IssuedRun, epoch: int) -> float:
        return float(run.number + epoch)

    carry_out(sitting, flat)
    rows = store.runs(tmp_path).to_pylist()
    assert [row["dropped"] for row in rows] == ["", *space.arms()]
    for row in rows[1:]:
        run = sitting.study.entries[row["run"]].run
        changed = {
            path for path, value in space.arms()[row["dropped"]].items() if value != space.default()[path]
        }
        assert changed
        assert all(value_at(run.config, path) == space.arms()[row["dropped"]][path] for path in changed)


def test_a_checkpoint_is_named_from_the_sweeps_folder_on(tmp_path: Path) -> None:
    carry_out(Sitting(tmp_path, plan(arms=2)))
    complete = [row for row in store.runs(tmp_path).to_pylist() if row["state"] == "complete"]
    assert complete
    for row in complete:
        assert (tmp_path / row["checkpoint"]).is_file()


def test_the_rows_of_a_sitting_say_where_they_come_from(tmp_path: Path, cache: Path) -> None:
    begun = begin(tmp_path / "results", cache)
    found = origin(begun, campaign="papers")
    with store.Writer(begun.directory, "w", origin=found) as writer:
        row = {"run": "t", "number": 0, "arm": "a", "seed": 0, "attempt": 0, "config": {}}
        writer.run(**row, state="running")
        writer.run(**row, state="complete", host="node7")
    (row,) = store.runs(begun.directory).to_pylist()
    assert (row["space"], row["campaign"], row["data"]) == ("tiny", "papers", begun.dataset.fingerprint)
    assert (row["host"], row["device"]) == ("node7", "cpu")
    assert json.loads(row["packages"])["torch"]
    assert len(row["commit"]) in (0, 40)  # none outside a checkout


def test_a_running_sweep_is_folded_when_it_has_many_segments(tmp_path: Path) -> None:
    store.write_manifest(tmp_path, {"id": "s"})
    for number in range(3):
        with store.Writer(tmp_path, f"w{number}") as writer:
            writer.report(f"t{number}", 0, 1, {"loss": 1.0})
    with folding(tmp_path, every=0.01, many=3):
        for _ in range(600):
            if (tmp_path / "parts.json").is_file() and not list(tmp_path.glob("segments/*")):
                break
            time.sleep(0.05)
    assert list(tmp_path.glob("parts/reports-*"))
    assert len(store.epochs(tmp_path)) == 3


def test_few_segments_are_left_to_lie(tmp_path: Path) -> None:
    with store.Writer(tmp_path, "w") as writer:
        writer.report("t", 0, 1, {"loss": 1.0})
    with folding(tmp_path, every=0.001, many=2):
        time.sleep(0.05)
    assert len(list(tmp_path.glob("segments/*"))) == 1


def test_embeddings_are_of_the_best_arms_first_seed_and_keep_small_pictures(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin(tmp_path / "results", cache, arms=1)
    sitting = Sitting(begun.directory, begun.plan)
    carry_out(sitting)
    (run,) = (entry.run for entry in sitting.study.entries.values())
    folder = begun.directory / "checkpoints" / run.identity
    (folder / "checkpoint.pt").unlink()
    pretrain(run.config, lambda *_: None, dataset=begun.dataset, directory=folder)
    monkeypatch.setattr(embeddings, "MAX_IMAGES", 50)
    monkeypatch.setattr(embeddings, "SIDE", 16)
    record = load(begun.directory)
    embeddings.write_embeddings(begun, record, summarise(record))
    with np.load(begun.directory / embeddings.FILE) as found:
        assert found["features"].shape == (50, run.config.encoder.dim)
        assert found["images"].shape == (50, 16, 16, 3)
        assert found["labels"].tolist() == begun.dataset.validation.labels[:50].tolist()
        assert found["classes"].tolist() == list(begun.dataset.classes)
        assert found["run"] == run.number
        first = np.asarray(begun.dataset.validation.images[0][:, ::2, ::2]).transpose(1, 2, 0)
        np.testing.assert_array_equal(found["images"][0], first)


def test_a_sweep_without_a_checkpoint_has_no_embeddings(tmp_path: Path, cache: Path) -> None:
    begun = begin(tmp_path / "results", cache, arms=1)
    record = load(begun.directory)
    embeddings.write_embeddings(begun, record, summarise(record))
    assert not (begun.directory / embeddings.FILE).exists()
