"""The Optuna study of a sweep, in a journal file that optuna-dashboard can watch.

A run is COMPLETE only at its last epoch, PRUNED with all its intermediate values when it was stopped, and FAIL
otherwise.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, TrialState

from sweeps.engine.runs import IssuedRun, StudyEntry
from sweeps.engine.sampler_view import Origin, running
from sweeps.planning import parameters
from sweeps.planning.plan import Plan

FILE = "study.log"
STATES = {"complete": TrialState.COMPLETE, "stopped": TrialState.PRUNED, "failed": TrialState.FAIL}


class Journal:
    """Optuna study in `storage` (None: a file in the directory); read when opened, only written to after that."""

    def __init__(
        self,
        plan: Plan,
        directory: Path,
        storage: BaseStorage | None,
        distributions: Mapping[str, BaseDistribution],
    ):
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.plan, self.distributions = plan, distributions
        self.study = self._open(directory, storage or _journal(directory / FILE))

    def issued(self) -> list[FrozenTrial]:
        """Return the trials of runs in order of issue; those that an interruption left unissued count as failed."""
        trials = self.study.get_trials(deepcopy=False)
        for trial in trials:
            if "number" not in trial.user_attrs and trial.state == TrialState.RUNNING:
                self.study.tell(trial.number, state=TrialState.FAIL)
        return [trial for trial in trials if "number" in trial.user_attrs]

    def add(
        self, run: IssuedRun, text: str, origin: Origin | None, memory: Mapping[str, Any] | None
    ) -> StudyEntry:
        """Add a run of the arm with this key: one journal entry, so that all of it is written or nothing."""
        known = {"seed": run.seed, "values": text, "number": run.number, "origin": origin}
        template = running(self.plan, self.distributions, json.loads(text), memory, known)
        study_id = self.study._study_id  # pyright: ignore[reportPrivateUsage]
        trial = self._storage.create_new_trial(study_id, template_trial=template)
        return StudyEntry(run, text, trial, self._storage.get_trial_number_from_id(trial), origin=origin)

    def recall(self, run: IssuedRun, trial: FrozenTrial) -> StudyEntry:
        """Read from a trial what it records of its run."""
        attributes = trial.user_attrs
        identifier = trial._trial_id  # pyright: ignore[reportPrivateUsage]
        entry = StudyEntry(
            run, attributes["values"], identifier, trial.number, origin=attributes.get("origin")
        )
        entry.unwell = attributes.get("unwell", False)
        entry.state = {state: name for name, state in STATES.items()}.get(trial.state, "running")
        entry.values = tuple(trial.values or ()) if entry.state == "complete" else ()
        entry.epoch = max(trial.intermediate_values, default=0)
        return entry

    def report(self, entry: StudyEntry, epoch: int, value: float) -> None:
        """Record an intermediate value; Optuna has none where there are several objectives."""
        if len(self.plan.objectives) == 1:
            self._storage.set_trial_intermediate_value(entry.trial, epoch, value)

    def tell(self, entry: StudyEntry, state: str, values: tuple[float, ...], *, unwell: bool) -> None:
        """Record how a run has ended."""
        if unwell:
            self._storage.set_trial_user_attr(entry.trial, "unwell", True)
        self.study.tell(entry.number, list(values) if state == "complete" else None, state=STATES[state])

    @property
    def _storage(self) -> Any:
        return self.study._storage  # pyright: ignore[reportPrivateUsage]

    def _open(self, directory: Path, storage: BaseStorage) -> optuna.Study:
        """Open the study; if the space was widened since, a new one beside the old, with all its trials."""
        shape = {name: parameters.as_text(d) for name, d in self.distributions.items()}
        known = optuna.get_all_study_summaries(storage, include_best_trial=False)
        names = [summary.study_name for summary in known]
        whole = [summary.study_name for summary in known if "distributions" in summary.user_attrs]
        old = optuna.load_study(study_name=whole[-1], storage=storage) if whole else None
        if old and old.user_attrs["distributions"] == shape:
            return old
        new = optuna.create_study(
            study_name=f"{directory.name}-{len(names) + 1}" if names else directory.name,
            storage=storage,
            directions=[objective.direction for objective in self.plan.objectives],
        )
        if old:
            new.add_trials([self._moved(t) for t in old.get_trials() if "number" in t.user_attrs])
        new.set_user_attr("distributions", shape)  # last: a study without it is not yet whole
        return new

    def _moved(self, trial: FrozenTrial) -> FrozenTrial:
        """Convert a trial of the former space to the present one."""
        params = parameters.of_arm(self.plan.space, json.loads(trial.user_attrs["values"]))
        trial.params = params
        trial.distributions = {name: self.distributions[name] for name in params}
        return trial


def _journal(path: Path) -> JournalStorage:
    _mend(path)
    # A killed driver may leave its lock; no other process writes, so it need not be honoured for long.
    return JournalStorage(JournalFileBackend(str(path), JournalFileSymlinkLock(str(path), grace_period=5)))


def _mend(journal: Path) -> None:
    """Cut off a half-written last line, left by a power cut or a full disk: Optuna would append to it."""
    if journal.is_file():
        os.truncate(journal, journal.read_bytes().rfind(b"\n") + 1)
