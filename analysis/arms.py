"""The arms of a sweep: each configuration over its seeds, ranked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from analysis.load import Record, Run, setting
from analysis.paired import spread

PLANNED = ("one_at_a_time", "leave_one_out", "add_one_in", "pairs", "given", "path", "grid")
"""Designs whose arms are all known before the first run, so that each difference was planned."""


@dataclass(frozen=True, repr=False)
class Arm:
    """One configuration over its seeds. `number` is that of its first run."""

    digest: str
    number: int
    values: dict[str, Any]
    seeds: tuple[int, ...]
    state: str
    """"complete" only if it is complete on every seed of the sweep, so that all scores rest on the same seeds."""
    epochs: int
    scores: dict[int, float]
    """The metric at the end of each complete run, by seed."""
    last: float | None
    """Mean at the last epoch that all its runs with a value have: one that was stopped earlier bounds the others."""
    objectives: dict[str, float] = field(default_factory=dict[str, float])
    """Mean over seeds of every objective of the sweep, of a complete arm."""
    last_epoch: int = 0
    """At which `last` is; 0 where there is none."""

    def __repr__(self) -> str:
        values = ", ".join(f"{path} {value}" for path, value in self.values.items())[:100]
        score = "" if self.score is None else f", {self.score:.1f}"
        state = f"{self.state} on {len(self.seeds)} seeds{score}"
        return f"<Arm {self.number}: {values or 'the default'}; {state}>"

    @property
    def score(self) -> float | None:
        """Mean over seeds, or None while the arm is not complete."""
        return float(np.mean(list(self.scores.values()))) if self.state == "complete" else None

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over seeds."""
        several = self.state == "complete" and len(self.scores) > 1
        return spread(np.array(list(self.scores.values()))) if several else None


def numbered(names: Sequence[str], arms: Sequence[Arm]) -> list[str]:
    """Return the name of each arm, with its number where two have the same name."""
    alike = Counter(names)
    pairs = zip(names, arms, strict=True)
    return [f"{name} (arm {arm.number})" if alike[name] > 1 else name for name, arm in pairs]


def ranked(record: Record) -> tuple[Arm, ...]:
    """Rank the arms of a sweep: complete ones first, by score; then the others by their last value."""
    seeds = set(record.manifest.get("seeds") or (run.seed for run in record.runs))
    arms = [_arm(digest, members, record, seeds) for digest, members in record.by_arm.items()]
    low = float("-inf")

    def rank(arm: Arm) -> tuple[float, ...]:
        return (*(low if value is None else value for value in (arm.score, arm.last)), -arm.number)

    return tuple(sorted(arms, key=rank, reverse=True))


def default_arm(record: Record, arms: Sequence[Arm]) -> Arm | None:
    """Return the arm of a sweep that all others are compared with; None before it has started."""
    return next((arm for arm in arms if arm.digest == record.manifest.get("default_arm")), None)


def pareto(points: Sequence[Sequence[float]]) -> list[int]:
    """Return the indices of the Pareto-optimal points; larger values are better.

    >>> pareto([(1, 2), (2, 1), (0, 0)])
    [0, 1]
    """
    values = np.array(points, float)
    beaten = [((values >= point).all(axis=1) & (values > point).any(axis=1)).any() for point in values]
    return np.flatnonzero(~np.array(beaten, bool)).tolist()


def front(record: Record, arms: Sequence[Arm]) -> tuple[int, ...]:
    """Return the numbers of the Pareto-optimal complete arms; none where there is one objective.

    Arms without a value of some objective are left out.
    """
    objectives = record.manifest.get("objectives") or []
    complete = [arm for arm in arms if len(arm.objectives) == len(objectives)]
    if len(objectives) < 2 or not complete:
        return ()
    signs = {one["metric"]: 1 if one["direction"] == "maximize" else -1 for one in objectives}
    points = [[sign * arm.objectives[name] for name, sign in signs.items()] for arm in complete]
    return tuple(complete[i].number for i in pareto(points))


def _objectives(runs: Sequence[Run], record: Record) -> dict[str, float]:
    """Mean over runs of each objective, the last value or the sum over epochs; of those alone that are finite."""
    found: dict[str, float] = {}
    for objective in record.manifest.get("objectives") or []:
        curves = [run.curve[objective["metric"]][1] for run in runs if objective["metric"] in run.curve]
        if len(curves) == len(runs):
            mean = float(np.mean([c.sum() if objective["total"] else c[-1] for c in curves]))
            found |= {objective["metric"]: mean} if np.isfinite(mean) else {}
    return found


def _arm(digest: str, runs: list[Run], record: Record, seeds: set[int]) -> Arm:
    lasts = {run.seed: run.last(record.metric) for run in runs}
    last, last_epoch = _last_shared(runs, record.metric)
    complete = {run.seed for run in runs if run.state == "complete"}
    scores = {seed: value for seed, value in lasts.items() if value is not None and seed in complete}
    state = _state(runs, scores, seeds)
    return Arm(
        digest=digest,
        number=min(run.number for run in runs),
        values=setting(record, runs[0]),
        seeds=tuple(sorted(lasts)),
        state=state,
        epochs=sum(run.epochs for run in runs),
        scores=scores,
        last=last,
        objectives=_objectives(runs, record) if state == "complete" else {},
        last_epoch=last_epoch,
    )


def _last_shared(runs: Sequence[Run], metric: str) -> tuple[float | None, int]:
    """Mean over the runs that end with a finite value, at the last epoch at which all of them have one."""
    curves = [run.curve[metric] for run in runs if run.last(metric) is not None]
    finite = [epochs[np.isfinite(values)] for epochs, values in curves]
    shared = reduce(np.intersect1d, finite) if finite else np.empty(0)
    if not shared.size:
        return None, 0
    at = shared[-1]
    return float(np.mean([values[epochs == at][-1] for epochs, values in curves])), int(at)


def _state(runs: list[Run], scores: dict[int, float], seeds: set[int]) -> str:
    for state in ("failed", "stopped", "paused", "running"):
        if any(run.state == state for run in runs):
            return state
    if len(scores) < len(runs):
        return "failed"  # it came to its end, but with a value that is not finite
    return "complete" if seeds <= scores.keys() else "running"
