"""The study as its sampler sees it: every arm that has reported is finished, with a value like those of the others.

Optuna's samplers learn from finished trials. But a run that is paused, stopped or still in training has shown as much
of its arm as others had at the same epoch, and the journal must not call it finished. So the sampler gets a study
of its own, made anew from what was reported whenever it is asked: the same reports give the same proposal, whatever was
interrupted in between.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweeps.planning import parameters
from sweeps.planning.plan import Plan, Values

TRIES = 300
"""Proposals in a row that may break a constraint or repeat an arm before the space counts as exhausted."""
INSISTENCE = 10
"""Consecutive refusals after which arms are drawn at random."""
Curve = Mapping[int, tuple[float, ...]]
"""The objectives after each epoch."""
Origin = Literal["default", "published", "listed", "start-up", "model", "chance"]
"""What proposed an arm: the first three were known beforehand; a draw before the sampler's model knows enough, its
model, or a draw because the model insists on what is refused."""


@dataclass(frozen=True)
class Proposal:
    """An arm that the sampler proposes, with its origin and what the sampler has to remember of it."""

    values: Values
    origin: Origin
    memory: dict[str, Any]


@dataclass
class Seen:
    """Observations of an arm."""

    trial: FrozenTrial
    curves: dict[int, dict[int, tuple[float, ...]]] = field(default_factory=dict[int, Any])
    """Curves by seed."""
    failed: set[int] = field(default_factory=set[int])
    """Seeds on which it failed; what it reported there does not count."""
    unwell: bool = False
    """Whether it has collapsed or diverged: it then ranks last, whatever it had reported."""

    @property
    def curve(self) -> dict[int, tuple[float, ...]]:
        """Return the mean curve, at each epoch over the seeds that have reached it."""
        curves = [curve for seed, curve in self.curves.items() if seed not in self.failed]
        if len(curves) == 1:
            return curves[0]
        found: dict[int, list[tuple[float, ...]]] = {}
        for epoch, values in (point for curve in curves for point in curve.items()):
            found.setdefault(epoch, []).append(values)
        return {epoch: tuple(np.mean(values, axis=0)) for epoch, values in found.items()}


class SamplerView:
    """Interface to the sampler of a plan: reports go in, proposals come out."""

    def __init__(self, plan: Plan):
        self.plan, self.arms = plan, dict[str, Seen]()
        self.distributions = parameters.distributions(plan.space)
        self.directions: list[Literal["maximize", "minimize"]] = [o.direction for o in plan.objectives]

    def add(self, arm: str, values: Values, memory: Mapping[str, Any]) -> None:
        """Add an arm, with what the sampler has to remember of it."""
        if arm not in self.arms:
            self.arms[arm] = Seen(running(self.plan, self.distributions, values, memory))

    def report(self, arm: str, seed: int, epoch: int, values: tuple[float, ...]) -> None:
        """Add the objectives of an arm after an epoch, on one seed."""
        if all(map(math.isfinite, values)):
            self.arms[arm].curves.setdefault(seed, {})[epoch] = values

    def judge(self, arm: str, seed: int, *, failed: bool = False, unwell: bool = False) -> None:
        """Record whether an arm failed on a seed, and whether it has collapsed or diverged."""
        seen = self.arms[arm]
        seen.unwell |= unwell
        (seen.failed.add if failed else seen.failed.discard)(seed)

    def ask(self, allows: Callable[[Values], bool]) -> Proposal | None:
        """Return the sampler's next proposal; None if none of its proposals is allowed."""
        trials, refused = self._trials(), list[FrozenTrial]()
        for tries in range(TRIES):
            # The model sees that refused arms are being tried; if it still insists, arms are drawn at random.
            by_chance = tries >= INSISTENCE
            sampler = parameters.sampler(self.plan, trials, tries=tries, by_chance=by_chance)
            storage = _Storage(_numbered([*trials, *refused]))
            study = optuna.create_study(storage=storage, sampler=sampler, directions=self.directions)
            asked = study.ask()
            values = parameters.suggest(self.plan.space, asked)
            if allows(values):
                origin = "chance" if by_chance else "model" if asked.relative_params else "start-up"
                return Proposal(values, origin, parameters.memory(storage.get_trial(0).system_attrs))
            refused.append(running(self.plan, self.distributions, values))
        return None

    def _trials(self) -> list[FrozenTrial]:
        """Return the trial of every arm, in order of issue; arms without a report are running."""
        curves = {arm: seen.curve for arm, seen in self.arms.items()}
        well = [arm for arm, curve in curves.items() if curve and not self.arms[arm].unwell]
        values = dict(zip(well, estimates([curves[arm] for arm in well]), strict=True))
        for arm, seen in self.arms.items():
            estimate = values.get(arm)
            if seen.unwell:
                estimate = self._worst(list(values.values()))
            failed = estimate is None and seen.failed
            seen.trial.state = TrialState.FAIL if failed else TrialState.RUNNING
            if estimate is not None:
                seen.trial.state, seen.trial.values = TrialState.COMPLETE, list(estimate)
        return [seen.trial for seen in self.arms.values()]

    def _worst(self, values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64] | None:
        if not values:
            return None
        worst = zip(self.directions, np.transpose(values), strict=True)
        return np.array([column.min() if d == "maximize" else column.max() for d, column in worst])


def running(
    plan: Plan,
    distributions: Mapping[str, BaseDistribution],
    values: Values,
    memory: Mapping[str, Any] | None = None,
    attributes: dict[str, Any] | None = None,
) -> FrozenTrial:
    """Return the trial of an arm in training, with what the sampler has to remember of it."""
    params = parameters.of_arm(plan.space, values)
    return create_trial(
        state=TrialState.RUNNING,
        params=params,
        distributions={name: distributions[name] for name in params},
        user_attrs=attributes,
        system_attrs=dict(memory or {}),
    )


def estimates(curves: Sequence[Curve]) -> list[NDArray[np.float64]]:
    """Estimate the objectives of each arm at the last epoch that any arm has reached.

    An arm with fewer epochs is extended from its last value: at each further epoch it gains the mean gain of the arms
    that went on. So all arms count, each with everything that it has reported.
    """
    if not curves:
        return []
    epochs = sorted({epoch for curve in curves for epoch in curve})
    place = {epoch: i for i, epoch in enumerate(epochs)}
    table = np.full((len(curves), len(epochs), len(next(iter(curves[0].values())))), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[[place[epoch] for epoch in curve]] = list(curve.values())
    steps = np.diff(table, axis=1)
    counts = np.isfinite(steps).sum(axis=0)
    gains = np.nansum(steps, axis=0) / np.maximum(counts, 1)
    left = np.vstack([np.cumsum(gains[::-1], axis=0)[::-1], np.zeros(table.shape[2])])
    last = [place[max(curve)] for curve in curves]
    return [row[at] + left[at] for row, at in zip(table, last, strict=True)]


class _Storage(InMemoryStorage):
    """In-memory storage of the trials, without copies, before the one that is being asked for."""

    def __init__(self, trials: list[FrozenTrial]):
        super().__init__()
        self.trials = trials

    def get_all_trials(self, study_id: int, deepcopy: bool = True, states: Any = None) -> list[FrozenTrial]:
        """See `InMemoryStorage`."""
        asked = super().get_all_trials(study_id, deepcopy=deepcopy, states=states)
        return [*(t for t in self.trials if states is None or t.state in states), *asked]


def _numbered(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Number trials from 1: number 0 is the trial being asked for, the only one that the storage created itself."""
    for number, trial in enumerate(trials, start=1):
        trial.number = trial._trial_id = number  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    return trials
