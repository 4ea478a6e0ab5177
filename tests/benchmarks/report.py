"""What the page and the picture of a large sweep cost: `python tests/benchmarks/report.py [--runs 10000]`.

Writes random searches over four parameters through the store's own writer, as sweeps do, and folds them: one of 1,000
arms on 5 seeds for 100 epochs with its page, and one of 10,000 runs on one seed with its overview. Prints the seconds
and the peak memory of the processes that make them, start and imports among them.

    python tests/benchmarks/report.py --arms 20 --seeds 3      another size of the page
    python tests/benchmarks/report.py --rungs 10 30            runs that are stopped at these epochs
    python tests/benchmarks/report.py --folder FOLDER          keeps what it makes, and takes what is there already
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from analysis import figures
from analysis.load import Run, load
from analysis.summarise import summarise
from sweeps import store
from sweeps.store import Writer
from tests import recorded

RATE, COEFFICIENT = "optimiser.lr", "method.coefficient"
DOMAINS: dict[str, Any] = {
    **recorded.DOMAINS,
    RATE: {"kind": "log_uniform", "low": 0.01, "high": 1.0},
    COEFFICIENT: {"kind": "uniform", "low": 0.0, "high": 1.0},
}
BEGUN = 1_800_000_000.0


def make(directory: Path, arms: int, seeds: int, epochs: int, rungs: Sequence[int]) -> None:
    """A folded sweep of so many arms, unless it is there."""
    if (directory / store.MANIFEST).is_file():
        return
    # Only here: whoever draws does not have to wait for torch.
    from search_spaces.sce import TEMPERATURES
    from sweeps.planning import plan as plans

    sweep = recorded.sweep(arms, seeds=range(seeds), epochs=epochs, rungs=rungs, domains=DOMAINS)
    plan = plans.to_dict(
        plans.checked(space=TEMPERATURES, design="random", arms=arms, seeds=tuple(range(seeds)))
    )
    baselines = {"raw pixels": 38.0, "untrained encoder": 28.0}
    untrained = {str(seed): 27.0 + seed for seed in range(seeds)}
    store.write_manifest(
        directory,
        {
            **sweep.manifest,
            "id": directory.name,
            "plan": plan,
            "baselines": baselines,
            "untrained": untrained,
        },
    )
    chance = np.random.default_rng(1)
    with Writer(directory, "w") as writer:
        for run in sweep.runs:
            _write(writer, _whole(run, plan["space"]["base"], chance), rungs)
    store.compact(directory, ended=True)


def _whole(run: Run, base: dict[str, Any], chance: np.random.Generator) -> Run:
    """The run with the configuration of a real one, and the metrics that one reports."""
    epochs, accuracy = run.curve["knn_top1"]
    rows = len(epochs)
    others = {name: chance.normal(5, 1, rows) for name in ("loss", "effective_rank", "learning_rate")}
    clocks = {name: chance.normal(10, 0.5, rows) for name in ("seconds", "evaluation_seconds")}
    curve = {name: (epochs, values) for name, values in {**others, **clocks, "knn_top1": accuracy}.items()}
    arm = np.random.default_rng(int(run.arm.removeprefix("arm ")))
    method = {**base["method"], **run.config["method"], "coefficient": float(arm.uniform())}
    optimiser = {**base["optimiser"], "lr": float(10 ** arm.uniform(-2, 0))}
    return replace(run, curve=curve, config={**base, "method": method, "optimiser": optimiser})


def _write(writer: Writer, run: Run, rungs: Sequence[int]) -> None:
    metrics = {name: values.tolist() for name, (_, values) in run.curve.items()}
    for epoch in range(run.epochs):
        writer.report(run.identity, 0, epoch + 1, {name: values[epoch] for name, values in metrics.items()})
    seconds = sum(metrics["seconds"])
    stand = {"state": run.state, "epochs": run.epochs, "rung": run.rung, "seconds": seconds}
    plain = {name: getattr(run, name) for name in ("run", "number", "arm", "seed", "attempt", "config")}
    writer.run(**plain, **stand, device_seconds=seconds)
    for rung in (rung for rung in rungs if rung <= run.epochs):
        decision = "stop" if run.epochs == rung and run.state == "stopped" else "goes on"
        writer.event("rung", run.identity, rung, decision=decision, cutoff=45.0, peers=3)


def measured(*command: str) -> tuple[str, str]:
    """Seconds by the clock and of processors, and peak memory, of a command; and what it prints."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    out = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    took, busy = time.perf_counter() - began, used.ru_utime + used.ru_stime
    return f"{took:.1f} s ({busy:.1f} s of a processor), {used.ru_maxrss / 1e6:.2f} GB", out.strip()


def draw(directory: Path) -> None:
    """Draws the overview of a sweep, as is done at its end, and prints what each step took."""
    marks = [time.perf_counter()]
    record = load(directory)
    marks.append(time.perf_counter())
    summary = summarise(record)
    marks.append(time.perf_counter())
    figure = figures.overview(record.search, summary)
    figures.save(figure, directory / "overview")
    marks.append(time.perf_counter())
    names = ("read", "summarised", "drawn and saved")
    print(", ".join(f"{name} in {took:.1f} s" for name, took in zip(names, np.diff(marks), strict=True)))


def main() -> None:
    """Prints a line for the page and one for the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arms", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--runs", type=int, default=10_000, help="of the overview")
    parser.add_argument("--rungs", type=int, nargs="*", default=())
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.draw:
        draw(given.draw)
        return
    with tempfile.TemporaryDirectory() as made:
        sweeps = store.open_store(given.folder or Path(made)) / "sweeps"
        stopped = "-stopped" if given.rungs else ""
        page = sweeps / f"{given.arms}x{given.seeds}x{given.epochs}{stopped}"
        many = sweeps / f"{given.runs}x1x100{stopped}"
        # In a process of its own: a child's peak counts what its parent held when it was begun.
        with ProcessPoolExecutor(1, get_context("spawn")) as maker:
            maker.submit(make, page, given.arms, given.seeds, given.epochs, given.rungs).result()
            maker.submit(make, many, given.runs, 1, 100, given.rungs).result()
        cost, _ = measured("-m", "analysis", "report", str(page))
        size = (page / "report.html").stat().st_size / 1e6
        what = f"{given.arms:,} arms x {given.seeds} seeds x {given.epochs} epochs"
        print(f"report of {what}: {cost}, page of {size:.1f} MB", flush=True)
        cost, said = measured(__file__, "--draw", str(many))
        print(f"overview of {given.runs:,} runs: {cost}; {said}")


if __name__ == "__main__":
    main()
