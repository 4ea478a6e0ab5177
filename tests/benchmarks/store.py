"""How large a large store is and how long it takes to ask: `python tests/benchmarks/store.py [--arms 100000]`.

Makes a sweep of so many runs x 100 epochs x 20 metrics (fourteen of the precision of float32, two accuracies of 1,024
images, three times of the clock, a learning rate) in a temporary folder, asks it, and removes it. In the same run, a
hundredth of the runs as Ray Tune writes them (result.json, an object a line, one file a run) and as Optuna's
journal, loaded by pandas and by Optuna, and scaled up.

    python tests/benchmarks/store.py --folder FOLDER      keeps what it makes, and asks what is there already
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pyarrow as pa
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from sweeps import store
from sweeps.store import Writer, fold, parts
from sweeps.store.parts import Index
from sweeps.store.schema import METRIC

EPOCHS, PART, SCALE = 100, 10_000, 100
SINGLES, ACCURACIES, CLOCKS = 14, 2, 3


def names(count: int, first: int = 0) -> list[str]:
    """Digests of runs, as the sweeps make them."""
    return sorted(
        hashlib.sha256(str(number).encode()).hexdigest()[:16] for number in range(first, first + count)
    )


def metrics(rows: int, chance: np.random.Generator) -> dict[str, np.ndarray]:
    """Twenty columns of values as training reports them."""
    made = {f"loss_{k}": chance.normal(5, 1, rows).astype(np.float32).astype(float) for k in range(SINGLES)}
    made |= {f"knn_top{k}": chance.binomial(1024, 0.6, rows) / 10.24 for k in range(1, 1 + ACCURACIES)}
    made |= {f"seconds_{k}": chance.normal(10, 0.5, rows) for k in range(CLOCKS)}
    made["learning_rate"] = np.resize(np.cos(np.arange(EPOCHS) / EPOCHS), rows)
    return made


def reports(runs: list[str], chance: np.random.Generator) -> pa.Table:
    """What a fold makes of the reports of these runs."""
    rows = len(runs) * EPOCHS
    took = chance.normal(10, 0.5, rows)
    columns: dict[str, Any] = {
        "run": pa.DictionaryArray.from_arrays(np.repeat(np.arange(len(runs), dtype=np.int32), EPOCHS), runs),
        "attempt": np.zeros(rows, np.int32),
        "epoch": np.resize(np.arange(1, EPOCHS + 1, dtype=np.int32), rows),
        "step": np.resize(np.arange(1, EPOCHS + 1) * 64, rows),
        "time": 1.7e9 + np.cumsum(took),
        "sequence": np.resize(np.arange(EPOCHS, dtype=np.int32), rows),
        "seconds": took,
        "device_seconds": took,
        **{METRIC + name: values for name, values in metrics(rows, chance).items()},
        fold.SUPERSEDED: np.zeros(rows, bool),
    }
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def states(runs: list[str], first: int) -> pa.Table:
    """What a fold makes of the rows of these runs, complete all of them."""
    config = {
        "method": {"temperature": 0.1, "name": "sce"},
        "optimiser": {"lr": 0.5},
        "epochs": EPOCHS,
        "seed": 0,
    }
    rows = [
        {"run": run, "number": first + n, "arm": run, "seed": 0, "attempt": 0, "state": "complete",
         "epochs": EPOCHS, "config": json.dumps({**config, "optimiser": {"lr": round(0.1 + n / 1e4, 6)}})}
        for n, run in enumerate(runs)
    ]  # fmt: skip
    log = pa.Table.from_pylist(rows)
    log = log.append_column("time", pa.array(np.full(len(log), 1.7e9)))
    log = log.append_column("sequence", pa.array(np.zeros(len(log), np.int32)))
    return fold.settle([fold.widen(log, "runs")], "runs")


def make(directory: Path, count: int) -> float:
    """A folded sweep of so many runs; returns the seconds it took."""
    began, chance, made = time.perf_counter(), np.random.default_rng(0), list[parts.Part]()
    store.write_manifest(directory, {"id": directory.name})
    for number in range(0, count, PART):
        runs = names(min(PART, count - number), number)
        made.append(parts.write_part(directory, "reports", reports(runs, chance), f"{number:06d}"))
        made.append(parts.write_part(directory, "runs", states(runs, number), f"{number:06d}"))
    parts.write_index(directory, Index(1, tuple(made)))
    return time.perf_counter() - began


def timed(question: Callable[[], Any], times: int = 5) -> float:
    """The median over some askings, in seconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        question()
        took.append(time.perf_counter() - began)
    return median(took)


def ask(directory: Path, run: str) -> dict[str, float]:
    """Seconds to open the store, and to ask it."""
    value = "FROM reports WHERE metric = 'knn_top1'"
    best = "FROM final ORDER BY knn_top1 DESC LIMIT 10"
    asked = {
        "best value of each run": f"SELECT run, max(value) {value} GROUP BY run",
        "value of each run at its last epoch": f"SELECT run, arg_max(value, epoch) {value} GROUP BY run",
        "one curve": f"SELECT epoch, value {value} AND run = '{run}' ORDER BY epoch",
        "the ten best configurations": f'SELECT number, "config.optimiser.lr", knn_top1 {best}',
    }
    root = directory.parents[1]
    found = {"open": timed(lambda: store.connect(root).close())}
    with store.connect(root) as database:
        for name, query in asked.items():
            found[name] = timed(lambda query=query: database.execute(query).fetchnumpy())
    return found


def append(folder: Path, count: int = 5000) -> float:
    """Milliseconds to append a report of 20 metrics."""
    values = {name: float(column[0]) for name, column in metrics(1, np.random.default_rng(1)).items()}
    with Writer(folder, "w") as writer:
        began = time.perf_counter()
        for epoch in range(count):
            writer.report("0123456789abcdef", 0, epoch + 1, values)
        return (time.perf_counter() - began) / count * 1e3


def as_ray(folder: Path, count: int) -> tuple[int, float]:
    """Bytes of so many result.json, and seconds to load the best value of each with pandas."""
    chance = np.random.default_rng(2)
    for run in names(count):
        columns = metrics(EPOCHS, chance)
        shared = {"trial_id": run, "time_this_iter_s": 10.0}
        rows = [{**shared, **{n: float(c[epoch]) for n, c in columns.items()}} for epoch in range(EPOCHS)]
        lines = [json.dumps({"training_iteration": epoch + 1, **row}) for epoch, row in enumerate(rows)]
        (folder / run).mkdir(parents=True)
        (folder / run / "result.json").write_text("\n".join(lines))
    files = sorted(folder.glob("*/result.json"))
    began = time.perf_counter()
    frames = pd.concat([pd.read_json(file, lines=True) for file in files], ignore_index=True)
    frames.groupby("trial_id")["knn_top1"].max()
    return sum(file.stat().st_size for file in files), time.perf_counter() - began


def as_optuna(path: Path, count: int) -> tuple[int, float]:
    """Bytes of a journal of so many runs with one metric, and seconds to load the best value of each."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    chance, storage = np.random.default_rng(3), JournalStorage(JournalFileBackend(str(path)))
    study = optuna.create_study(study_name="s", storage=storage, direction="maximize")
    for _ in range(count):
        run = study.ask({"lr": optuna.distributions.FloatDistribution(0.1, 1.0)})
        for epoch, value in enumerate(chance.binomial(1024, 0.6, EPOCHS) / 10.24):
            run.report(float(value), epoch + 1)
        study.tell(run, 60.0)
    began = time.perf_counter()
    loaded = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(path))))
    [max(run.intermediate_values.values()) for run in loaded.get_trials(deepcopy=False)]
    return path.stat().st_size, time.perf_counter() - began


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arms", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        directory = store.open_store(folder / "store") / "sweeps" / "large"
        if not (directory / parts.INDEX).is_file():
            print(f"made in {make(directory, given.arms):.0f} s")
        size = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
        print(f"{given.arms:,} runs x {EPOCHS} epochs x 20 metrics: {size / 1e6:,.0f} MB")
        for name, seconds in ask(directory, names(PART)[17]).items():
            print(f"  {name:<40} {seconds:.3f} s")
        print(f"  {'append a report of 20 metrics':<40} {append(Path(made) / 'append'):.3f} ms")
        few = max(1, given.arms // SCALE)
        for name, (bytes_, seconds) in {
            "Ray's result.json, by pandas": as_ray(Path(made) / "ray", few),
            "Optuna's journal, one metric": as_optuna(Path(made) / "journal.log", few),
        }.items():
            scale = given.arms / few
            print(f"{name}: {few:,} runs {bytes_ / 1e6:,.0f} MB, best of each in {seconds:.2f} s; "
                  f"of {given.arms:,}: {bytes_ * scale / 1e6:,.0f} MB, {seconds * scale:,.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
