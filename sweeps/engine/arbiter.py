"""Arbiter between the engines of one or many sweeps: which gets the next free place, and when the budget is spent."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sweeps.engine.closing import Closing
from sweeps.engine.engine import WAIT, Engine
from sweeps.engine.runs import IssuedRun, Metrics
from sweeps.engine.spending import lacking
from sweeps.planning.plan import Budget

INTERRUPTED = Closing("interrupted", "interrupted")
STARTS = ("runs",)
"""Limit on the runs that start: started runs are trained to their end."""
LIMITS = ("epochs", "hours", "gpu_hours")
"""Limits that end runs in training, too; these can be resumed."""
Order = Literal["fair", "priority"]
"""Which sweep comes next. "fair": the one that has used least for its weight; "priority": the first with work to do."""


@dataclass(frozen=True)
class Issued:
    """A run to be trained, and the engine it belongs to."""

    engine: Engine
    run: IssuedRun


class Arbiter:
    """Issuer of the runs of several engines under one budget; each engine also keeps to its own.

    Args:
        engines: in order of priority.
        weights: shares of the machines under "fair"; equal by default.
        order: how the next one is chosen.
        budget: of all together.
        hours: wall-clock hours of earlier sessions.
        asked_to_stop: whether another process has asked for the end.
        clock: seconds.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        *,
        weights: Sequence[float] | None = None,
        order: Order = "fair",
        budget: Budget | None = None,
        hours: float = 0.0,
        asked_to_stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.engines, self.order, self.budget = list(engines), order, budget or Budget()
        self.weights = weights or [1.0] * len(self.engines)
        self.hours, self.clock, self.began = hours, clock, clock()
        self.asked_to_stop = asked_to_stop
        self.closing: Closing | None = None
        self.held: Issued | None = None
        self.places = 1
        for engine in self.engines:
            engine.queue.lacking = functools.partial(self._lacking, engine)

    def has_work(self) -> bool:
        """Return whether there is a run to train. Reuses finished runs, which needs no cluster."""
        issued = self.issue()
        self.held = issued if isinstance(issued, Issued) else None
        return self.held is not None

    @property
    def closed(self) -> Closing | None:
        """Why the work ended before all was done, or None."""
        return self.closing or next((engine.closing for engine in self.engines if engine.closing), None)

    def issue(self) -> Issued | Literal["wait"] | None:
        """Return the next run; WAIT while there is none yet, None when there will be none."""
        if self.held:
            held, self.held = self.held, None
            return held
        self._check_limits()
        waiting = False
        for engine in self._in_turn():
            run = engine.issue()
            if isinstance(run, IssuedRun):
                return Issued(engine, run)
            waiting |= run == WAIT
        return WAIT if waiting and self.closing is None else None

    def report(self, issued: Issued, epoch: int, metrics: Metrics, *, host: str = "") -> bool:
        """Return whether the run, trained on `host`, goes on after this epoch."""
        goes_on = issued.engine.report(issued.run, epoch, metrics, host=host)
        self._check_limits()
        return goes_on and issued.engine.closing is None

    def close(self, closing: Closing) -> None:
        """Stop issuing runs; those in training end at their next report and can be resumed."""
        self.closing = self.closing or closing
        for engine in self.engines:
            engine.close(closing)

    def _in_turn(self) -> list[Engine]:
        if self.order == "priority":
            return self.engines
        pairs = zip(self.engines, self.weights, strict=True)
        had = {one: (one.spending.seconds_spent / weight, len(one.running) / weight) for one, weight in pairs}
        return sorted(self.engines, key=lambda one: had[one])

    def _lacking(self, engine: Engine, runs: int, epochs: int | None) -> str | None:
        """Return why these exceed the search's share of the sweep's own or the common budget, or None."""
        for budget, engines in ((engine.plan.budget, [engine]), (self.budget, self.engines)):
            if budget != Budget():
                used, all_of = self._spent(engines), [one.spending for one in engines]
                why = lacking(budget, all_of, used, places=self.places, runs=runs, epochs=epochs)
                if why:
                    return why
        return None

    def _check_limits(self) -> None:
        if self.closing is None and self.asked_to_stop():
            self.close(INTERRUPTED)
        together = self._spent(self.engines)
        for engine in self.engines:
            own, budget = self._spent([engine]), engine.plan.budget
            engine.queue.full = exhausted(budget, own, STARTS) or exhausted(self.budget, together, STARTS)
            reason = exhausted(budget, own)
            if reason and not (engine.closing or engine.spending.through):
                engine.close(Closing("spent", reason))
        self.places = max(self.places, sum(len(engine.running) for engine in self.engines))
        through = all(engine.spending.through for engine in self.engines)
        if (reason := exhausted(self.budget, together)) and not (self.closing or through):
            self.close(Closing("spent", reason))

    def _spent(self, engines: Sequence[Engine]) -> dict[str, float]:
        """Return what engines have spent, in the units of a budget."""
        return {
            "runs": sum(engine.spending.runs for engine in engines),
            "epochs": sum(engine.spending.epochs_spent for engine in engines),
            "hours": self.hours + (self.clock() - self.began) / 3600,
            "gpu_hours": sum(engine.spending.gpu_hours for engine in engines),
        }


def exhausted(budget: Budget, used: Mapping[str, float], limits: Sequence[str] = LIMITS) -> str | None:
    """Return, in words, which of these limits of a budget is reached, or None."""
    for name in limits:
        limit = getattr(budget, name)
        if limit is not None and used[name] >= limit:
            return f"the budget of {limit:g} {name.replace('_', '-')} is spent"
    return None
