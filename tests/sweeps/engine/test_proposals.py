"""Who has proposed the arms of a sweep, wherever that is told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analysis import report
from analysis.load import Record, load
from analysis.proposals import proposals_sentence
from analysis.summarise import summarise
from analysis.terminal import summary_text
from sweeps import store
from sweeps.cli import status
from sweeps.planning import plan as plans
from sweeps.stoppers import by_text
from tests.crew import Sitting, abandon, carry_out, plan
from tests.recorded import sweep


@pytest.fixture(autouse=True)
def _abandoned() -> Iterator[None]:
    yield
    abandon()


def carried_out(root: Path, design: str) -> Path:
    """A sweep of 12 arms on two seeds, as far as its summary needs it."""
    directory, made = (
        root / "sweeps" / "one",
        plan(design=design, arms=12, seeds=(0, 1), stopper=by_text("none")),
    )
    found = plans.to_dict(made)
    manifest = {"id": "one", "epochs": made.epochs, "seeds": [0, 1], "plan": found, "space": found["space"]}
    store.write_manifest(directory, manifest)
    sitting = Sitting(directory, made)
    carry_out(sitting)
    default = next(iter(sitting.study.entries.values())).run.arm
    store.write_manifest(directory, {**manifest, "default_arm": default})
    return directory


def test_status_summary_and_report_say_how_many_arms_the_model_has_proposed(tmp_path: Path) -> None:
    directory = carried_out(tmp_path, "tpe")
    told = proposals_sentence(load(directory))
    assert told is not None
    assert told.startswith("6 of 11 arms were proposed by the model (the others: 5 start-up")
    found = status.status(directory, again="sweeps resume s")
    assert f"arms         {told}" in status.text(found)
    assert status.as_json(found)["proposals"] == told
    assert f"{told}." in summary_text(summarise(load(directory)))
    assert f"{told}." in report.write(directory).read_text()


def test_a_design_without_a_model_says_nothing_of_one(tmp_path: Path) -> None:
    directory = carried_out(tmp_path, "random")
    assert proposals_sentence(load(directory)) is None
    assert "by the model" not in summary_text(summarise(load(directory)))
    assert "by the model" not in report.write(directory).read_text()


def with_origins(*origins: str) -> Record:
    found = sweep(arms=len(origins), seeds=(0, 1))
    arms = list(dict.fromkeys(run.arm for run in found.runs))
    told = dict(zip(arms, origins, strict=True))
    return replace(found, runs=tuple(replace(run, origin=told[run.arm]) for run in found.runs))


def test_arms_are_counted_once_whatever_their_seeds_and_without_the_default() -> None:
    told = proposals_sentence(with_origins("default", "published", "start-up", "model", "model", "chance"))
    assert told == ("2 of 5 arms were proposed by the model (the others: 1 published, 1 start-up, 1 chance)")
    assert proposals_sentence(with_origins("default", "model")) == "1 of 1 arms were proposed by the model"


def test_a_record_that_does_not_tell_of_every_arm_says_nothing() -> None:
    assert proposals_sentence(with_origins("", "", "model")) is None
    assert proposals_sentence(with_origins("default", "listed", "listed")) is None
