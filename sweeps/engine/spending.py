"""Spending of a sweep against its budget, and progress of its confirmation."""

from sweeps.engine.ledger import Ledger
from sweeps.engine.run_queue import RunQueue
from sweeps.planning.plan import Plan


class Spending:
    """The engine's side of `planning.reserve.Spender`; `devices` is the number of GPUs of a run."""

    def __init__(self, plan: Plan, ledger: Ledger, queue: RunQueue, *, default_arm: str, devices: float):
        self._plan, self.ledger, self.queue = plan, ledger, queue
        self.default_arm, self.devices = default_arm, devices

    @property
    def plan(self) -> Plan:
        """The plan that is carried out."""
        return self._plan

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
        return self.seconds_spent * self.devices / 3600

    def under_way(self) -> int:
        """Epochs left of the search's started runs."""
        return self.queue.under_way()

    def confirmed(self) -> tuple[int, int]:
        """Confirmation runs and their epochs so far; only the default's while the search may still find other arms."""
        if self.through:
            return self.plan.confirm_runs, self.plan.confirm_runs * self.plan.epochs
        again = [one for one in self.ledger.progress.values() if one.run.seed in self.plan.confirm_seeds]
        if not self.ledger.study.confirming:
            again = [one for one in again if one.run.arm == self.default_arm]
        return len(again), sum(one.epoch for one in again)

    @property
    def through(self) -> bool:
        """Whether all runs, those of the confirmation included, have had all their epochs."""
        study = self.ledger.study
        left = any(self.ledger.left(run) > 0 for run in self.queue.running.values())
        return bool(self.plan.confirm) and study.confirming and not (left or study.more())
