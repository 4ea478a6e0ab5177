"""What the driver pays for a result as a sweep grows: `python tests/benchmarks/driver.py [RUNS]`.

Trivial runs of ten reports each, in one go: our engine on Ray Tune with random arms, Ray Tune alone, and Optuna
alone with its journal. Processor time of the driving process for each result, by quarters of the sweep.
"""

# ruff: noqa: I001 - the project must be found, and Ray told to be quiet, before they are imported
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeps.backend import cluster

import optuna
import ray
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray import tune

from contrastive import config as configs
from sweeps.engine.arbiter import Arbiter
from sweeps.planning.plan import Plan
from sweeps.stoppers import by_text
from sweeps.backend.worker import Places
from tests.crew import Sitting, plan
from tests.fixtures.tiny_space import TINY

REPORTS = 10
QUARTERS = 4


class Meter:
    """Processor time at each quarter of the results."""

    def __init__(self, results: int):
        self.every, self.seen, self.marks = results // QUARTERS, 0, [time.process_time()]

    def __call__(self) -> None:
        self.seen += 1
        if self.seen % self.every == 0 and len(self.marks) <= QUARTERS:
            self.marks.append(time.process_time())

    def milliseconds(self) -> list[float]:
        """For each result, in each quarter."""
        return [(b - a) / self.every * 1e3 for a, b in zip(self.marks, self.marks[1:], strict=False)]


def trivial(config: dict[str, Any]) -> None:
    for epoch in range(1, REPORTS + 1):
        tune.report({"epoch": epoch, "metrics": {"knn_top1": 1.0, "effective_rank": 9.0}, "knn_top1": 1.0})


def ours(given: Plan, folder: Path) -> list[float]:
    meter = Meter(given.runs * REPORTS)
    sitting = Sitting(folder, given)

    class Counting(Arbiter):
        def report(self, *arguments: Any) -> bool:
            meter()
            return super().report(*arguments)

    cluster.run(given, Counting([sitting.engine]), places=Places(cache=str(folder)), say=print, train=trivial)
    return meter.milliseconds()


def ray_alone(trials: int) -> list[float]:
    meter = Meter(trials * REPORTS)

    class Counted(tune.Callback):
        def on_trial_result(self, *arguments: Any, **more: Any) -> None:
            meter()

    tune.Tuner(
        tune.with_resources(trivial, {"CPU": 1}),
        param_space={"x": tune.uniform(0, 1)},
        tune_config=tune.TuneConfig(num_samples=trials, reuse_actors=True),
        run_config=tune.RunConfig(
            verbose=0, callbacks=[Counted()], storage_path=tempfile.mkdtemp(prefix="ray-alone-")
        ),
    ).fit()
    return meter.milliseconds()


def optuna_alone(trials: int, folder: Path) -> list[float]:
    meter = Meter(trials * REPORTS)
    storage = JournalStorage(JournalFileBackend(str(folder / "alone.log")))
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(trials):
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        for epoch in range(1, REPORTS + 1):
            trial.report(1.0, epoch)
            meter()
        study.tell(trial, 1.0)
    return meter.milliseconds()


def main(trials: int) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = replace(TINY, base=configs.replace(TINY.base, {"epochs": REPORTS}))
    given = plan(space=space, design="random", arms=trials, stopper=by_text("none"))
    with tempfile.TemporaryDirectory(prefix="driver-") as folder:
        Path(folder, "ours").mkdir()
        with cluster.cluster(given, None):
            rows = {
                "ours": ours(given, Path(folder, "ours")),
                "Ray Tune alone": ray_alone(trials),
            }
        rows["Optuna alone, journal"] = optuna_alone(trials, Path(folder))
    ray.shutdown()
    print(f"ms of the driver's processor time for each of {trials * REPORTS:,} results, by quarters:")
    for name, quarters in rows.items():
        print(f"  {name:<24} {'  '.join(f'{one:6.2f}' for one in quarters)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
