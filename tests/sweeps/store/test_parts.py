"""The store as it grows: parts, their list, the lease, the version before, and what it says when something is wrong."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from sweeps import store
from sweeps.store import Writer, compact, lease, parts, segments
from sweeps.store.__main__ import main
from sweeps.store.check import check
from sweeps.store.lease import HeldError, Lease, lease_of

BEFORE = Path(__file__).parents[2] / "fixtures" / "store_version_1"
ENDED, BROKEN_OFF = (f"sce_temperatures-20261125-{time}" for time in ("100931", "101027"))


def fold(directory: Path, run: str, epochs: int = 3, *, config: dict[str, Any] | None = None) -> None:
    """A run, recorded and folded."""
    with Writer(directory, run) as writer:
        row = {"run": run, "number": int(run[1:]), "arm": run, "seed": 0, "attempt": 0}
        writer.run(**row, config=config or {"a": 1}, state="complete", epochs=epochs)
        for epoch in range(1, epochs + 1):
            writer.report(run, 0, epoch, {"loss": 1 / epoch, "seconds": 2.0}, step=10 * epoch, devices=2)
    compact(directory)


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


# --- the version before ---


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BEFORE, tmp_path / "old"))


def test_a_store_of_version_1_is_read_as_it_is(old: Path) -> None:
    before = files(old)
    ended, broken_off = (old / "sweeps" / name for name in (ENDED, BROKEN_OFF))
    states = store.runs(ended)["state"].to_pylist()
    assert (len(states), states.count("complete"), states.count("stopped")) == (12, 6, 6)
    reports = store.reports(ended)
    long = pq.read_table(ended / "reports.parquet")
    assert sorted(reports["value"].to_pylist()) == sorted(long["value"].to_pylist())
    assert set(reports["metric"].to_pylist()) == set(long["metric"].to_pylist())
    assert store.runs(broken_off)["state"].to_pylist().count("running") == 2
    epochs = store.epochs(ended)
    both = zip(
        *(epochs[f"metric.{name}"].to_pylist() for name in ("seconds", "evaluation_seconds")), strict=True
    )
    assert epochs["seconds"].to_pylist() == pytest.approx([sum(pair) for pair in both])
    assert files(old) == before
    with store.connect(old) as database:
        best = database.execute("SELECT sweep, max(knn_top1) FROM final GROUP BY sweep ORDER BY 1").fetchall()
    assert [name for name, _ in best] == [ENDED, BROKEN_OFF]


def test_a_store_of_version_1_goes_on_in_version_2_and_holds_the_same(old: Path) -> None:
    for name in (ENDED, BROKEN_OFF):
        directory = old / "sweeps" / name
        reports, runs, events = store.reports(directory), store.runs(directory), store.events(directory)
        compact(directory, ended=True)
        assert store.reports(directory).equals(reports)
        assert store.runs(directory).equals(runs)
        assert store.events(directory).to_pylist()[:-1] == events.to_pylist()
        assert store.events(directory)["kind"].to_pylist()[-1] == "compacted"
        assert not list(directory.glob("*.parquet")) + list(directory.glob("segments/*"))
    assert json.loads((old / "store.json").read_text())["version"] == 2


def test_a_row_that_version_1_left_in_two_files_is_read_once(old: Path) -> None:
    directory = old / "sweeps" / BROKEN_OFF
    reports, runs = store.reports(directory), store.runs(directory)
    for table in ("reports", "runs"):  # as a crash between the two steps of its compaction left them
        rows = [
            s.table for p in segments.paths(directory, table) if (s := segments.read_segment(p)) and s.table
        ]
        pq.write_table(rows[0], directory / f"{table}.parquet")
    assert store.reports(directory).equals(reports)
    assert store.runs(directory).equals(runs)


def test_a_store_of_version_1_is_marked_anew_only_when_it_is_written_to(old: Path) -> None:
    store.open_store(old, create=False)
    assert json.loads((old / "store.json").read_text())["version"] == 1
    store.open_store(old)
    assert json.loads((old / "store.json").read_text())["version"] == 2


# --- parts ---


def test_no_run_is_in_two_parts_and_small_parts_are_merged(tmp_path: Path) -> None:
    for number in range(12):
        fold(tmp_path, f"t{number}")
    index = parts.read_index(tmp_path)
    assert len(index.of("reports")) <= 4  # each fold takes those in that are not twice its size
    runs = [
        set(pq.read_table(parts.part_path(tmp_path, p))["trial"].to_pylist()) for p in index.of("reports")
    ]
    assert sum(map(len, runs)) == len(set().union(*runs)) == 12


def test_a_run_that_goes_on_takes_the_part_that_holds_it_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.store.compaction.MAX_ROWS", 0)  # nothing is merged for its size
    fold(tmp_path, "t0")
    fold(tmp_path, "t1")
    assert len(parts.read_index(tmp_path).of("reports")) == 2
    with Writer(tmp_path, "again") as writer:
        writer.report("t0", 1, 3, {"loss": 9.0})
    compact(tmp_path)
    assert len(parts.read_index(tmp_path).of("reports")) == 2
    rows = store.epochs(tmp_path).to_pylist()
    assert [(r["run"], r["epoch"], r["attempt"]) for r in rows if r["epoch"] == 3] == [
        ("t0", 3, 1),
        ("t1", 3, 0),
    ]
    assert len(rows) == 6


def test_what_later_rows_replace_is_kept_but_not_shown(tmp_path: Path) -> None:
    with Writer(tmp_path, "w") as writer:
        writer.report("t0", 0, 1, {"loss": 1.0, "knn_top1": 3.0})
        writer.report("t0", 1, 1, {"loss": 2.0})
    compact(tmp_path)
    (part,) = parts.read_index(tmp_path).of("reports")
    assert pq.read_table(parts.part_path(tmp_path, part))["metric.loss"].to_pylist() == [1.0, 2.0]
    (shown,) = store.reports(tmp_path).to_pylist()
    assert (shown["metric"], shown["value"], shown["attempt"]) == ("loss", 2.0, 1)


def test_a_part_has_row_groups_statistics_and_compression(tmp_path: Path) -> None:
    fold(tmp_path, "t0", epochs=40)
    (part,) = parts.read_index(tmp_path).of("reports")
    data = pq.ParquetFile(parts.part_path(tmp_path, part)).metadata
    columns = [data.row_group(0).column(n) for n in range(data.num_columns)]
    assert {column.compression for column in columns} == {"ZSTD"}
    assert all(column.is_stats_set for column in columns)
    assert parts.ROWS_A_GROUP >= 100_000


def test_columns_whose_type_differs_from_run_to_run_are_joined(tmp_path: Path) -> None:
    fold(tmp_path, "t0", config={"lr": 1, "queue": None, "head": {"sizes": [1, 2]}, "name": "sce"})
    fold(tmp_path, "t1", config={"lr": 0.5, "queue": 8, "head": None, "name": 3})
    with store.connect(tmp_path) as database:
        names = '"config.lr", "config.queue", "config.head.sizes", "config.name"'
        rows = database.execute(f"SELECT {names} FROM runs ORDER BY number").fetchall()
        kinds = [str(one[1]) for one in database.execute(f"SELECT {names} FROM runs").description]
    assert rows == [(1.0, None, "[1, 2]", "sce"), (0.5, 8, None, "3")]
    assert kinds == ["DOUBLE", "BIGINT", "VARCHAR", "VARCHAR"]


def test_metrics_that_come_later_need_no_migration(tmp_path: Path) -> None:
    fold(tmp_path, "t0")
    with Writer(tmp_path, "w") as writer:
        writer.report("t1", 0, 1, {"linear_top1": 50.0})
        with store.connect(tmp_path) as database:
            found = database.execute(
                "SELECT run, loss, linear_top1 FROM epochs WHERE epoch = 1 ORDER BY 1"
            ).fetchall()
    assert found == [("t0", 1.0, None), ("t1", None, 50.0)]


def test_a_report_tells_its_step_and_what_it_cost(tmp_path: Path) -> None:
    fold(tmp_path, "t0", epochs=2)
    columns = ["epoch", "step", "seconds", "device_seconds"]
    assert store.epochs(tmp_path).select(columns).to_pylist() == [
        {"epoch": 1, "step": 10, "seconds": 2.0, "device_seconds": 4.0},
        {"epoch": 2, "step": 20, "seconds": 2.0, "device_seconds": 4.0},
    ]
    epochs, values = store.curve(tmp_path, "t0", "loss")
    assert (list(epochs), list(values)) == ([1, 2], [1.0, 0.5])


def test_a_writer_ends_a_segment_that_has_become_old_so_that_it_can_be_folded(tmp_path: Path) -> None:
    now = [0.0]
    with Writer(tmp_path, "w", lambda: now[0]) as writer:
        writer.report("t0", 0, 1, {"loss": 1.0})
        assert compact(tmp_path) == 0
        now[0] = 1000.0
        writer.report("t0", 0, 2, {"loss": 0.5})
        assert compact(tmp_path) == 1
        assert store.epochs(tmp_path)["epoch"].to_pylist() == [1, 2]


def test_a_copied_sweep_is_called_as_its_folder_is(tmp_path: Path) -> None:
    fold(tmp_path / "a", "t0")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    with Writer(tmp_path / "b", "w") as writer:  # live rows beside folded ones of the same run
        writer.report("t0", 1, 4, {"loss": 0.1})
        with store.connect(tmp_path / "b") as database:
            assert database.execute("SELECT DISTINCT sweep FROM reports").fetchall() == [("b",)]
            assert database.execute("SELECT count(*) FROM epochs").fetchone() == (4,)


def test_events_tell_of_every_report_and_every_state_too(tmp_path: Path) -> None:
    with Writer(tmp_path, "w") as writer:
        writer.event("asked", "t0", seed=1)
        row = {"run": "t0", "number": 0, "arm": "a", "seed": 1, "attempt": 0, "config": {}}
        writer.run(**row, state="running")
        writer.report("t0", 0, 1, {"loss": 1.0})
        writer.run(**row, state="failed", reason="Traceback: no memory", epochs=1)
    compact(tmp_path)
    with store.connect(tmp_path) as database:
        found = database.execute("SELECT kind, epoch, detail FROM events ORDER BY time, sequence").fetchall()
    assert [(kind, epoch) for kind, epoch, _ in found] == [
        ("asked", 0), ("started", 0), ("reported", 1), ("failed", 1), ("compacted", 0),
    ]  # fmt: skip
    assert json.loads(found[3][2])["reason"] == "Traceback: no memory"


def test_a_reader_that_has_a_merged_part_open_is_given_time(tmp_path: Path) -> None:
    fold(tmp_path, "t0")
    with store.connect(tmp_path) as database:
        fold(tmp_path, "t1")  # merges the part that the connection has
        assert database.execute("SELECT count(*) FROM epochs").fetchone() == (3,)
    merged = {file for file, _ in parts.read_index(tmp_path).merged}
    assert merged
    later = time.time() + 1000
    compact(tmp_path, clock=lambda: later)
    assert not {path.name for path in (tmp_path / "parts").iterdir()} & merged


def test_a_metric_whose_name_is_taken_keeps_its_prefix_and_one_without_a_name_is_refused(
    tmp_path: Path,
) -> None:
    with Writer(tmp_path, "w") as writer:
        writer.report("t0", 0, 1, {"Epoch": 7.0, "seconds": 3.0})
        with pytest.raises(ValueError, match="epoch 2: a metric has no name"):
            writer.report("t0", 0, 2, {"": 1.0})
    with store.connect(tmp_path) as database:
        found = database.execute(
            'SELECT epoch, "metric.Epoch", seconds, "metric.seconds" FROM epochs'
        ).fetchall()
    assert found == [(1, 7.0, 3.0, 3.0)]


# --- lease ---


def test_two_do_not_compact_at_once(tmp_path: Path) -> None:
    fold(tmp_path, "t0")
    with lease_of(tmp_path), pytest.raises(HeldError, match=rf"process {os.getpid()} on .* is compacting"):
        compact(tmp_path)
    assert compact(tmp_path) == 0
    assert not (tmp_path / lease.FILE).exists()


def test_the_lease_of_a_process_that_died_is_taken_over_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from sweeps.store.lease import Lease\n"
        "Lease(Path(sys.argv[1])).take()"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert (tmp_path / lease.FILE).exists()
    fold(tmp_path, "t0")
    assert len(store.epochs(tmp_path)) == 3


def test_the_lease_of_another_machine_is_taken_over_when_it_has_run_out(tmp_path: Path) -> None:
    now = [1000.0]
    Lease(tmp_path, lambda: now[0]).take()
    terms = json.loads((tmp_path / lease.FILE).read_text())
    (tmp_path / lease.FILE).write_text(json.dumps({**terms, "host": "another", "pid": 1}))
    with pytest.raises(HeldError):
        Lease(tmp_path, lambda: now[0]).take()
    now[0] += lease.SECONDS + 1
    Lease(tmp_path, lambda: now[0]).take()


def test_a_compaction_whose_lease_was_taken_away_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Writer(tmp_path, "w") as writer:
        writer.report("t0", 0, 1, {"loss": 1.0})
    write = parts.write_part

    def slowly(*arguments: Any) -> parts.Part:
        (tmp_path / lease.FILE).write_text(
            json.dumps({"pid": 1, "host": "another", "until": 9e9, "token": "x"})
        )
        return write(*arguments)

    monkeypatch.setattr(parts, "write_part", slowly)
    with pytest.raises(HeldError, match="it has changed nothing"):
        compact(tmp_path)
    assert parts.read_index(tmp_path).generation == 0
    assert len(store.epochs(tmp_path)) == 1
    assert (tmp_path / lease.FILE).exists()


def test_a_cut_off_lease_is_no_lease(tmp_path: Path) -> None:
    (tmp_path / lease.FILE).write_text('{"pid": 1')
    fold(tmp_path, "t0")
    assert len(store.epochs(tmp_path)) == 3


# --- looking after it ---


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A store with one sweep of two folded runs."""
    directory = store.open_store(tmp_path / "kept") / "sweeps" / "s"
    store.write_manifest(directory, {"id": "s"})
    fold(directory, "t0")
    fold(directory, "t1")
    return directory


def test_a_sound_store_is_said_to_be_sound(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(kept)
    assert main(["check", str(kept.parents[1])]) == 0
    assert (
        "s: 2 runs, 6 reports in 3 parts and 0 segments\n1 sweeps, 0 errors, 0 notes"
        in capsys.readouterr().out
    )
    assert files(kept) == before


def test_a_part_that_is_missing_cut_or_of_other_rows_is_an_error(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = parts.read_index(kept)
    path = parts.part_path(kept, index.of("reports")[0])
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert "cannot be read" in check(kept).errors[0]
    pq.write_table(pq.read_table(parts.part_path(kept, index.of("runs")[0])), path)
    assert "has 2 rows instead of 6" in check(kept).errors[0]
    path.unlink()
    assert main(["check", str(kept)]) == 1
    assert "is missing, 6 rows of reports; put back a copy" in capsys.readouterr().out


def test_a_half_written_compaction_is_told_and_harms_nothing(kept: Path) -> None:
    with Writer(kept, "w") as writer:
        writer.report("t2", 0, 1, {"loss": 1.0})
    (kept / "parts" / "reports-000009.parquet").write_bytes(b"PAR1 half")
    (kept / "parts" / "reports-000010.parquet.1.partial").write_bytes(b"")
    (kept / "parts.json.1.partial").write_text("{")
    found = check(kept)
    assert (found.errors, found.runs, found.reports) == ([], 2, 7)
    assert sum("compaction that was cut off" in note for note in found.notes) == 2
    assert sum("left by a write that was cut off" in note for note in found.notes) == 1
    before = files(kept)
    compact(kept)
    assert len(store.epochs(kept)) == 7
    assert {name for name in before if "partial" in name or "000009" in name} <= files(kept)


def test_a_torn_segment_is_counted_aloud(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer(kept, "killed")
    for epoch in (1, 2):
        writer.report("t2", 0, epoch, {"loss": 1.0})
    writer.close()
    (path,) = kept.glob("segments/*")
    path.write_bytes(path.read_bytes()[:-30])
    assert main(["check", str(kept)]) == 0
    assert "was cut off by a crash: 1 records kept," in capsys.readouterr().out
    assert main(["compact", str(kept)]) == 0
    assert "1 segments folded\n" in (said := capsys.readouterr().out)
    assert "quarantine" in said
    assert (kept / "quarantine" / path.name).is_file()


def test_a_list_of_parts_that_is_no_list_is_refused_with_what_to_do(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept / "parts.json").write_text("[]")
    with pytest.raises(store.StoreError, match="put back a copy of it, or move it away"):
        store.epochs(kept)
    assert main(["check", str(kept)]) == 1
    assert "does not list the parts" in capsys.readouterr().out


def test_a_sweep_that_is_being_written_keeps_its_open_segments(kept: Path) -> None:
    program = (
        "import fcntl, sys; file = open(sys.argv[1], 'a'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with Writer(kept, "w") as writer:
        writer.report("t2", 0, 1, {"loss": 1.0})
        command = [sys.executable, "-c", program, str(kept / "lock")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as driver:
            assert driver.stdout is not None
            driver.stdout.readline()
            assert store.being_written(kept)
            assert main(["compact", str(kept)]) == 0
            assert len(list(kept.glob("segments/*"))) == 1
        assert not store.being_written(kept)


def test_a_store_is_asked_from_the_command_line(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(kept.parents[1])
    assert main(["sql", "select number, loss from final order by number", "--store", root, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"number": 0, "loss": 1 / 3}, {"number": 1, "loss": 1 / 3}]
    assert main(["sql", "select count(*) as reports from epochs", "--store", root]) == 0
    assert "reports" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere"], "nowhere is not there; name the folder that a sweep wrote to"),
        (["compact", "."], "is no result store"),
        (["sql", "drop view reports", "--store", "."], "is no result store"),
    ],
)
def test_what_is_no_store_is_refused_in_a_sentence(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_empty_store_is_said_to_be_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = store.open_store(tmp_path / "store")
    asked: list[list[str]] = [
        ["check", str(root)],
        ["compact", str(root)],
        ["sql", "select * from final", "--store", str(root)],
        ["export", str(root), "--as", "csv", "--out", str(tmp_path / "tables")],
    ]
    for one in asked:
        assert main(one) == 0
        assert "holds no sweep yet; run one with" in capsys.readouterr().err
    with store.connect(root) as database:
        for view in store.VIEWS:
            assert database.execute(f"SELECT * FROM {view}").fetchall() == []


def test_a_sweep_in_a_store_of_a_newer_program_is_refused_however_it_is_named(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = kept.parents[1]
    (root / "store.json").write_text('{"format": "contrastive-sweeps", "version": 9}')
    for name in (kept.name, str(kept), "another"):
        with pytest.raises(store.StoreError, match="newer program .version 9, known up to 2.; upgrade"):
            store.find(name, root=root)
    for path in (root, kept):
        with pytest.raises(store.StoreError, match="newer program"):
            store.connect(path)
        assert main(["check", str(path)]) == 2
        assert "newer program" in capsys.readouterr().err
    with pytest.raises(store.StoreError, match="newer program"):
        store.read_manifest(kept)


def test_one_sweep_that_cannot_be_folded_keeps_no_other_from_it(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = kept.with_name("a-broken-one")
    shutil.copytree(kept, broken)
    (broken / "parts.json").write_text('{"generation": 1, "par')
    assert main(["compact", str(kept.parents[1])]) == 1
    said = capsys.readouterr().out
    assert "a-broken-one: not folded: " in said
    assert "put back a copy of it" in said
    assert f"{kept.name}: 0 segments folded" in said


def test_a_shut_connection_reaches_no_file_but_those_of_its_views(kept: Path, tmp_path: Path) -> None:
    with store.connect(kept, shut=True) as database:
        with pytest.raises(duckdb.Error):
            database.execute("SELECT * FROM read_csv('/etc/hostname')")
        with pytest.raises(duckdb.Error):
            database.execute(f"COPY (SELECT 1) TO '{tmp_path / 'stolen.csv'}'")
        assert database.execute("SELECT count(*) FROM epochs").fetchone() == (6,)


def test_times_are_shown_whole_and_a_name_with_a_dot_is_explained(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(kept.parents[1])
    asked = "select time, to_timestamp(1764000000.5) as moment, 1764000000.5::double as seconds from runs"
    assert main(["sql", asked, "--store", root]) == 0
    out = capsys.readouterr().out
    assert "1764000000.500" in out
    assert "2025-11-24" in out
    assert main(["sql", "select config.seed from runs", "--store", root]) == 2
    assert '; a name with a dot takes quotes, as "config.seed" does; there is ' in capsys.readouterr().err
    assert main(["sql", "select from", "--store", root]) == 2
    assert "there is" not in capsys.readouterr().err
