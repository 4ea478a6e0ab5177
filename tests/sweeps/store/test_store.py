import errno
import json
import math
import os
import shutil
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.store import (
    StoreError,
    Torn,
    Writer,
    compact,
    connect,
    last_epoch,
    layout,
    lease,
    open_store,
    read_manifest,
    reports,
    runs,
    segments,
    snapshot,
    sweep_directories,
    sweep_directory,
    torn,
    write_manifest,
)

Report = tuple[str, int, int, dict[str, float]]

REPORTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which writer
        st.sampled_from(["a", "b"]),
        st.integers(0, 2),
        st.integers(1, 4),
        st.dictionaries(st.sampled_from(["loss", "knn_top1", "é 'x'"]), st.floats(), max_size=3),
    ),
    max_size=25,
)


def facts(directory: Path) -> set[tuple[object, ...]]:
    columns = ["run", "epoch", "metric", "attempt"]
    return {
        (*(row[c] for c in columns), "nan" if math.isnan(row["value"]) else row["value"])
        for row in reports(directory).to_pylist()
    }


def newest(written: list[Report]) -> set[tuple[object, ...]]:
    """What a reader shall see, by a dictionary: of each epoch the highest attempt, its later values over earlier."""
    kept: dict[tuple[str, int], tuple[int, dict[str, float]]] = {}
    for run, attempt, epoch, metrics in written:
        before, values = kept.get((run, epoch), (-1, {}))
        if metrics and attempt >= before:
            kept[run, epoch] = attempt, {**(values if attempt == before else {}), **metrics}
    return {
        (run, epoch, metric, attempt, "nan" if math.isnan(value) else value)
        for (run, epoch), (attempt, values) in kept.items()
        for metric, value in values.items()
    }


def write_run(directory: Path, run: str = "t0", *, epochs: int = 5, state: str = "complete") -> None:
    with Writer(directory, run) as writer:
        record(writer, run, "running")
        for epoch in range(1, epochs + 1):
            writer.report(run, 0, epoch, {"loss": 1 / epoch, "knn_top1": 40.0 + epoch})
        record(writer, run, state, epochs=epochs)


def record(
    writer: Writer, run: str, state: str, *, attempt: int = 0, epochs: int = 0, reason: str = ""
) -> None:
    row = {"run": run, "number": int(run[1:]), "arm": f"arm of {run}", "seed": 0, "attempt": attempt}
    writer.run(**row, config={"b": 1, "a": {"c": 0.1}}, state=state, epochs=epochs, reason=reason)


@settings(deadline=None, max_examples=60)
@given(plan=REPORTS, compact_after=st.integers(0, 25), reopen_after=st.integers(0, 25))
def test_any_interleaving_of_reports_by_several_writers_is_read_back(plan, compact_after, reopen_after):
    clock = count().__next__
    with TemporaryDirectory() as folder:
        directory, written = Path(folder), []
        writers = [Writer(directory, f"w{i}", clock) for i in range(3)]
        for step, (which, run, attempt, epoch, metrics) in enumerate(plan):
            if step == reopen_after:
                writers[which].close()
            if step == compact_after:
                compact(directory)
            writers[which].report(run, attempt, epoch, metrics)
            written.append((run, attempt, epoch, metrics))
        assert facts(directory) == newest(written)
        for writer in writers:
            writer.close()
        compact(directory)
        assert facts(directory) == newest(written)
        assert not list(directory.glob("segments/*"))


def test_a_segment_cut_at_any_byte_keeps_every_batch_before_the_cut(tmp_path):
    ends, writer = [], Writer(tmp_path, "t0")
    for epoch in range(1, 4):
        writer.report("t0", 0, epoch, {"loss": 1.0, "knn_top1": 50.0})
        (segment,) = tmp_path.glob("segments/reports-*")
        ends.append(segment.stat().st_size)
    writer.close()
    whole = segment.read_bytes()
    for cut in range(len(whole) + 1):
        segment.write_bytes(whole[:cut])
        kept = sum(end <= cut for end in ends)
        assert sorted(set(reports(tmp_path)["epoch"].to_pylist())) == list(range(1, kept + 1)), cut
        at_a_boundary = cut in (0, *ends, len(whole))
        if cut >= ends[0]:  # before that lies the schema, whose own end is a boundary too
            lost = cut - max((end for end in ends if end <= cut), default=0)
            assert torn(tmp_path) == ([] if at_a_boundary else [Torn(segment, kept, lost)]), cut


def test_a_cut_segment_is_not_folded_before_the_sweep_has_ended_and_then_put_aside(tmp_path):
    write_run(tmp_path)
    (segment,) = tmp_path.glob("segments/reports-*")
    segment.write_bytes(segment.read_bytes()[:-20])
    before, cut = facts(tmp_path), torn(tmp_path)
    assert [(one.path, one.batches_kept) for one in cut] == [(segment, 4)]
    assert cut[0].bytes_lost > 0
    compact(tmp_path)
    assert facts(tmp_path) == before
    assert len(before) == 8
    compact(tmp_path, ended=True)
    assert facts(tmp_path) == before
    aside = tmp_path / "quarantine" / segment.name
    assert torn(tmp_path) == [Torn(aside, 4, cut[0].bytes_lost)]
    compact(tmp_path, ended=True)
    assert aside.is_file()
    assert facts(tmp_path) == before


def test_a_killed_process_loses_nothing_that_it_reported(tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from sweeps.store import Writer\n"
        "writer = Writer(Path(sys.argv[1]), 'doomed')\n"
        "writer.report('t0', 0, 1, {'loss': 1.0}); writer.report('t0', 0, 2, {'loss': 0.5}); os.abort()"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, capture_output=True)
    assert reports(tmp_path)["value"].to_pylist() == [1.0, 0.5]
    assert compact(tmp_path) == 0
    assert compact(tmp_path, ended=True) == 1
    assert reports(tmp_path)["value"].to_pylist() == [1.0, 0.5]


def test_a_reader_sees_each_report_of_a_running_sweep_at_once(tmp_path):
    with Writer(tmp_path, "t0-0-0") as writer:
        for epoch in range(1, 4):
            writer.report("t0", 0, epoch, {"loss": 0.5})
            assert reports(tmp_path)["epoch"].to_pylist() == list(range(1, epoch + 1))
            assert last_epoch(tmp_path, "t0") == epoch
        assert torn(tmp_path) == []
        assert last_epoch(tmp_path, "another") == 0


def test_of_a_repeated_epoch_the_last_attempt_is_shown_even_if_its_clock_was_behind(tmp_path):
    with Writer(tmp_path, "late", lambda: 100.0) as first, Writer(tmp_path, "early", lambda: 50.0) as second:
        second.report("t0", 1, 3, {"loss": 0.1})
        first.report("t0", 0, 3, {"loss": 0.9})
        first.report("t0", 0, 4, {"loss": 0.8})
        record(second, "t0", "running", attempt=1)
        record(first, "t0", "failed", attempt=0, reason="killed")
    assert [(r["epoch"], r["value"]) for r in reports(tmp_path).to_pylist()] == [(3, 0.1), (4, 0.8)]
    assert runs(tmp_path)["state"].to_pylist() == ["running"]


def test_the_latest_state_wins_under_a_clock_that_stands_still_or_runs_backwards(tmp_path):
    for name, clock in (("still", lambda: 7.0), ("back", iter([9.0, 5.0]).__next__)):
        with Writer(tmp_path / name, "w", clock) as writer:
            record(writer, "t0", "running")
            record(writer, "t0", "complete", epochs=5)
        assert runs(tmp_path / name)["state"].to_pylist() == ["complete"]


@pytest.mark.parametrize("folded", [False, True])
def test_reports_come_sorted_by_run_epoch_and_metric(tmp_path, folded):
    for run in ("t2", "t0", "t1"):
        write_run(tmp_path, run, epochs=40)
    if folded:
        compact(tmp_path)
    order = [(row["run"], row["epoch"], row["metric"]) for row in reports(tmp_path).to_pylist()]
    assert order == sorted(order)
    assert len(order) == 240


def test_trials_come_in_order_of_issue_with_canonical_configurations(tmp_path):
    for run in ("t2", "t0", "t1"):
        write_run(tmp_path, run)
    table = runs(tmp_path)
    assert table["number"].to_pylist() == [0, 1, 2]
    assert set(table["config"].to_pylist()) == {'{"a":{"c":0.1},"b":1}'}


def test_writers_of_one_name_never_share_a_segment(tmp_path):
    first, second = Writer(tmp_path, "same"), Writer(tmp_path, "same")
    first.report("t0", 0, 1, {"loss": 1.0})
    second.report("t0", 0, 2, {"loss": 2.0})
    first.report("t0", 0, 3, {"loss": 3.0})
    assert reports(tmp_path)["value"].to_pylist() == [1.0, 2.0, 3.0]
    assert len(list(tmp_path.glob("segments/*"))) == 2
    first.close()
    second.close()


def test_a_writer_that_writes_nothing_leaves_no_file(tmp_path):
    with Writer(tmp_path, "idle") as writer:
        writer.report("t0", 0, 1, {})
    assert list(tmp_path.iterdir()) == []


def test_a_writer_refuses_a_name_that_would_leave_its_folder(tmp_path):
    with pytest.raises(ValueError, match="part of a file name"):
        Writer(tmp_path, "../elsewhere")


def test_a_full_disk_costs_the_report_it_hit_and_no_other(tmp_path):
    class Full:
        """A disk that takes ten bytes more, once."""

        def __init__(self, file):
            self.file, self.left = file, 10

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            if self.left is None:
                return self.file.write(data)
            if not self.left:
                self.left = None
                raise OSError(errno.ENOSPC, "No space left on device")
            written, self.left = self.file.write(data[: self.left]), 0
            return written

    with Writer(tmp_path, "w") as writer:
        writer.report("t0", 0, 1, {"loss": 1.0})
        segment = writer._segments["reports"]
        segment.file = Full(segment.file)
        with pytest.raises(OSError, match="No space"):
            writer.report("t0", 0, 2, {"loss": 2.0})
        assert torn(tmp_path) == []
        writer.report("t0", 0, 3, {"loss": 3.0})
    assert reports(tmp_path)["epoch"].to_pylist() == [1, 3]
    assert torn(tmp_path) == []


class PowerCut(BaseException):
    pass


def cut_power_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raises in place of the step-th operation that changes the disk, and at every one after it."""
    done = count()

    def guard(operation):
        def guarded(*args, **kwargs):
            if next(done) >= step:
                raise PowerCut
            return operation(*args, **kwargs)

        return guarded

    monkeypatch.setattr(layout.os, "fsync", guard(os.fsync))
    for name in ("replace", "unlink"):
        monkeypatch.setattr(Path, name, guard(getattr(Path, name)))


@pytest.mark.parametrize("ended", [False, True])
def test_compaction_cut_off_at_any_step_loses_no_row_and_doubles_none(tmp_path, ended):
    origin = tmp_path / "origin"
    for run in ("t0", "t1"):
        write_run(origin, run)
    compact(origin)
    write_run(origin, "t2")
    write_run(origin, "t0")  # the same epochs once more
    unfinished = Writer(origin, "t3")
    unfinished.report("t3", 0, 1, {"loss": 1.0})
    expected, states = facts(origin), runs(origin)
    history = snapshot.facts(origin, "runs")
    for step in count():
        directory = shutil.copytree(origin, tmp_path / str(step))
        with pytest.MonkeyPatch.context() as patch:
            cut_power_at(step, patch)
            try:
                compact(directory, ended=ended)
                finished = True
            except PowerCut:
                finished = False
        for _ in range(2):  # after the crash, and after the compaction that follows it
            assert facts(directory) == expected
            assert runs(directory) == states
            assert snapshot.facts(directory, "runs") == history
            compact(directory, ended=ended, clock=lambda: time.time() + 2 * lease.SECONDS)
        if finished:
            break
    assert step >= 8  # the cut came at each of the file operations
    unfinished.close()


def test_compaction_leaves_an_open_segment_to_its_writer(tmp_path):
    with Writer(tmp_path, "w") as writer:
        writer.report("t0", 0, 1, {"loss": 1.0})
        assert compact(tmp_path) == 0
        writer.report("t0", 0, 2, {"loss": 2.0})
    assert reports(tmp_path)["epoch"].to_pylist() == [1, 2]
    assert compact(tmp_path) == 1
    assert compact(tmp_path) == 0


def test_a_reader_overtaken_by_compaction_still_sees_every_row_once(tmp_path, monkeypatch):
    write_run(tmp_path, "t0")
    write_run(tmp_path, "t1")
    expected, read = facts(tmp_path), segments.read_segment
    pending = [lambda: compact(tmp_path)]

    def overtaken(path):
        if pending:  # after the segments were listed, before the first is read
            pending.pop()()
        return read(path)

    monkeypatch.setattr(segments, "read_segment", overtaken)
    assert facts(tmp_path) == expected
    assert not list(tmp_path.glob("segments/*"))


def test_an_empty_sweep_reads_as_empty_tables(tmp_path):
    assert len(reports(tmp_path)) == len(runs(tmp_path)) == compact(tmp_path) == 0
    with connect(tmp_path) as database:
        assert database.execute("SELECT * FROM final").fetchall() == []


def test_the_database_of_a_sweep_shows_each_run_with_its_last_metrics(tmp_path):
    write_run(tmp_path, "t0", epochs=5)
    write_run(tmp_path, "t1", epochs=2, state="stopped")
    with Writer(tmp_path, "odd") as writer:
        record(writer, "t2", "running")
        record(writer, "t3", "running")
        writer.report("t3", 0, 1, {"it's": 1.0, 'a "quoted" name': 2.0, "epochs": 3.0})
    with connect(tmp_path) as database:
        found = database.execute("SELECT number, state, epoch, knn_top1 FROM final").fetchall()
        odd = database.execute(
            """SELECT "it's", "a ""quoted"" name" FROM final WHERE number = 3"""
        ).fetchone()
    assert found == [
        (0, "complete", 5, 45.0),
        (1, "stopped", 2, 42.0),
        (2, "running", None, None),
        (3, "running", 1, None),
    ]
    assert odd == (1.0, 2.0)


def test_the_database_of_a_store_keeps_its_sweeps_apart(tmp_path):
    store = open_store(tmp_path / "store")
    for name, epochs in (("first", 3), ("second", 4)):
        directory = sweep_directory(store, name)
        write_manifest(directory, {"id": name})
        write_run(directory, "t0", epochs=epochs)
    assert [directory.name for directory in sweep_directories(store)] == ["first", "second"]
    with connect(store) as database:
        assert database.execute("SELECT sweep, run, epoch FROM final").fetchall() == [
            ("first", "t0", 3),
            ("second", "t0", 4),
        ]
        assert database.execute(
            "SELECT sweep, count(*) FROM reports GROUP BY ALL ORDER BY ALL"
        ).fetchall() == [("first", 6), ("second", 8)]


def test_the_database_of_an_empty_store_can_be_asked(tmp_path):
    with connect(open_store(tmp_path / "store")) as database:
        assert database.execute("SELECT sweep FROM final").fetchall() == []


def test_a_manifest_comes_back_and_is_replaced_whole(tmp_path):
    write_manifest(tmp_path / "s", {"id": "s", "title": "τ", "domains": {"b": 1, "a": [2, None]}})
    write_manifest(tmp_path / "s", {"id": "s", "created": 1.5})
    assert read_manifest(tmp_path / "s") == {"id": "s", "created": 1.5}
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["sweep.json"]
    with pytest.raises(StoreError, match="holds no sweep"):
        read_manifest(tmp_path)


def test_a_store_is_made_once_and_opened_again(tmp_path):
    store = open_store(tmp_path / "new" / "store")
    assert open_store(store) == open_store(store, create=False) == store
    assert json.loads((store / "store.json").read_text()) == {"format": "contrastive-sweeps", "version": 2}


def test_a_store_being_made_by_another_process_is_not_taken_for_foreign_files(tmp_path):
    (tmp_path / "store.json.99.partial").write_text("{")
    assert open_store(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (None, "holds other files and is no result store .photo.jpg lies there"),
        ('{"format": "contrastive-sweeps", "version": 3}', "newer program .version 3.*upgrade"),
        ('{"format": "another", "version": 1}', "a store of 'another'"),
        ("[]", "is no result store of"),
        ("{", "is no result store of"),
    ],
)
def test_a_folder_that_is_no_store_of_ours_is_refused_and_left_as_it_was(tmp_path, mark, message):
    (tmp_path / "photo.jpg").write_text("precious")
    if mark is not None:
        (tmp_path / "store.json").write_text(mark)
    with pytest.raises(StoreError, match=message):
        open_store(tmp_path)
    assert (tmp_path / "photo.jpg").read_text() == "precious"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written \(Not a directory\).*--store"):
        open_store(tmp_path / "file" / "store")
    store = open_store(tmp_path / "store")
    monkeypatch.setattr(layout.os, "access", lambda *_: False)
    with pytest.raises(StoreError, match="change its permissions"):
        open_store(store)
    assert open_store(store, create=False) == store


def test_a_nearly_full_disk_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(layout.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 2**20))
    with pytest.raises(StoreError, match="has 1 MB of free space, a sweep wants 100"):
        open_store(tmp_path / "store")


def test_reading_asks_for_a_store_that_exists(tmp_path):
    with pytest.raises(StoreError, match="missing is not there"):
        open_store(tmp_path / "missing", create=False)
    assert not (tmp_path / "missing").exists()


def test_the_store_is_read_without_torch_ray_or_optuna():
    heavy = {"torch", "ray", "optuna", "contrastive"}
    program = f"import sys, sweeps.store, analysis.load; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
