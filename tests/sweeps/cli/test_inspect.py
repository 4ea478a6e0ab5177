"""What can be seen of a sweep from outside: where it stands, its lines as they come, its winner, its rows."""

import fcntl
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contrastive import train
from contrastive.checkpoint import load_encoder
from contrastive.config import Config, arm, from_dict, identity, to_dict
from contrastive.data import Dataset
from search_spaces import SPACES
from sweeps import store
from sweeps.cli import running
from sweeps.cli.choices import as_typed
from sweeps.cli.command import Call
from sweeps.cli.status import Status, as_json, status, text
from sweeps.cli.tail import Line, tail
from sweeps.planning.estimate import Pace
from sweeps.run import main
from sweeps.sessions.export import export, training_command
from sweeps.store import Writer, compact, snapshot
from sweeps.store.driver import STOP, Driver, Program, ask_to_stop, called, driver
from sweeps.store.follow import Follower
from sweeps.store.sql import ask

T = "method.temperature"


class Sweep:
    """A sweep in a store, of arms by temperature, whose record is written bit by bit."""

    def __init__(self, root: Path, **manifest: Any):
        self.root, self.clock = store.open_store(root), 1000.0
        self.directory = self.root / "sweeps" / "s-1"
        self.number = 0
        plan = {"arms": 3, "workers_per_run": 1, "gpus_per_worker": 0.0}
        space = {"name": "s", "question": "Which temperature?", "domains": {T: {}}}
        store.write_manifest(
            self.directory,
            {"id": "s-1", "space": space, "plan": plan, "metric": "knn_top1", "epochs": 4, "seeds": [0],
             "default_arm": "arm 0.1", "created": "2026-01-31"} | manifest,
        )  # fmt: skip
        self.writer = Writer(self.directory, "driver", self.tick)

    def tick(self) -> float:
        self.clock += 1.0
        return self.clock

    def run(
        self, temperature: float, state: Any, *values: float, seed: int = 0, reason: str = "", before: int = 0
    ) -> int:
        """Issues a run, reports a value for each epoch after `before`, and records how it was left."""
        number, self.number = self.number, self.number + 1
        self.state(number, temperature, "running", seed=seed)
        self.report(number, *values, before=before)
        if state != "running":
            self.state(number, temperature, state, seed=seed, reason=reason, epochs=before + len(values))
        return number

    def report(self, number: int, *values: float, before: int = 0) -> None:
        for epoch, value in enumerate(values, start=before + 1):
            metrics = {"knn_top1": value, "loss": 1.0, "seconds": 2.0, "evaluation_seconds": 1.0}
            self.writer.report(f"run {number}", 0, epoch, metrics)

    def state(self, number: int, temperature: float, state: Any, *, seed: int = 0, **more: Any) -> None:
        row = {"run": f"run {number}", "number": number, "arm": f"arm {temperature}", "seed": seed}
        self.writer.run(
            **row, attempt=0, config={"method": {"temperature": temperature}}, state=state, **more
        )

    def conclude(self) -> None:
        (self.directory / "summary.json").write_text("{}")


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    sweep = Sweep(tmp_path / "results")
    yield sweep
    sweep.writer.close()


@contextmanager
def driven(directory: Path, says: str = '{"pid": 42, "host": "node7"}') -> Iterator[None]:
    """As long as it lasts the sweep is being carried out."""
    with (directory / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(says)
        file.flush()
        yield


def stands(sweep: Sweep) -> Status:
    return status(sweep.directory, again="sweeps --resume s-1")


def test_a_sweep_whose_lock_is_held_is_running_by_whom_the_lock_names(sweep: Sweep) -> None:
    sweep.run(0.1, "running", 40.0)
    with driven(sweep.directory):
        found = stands(sweep)
    assert (found.state, found.driver, found.again) == ("running", Driver(42, "node7"), None)
    assert "state        running, by process 42 on node7" in text(found)


@pytest.mark.parametrize("says", ["", "{", "[]", "{}"])
def test_a_driver_that_does_not_say_who_it_is_is_one_still(sweep: Sweep, says: str) -> None:
    with driven(sweep.directory, says):
        assert driver(sweep.directory) == Driver()
    assert str(Driver()) == "a process"


def test_looking_at_a_lock_keeps_no_driver_away(sweep: Sweep) -> None:
    (sweep.directory / "lock").touch()
    assert driver(sweep.directory) is None
    with driven(sweep.directory):
        pass


def test_two_who_look_at_once_do_not_take_each_other_for_a_driver(sweep: Sweep) -> None:
    (sweep.directory / "lock").touch()
    with (sweep.directory / "lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert driver(sweep.directory) is None


def test_a_sweep_that_nobody_carries_out_before_its_end_was_interrupted(sweep: Sweep) -> None:
    sweep.run(0.1, "running", 40.0)
    found = stands(sweep)
    assert (found.state, found.again) == ("interrupted", "sweeps --resume s-1")
    assert text(found).endswith("go on with   sweeps --resume s-1")


def test_a_sweep_that_has_concluded_is_finished_and_nothing_of_it_is_left(sweep: Sweep) -> None:
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    sweep.run(0.2, "stopped", 30.0, reason="rung 1: 30.0 below 40.0")
    assert stands(sweep).state == "interrupted"  # its summary is missing: it ended before it was concluded
    sweep.conclude()
    found = stands(sweep)
    assert (found.state, found.seconds_left, found.again) == ("finished", None, None)
    assert (found.epochs, found.epochs_expected) == (5, 5)


def test_a_finished_sweep_that_was_taken_up_again_is_finished_no_longer(sweep: Sweep) -> None:
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    sweep.conclude()
    sweep.clock = time.time() + 60
    sweep.writer.event("begun")
    assert stands(sweep).state == "interrupted"


def test_a_sweep_that_was_ended_early_says_why(sweep: Sweep) -> None:
    sweep.writer.event("begun")
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    sweep.writer.event("closing", reason="the budget of 4 epochs is spent")
    sweep.conclude()
    found = stands(sweep)
    assert (found.state, found.closing) == ("interrupted", "the budget of 4 epochs is spent")
    assert "state        interrupted: the budget of 4 epochs is spent" in text(found)
    sweep.writer.event("begun")
    assert stands(sweep).closing is None


def test_runs_epochs_and_seconds_are_counted(sweep: Sweep) -> None:
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    sweep.run(0.2, "stopped", 30.0)
    sweep.run(0.3, "running", 35.0)
    found = stands(sweep)
    assert found.runs == {"complete": 1, "stopped": 1, "running": 1}
    assert (found.runs_planned, found.epochs, found.epochs_expected) == (3, 6, 12)
    assert found.seconds_trained == 6 * 3.0
    assert found.seconds_left == (12 - 6) * 3.0  # one at a time, at three seconds each


def test_the_time_left_is_shared_by_those_in_training(sweep: Sweep) -> None:
    sweep.run(0.1, "running", 40.0)
    sweep.run(0.2, "running", 40.0)
    assert stands(sweep).seconds_left == (12 - 2) * 3.0 / 2


def test_nothing_is_foretold_before_an_epoch_was_timed(sweep: Sweep) -> None:
    sweep.run(0.1, "running")
    found = stands(sweep)
    assert found.seconds_left is None
    assert "left" not in text(found)


def test_a_manifest_that_knows_better_what_to_expect_is_believed(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path / "results", epochs_expected=7, runs=5)
    sweep.run(0.1, "running", 40.0)
    found = stands(sweep)
    sweep.writer.close()
    assert (found.runs_planned, found.epochs_expected) == (5, 7)


def test_reused_runs_cost_nothing(sweep: Sweep) -> None:
    sweep.writer.event("begun")
    sweep.writer.event("reused", "run 0", 4, sweep="earlier")
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0, reason="reused from earlier")
    sweep.run(0.2, "running", 41.0)
    found = stands(sweep)
    assert (found.epochs, found.epochs_expected, found.seconds_trained) == (1, 8, 3.0)


def test_the_best_so_far_is_the_best_complete_arm_and_stands_beside_the_default(sweep: Sweep) -> None:
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    sweep.run(0.2, "complete", 40.0, 41.0, 42.0, 45.5)
    sweep.run(0.3, "running", 60.0)
    lines = text(stands(sweep)).splitlines()
    assert "best         temperature 0.2: 45.50 (complete; 1 seed)" in lines
    assert "default      temperature 0.1: 43.00 (complete; 1 seed)" in lines


def test_while_no_arm_is_complete_the_one_that_leads_is_shown_as_what_it_is(sweep: Sweep) -> None:
    sweep.run(0.1, "running", 40.0)
    sweep.run(0.2, "running", 41.0, 42.0)
    lines = text(stands(sweep)).splitlines()
    assert "best         temperature 0.2: 42.00 (running, 2 epochs so far; 1 seed)" in lines


def test_a_sweep_without_any_run_yet_is_shown_too(sweep: Sweep) -> None:
    found = stands(sweep)
    assert (found.best, found.default) == (None, None)
    assert "runs         none yet, of 3" in text(found)


def test_a_failure_is_told_by_the_last_line_of_its_traceback(sweep: Sweep) -> None:
    sweep.run(0.1, "failed", 40.0, reason="Traceback\n  in a file\nValueError: too much\n")
    sweep.run(0.2, "failed", seed=1)
    lines = text(stands(sweep)).splitlines()
    assert "failed       run 0, seed 0, after epoch 1: ValueError: too much" in lines
    assert "failed       run 1, seed 1, after epoch 0: no reason is recorded" in lines


def test_of_many_failures_the_last_are_shown_and_the_others_counted(sweep: Sweep) -> None:
    for n in range(12):
        sweep.run(0.1 + n, "failed", reason=f"error no. {n}")
    shown = text(stands(sweep))
    assert [f"error no. {n}\n" in shown for n in range(12)] == [False] * 2 + [True] * 10
    assert "(2 earlier failures are not shown)" in shown


def test_checkpoints_are_counted_with_what_they_take(sweep: Sweep) -> None:
    folder = sweep.directory / "checkpoints" / "run 0"
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"x" * 1_500_000)
    assert stands(sweep).checkpoint_bytes == 1_500_000
    assert "checkpoints  1.5 MB" in text(stands(sweep))


def test_the_time_by_the_clock_is_that_of_all_sittings(sweep: Sweep) -> None:
    sweep.writer.event("begun")
    sweep.run(0.1, "running", 40.0)
    sweep.clock += 7200  # a pause between two sittings
    sweep.writer.event("begun")
    sweep.report(0, 41.0, before=1)
    assert stands(sweep).hours * 3600 == pytest.approx(2 + 1)


def test_a_status_is_json_with_the_scores(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    assert main(["--status", "s-1", "--store", str(sweep.root), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content == json.loads(
        json.dumps(as_json(status(sweep.directory, again=called(flags=True).line("resume s-1", sweep.root))))
    )
    assert (content["state"], content["best"]["score"]) == ("interrupted", 43.0)
    assert content["again"].endswith(f"--store {sweep.root} --resume s-1")


# --- tail ---


def texts(lines: Iterator[Line]) -> list[str]:
    return [line.text().partition("  ")[2] for line in lines]


def test_a_finished_sweeps_last_lines_are_shown_and_that_is_all(sweep: Sweep) -> None:
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    sweep.run(0.2, "stopped", 30.0, reason="rung 1: 30.0 below 40.0")
    everything = [
        "run 0  seed 0  temperature 0.1: running",
        "run 0  seed 0  epoch 1  knn_top1 40.00",
        "run 0  seed 0  epoch 2  knn_top1 41.00",
        "run 0  seed 0  epoch 3  knn_top1 42.00",
        "run 0  seed 0  epoch 4  knn_top1 43.00",
        "run 0  seed 0  temperature 0.1: complete",
        "run 1  seed 0  temperature 0.2: running",
        "run 1  seed 0  epoch 1  knn_top1 30.00",
        "run 1  seed 0  temperature 0.2: stopped (rung 1: 30.0 below 40.0)",
    ]
    assert texts(tail(sweep.directory)) == everything
    assert texts(tail(sweep.directory, last=3)) == everything[-3:]


def test_new_lines_come_as_they_are_recorded_until_the_driver_has_gone(sweep: Sweep) -> None:
    lock = driven(sweep.directory)
    lock.__enter__()
    sweep.run(0.1, "running", 40.0)
    happens = iter([lambda: sweep.report(0, 41.0, before=1), lambda: None, lambda: sweep.run(0.2, "running")])

    def pause(seconds: float) -> None:
        assert seconds == 1.0
        action = next(happens, None)
        if action:
            action()
        else:
            sweep.state(0, 0.1, "complete", epochs=2)  # the driver's last word
            lock.__exit__(None, None, None)

    assert texts(tail(sweep.directory, pause=pause)) == [
        "run 0  seed 0  temperature 0.1: running",
        "run 0  seed 0  epoch 1  knn_top1 40.00",
        "run 0  seed 0  epoch 2  knn_top1 41.00",
        "run 1  seed 0  temperature 0.2: running",
        "run 0  seed 0  temperature 0.1: complete",
    ]


def test_what_is_folded_while_it_is_followed_is_shown_once(sweep: Sweep) -> None:
    lock = driven(sweep.directory)
    lock.__enter__()
    sweep.run(0.1, "running", 40.0)

    def pause(_: float) -> None:
        sweep.report(0, 41.0, before=1)
        sweep.writer.close()
        compact(sweep.directory, ended=True)
        lock.__exit__(None, None, None)

    shown = texts(tail(sweep.directory, pause=pause))
    assert not list((sweep.directory / "segments").iterdir())
    assert [line[-16:] for line in shown] == [
        "ure 0.1: running",
        "1  knn_top1 40.00",
        "2  knn_top1 41.00",
    ] or len(shown) == len(set(shown)) == 3


def test_a_line_is_json_and_a_value_that_is_no_number_is_null(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep.run(0.1, "running", 40.0, float("nan"))
    assert main(["--tail", "s-1", "--store", str(sweep.root), "--json"]) == 0
    state, first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (state["state"], state["setting"]) == ("running", {T: 0.1})
    assert (first["run"], first["epoch"], first["metric"], first["value"]) == (0, 1, "knn_top1", 40.0)
    assert second["value"] is None


def test_a_reader_that_has_seen_enough_ends_the_tail(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sweeps.cli.tail.tail.__kwdefaults__", {"last": 20, "pause": interrupt})
    with driven(sweep.directory):
        assert main(["--tail", "s-1", "--store", str(sweep.root)]) == 0


# --- the rows as they are appended ---


def test_a_follower_reads_each_batch_once_and_nothing_before_it_is_whole(sweep: Sweep) -> None:
    follower = Follower(sweep.directory, "reports")
    sweep.report(0, 40.0)
    assert set(follower.new()["epoch"].to_pylist()) == {1}
    assert len(follower.new()) == 0
    (segment,) = sweep.directory.glob("segments/reports-*.arrows")
    whole = segment.read_bytes()
    sweep.report(0, 41.0, before=1)
    grown = segment.read_bytes()
    segment.write_bytes(grown[: len(whole) + 50])  # as a reader may find it in the middle of a write
    assert len(follower.new()) == 0
    segment.write_bytes(grown)
    assert set(follower.new()["epoch"].to_pylist()) == {2}
    assert follower.read[segment] == len(grown)


def test_all_that_a_follower_has_read_is_what_a_reader_finds(sweep: Sweep) -> None:
    follower, parts = Follower(sweep.directory, "reports"), []
    for epoch in range(4):
        sweep.report(epoch % 2, 40.0 + epoch, before=epoch)
        parts.append(follower.new())
    sweep.writer.close()
    parts.append(follower.new())
    keys = [("run", "ascending"), ("epoch", "ascending")]
    found = pa.concat_tables(parts, promote_options="default")
    assert found.sort_by(keys).equals(
        snapshot.facts(sweep.directory, "reports").drop_columns(["superseded"]).sort_by(keys)
    )


def test_a_follower_reads_on_when_what_it_follows_is_folded(sweep: Sweep) -> None:
    follower = Follower(sweep.directory, "reports")
    with Writer(sweep.directory, "w") as writer:
        writer.report("a", 0, 1, {"knn_top1": 40.0})
        assert follower.new()["epoch"].to_pylist() == [1]
        writer.report("a", 0, 2, {"knn_top1": 41.0})
    compact(sweep.directory)  # before the follower has looked again
    assert 2 in follower.new()["epoch"].to_pylist()
    with Writer(sweep.directory, "w") as writer:
        writer.report("b", 0, 1, {"knn_top1": 41.0})
        assert follower.new()["run"].to_pylist() == ["b"]


# --- stop ---


def test_a_running_sweep_is_asked_to_stop_by_a_file(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    with driven(sweep.directory):
        assert main(["--stop", "s-1", "--store", str(sweep.root)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Asked process 42 on node7 to end s-1")
    assert "--resume s-1" in out
    assert (sweep.directory / STOP).is_file()


def test_asking_says_in_json_whom_it_asked(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    with driven(sweep.directory):
        assert main(["--stop", str(sweep.directory), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"sweep": "s-1", "asked": {"pid": 42, "host": "node7"}}


def test_a_sweep_that_is_not_running_cannot_be_stopped(sweep: Sweep) -> None:
    with pytest.raises(ValueError, match="s-1 is not running, so there is nothing to stop"):
        ask_to_stop(sweep.directory)
    assert not (sweep.directory / STOP).exists()


# --- export ---


@pytest.fixture
def trained(config: Config, dataset: Dataset, tmp_path: Path) -> Sweep:
    """A sweep of which one arm is complete on two seeds, with the checkpoint of the first alone."""
    space = {"name": "sce_temperatures", "domains": {T: {}}}
    sweep = Sweep(
        tmp_path / "results", seeds=[0, 1], space=space, provenance={"host": "node7"}, command="sweeps"
    )
    for number, seed in enumerate((0, 1)):
        run = from_dict({**to_dict(config), "seed": seed, "epochs": 2})
        name = identity(run, dataset.fingerprint)
        if seed == 0:
            train(run, lambda *_: None, dataset=dataset, directory=sweep.directory / "checkpoints" / name)
        sweep.writer.report(name, 0, 2, {"knn_top1": 50.0 + seed})
        row = {
            "run": name,
            "number": number,
            "arm": arm(run, dataset.fingerprint),
            "seed": seed,
            "attempt": 0,
        }
        sweep.writer.run(**row, config=to_dict(run), state="complete", epochs=2)
    sweep.writer.close()
    return sweep


def test_the_best_arm_is_exported_with_its_encoders_and_where_it_comes_from(
    trained: Sweep, config: Config, tmp_path: Path
) -> None:
    done = export(trained.directory, tmp_path / "out" / "best")
    content = json.loads((tmp_path / "out" / "best" / "best.json").read_text())
    assert from_dict(content["config"]).method == config.method
    assert (content["score"], content["scores"], content["seeds"]) == (50.5, {"0": 50.0, "1": 51.0}, [0, 1])
    assert (content["sweep"], content["values"]) == ("s-1", {T: 0.1})
    assert content["provenance"] == {"host": "node7"}
    (encoder,) = done.encoders
    assert encoder.endswith("encoder-seed0.safetensors")
    exported = load_encoder(encoder).config
    assert exported.seed == 0


def test_a_checkpoint_that_is_gone_is_named(
    trained: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--export", "s-1", "--out", str(tmp_path / "out"), "--store", str(trained.root)]
    assert main(arguments) == 0
    assert "missing: seed 1, whose checkpoint" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    (missing,) = json.loads(capsys.readouterr().out)["missing"]
    assert missing.startswith("seed 1, ")


def test_the_arm_that_is_best_on_fresh_seeds_is_the_one_exported(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path / "results", confirm_seeds=[1])
    for seed, values in ((0, (50.0, 55.0)), (1, (51.0, 49.0))):
        for temperature, value in zip((0.1, 0.2), values, strict=True):
            sweep.run(temperature, "complete", 40.0, 41.0, 42.0, value, seed=seed)
    sweep.writer.close()
    done = export(sweep.directory, tmp_path / "out")
    content = json.loads((tmp_path / "out" / "best.json").read_text())
    assert (content["values"], content["scores"]) == ({T: 0.1}, {"1": 51.0})
    assert len(done.missing) == 2  # of both its runs


def test_nothing_is_exported_of_a_sweep_without_a_complete_arm(sweep: Sweep, tmp_path: Path) -> None:
    sweep.run(0.1, "stopped", 40.0)
    with pytest.raises(ValueError, match="s-1 has no complete arm to export"):
        export(sweep.directory, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_that_trains_the_winner_again_says_exactly_that(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.planning.estimate.measured", lambda *_: Pace(2.5, "said by the test"))
    space = SPACES["sce_temperatures"]
    paths = {**space.default(), T: 0.2, "optimiser.lr": 0.05, "data.train": 2048, "epochs": 12}
    wanted = to_dict(space.config(paths))
    command = training_command("sce_temperatures", wanted, (4,))
    assert command is not None
    arguments = shlex.split(command)[2:]
    assert main([*arguments, "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert (plan["space"]["base"], plan["arms"], plan["seeds"]) == (wanted, 1, [4])


def test_a_space_without_a_name_has_no_command() -> None:
    assert training_command("mine", to_dict(Config()), (0,)) is None


# --- sql ---


def test_a_query_over_the_store_is_answered(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    arguments = ["--sql", "select sweep, number, knn_top1, reason from final", "--store", str(sweep.root)]
    assert main([*arguments, "--json"]) == 0
    expected = {"sweep": "s-1", "number": 0, "knn_top1": 43.0, "reason": ""}
    assert json.loads(capsys.readouterr().out) == [expected]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("sweep", "knn_top1", "s-1", "43"))


def test_numbers_that_are_not_finite_are_null_and_lists_are_lists(sweep: Sweep) -> None:
    answer = ask(
        sweep.root, "select 'nan'::double as a, null as b, [1.5, 'inf'::double] as c, date '2026-01-31' as d"
    )
    assert answer.as_json() == [{"a": None, "b": None, "c": [1.5, None], "d": "2026-01-31"}]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ("selct 1", "syntax error at or near"),
        ("select tau from final", 'Referenced column "tau" not found'),
        ("select * from nowhere", "Table with name nowhere does not exist"),
    ],
)
def test_a_query_that_is_wrong_is_refused_in_one_sentence_and_told_which_names_there_are(
    sweep: Sweep, wrong: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep.run(0.1, "running", 40.0)
    assert main(["--sql", wrong, "--store", str(sweep.root)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("sweeps: query: ")
    assert expected in err
    if wrong == "selct 1":  # it names nothing, so what there is does not help
        return
    assert "final (sweep, run, number, arm, seed" in err
    assert (
        "reports (sweep, run, attempt, epoch, step, time, sequence, seconds, device_seconds, metric, value)"
        in err
    )
    assert err.count("config.PATH") == 2


@pytest.mark.parametrize(
    "query",
    ["copy reports to '{}/x.csv'", "attach '{}/x.db'", "select * from read_csv('{}/here.csv')",
     "set enable_external_access = true"],
)  # fmt: skip
def test_a_query_reaches_no_file(sweep: Sweep, query: str, tmp_path: Path) -> None:
    (tmp_path / "here.csv").write_text("a\n1\n")
    with pytest.raises(ValueError, match="query: (Permission Error|one SELECT at a time)"):
        ask(sweep.root, query.format(tmp_path))
    assert not list(tmp_path.glob("x.*"))


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no result store"):
        ask(tmp_path, "select 1")


# --- which sweep, and how it was called ---


def test_a_sweep_is_found_by_its_name_and_by_its_folder(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.find("s-1", root=sweep.root) == sweep.directory
    monkeypatch.chdir(sweep.root / "sweeps")
    assert store.find("./s-1", root=Path("elsewhere")) == sweep.directory


@pytest.mark.parametrize("flag", ["--status", "--tail", "--stop", "--export"])
def test_a_sweep_that_is_not_there_is_refused_with_those_that_are(
    sweep: Sweep, flag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "out")] if flag == "--export" else []
    assert main([flag, "s-2", "--store", str(sweep.root), *out]) == 2
    assert f"no sweep 's-2'. The store {sweep.root} holds: s-1" in capsys.readouterr().err


def test_the_command_line_is_named_as_it_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/sweeps", "--list"])
    assert called().line("resume s-1", Path("results")) == "sweeps resume s-1"
    assert called().line("resume s-1", Path("my store")) == "sweeps resume s-1 --store 'my store'"
    monkeypatch.setattr(sys, "argv", ["somewhere/sweeps/__main__.py"])
    assert (
        called().line("run --design grid", Path("mine")) == "python -m sweeps run --design grid --store mine"
    )
    monkeypatch.setattr(sys, "argv", ["sweeps/run.py"])
    script = called(flags=True)
    assert script.line("resume s-1", Path("results")) == "python sweeps/run.py --resume s-1"
    assert script.line("run --design grid", Path("mine")) == "python sweeps/run.py --store mine --design grid"


def test_the_address_of_a_webhook_is_not_recorded() -> None:
    for typed in (
        ["--space", "s", "--webhook", "https://host/secret"],
        ["--space", "s", "--webhook=https://host/secret"],
    ):
        words = ["run", *typed]
        with running.run.make_context("run", typed, obj=Call(Program(), tuple(words))) as context:
            recorded = as_typed(context.params["webhook"])
        assert recorded.startswith("sweeps run --space s --webhook")
        assert "secret" not in recorded


@pytest.mark.parametrize(
    "arguments", [["--status", "s-1"], ["--tail", "s-1"], ["--sql", "select 1"], ["--stop", "s-1"]]
)
def test_to_look_at_a_sweep_neither_torch_nor_ray_is_imported(sweep: Sweep, arguments: list[str]) -> None:
    sweep.run(0.1, "complete", 40.0, 41.0, 42.0, 43.0)
    code = (
        "import sys\nfrom sweeps.run import main\n"
        f"main({[*arguments, '--store', str(sweep.root)]!r})\n"
        "print(sorted({'torch', 'ray', 'optuna', 'contrastive', 'search_spaces'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert done.stdout.splitlines()[-1] == "[]"
