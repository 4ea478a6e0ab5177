"""How long replays take: `python tests/benchmarks/replay.py [REPLAYS [ARMS]]`.

Replays of one sweep of 1,000 arms x 27 epochs on 8 workers, with delays and with times of its own for every epoch, in
random order; then a few in which a sampler chooses from 200 arms. Processor time of one process.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from sweeps.planning import plan as plans
from sweeps.planning.designs.sampled import random_arms
from sweeps.replay import Delays, Recording, Searching, measure_replays
from sweeps.replay.table import searching
from sweeps.stoppers import by_text
from tests.fixtures.tiny_space import TINY

EPOCHS, WORKERS = 27, 8
DELAYS = Delays(start=5, report=0.1, stop=1)
STOPPERS = ("asha", "promote", "hyperband", "pasha")
SEARCHED = {"qmc": 10, "tpe": 10, "cmaes": 10}
"""Searchers, and how often each is replayed, on so many arms:"""
TABLE = 200


def made(arms: int) -> Recording:
    """Arms of two temperatures on one seed: curves rise to a height that falls off from an optimum, with noise."""
    chance, space = np.random.default_rng(0), replace(TINY, constraints=())
    names = [str(number) for number in range(arms)]
    settings = random_arms(space, arms, seed=0)
    log = np.log([list(setting.values()) for setting in settings])
    height = 80 - 5 * ((log - log.mean(axis=0)) ** 2).sum(axis=1, keepdims=True)
    pace = chance.lognormal(1.4, 0.5, (arms, 1))
    curves = height * (1 - np.exp(-np.arange(1, EPOCHS + 1) / pace)) + chance.normal(0, 1, (arms, EPOCHS))
    seconds = chance.lognormal(2, 0.2, (arms, EPOCHS))
    return Recording(
        name="made",
        command="made here",
        metric="knn_top1",
        horizon=EPOCHS,
        arms={name: {"0": curve} for name, curve in zip(names, curves.tolist(), strict=True)},
        seconds={name: {"0": times} for name, times in zip(names, seconds.tolist(), strict=True)},
        settings=dict(zip(names, settings, strict=True)),
        plan=plans.to_dict(plans.checked(space=space, arms=arms, design="random")),
    )


def seconds(recording: Recording, stopper: str, replays: int, chooses: Searching | None = None) -> float:
    """Of processor time, for so many replays."""
    started = time.process_time()
    measure_replays(
        recording, by_text(stopper), replays=replays, searching=chooses, workers=WORKERS, delays=DELAYS
    )
    return time.process_time() - started


def main(replays: int, arms: int) -> None:
    recording, small = made(arms), made(TABLE)
    print("| searcher | stopper | arms | replays | seconds |\n|---|---|---|---|---|")
    for stopper in STOPPERS:
        print(
            f"| random | `{stopper}` | {arms:,} | {replays} | {seconds(recording, stopper, replays):.1f} |",
            flush=True,
        )
    for name, times in SEARCHED.items():
        took = seconds(small, STOPPERS[0], times, searching(small, name))
        print(f"| {name} | `{STOPPERS[0]}` | {TABLE} | {times} | {took:.1f} |", flush=True)


if __name__ == "__main__":
    typed = [int(word) for word in sys.argv[1:]]
    main(*typed, *(100, 1000)[len(typed) :])
