"""Searches of recorded arms: Optuna's sampler proposes an arm, and the nearest recorded one is run.

As in tabular benchmarks (Klein and Hutter 2019, "Tabular benchmarks for joint architecture and hyperparameter
optimization"; here the table is no full grid). Such a replay shows whether a sampler reaches the good arms of the
recording in fewer epochs than random order, under a stopper with its errors and its noise. It does not show what the
sampler would have found between and beyond the recorded arms. The sparser the table, the farther the nearest arm is
from the proposal; and in the end every search has run the same arms. So only the first part of the regret curve
distinguishes searches, and it does so better the more arms the sweep has, drawn at random or evenly. In a sweep that
was itself a search, most arms lie where that search looked.
"""

import math
import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from contrastive.config import closest
from sweeps.engine.sampler_view import SamplerView
from sweeps.planning import parameters
from sweeps.planning import plan as plans
from sweeps.planning.designs import ADAPTIVE, known_arms
from sweeps.planning.plan import Plan, Values
from sweeps.replay import Ending, Recording, Searcher, Searching

RANDOM = "random"
"""Name of the searcher that issues recorded arms in random order."""
SEARCHERS = (RANDOM, "qmc", *ADAPTIVE)
"""Designs that search."""
SEED = 0
"""Stand-in seed: a replay is of one seed, and need not know which."""


def searching(recording: Recording, design: str) -> Searching | None:
    """Return a maker of searchers of a recording, given its arms in a random order; None for random order.

    Raises:
        ValueError: there is no such design, or the recording has no space to search.
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
    plans.checked(space=space, design=design, arms=len(arms))  # refuses a space that cannot be searched

    def begin(order: Sequence[str], chance: random.Random) -> Searcher:
        seed = chance.randrange(2**15)  # Optuna's seeds end at 2**32, and grow with each proposal
        plan = plans.checked(space=space, design=design, arms=len(arms), sampler_seed=seed)
        return TableSearcher({arm: arms[arm] for arm in order}, plan)

    return begin


class TableSearcher:
    """Searcher that asks the design of a plan for arms and issues the nearest remaining recorded one.

    Distances are Euclidean: along ranges in units of the range, logarithmic where it is; 1 between two values of a
    list, and between a parameter and its absence. The sampler is told the values of the arm that was run, not those
    that it proposed, as in a sweep's study.

    Args:
        arms: the recorded arms by name; of two that are equally near the first is run.
        plan: gives the design, space and sampler seed. Its own first arms come first, as in a sweep.
    """

    def __init__(self, arms: Mapping[str, Values], plan: Plan):
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.plan, self.arms, self.view = plan, dict(arms), SamplerView(plan)
        self.distributions = self.view.distributions
        self.listed = np.array([isinstance(d, CategoricalDistribution) for d in self.distributions.values()])
        self.points = {arm: self._point(values) for arm, values in arms.items()}
        self.known = deque(known_arms(plan, {}))
        self.modelled = 0

    @property
    def proposed(self) -> int | None:
        """See `Searcher`."""
        return self.modelled if self.plan.design in ADAPTIVE else None

    def ask(self) -> str | None:
        """See `Searcher`."""
        if not self.points:
            return None
        if self.known:
            return self._issue(self.known.popleft(), {})
        if self.plan.design not in ADAPTIVE:
            return self._issue(self.arms[next(iter(self.points))], {})
        proposal = self.view.ask(lambda _: True)  # the nearest recorded arm is always one that can be run
        assert proposal is not None
        self.modelled += proposal.origin == "model"
        return self._issue(proposal.values, proposal.memory)

    def report(self, run: str, epoch: int, value: float) -> None:
        """See `Searcher`."""
        self.view.report(run, SEED, epoch, (value,))

    def tell(self, run: str, state: Ending) -> None:
        """See `Searcher`."""
        self.view.judge(run, SEED, unwell=state == "unwell")

    def _issue(self, asked: Values, memory: Mapping[str, Any]) -> str:
        """Issue the nearest arm, with what the sampler has to remember of the one that it proposed."""
        run = self._nearest(asked)
        del self.points[run]
        self.view.add(run, self.arms[run], memory)
        return run

    def _nearest(self, values: Values) -> str:
        asked, points = self._point(values), np.array(list(self.points.values()))
        apart = np.where(self.listed, points != asked, np.abs(points - asked))
        here, there = np.isnan(points), np.isnan(asked)
        apart = np.where(here | there, here != there, apart)
        return list(self.points)[int((apart**2).sum(axis=1).argmin())]

    def _point(self, values: Values) -> NDArray[np.float64]:
        """Return the coordinates of an arm; nan for inactive parameters."""
        own = parameters.of_arm(self.plan.space, values)
        return np.array(
            [_coordinate(own[k], d) if k in own else np.nan for k, d in self.distributions.items()]
        )


def _coordinate(value: Any, distribution: BaseDistribution) -> float:
    """Return the position of a value in its range, from 0 to 1, or its index in a list."""
    place = distribution.to_internal_repr(value)
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return place
    low, high = distribution.low, distribution.high
    if distribution.log:
        low, high, place = math.log(low), math.log(high), math.log(place)
    return (place - low) / (high - low)
