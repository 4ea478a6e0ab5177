"""Thin adapter between Ray Tune and the arbiter, which decides everything.

Ray's own adapter of Optuna tells it that runs stopped early are complete, with the score they had then.
"""

from collections.abc import Mapping
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from sweeps.backend.worker import ENDINGS
from sweeps.engine.arbiter import Arbiter, Issued
from sweeps.engine.runs import METRIC

METRICS = "metrics/"


class Search(Searcher):
    """Tune searcher that hands the arbiter's runs to Tune, and the ends of runs to the arbiter.

    Tune copies and pickles its searcher for a restore that is not used here: copies are the searcher itself,
    and pickles are empty.
    """

    def __init__(self, arbiter: Arbiter):
        super().__init__(metric=METRIC, mode="max")
        self.arbiter = arbiter
        self.live: dict[str, Issued] = {}
        self.errors: dict[str, str] = {}

    def suggest(self, trial_id: str) -> Any:
        """Return the next run as Tune's config, None to be asked again later, or FINISHED."""
        issued = self.arbiter.issue()
        if isinstance(issued, Issued):
            self.live[trial_id] = issued
            return {**issued.run.to_dict(), "sweep": str(issued.engine.study.directory)}
        return None if issued else Searcher.FINISHED

    def goes_on(self, trial_id: str, result: Mapping[str, Any]) -> bool:
        """Pass a report to the arbiter; return whether the run goes on."""
        issued = self.live[trial_id]
        if any(word in result for word in ENDINGS):
            return True  # it ends by itself
        return self.arbiter.report(issued, result["epoch"], _metrics(result), host=result.get("hostname", ""))

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Do nothing: reports reach the arbiter through the scheduler, which must see them first."""

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the arbiter how a run has ended."""
        issued = self.live.pop(trial_id, None)
        if issued is None:
            return
        result = result or {}
        if metrics := _metrics(result):  # the last report of a run may come as its end only
            self.arbiter.report(issued, result["epoch"], metrics, host=result.get("hostname", ""))
        died = f"the process of the run died: {self.errors.pop(trial_id, '')}" if error else None
        issued.engine.end(issued.run, failed=died or result.get("failed"), diverged=result.get("diverged"))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Search":
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing: study and store are the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: study and store are the state."""


class Scheduler(FIFOScheduler):
    """Tune scheduler that ends a run where the arbiter says so, at the report that decided it.

    It also tells watchers that training has begun: given any callback, Tune imports mlflow, wandb and comet.
    """

    def __init__(self, search: Search):
        super().__init__()
        self.search = search
        self.waiting = [engine.ledger.watcher for engine in search.arbiter.engines]

    def __deepcopy__(self, memo: dict[int, Any]) -> "Scheduler":
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {}  # for a restore that is not used here

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Tell the watchers, once, if the process of a run has started; Tune asks at every step."""
        if self.waiting and any(trial.status == Trial.RUNNING for trial in tune_controller.get_trials()):
            while self.waiting:
                self.waiting.pop().training()
        return super().choose_trial_to_run(tune_controller)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Answer Tune's question after each report."""
        goes_on = self.search.goes_on(trial.trial_id, result)
        return TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Tell the arbiter that the run's process has died and will not be restarted."""
        self.search.errors[trial.trial_id] = str(trial.get_error())
        super().on_trial_error(tune_controller, trial)


def _metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """What the run itself has reported; Tune adds much of its own, and flattens what is nested."""
    return {
        name.removeprefix(METRICS): float(value) for name, value in result.items() if name.startswith(METRICS)
    }
