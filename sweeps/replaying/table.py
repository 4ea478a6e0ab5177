"""A search of recorded arms: Optuna's sampler proposes, the nearest recorded arm is what is run.

As in tabular benchmarks (Klein and Hutter 2019, "Tabular benchmarks for joint architecture and hyperparameter
optimization"; here the table is no full grid). What such a replay can show: whether a sampler comes to the good arms
of the recording in fewer epochs than random order does, under a stopper, with its mistakes and its noise. What it
cannot: what the sampler would have found between and beyond the recorded arms. The emptier the table, the farther the
nearest arm from what was asked for, and at the end every search has run the same arms; so only the first part of the
curve of regret tells searches apart, and the better the more arms the sweep has, drawn at random or evenly. In a sweep
that was itself a search, most arms lie where that one looked.
"""

import math
import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from contrastive.config import closest
from sweeps import parameters
from sweeps import plan as plans
from sweeps.designs import ADAPTIVE, known_arms
from sweeps.plan import Plan, Values
from sweeps.replay import Recording, Searcher, Searching

RANDOM = "random"
"""Recorded arms in random order, which needs to know nothing of them."""
SEARCHERS = (RANDOM, "qmc", *ADAPTIVE)
"""The designs that search."""


def searching(recording: Recording, design: str) -> Searching | None:
    """Makes a searcher for each replay of a recording, given its arms in a random order; None: that order will do.

    Raises:
        ValueError: there is no such design, or the recording has no space that it could search.
    """
    if design not in SEARCHERS:
        raise ValueError(f"there is no searcher '{design}'. {closest(design, list(SEARCHERS))}")
    if design == RANDOM:
        return None
    if not recording.plan:
        raise ValueError(
            f"--searcher {design}: {recording.name} holds curves without the space that its arms are of; "
            f"take --searcher {RANDOM}, or the sweep itself"
        )
    space = plans.from_dict(recording.plan).space
    arms = {arm: space.values_of_setting(setting) for arm, setting in recording.settings.items()}
    plans.checked(space=space, design=design, arms=len(arms))  # refuses what could not be searched

    def begin(order: Sequence[str], chance: random.Random) -> Searcher:
        seed = chance.randrange(2**15)  # Optuna's seeds end at 2**32, and grow with each proposal
        plan = plans.checked(space=space, design=design, arms=len(arms), sampler_seed=seed)
        return Table({arm: arms[arm] for arm in order}, plan)

    return begin


class Table:
    """Asks the design of a plan for arms and issues the nearest that is left; a `Searcher`.

    Distances are Euclidean: along ranges in units of the range, logarithmic where it is; 1 between two values of a
    list, and between a parameter and its absence. What is told of an arm is told of its own values, not of those that
    were asked for: intermediate values as they come, COMPLETE at the last epoch, PRUNED where it was stopped.

    Args:
        arms: the recorded ones by name; of two that are equally near the first is run.
        plan: whose design, space and sampler seed they are searched by. Its own first arms come first, as in a sweep.
    """

    def __init__(self, arms: Mapping[str, Values], plan: Plan):
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.plan, self.arms = plan, dict(arms)
        self.distributions = parameters.distributions(plan.space)
        self.listed = np.array([isinstance(d, CategoricalDistribution) for d in self.distributions.values()])
        self.points = {arm: self._point(values) for arm, values in arms.items()}
        self.known = deque(known_arms(plan, {}))
        self.storage = InMemoryStorage()
        self.study = optuna.create_study(direction="maximize", storage=self.storage)
        self.trials: dict[str, int] = {}
        self.latest: dict[str, float] = {}

    def ask(self) -> str | None:
        """See `Searcher`."""
        if not self.points:
            return None
        if self.known:
            return self._issue(self.known.popleft(), {})
        if self.plan.design not in ADAPTIVE:
            return self._issue(self.arms[next(iter(self.points))], {})
        self.study.sampler = parameters.sampler(self.plan, len(self.trials))
        asked = self.study.ask()
        values = parameters.suggest(self.plan.space, asked)
        attributes = self.study.get_trials(deepcopy=False)[asked.number].system_attrs
        self.study.tell(asked, state=TrialState.FAIL)  # nobody will run it, and a failure teaches nothing
        return self._issue(values, attributes)

    def report(self, run: str, epoch: int, value: float) -> None:
        """See `Searcher`."""
        self.latest[run] = value
        self.storage.set_trial_intermediate_value(self.trials[run], epoch, value)

    def tell(self, run: str, state: Literal["complete", "stopped"]) -> None:
        """See `Searcher`."""
        number = self.storage.get_trial_number_from_id(self.trials[run])
        if state == "complete":
            self.study.tell(number, self.latest[run])
        else:
            self.study.tell(number, state=TrialState.PRUNED)

    def _issue(self, asked: Values, attributes: Mapping[str, Any]) -> str:
        """The nearest arm, as a trial that has what the sampler has noted of the one it asked for."""
        run = self._nearest(asked)
        del self.points[run]
        values = parameters.of_arm(self.plan.space, self.arms[run])
        trial = create_trial(
            state=TrialState.RUNNING,
            params=values,
            distributions={name: self.distributions[name] for name in values},
            system_attrs=dict(attributes),
        )
        study = self.storage.get_study_id_from_name(self.study.study_name)
        self.trials[run] = self.storage.create_new_trial(study, template_trial=trial)
        return run

    def _nearest(self, values: Values) -> str:
        asked, points = self._point(values), np.array(list(self.points.values()))
        apart = np.where(self.listed, points != asked, np.abs(points - asked))
        here, there = np.isnan(points), np.isnan(asked)
        apart = np.where(here | there, here != there, apart)
        return list(self.points)[int((apart**2).sum(axis=1).argmin())]

    def _point(self, values: Values) -> NDArray[np.float64]:
        """The coordinates of an arm; nan for what is not active in it."""
        own = parameters.of_arm(self.plan.space, values)
        return np.array(
            [_coordinate(own[k], d) if k in own else np.nan for k, d in self.distributions.items()]
        )


def _coordinate(value: Any, distribution: BaseDistribution) -> float:
    """Where a value lies in its range, from 0 to 1; its place in a list."""
    place = distribution.to_internal_repr(value)
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return place
    low, high = distribution.low, distribution.high
    if distribution.log:
        low, high, place = math.log(low), math.log(high), math.log(place)
    return (place - low) / (high - low)
