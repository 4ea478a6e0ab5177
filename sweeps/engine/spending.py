"""Spending of a sweep against its budget, progress of its confirmation, and what the search may still spend."""

import math
from collections.abc import Mapping, Sequence

from sweeps.engine.ledger import Ledger
from sweeps.engine.run_queue import RunQueue
from sweeps.planning.plan import Budget

LONGER = 1.1
"""Safety factor on the reserve of time, which can only be estimated."""


class Spending:
    """Runs, epochs and time of a sweep so far."""

    def __init__(self, ledger: Ledger, queue: RunQueue):
        self.ledger, self.queue, self.plan = ledger, queue, ledger.study.plan

    @property
    def runs(self) -> int:
        """Number of runs started here; reused ones do not count."""
        return len(self.ledger.attempts) - len(self.ledger.reused)

    @property
    def epochs_spent(self) -> int:
        """Number of epochs trained here."""
        return self.ledger.epochs_spent

    @property
    def seconds_spent(self) -> float:
        """Seconds of these epochs."""
        return self.ledger.seconds_spent

    @property
    def gpu_hours(self) -> float:
        """GPU hours of these epochs."""
        return self.seconds_spent * self.ledger.gpus / 3600

    def under_way(self) -> int:
        """Epochs left of the search's started runs."""
        return self.queue.under_way()

    def confirmed(self) -> tuple[int, int]:
        """Confirmation runs and their epochs so far; only the default's while the search may still find other arms."""
        if self.through:
            return self.plan.confirm_runs, self.plan.confirm_runs * self.plan.epochs
        again = [one for one in self.ledger.progress.values() if one.run.seed in self.plan.confirm_seeds]
        if not self.ledger.study.confirming:
            again = [one for one in again if one.run.arm == self.ledger.study.default_arm]
        return len(again), sum(one.epoch for one in again)

    @property
    def through(self) -> bool:
        """Whether all runs, those of the confirmation included, have had all their epochs."""
        study = self.ledger.study
        left = any(self.ledger.left(run) > 0 for run in self.queue.running.values())
        return bool(self.plan.confirm) and study.confirming and not (left or study.more())


def lacking(
    budget: Budget,
    spenders: Sequence[Spending],
    used: Mapping[str, float],
    *,
    places: int,
    runs: int,
    epochs: int | None,
) -> str | None:
    """Say why these runs or epochs exceed the search's share of a budget; None if they fit.

    Args:
        budget: of all spenders together.
        spenders: the sweeps; if none has a confirmation, there is no reserve.
        used: spending so far, in the units of the budget.
        places: number of runs trained at once.
        runs: number of runs to start.
        epochs: epochs of a run to come, beside those in training; None: check whether any of the share is left.
    """
    if not any(one.plan.confirm for one in spenders):
        return None
    kept = {"runs": float(sum(one.plan.confirm_runs - one.confirmed()[0] for one in spenders))}
    kept["epochs"] = float(sum(_epochs(one) for one in spenders))
    wanted = {"runs": float(runs), "epochs": float(epochs or 0)}
    if epochs is not None:
        wanted["epochs"] += sum(one.under_way() for one in spenders)
    for name, price in _prices(spenders, used, places).items():
        whole = math.ceil(kept["runs"] / places) * places / kept["runs"] if kept["runs"] else 1.0
        kept[name] = LONGER * price * kept["epochs"] * (whole if name == "hours" else 1.0)
        wanted[name] = price * wanted["epochs"]
    for name, held in kept.items():
        limit = getattr(budget, name)
        if limit is not None and used[name] + held + wanted[name] > limit:
            estimated = " (an estimate)" if name not in ("runs", "epochs") else ""
            return (
                f"the search has had its share of the budget of {limit:g} {name.replace('_', '-')}: {held:.3g}"
                f"{estimated} are kept for the confirmation"
            )
    return None


def _epochs(one: Spending) -> int:
    return one.plan.confirm_runs * one.plan.epochs - one.confirmed()[1]


def _prices(spenders: Sequence[Spending], used: Mapping[str, float], places: int) -> dict[str, float]:
    """Return the measured hours of an epoch; nothing before the first."""
    epochs = sum(one.epochs_spent for one in spenders)
    if not epochs:
        return {}
    hours = sum(one.seconds_spent for one in spenders) / epochs / 3600
    return {"hours": hours / places, "gpu_hours": used["gpu_hours"] / epochs}
