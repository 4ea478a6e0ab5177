"""Expected epochs of a sweep under a stopper, by simulating a few sweeps on synthetic curves."""

from collections.abc import Mapping
from statistics import fmean

import numpy as np

from sweeps.planning.simulation.once import replay
from sweeps.stoppers import AnyStopper

EPOCHS = 60_000
"""Number of epochs to simulate, without stopping: several sweeps if they fit, or a part of a larger one."""
MAX_SWEEPS = 200
OF_OPTUNA = 3
"""Factor by which fewer epochs are simulated with Optuna's pruners, which are much slower than the other judges."""
DEVIATION = 2.0
"""Standard deviation of the metric over seeds, where a space knows none; the sd over arms is 1.5 times as large."""
START = 0.55
"""Untrained accuracy as a share of the final one: 0.5 to 0.95 in the sweeps of tests/fixtures/curves."""
WORKERS = 2


def expected_epochs(
    stopper: AnyStopper,
    *,
    arms: int,
    seeds: int,
    epochs: int,
    deviation: float | None = None,
    workers: int = WORKERS,
    seed: int = 0,
) -> float:
    """Return the mean number of epochs of a search with these numbers of arms and seeds, all of which are issued.

    The first arm is the default, which is never stopped. Curves saturate with time constants of a sixth to a third of
    the horizon, and heights are normal: how many runs a comparison stops depends on the order in which they come far
    more than on these; only a margin of noise depends on how far arms are apart early on. An adaptive design
    issues better arms later, which is left out.
    """
    most = EPOCHS // (OF_OPTUNA if stopper.name == "optuna" else 1)
    some = min(arms, max(12, most // (seeds * epochs)))
    sweeps = max(1, min(MAX_SWEEPS, most // (some * seeds * epochs)))
    if not stopper.meetings(epochs):
        return float(arms * seeds * epochs)
    generator, spent = np.random.default_rng(seed), list[int]()
    for _ in range(sweeps):
        curves = _curves(generator, some, seeds, epochs, deviation or DEVIATION)
        controls = set(np.flatnonzero(generator.random(some) < stopper.control).tolist()) | {0}
        arm = {run: run.partition("/")[0] for run in curves}
        spared = [run for run in curves if int(arm[run]) in controls]
        done = replay(curves, stopper, arms=arm, spared=spared, workers=workers, deviation=deviation)
        spent.append(done.epochs)
    return fmean(spent) * arms / some


def _curves(
    generator: np.random.Generator, arms: int, seeds: int, epochs: int, deviation: float
) -> Mapping[str, list[float]]:
    """Draw the curve of each run, arm by arm as a sweep issues them."""
    height = (
        50 + generator.normal(0, 1.5 * deviation, (arms, 1)) + generator.normal(0, deviation, (arms, seeds))
    )
    pace = epochs * generator.uniform(1 / 6, 1 / 3, (arms, 1, 1))
    rise = START + (1 - START) * (1 - np.exp(-np.arange(1, epochs + 1) / pace))
    values = height[:, :, None] * rise + generator.normal(0, deviation / 4, (arms, seeds, epochs))
    return {f"{arm}/{seed}": values[arm, seed].tolist() for arm in range(arms) for seed in range(seeds)}
