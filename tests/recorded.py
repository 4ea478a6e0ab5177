"""Sweeps as analysis sees them, made up on the spot."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from analysis.load import Record, Run

TEMPERATURE, TARGET, KERNEL = "method.temperature", "method.target_temperature", "method.kernel"
DOMAINS: dict[str, Any] = {
    TEMPERATURE: {"kind": "log_uniform", "low": 0.05, "high": 0.8},
    TARGET: {"kind": "log_uniform", "low": 0.02, "high": 0.2},
}
KERNELS = ["rbf", "linear", "a kernel that has a long name"]
Config = Callable[[int, np.random.Generator], tuple[dict[str, Any], float]]
"""The method of an arm by its index, and where its accuracy would end without noise."""


def temperatures(index: int, generator: np.random.Generator) -> tuple[dict[str, Any], float]:
    """A point of `DOMAINS`, the default first; the best lies at 0.24 and 0.045."""
    one = math.exp(generator.uniform(math.log(0.05), math.log(0.8)))
    two = min(0.95 * one, math.exp(generator.uniform(math.log(0.02), math.log(0.2))))
    one, two = (0.1, 0.05) if index == 0 else (one, two)
    end = 60 - 7 * math.log(one / 0.24) ** 2 - 3 * math.log(two / 0.045) ** 2
    return {"temperature": one, "target_temperature": two, "kernel": KERNELS[index % 3]}, end


def sweep(
    arms: int = 12,
    *,
    seeds: Sequence[int] = (0,),
    epochs: int = 12,
    rungs: Sequence[int] = (),
    config: Config = temperatures,
    **space: Any,
) -> Record:
    """Arms that learn towards an end with noise over seeds and epochs; at each rung the worse half is stopped."""
    generator = np.random.default_rng(5)
    met: dict[int, list[float]] = {rung: [] for rung in rungs}
    runs: list[Run] = []
    for index in range(arms):
        method, end = config(index, generator)
        for seed in seeds:
            top = end + generator.normal(0, 0.7) + seed
            walk = top - (top - 29) * np.exp(-np.arange(1, epochs + 1) / 4) + generator.normal(0, 0.4, epochs)
            length = next((e for e in met if index and _is_worse(walk[e - 1], met[e])), epochs)
            for rung in met:
                met[rung] += [walk[rung - 1]] if rung <= length else []
            runs.append(
                Run(
                    identity=f"run {len(runs)}",
                    number=len(runs),
                    arm=f"arm {index}",
                    seed=seed,
                    attempt=0,
                    config={"method": method},
                    state="complete" if length == epochs else "stopped",
                    reason="",
                    epochs=length,
                    curve={"knn_top1": (np.arange(1, length + 1), walk[:length])},
                    rung=max((rung for rung in rungs if rung <= length), default=0),
                )
            )
    manifest = {"id": "made-up", "metric_label": "kNN top-1 (%)", "epochs": epochs, "seeds": list(seeds)}
    constraints = [{"less": [TARGET, TEMPERATURE]}]
    whole = {"domains": DOMAINS, "constraints": constraints, **space}
    return Record({**manifest, "default_arm": "arm 0", "space": whole}, tuple(runs))


def _is_worse(value: float, others: Sequence[float]) -> bool:
    return len(others) > 1 and value < np.median(others)
