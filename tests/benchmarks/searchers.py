"""What searches find under each stopper on a surface that is known: `python tests/benchmarks/searchers.py [--help]`.

Accuracy falls off with the squared distance from an optimum, in decades, and is steeper along one parameter than
along another: as temperatures and learning rates behave near their best. Runs come to it at paces of their own, in part
by their rate and temperature, in part by chance, and with a noise of half a point, so that early ranks are not late
ones; how well they agree is measured and printed. Sweeps are carried out by the engine itself, two runs at a time.

Regret is what the leader lacks of the best there is at its end without noise: the arm with the highest value so far.
Each search is paired with random draws under the same stopper and seed, where the shorter of both ends.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from numpy.typing import NDArray
from optuna.storages import InMemoryStorage
from scipy import stats

from contrastive import config as configs
from contrastive.config import Config, value_at
from search_spaces.domains import LogUniform
from sweeps.engine.checkpoints import Checkpoints
from sweeps.engine.engine import Engine
from sweeps.engine.history import History
from sweeps.engine.runs import IssuedRun
from sweeps.engine.study import Study
from sweeps.planning.designs.sampled import random_arms
from sweeps.planning.plan import checked
from sweeps.stoppers import by_text
from tests.fixtures.tiny_space import TINY

ARMS, SEEDS, EPOCHS, WORKERS = 40, 20, 24, 2
EARLY = 2
"""A tenth of training."""
BEST, NOISE = 80.0, 0.5
DESIGNS = ("tpe", "gp", "cmaes", "nsga2", "nsga3", "qmc")
STOPPERS = ("none", "asha", "promote", "hyperband", "pasha", "one_epoch")
OPTIMUM = {
    "method.temperature": (0.13, 20.0),
    "optimiser.lr": (0.02, 8.0),
    "optimiser.weight_decay": (3e-4, 5.0),
    "method.target_temperature": (0.04, 3.0),
}
"""Where the best value lies, and the points lost a decade away from it."""
SPACE = replace(
    TINY,
    base=configs.replace(TINY.base, {"epochs": EPOCHS, "optimiser.weight_decay": 1e-4}),
    domains={
        "method.temperature": LogUniform(0.05, 5.0, source="a benchmark"),
        "method.target_temperature": LogUniform(0.005, 0.5, source="a benchmark"),
        "optimiser.lr": LogUniform(0.001, 10.0, source="a benchmark"),
        "optimiser.weight_decay": LogUniform(1e-6, 1e-1, source="a benchmark"),
    },
    constraints=(),
)


def accuracy(config: Config) -> float:
    """At the end, without noise: 80 at the optimum, 0 far from it."""
    lost = (slope * np.log10(value_at(config, path) / best) ** 2 for path, (best, slope) in OPTIMUM.items())
    return max(0.0, float(BEST - sum(lost)))


@cache
def curve(config: Config) -> NDArray[np.float64]:
    """The accuracy after each epoch, with what chance does to this very run."""
    setting = [config.seed, *(value_at(config, path) for path in OPTIMUM)]
    digest = hashlib.sha256(repr(setting).encode()).digest()
    generator = np.random.default_rng(list(digest))
    rate, warmth = (
        value_at(config, path) / OPTIMUM[path][0] for path in ("optimiser.lr", "method.temperature")
    )
    pace = 4 * rate**-0.2 * warmth**0.1 * np.exp(0.8 * generator.normal())
    epochs = np.arange(1, EPOCHS + 1)
    rise = (1 - np.exp(-epochs / pace)) / (1 - np.exp(-EPOCHS / pace))
    return accuracy(config) * rise + NOISE * generator.normal(size=EPOCHS)


def correlation(epoch: int = EARLY, arms: int = 200) -> float:
    """Of the ranks after an epoch with those at the end, over random arms."""
    curves = np.array([curve(SPACE.config(arm)) for arm in random_arms(SPACE, arms, seed=0)])
    return float(stats.spearmanr(curves[:, epoch - 1], curves[:, -1])[0])


class Silent:
    """A writer that keeps nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class Searched:
    """One sweep: after each epoch the regret of the leader, and how many arms the model has proposed."""

    def __init__(self, design: str, stopper: str, seed: int, arms: int = ARMS):
        plan = checked(
            space=SPACE, design=design, arms=arms, seeds=(seed,), sampler_seed=seed, stopper=by_text(stopper)
        )
        study = Study(plan, "images", Path(), storage=InMemoryStorage())
        self.engine = Engine(study, Silent(), History(), checkpoints=Checkpoints(Path("none"), 0))
        self.regrets = list(self._trained())
        self.proposed = sum(entry.origin == "model" for entry in study.entries.values())

    def _trained(self) -> Iterator[float]:
        places: list[tuple[IssuedRun, int]] = []
        highest, regret = -np.inf, BEST
        while True:
            while len(places) < WORKERS and isinstance(run := self.engine.issue(), IssuedRun):
                places.append((run, self.engine.ledger.of(run).epoch))
            if not places:
                return
            run, epoch = places.pop(0)
            value = float(curve(run.config)[epoch])
            if value > highest:
                highest, regret = value, BEST - accuracy(run.config)
            yield regret
            if self.engine.report(run, epoch + 1, {"knn_top1": value}) and epoch + 1 < EPOCHS:
                places.append((run, epoch + 1))
            else:
                self.engine.end(run)


@cache
def searched(design: str, stopper: str, seed: int, arms: int = ARMS) -> Searched:
    """The sweep; one of random arms is compared with many others."""
    return Searched(design, stopper, seed, arms)


def less_than_random(design: str, stopper: str, seed: int, arms: int = ARMS) -> tuple[float, float]:
    """Regret of a search, and by how much it is less than that of random arms at equal epochs."""
    one, other = (searched(name, stopper, seed, arms).regrets for name in (design, "random"))
    epochs = min(len(one), len(other))
    return one[epochs - 1], other[epochs - 1] - one[epochs - 1]


def interval(values: Sequence[float]) -> str:
    """Mean and 95 % interval (Student)."""
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{fmean(values):.2f} ± {half:.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--stoppers", default=",".join(STOPPERS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args(arguments)
    print(f"Rank correlation of a tenth of training with its end: {correlation():.2f}.\n")
    print("| stopper | search | by its model | epochs | regret at equal epochs | less than random's by |")
    print("|---|---|---|---|---|---|")
    for stopper in given.stoppers.split(","):
        for design in ("random", *given.designs.split(",")):
            runs = [searched(design, stopper, seed) for seed in range(given.seeds)]
            pairs = [less_than_random(design, stopper, seed) for seed in range(given.seeds)]
            regret, less = (interval(values) for values in zip(*pairs, strict=True))
            proposed = "" if design in ("random", "qmc") else f"{fmean(run.proposed for run in runs):.1f}"
            epochs = fmean(len(run.regrets) for run in runs)
            less = "" if design == "random" else less
            print(f"| {stopper} | {design} | {proposed} | {epochs:.0f} | {regret} | {less} |", flush=True)


if __name__ == "__main__":
    main()
