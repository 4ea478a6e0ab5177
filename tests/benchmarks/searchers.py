"""What a search finds on a surface that is known: `python tests/benchmarks/searchers.py [DESIGN...]`.

Accuracy falls off with the squared distance from an optimum, in decades, and is steeper along one parameter than
along another: as temperatures and learning rates behave near their best. Regret is what the best of 40 arms lacks.
"""

import sys
from dataclasses import replace
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from optuna.storages import InMemoryStorage
from scipy import stats

from contrastive.config import Trial, value_at
from search_spaces.domains import LogUniform
from sweeps.plan import checked
from sweeps.stoppers import Never
from sweeps.study import Study
from tests.fixtures.tiny_space import TINY

ARMS, SEEDS = 40, 20
OPTIMUM = {
    "method.temperature": (0.13, 30.0),
    "optimiser.lr": (0.02, 12.0),
    "method.target_temperature": (0.04, 4.0),
}
"""Where the best value lies, and the points lost a decade away from it."""
SPACE = replace(
    TINY,
    domains={
        "method.temperature": LogUniform(0.05, 5.0, source="a benchmark"),
        "method.target_temperature": LogUniform(0.005, 0.5, source="a benchmark"),
        "optimiser.lr": LogUniform(0.001, 10.0, source="a benchmark"),
    },
    constraints=(),
)


def accuracy(trial: Trial) -> float:
    """80 at the optimum."""
    lost = (slope * np.log10(value_at(trial, path) / best) ** 2 for path, (best, slope) in OPTIMUM.items())
    return float(80 - sum(lost))


def regret(design: str, seed: int, arms: int = ARMS) -> float:
    """Points between the best arm and the optimum."""
    plan = checked(space=SPACE, design=design, arms=arms, sampler_seed=seed, stopper=Never())
    study, values = Study(plan, "images", Path(), storage=InMemoryStorage()), list[float]()
    while run := study.ask():
        values.append(accuracy(run.trial))
        study.report(run.identity, run.trial.epochs, values[-1])
        study.tell(run.identity, "complete", (values[-1],))
    return 80 - max(values)


def interval(values: list[float]) -> str:
    """Mean and 95 % interval (Student)."""
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{fmean(values):.2f} ± {half:.2f}"


def main(designs: list[str]) -> None:
    found = {design: [regret(design, seed) for seed in range(SEEDS)] for design in ["random", *designs]}
    print(f"| design | regret after {ARMS} arms | less than random's by |\n|---|---|---|")
    for design, values in found.items():
        less = [a - b for a, b in zip(found["random"], values, strict=True)]
        print(f"| {design} | {interval(values)} | {interval(less) if design != 'random' else ''} |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["qmc", "tpe", "gp", "cmaes", "nsga2"])
