import csv
import json
import math
import posixpath
import re
import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps import store
from sweeps.store import exports
from sweeps.store.exports import FORMS, export
from sweeps.store.exports.mlflow import legal

NAMES = ["loss", "knn_top1", "é 'x'", 'a"b', "a'b", "a//b/", "/", "..", "x.y", "epoch", "50% of, all", "🙂"]
STATES = {"a0": "complete", "a1": "failed", "a2": "stopped", "a3": "running", "a4": "paused"}

Fact = tuple[str, int, str, object]


def write_sweep(root: Path, name: str, states: dict[str, str], epochs: int = 3) -> Path:
    directory = store.sweep_directory(root, name)
    provenance = {"space": {"name": "s", "question": 'why, "then"?'}, "provenance": {"commit": "c0ffee"}}
    store.write_manifest(directory, {"id": name, "created": "2026-01-01", **provenance})
    clock, origin = count(1_700_000_000).__next__, {"commit": "c0ffee"}
    with store.Writer(directory, "driver", clock, origin) as writer:
        for number, (run, state) in enumerate(states.items()):
            method = {"temperature": 0.1 * number, "layers": [1, 2], "name": "sce", "masked": number % 2 == 0}
            config = {"method": {**method, **({} if number else {"queue": 64})}, "epochs": epochs}
            row = {"run": run, "number": number, "arm": f"arm {run}", "seed": 7, "attempt": 0}
            writer.run(**row, config=config, state="running")
            for epoch in range(1, 1 if state == "failed" else epochs + 1):
                values = {metric: epoch + 0.5 * place for place, metric in enumerate(NAMES)}
                writer.report(run, 0, epoch, {**values, "loss": math.nan if epoch == 2 else 1 / epoch})
            reason = 'Traceback:\n "x", ' + 10_000 * "y" if state == "failed" else ""
            writer.run(**row, config=config, state=state, epochs=epochs, reason=reason)
    return directory


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep with runs in every state, one of which nothing is left but failures, one that has just begun."""
    root = store.open_store(tmp_path_factory.mktemp("results"))
    directory = write_sweep(root, "first it's", STATES)
    store.compact(directory)
    write_sweep(root, "failed", {"a0": "failed"})
    write_sweep(root, "begun", {})
    return root


def plain(value: float) -> object:
    return "nan" if math.isnan(value) else value


def facts(directory: Path) -> set[Fact]:
    rows = store.reports(directory).to_pylist()
    return {(row["run"], row["epoch"], row["metric"], plain(row["value"])) for row in rows}


def test_the_fixture_has_what_an_export_may_stumble_over(results):
    first = facts(results / "sweeps" / "first it's")
    assert len(first) == 4 * 3 * len(NAMES)
    assert ("a2", 2, "loss", "nan") in first
    assert not facts(results / "sweeps" / "failed")


def test_parquet_and_csv_hold_every_view_row_for_row(results, tmp_path):
    files = export(results, "parquet", tmp_path / "parquet")
    texts = export(results, "csv", tmp_path / "csv")
    assert [path.name for path in files] == [f"{view}.parquet" for view in store.VIEWS]
    with store.connect(results) as connection:
        for path, text in zip(files, texts, strict=True):
            table = pq.read_table(path)
            with text.open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
            wanted = connection.execute(f"SELECT * FROM {path.stem} ORDER BY ALL")
            assert rows[0] == table.column_names == [column[0] for column in wanted.description]
            found = [[shown(value) for value in row] for row in wanted.fetchall()]
            assert sorted(found) == sorted([shown(v) for v in row.values()] for row in table.to_pylist())
            assert sorted(found) == sorted([number(cell) for cell in row] for row in rows[1:])


def shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else number(str(value))


def number(text: str) -> str:
    """A number's text in one form."""
    try:
        return repr(float(text))
    except ValueError:
        return text


def test_the_reports_of_one_sweep_alone_are_those_that_the_store_reads(results, tmp_path):
    directory = results / "sweeps" / "first it's"
    path, *_ = export(directory, "parquet", tmp_path)
    rows = pq.read_table(path).to_pylist()
    assert {(row["run"], row["epoch"], row["metric"], plain(row["value"])) for row in rows} == facts(
        directory
    )
    assert {row["sweep"] for row in rows} == {"first it's"}


def crc32c(data: bytes) -> int:
    """By its definition, a bit at a time, masked as TensorFlow's record files have it."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0x82F63B78 * (value & 1)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def tensorboard_events(path: Path) -> Iterator:
    from tensorboardX.proto.event_pb2 import Event

    data, at = path.read_bytes(), 0
    while at < len(data):
        length, check = struct.unpack_from("<QI", data, at)
        body = data[at + 12 : at + 12 + length]
        assert check == crc32c(data[at : at + 8])
        assert struct.unpack_from("<I", data, at + 12 + length) == (crc32c(body),)
        yield Event.FromString(body)
        at += 16 + length


def single(value: object) -> object:
    """A number as float32 has it."""
    return value if value == "nan" else struct.unpack("f", struct.pack("f", value))[0]


def test_tensorboard_finds_each_runs_curves_and_how_it_ended(results, tmp_path):
    from tensorboardX.proto.api_pb2 import Status
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    directory = results / "sweeps" / "first it's"
    assert export(results, "tensorboard", tmp_path) == [tmp_path]
    times = {(row["run"], row["epoch"]): row["time"] for row in store.epochs(directory).to_pylist()}
    found, sessions = set[Fact](), dict[str, list[HParamsPluginData]]()
    for path in tmp_path.glob("first it's/*/*tfevents*"):
        run = path.parent.name.partition("-")[2]
        first, *events = tensorboard_events(path)
        assert first.file_version == "brain.Event:2"
        for event in events:
            for value in event.summary.value:
                if value.WhichOneof("value"):
                    assert event.wall_time == times[run, event.step]
                    found.add((run, event.step, value.tag, plain(value.simple_value)))
                else:
                    content = HParamsPluginData.FromString(value.metadata.plugin_data.content)
                    sessions.setdefault(run, []).append(content)
    assert found == {(*rest, single(value)) for *rest, value in facts(directory)}
    assert sessions.keys() == STATES.keys()
    for run, (start, end) in sessions.items():
        given = dict(start.session_start_info.hparams.items())
        varied = {"method.temperature", "method.masked"} | ({"method.queue"} if run == "a0" else set())
        assert given.keys() == varied | {"arm", "seed", "state"}
        assert given["method.temperature"].number_value == 0.1 * int(run[1:])
        assert given["state"].string_value == STATES[run]
        status = Status.Name(end.session_end_info.status)
        known = {"complete": "SUCCESS", "stopped": "SUCCESS", "failed": "FAILURE"}
        assert status == f"STATUS_{known.get(STATES[run], 'RUNNING')}"


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_mlflow_reads_each_run_with_all_that_it_has(results, tmp_path):
    library = pytest.importorskip("mlflow", exc_type=ImportError)
    (database,) = export(results, "mlflow", tmp_path)
    client = library.MlflowClient(tracking_uri=f"sqlite:///{database}")
    experiments = {one.name: one for one in client.search_experiments() if one.name != "Default"}
    assert experiments.keys() == {"first it's", "failed", "begun"}
    assert not client.search_runs([experiments["begun"].experiment_id])
    experiment = experiments["first it's"]
    renamed = {new.removeprefix("name of "): old for new, old in experiment.tags.items()}
    runs = {found.data.tags["run"]: found for found in client.search_runs([experiment.experiment_id])}
    directory, found = results / "sweeps" / "first it's", set[Fact]()
    for name, run in runs.items():
        for key in run.data.metrics:
            for one in client.get_metric_history(run.info.run_id, key):
                found.add((name, one.step, renamed.get(key, key), plain(one.value)))
    assert found == facts(directory)
    for row in store.runs(directory).to_pylist():
        run = runs[row["run"]]
        leaves = {
            name.removeprefix("config."): value for name, value in row.items() if name.startswith("config.")
        }
        assert run.data.params == {path: str(value) for path, value in leaves.items() if value is not None}
        assert run.data.tags["commit"] == "c0ffee"
        assert run.data.tags["state"] == row["state"] == STATES[row["run"]]
        assert row["reason"].startswith(run.data.tags["reason"])
        ended = {"complete": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
        assert run.info.status == ended.get(row["state"], "RUNNING")
        assert run.info.end_time == (round(1000 * row["time"]) if row["state"] in ended else None)


@given(st.sets(st.text(max_size=300) | st.text("ab./_'", max_size=4), max_size=12))
def test_names_for_mlflow_are_allowed_distinct_and_changed_only_where_they_must(names):
    def allowed(name: str) -> bool:  # as MLflow says it
        normal = posixpath.normpath(name)
        leads_out = normal == "." or normal.startswith(("..", "/"))
        return (
            bool(re.match(r"^[/\w.\- :]+$", name)) and normal == name and not leads_out and len(name) <= 250
        )

    found = legal(names)
    assert found.keys() == names
    assert len(set(found.values())) == len(names)
    assert all(map(allowed, found.values()))
    assert all(found[name] == name for name in names if allowed(name) and not name.endswith("\n"))


def wandb_records(path: Path) -> Iterator:
    """Records of an offline run: chunks of a LevelDB log behind a header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, held = path.read_bytes(), 7, b""
    assert data.startswith(b":W&B")
    while at < len(data):
        if (left := 2**15 - at % 2**15) < 7:  # no chunk begins there
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        held += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last of several
            yield Record.FromString(held)
            held = b""


@pytest.mark.filterwarnings("ignore")  # wandb's own
def test_wandb_has_each_run_offline(results, tmp_path):
    pytest.importorskip("wandb", exc_type=ImportError)
    directory, found, states = results / "sweeps" / "first it's", set[Fact](), {}
    assert export(results, "wandb", tmp_path) == [tmp_path]
    for path in tmp_path.glob("first it's/wandb/offline-run-*/*.wandb"):
        run, config = "", {}
        for record in wandb_records(path):
            if record.HasField("run"):
                run = record.run.run_id
                config = {one.key: json.loads(one.value_json) for one in record.run.config.update}
                assert config["run"]["commit"] == "c0ffee"
                states[run] = config["run"]["state"]
            if record.HasField("history"):
                items = {"".join(one.nested_key) or one.key: one.value_json for one in record.history.item}
                values = {name: plain(json.loads(text)) for name, text in items.items()}
                assert values.pop("_timestamp") > 1_600_000_000
                epoch = values.pop("_step")
                found |= {(run, epoch, n, v) for n, v in values.items() if not n.startswith("_")}
            if record.HasField("exit"):
                assert record.exit.exit_code == (states[run] == "failed")
        assert config["method.temperature"] == 0.1 * int(run[1:])
    assert found == facts(directory)
    assert states == STATES


@pytest.mark.parametrize("form", [form for form in FORMS if form != "mlflow"])
def test_a_store_without_a_sweep_is_exported_as_nothing(form, tmp_path):
    pytest.importorskip(FORMS[form].module or "csv", exc_type=ImportError)
    root = store.open_store(tmp_path / "results")
    for path in export(root, form, tmp_path / "out"):
        assert path.exists()
    if form == "parquet":
        assert {path.stem: len(pq.read_table(path)) for path in (tmp_path / "out").glob("*.parquet")} == (
            dict.fromkeys(store.VIEWS, 0)
        )


def test_an_export_replaces_an_earlier_one_and_nothing_else(results, tmp_path):
    out = tmp_path / "out"
    export(results, "csv", out)
    export(results / "sweeps" / "failed", "parquet", out)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["export.json", *(f"{view}.parquet" for view in store.VIEWS)]
    )
    before = {path: path.read_bytes() for path in out.iterdir()} | {out / "mine.txt": b"mine"}
    (out / "mine.txt").write_bytes(b"mine")
    with pytest.raises(
        ValueError, match=r"out has files that no export wrote \(mine.txt\); move them away or name"
    ):
        export(results, "csv", out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file; name a folder"):
        export(results, "csv", tmp_path / "file")


def test_each_export_is_written_where_none_was_before(results, tmp_path, monkeypatch):
    """MLflow remembers the databases that a process has opened, by name."""
    used = list[Path]()
    monkeypatch.setitem(
        exports.FORMS, "csv", exports.Form(lambda _path, folder, _place: used.append(folder) or [])
    )
    for _ in range(2):
        export(results, "csv", tmp_path / "out")
    assert len(set(used)) == 2


def test_an_export_that_fails_leaves_the_earlier_one_as_it_was(results, tmp_path, monkeypatch):
    out = tmp_path / "out"
    export(results, "csv", out)
    before = {path: path.read_bytes() for path in out.iterdir()}

    def full(path: Path, folder: Path, place: Path) -> list[str]:
        (folder / "half").write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setitem(exports.FORMS, "csv", exports.Form(full))
    with pytest.raises(OSError, match="No space left"):
        export(results, "csv", out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert list(tmp_path.iterdir()) == [out]


def test_what_cannot_be_exported_is_refused_before_anything_is_written(results, tmp_path, monkeypatch):
    out = tmp_path / "new" / "out"
    with pytest.raises(
        ValueError, match="no form 'xlsx' to export to; there is parquet, csv, tensorboard, mlflow"
    ):
        export(results, "xlsx", out)
    with pytest.raises(store.StoreError, match="is no result store"):
        export(tmp_path, "csv", out)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ValueError, match="'mlflow' .* not installed: pip install mlflow-skinny"):
        export(results, "mlflow", out)
    assert not out.parent.exists()
