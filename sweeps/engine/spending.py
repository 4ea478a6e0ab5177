"""What a sweep has spent of its budget, and how far its confirmation has come."""

from sweeps.engine.ledger import Ledger
from sweeps.engine.run_queue import RunQueue
from sweeps.planning.plan import Plan


class Spending:
    """The spender of `planning.reserve` that an engine is; `devices` are the GPUs of a run."""

    def __init__(self, plan: Plan, ledger: Ledger, queue: RunQueue, *, default_arm: str, devices: float):
        self._plan, self.ledger, self.queue = plan, ledger, queue
        self.default_arm, self.devices = default_arm, devices

    @property
    def plan(self) -> Plan:
        """The plan that is carried out."""
        return self._plan

    @property
    def runs(self) -> int:
        """Runs that were begun here, not those of other sweeps."""
        return len(self.ledger.attempts) - len(self.ledger.reused)

    @property
    def epochs_spent(self) -> int:
        """Epochs that were trained here."""
        return self.ledger.epochs_spent

    @property
    def seconds_spent(self) -> float:
        """Seconds that these have taken."""
        return self.ledger.seconds_spent

    @property
    def gpu_hours(self) -> float:
        """Hours of GPUs that these have taken."""
        return self.seconds_spent * self.devices / 3600

    def under_way(self) -> int:
        """Epochs to go of the search's runs that were begun."""
        return self.queue.under_way()

    def confirmed(self) -> tuple[int, int]:
        """Runs of the confirmation and their epochs so far; while the search may yet find other arms, the default's."""
        if self.through:
            return self.plan.confirm_runs, self.plan.confirm_runs * self.plan.epochs
        again = [one for one in self.ledger.progress.values() if one.run.seed in self.plan.confirm_seeds]
        if not self.ledger.study.confirming:
            again = [one for one in again if one.run.arm == self.default_arm]
        return len(again), sum(one.epoch for one in again)

    @property
    def through(self) -> bool:
        """Whether all runs, to the last of the confirmation, have had all their epochs."""
        study = self.ledger.study
        left = any(self.ledger.left(run) > 0 for run in self.queue.running.values())
        return bool(self.plan.confirm) and study.confirming and not (left or study.more())
