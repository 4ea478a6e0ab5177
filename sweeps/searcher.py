"""The only place where Optuna meets Ray: an ask-and-tell searcher that tells the study the truth.

Ray's own adapter tells Optuna that runs stopped early are complete, with the score they had then.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import optuna
from ray.tune.search import Searcher

from sweeps.study import Run, State, Study

METRIC = "knn_top1"

Record = Callable[[Run, State, str, int], None]
"""Told of a run's new state: run, state, reason, epochs."""
Seen = Callable[[Run, int, float], None]
"""Told of each report once: run, epoch, value."""


@dataclass
class _Live:
    asked: optuna.Trial
    run: Run
    stopped: str | None = None
    died: str = ""
    epoch: int = 0
    value: float | None = None


class Search(Searcher):
    """Issues runs to Ray Tune, unfinished ones first, and records how each ends.

    Tune copies and pickles its searcher for a restore that is not used here: copies are the searcher itself,
    and pickles are empty.
    """

    def __init__(self, study: Study, *, record: Record, seen: Seen, attempts: Mapping[str, int]):
        super().__init__(metric=METRIC, mode="max")
        self.study, self.record, self.seen, self.attempts = study, record, seen, attempts
        self.left_behind = study.unfinished()
        self.live: dict[str, _Live] = {}

    def suggest(self, trial_id: str) -> Any:
        """The next run as Tune's config, or FINISHED."""
        asked = self.left_behind.pop(0) if self.left_behind else self.study.ask()
        if asked is None:
            return Searcher.FINISHED
        run = replace(asked[1], attempt=self.attempts.get(asked[1].identity, 0))
        self.live[trial_id] = _Live(asked[0], run)
        self.record(run, "running", "", 0)
        return run.to_dict()

    def observe(self, trial_id: str, result: Mapping[str, Any]) -> Run | None:
        """Passes a report to the study; returns whose it is, or None if it carries no usable value."""
        live = self.live.get(trial_id)
        if live is None or not math.isfinite(result.get(METRIC, math.nan)):
            return None
        if result["epoch"] > live.epoch:  # the last report of a run may come twice, as report and as its end
            live.epoch, live.value = result["epoch"], result[METRIC]
            self.study.report(live.asked, live.epoch, result[METRIC])
            self.seen(live.run, live.epoch, result[METRIC])
        return live.run

    def mark_stopped(self, trial_id: str, reason: str) -> None:
        """The stopper has ended this run."""
        self.live[trial_id].stopped = reason

    def mark_died(self, trial_id: str, error: str) -> None:
        """The run's process has died, and what Ray says of it."""
        self.live[trial_id].died = error

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Reports reach the study through the scheduler, which must see them first."""

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Records the end of a run in the store, then in the study."""
        result = result or {}
        self.observe(trial_id, result)
        live = self.live.pop(trial_id, None)
        if live is None:
            return
        state, reason = _ending(live, result, error)
        self.record(live.run, state, reason, live.epoch)
        self.study.tell(live.asked, state, live.value)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Search":
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing: study and store are the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: study and store are the state."""


def _ending(live: _Live, result: Mapping[str, Any], error: bool) -> tuple[State, str]:
    if live.stopped:
        return "stopped", live.stopped
    if error:
        return "failed", f"the process of the run died after epoch {live.epoch}: {live.died}"
    if result.get("failed") or live.epoch < live.run.trial.epochs:
        return "failed", str(result.get("failed", f"ended after epoch {live.epoch} without a word"))
    return "complete", ""
