"""Which runs a sweep has, what they reported and how they ended: an Optuna study in a journal file.

A run is COMPLETE only at its last epoch, PRUNED with all its intermediate values when it was stopped, and FAIL
otherwise; optuna-dashboard can watch. With the store's rows it is all that a resumed sweep needs.
"""

import json
import os
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, TrialState

from contrastive.config import Config, arm, identity, to_dict
from sweeps.engine.sampler_view import Origin, SamplerView
from sweeps.planning import parameters
from sweeps.planning.designs import ADAPTIVE, known_arms
from sweeps.planning.plan import Plan, Values, key

FILE = "study.log"
STATES = {"complete": TrialState.COMPLETE, "stopped": TrialState.PRUNED, "failed": TrialState.FAIL}


@dataclass(frozen=True)
class IssuedRun:
    """One arm on one seed, as issued."""

    number: int
    identity: str
    arm: str
    seed: int
    config: Config
    attempt: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {**vars(self), "config": to_dict(self.config)}

    def row(self) -> dict[str, Any]:
        """The columns of a row of runs that say which run it is of."""
        columns = {name: value for name, value in vars(self).items() if name not in ("identity", "config")}
        return {"run": self.identity, "config": to_dict(self.config), **columns}


@dataclass
class StudyEntry:
    """What the study knows of a run; `arm` is the key of its values, `trial` and `number` are Optuna's."""

    run: IssuedRun
    arm: str
    trial: int
    number: int
    state: str = "running"
    values: tuple[float, ...] = ()
    epoch: int = 0
    origin: Origin | None = None
    """Who has proposed the arm; None in studies that were begun before this was kept."""
    unwell: bool = False
    """It was stopped for its own health, not for others that were better."""


@dataclass
class Study:
    """The sweep's Optuna study: which runs exist, what they reported and how they ended.

    All that is asked of it often is kept in memory; the journal is read when it is opened, and only written to
    after that.
    """

    plan: Plan
    fingerprint: str
    directory: Path
    storage: BaseStorage | None = None
    """Where the trials are; None: a journal in the directory."""
    entries: dict[str, StudyEntry] = field(default_factory=dict[str, StudyEntry], init=False)
    """By run, in order of issue."""

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._waiting: deque[tuple[str, int]] = deque()
        self._known: dict[str, set[int]] = {}
        self._open_runs: dict[str, IssuedRun] = {}
        self._ended: dict[str, dict[int, float | None]] = {}
        self._origins: dict[str, Origin | None] = {}
        self._given_up: set[str] = set()
        """Arms that were stopped: they get no more seeds."""
        self._exhausted = False
        self.confirming = False
        self.view = SamplerView(self.plan)
        self.distributions = self.view.distributions
        self.study = self._open()
        for trial in self.study.get_trials(deepcopy=False):
            if "number" in trial.user_attrs:
                self._recall(trial)
            elif trial.state == TrialState.RUNNING:  # asked in the moment of an interruption, never issued
                self.study.tell(trial.number, state=TrialState.FAIL)
        self._fill()

    def ask(self) -> IssuedRun | None:
        """The next run; None if nothing can start yet."""
        if not self._waiting and self.plan.design == "path":
            self._fill()
        if not self._waiting and self.more():
            return self._sample() if self.plan.design in ADAPTIVE else None
        if not self._waiting:
            return None
        text, seed = self._waiting.popleft()
        return self._issue(text, seed, self._origin(text))

    def more(self) -> bool:
        """Whether the search still has runs to issue."""
        grows = self.plan.design in (*ADAPTIVE, "path") and not self._exhausted and not self.confirming
        return bool(self._waiting) or (grows and len(self._known) < self.plan.arms)

    def block(self) -> int:
        """How many runs come next that are of one arm."""
        if not self._waiting:
            return len(self.plan.seeds)
        return sum(1 for _ in takewhile(lambda one: one[0] == self._waiting[0][0], self._waiting))

    def confirm(self) -> None:
        """Enqueues the best arms of the search and the default on fresh seeds; the search begins nothing more."""
        self.confirming = True
        self._waiting.clear()
        if not self.plan.confirm:
            return
        default = key(self.plan.space.default())
        best = [text for text in (*self.ranking(), *self._partly()) if text != default]
        best = best[: self.plan.confirm.arms]
        for seed in self.plan.confirm_seeds:
            for text in [default, *best]:
                self._enqueue(text, seed)

    def _partly(self) -> list[str]:
        """Keys of the arms that are complete on some seeds when the search ends before the others: most seeds first."""
        found = {text: tuple(ended.values()) for text, ended in self._ended.items() if not self.decided(text)}
        scores = {
            text: (len(values), mean) for text, values in found.items() if (mean := _mean(values)) is not None
        }
        return sorted(scores, key=lambda text: scores[text], reverse=True)

    def ranking(self) -> list[str]:
        """Keys of the arms that are complete on every seed of the search, the best mean first objective first."""
        scores = {text: score for text, score in self.scores().items() if score is not None}
        return sorted(scores, key=lambda text: -scores[text])

    def scores(self) -> dict[str, float | None]:
        """Mean first objective of each arm that has ended on every seed, greater is better; None if any failed."""
        return {text: _mean(ended.values()) for text, ended in self._ended.items() if self.decided(text)}

    def score(self, text: str) -> float | None:
        """The score of one arm, None also while it has not ended on every seed."""
        return _mean(self._ended[text].values()) if self.decided(text) else None

    def decided(self, text: str) -> bool:
        """Whether an arm has ended on every seed of the search, one way or another, or gets no more of them."""
        return len(self._ended.get(text, {})) == len(self.plan.seeds) or text in self._given_up

    def planned(self) -> list[str]:
        """The runs that are known to come, by their identity: of a search the first of it."""
        return [self._run(text, seed, 0).identity for text, seed in self._waiting]

    def unfinished(self) -> list[IssuedRun]:
        """Runs that were issued and have not ended: what an interrupted sweep left behind, and paused ones."""
        return list(self._open_runs.values())

    def dropped(self, run: IssuedRun) -> str:
        """What an arm of a space that lists its arms leaves out, or whatever else it is called; "" of the default."""
        if not self.plan.space.alternatives:
            return ""
        name = self.plan.space.named_arms.name_of(json.loads(self.entries[run.identity].arm))
        return "" if name == self.plan.space.base_name else name

    def report(self, run: str, epoch: int, value: float, others: tuple[float, ...] = ()) -> None:
        """Adds the value of the first objective after an epoch, and those of the others, once.

        Optuna has no intermediate values where there are several objectives.
        """
        entry = self.entries[run]
        self._look_at(entry, epoch, (value, *others))
        if epoch > entry.epoch and entry.state == "running":
            entry.epoch = epoch
            if len(self.plan.objectives) == 1:
                self._storage.set_trial_intermediate_value(entry.trial, epoch, value)

    def tell(self, run: str, state: str, values: tuple[float, ...] = (), *, unwell: bool = False) -> None:
        """Ends a run: "complete" with the values of the objectives, "stopped" or "failed".

        `unwell`: it was stopped for its own health, not for others that were better.
        """
        entry = self.entries[run]
        if unwell:
            self._storage.set_trial_user_attr(entry.trial, "unwell", True)
        self.study.tell(entry.number, list(values) if state == "complete" else None, state=STATES[state])
        entry.state, entry.values = state, values if state == "complete" else ()
        entry.unwell = unwell
        self._remember(entry)

    def retry(self, run: str) -> IssuedRun:
        """Takes up again a run that has failed: the same run, another trial of Optuna's."""
        entry = self.entries[run]
        self._issue(entry.arm, entry.run.seed, entry.origin, number=entry.run.number)
        return self.entries[run].run

    @property
    def _storage(self) -> Any:
        return self.study._storage  # pyright: ignore[reportPrivateUsage]

    def _open(self) -> optuna.Study:
        """The study; a new one beside the old, with all its trials, if the space was widened since."""
        storage = self.storage or _journal(self.directory / FILE)
        shape = {name: parameters.as_text(d) for name, d in self.distributions.items()}
        known = optuna.get_all_study_summaries(storage, include_best_trial=False)
        names = [summary.study_name for summary in known]
        whole = [summary.study_name for summary in known if "distributions" in summary.user_attrs]
        old = optuna.load_study(study_name=whole[-1], storage=storage) if whole else None
        if old and old.user_attrs["distributions"] == shape:
            return old
        new = optuna.create_study(
            study_name=f"{self.directory.name}-{len(names) + 1}" if names else self.directory.name,
            storage=storage,
            directions=[objective.direction for objective in self.plan.objectives],
        )
        if old:
            new.add_trials([self._moved(t) for t in old.get_trials() if "number" in t.user_attrs])
        new.set_user_attr("distributions", shape)  # last: a study without it is not yet whole
        return new

    def _moved(self, trial: FrozenTrial) -> FrozenTrial:
        """A trial of the space as it was, in the space as it is."""
        params = parameters.of_arm(self.plan.space, json.loads(trial.user_attrs["values"]))
        trial.params = params
        trial.distributions = {name: self.distributions[name] for name in params}
        return trial

    def _recall(self, trial: FrozenTrial) -> None:
        """An issued run, from the journal; of several trials of one run the last counts."""
        attributes = trial.user_attrs
        run = self._run(attributes["values"], attributes["seed"], attributes["number"])
        identifier = trial._trial_id  # pyright: ignore[reportPrivateUsage]
        entry = StudyEntry(
            run, attributes["values"], identifier, trial.number, origin=attributes.get("origin")
        )
        entry.unwell = attributes.get("unwell", False)
        entry.state = {state: name for name, state in STATES.items()}.get(trial.state, "running")
        entry.values = tuple(trial.values or ()) if entry.state == "complete" else ()
        entry.epoch = max(trial.intermediate_values, default=0)
        self._remember(entry, parameters.memory(trial.system_attrs))
        for epoch, value in trial.intermediate_values.items():
            self._look_at(entry, epoch, (value,))

    def _remember(self, entry: StudyEntry, memory: Mapping[str, Any] | None = None) -> None:
        """Keeps what is asked often at hand, and of a new arm what the sampler has to remember of it."""
        run, sign = entry.run, 1 if self.plan.objectives[0].direction == "maximize" else -1
        self.entries[run.identity] = entry
        self.view.add(entry.arm, json.loads(entry.arm), memory or {})
        if run.seed in self.plan.seeds:
            self.view.judge(entry.arm, run.seed, failed=entry.state == "failed", unwell=entry.unwell)
        self._known.setdefault(entry.arm, set()).add(run.seed)
        self._origins.setdefault(entry.arm, entry.origin)
        if entry.state == "running":
            self._open_runs[run.identity] = run
            self._ended.get(entry.arm, {}).pop(run.seed, None)
            return
        self._open_runs.pop(run.identity, None)
        if run.seed in self.plan.seeds:
            value = sign * entry.values[0] if entry.state == "complete" else None
            self._ended.setdefault(entry.arm, {})[run.seed] = value
            stoppable = self.plan.stopper.meetings(self.plan.epochs)
            if entry.state == "stopped" and stoppable and entry.arm != key(self.plan.space.default()):
                self._given_up.add(entry.arm)

    def _fill(self) -> None:
        """Enqueues every known arm on every seed where it is not yet, whatever was interrupted before.

        Where arms may be stopped, one after the other: they are judged by the mean over their seeds, and one that
        was stopped gets no more. Else seed by seed, so that what has finished at any moment is comparable.
        """
        issued = dict.fromkeys(e.arm for e in self.entries.values() if e.run.seed in self.plan.seeds)
        known = [arm for arm in map(key, known_arms(self.plan, self.scores())) if arm not in issued]
        room = max(0, self.plan.arms - len(issued))  # a space may have been widened: its arms are others then
        arms, seeds = [arm for arm in (*issued, *known[:room]) if arm not in self._given_up], self.plan.seeds
        if self.plan.stopper.meetings(self.plan.epochs):
            runs = [(text, seed) for text in arms for seed in seeds]
        else:
            runs = [(text, seed) for seed in seeds for text in arms]
        for text, seed in runs:
            self._enqueue(text, seed)

    def _enqueue(self, text: str, seed: int) -> None:
        seeds = self._known.setdefault(text, set())
        if seed not in seeds:
            seeds.add(seed)
            self._waiting.append((text, seed))

    def _look_at(self, entry: StudyEntry, epoch: int, values: tuple[float, ...]) -> None:
        """Shows the sampler a report; those on fresh seeds had no part in the search."""
        if entry.run.seed in self.plan.seeds:
            self.view.report(entry.arm, entry.run.seed, epoch, values)

    def _origin(self, text: str) -> Origin | None:
        """Who has proposed an arm that is not asked of the sampler: it was known before, or is on another seed."""
        if text in self._origins:
            return self._origins[text]
        if text == key(self.plan.space.default()):
            return "default"
        return "published" if self.plan.design in ADAPTIVE else "listed"

    def _issue(
        self,
        text: str,
        seed: int,
        origin: Origin | None,
        memory: Mapping[str, Any] | None = None,
        *,
        number: int | None = None,
    ) -> IssuedRun:
        """A run of a known arm: one entry in the journal that has all of it, or none of it."""
        params = parameters.of_arm(self.plan.space, json.loads(text))
        run = self._run(text, seed, len(self.entries) if number is None else number)
        template = FrozenTrial(
            number=-1,
            trial_id=-1,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=datetime.now(),  # Optuna's times are the clock's on the wall, without a zone
            datetime_complete=None,
            params=params,
            distributions={name: self.distributions[name] for name in params},
            user_attrs={"seed": seed, "values": text, "number": run.number, "origin": origin},
            system_attrs=dict(memory or {}),
            intermediate_values={},
        )
        study_id = self.study._study_id  # pyright: ignore[reportPrivateUsage]
        trial = self._storage.create_new_trial(study_id, template_trial=template)
        number_there = self._storage.get_trial_number_from_id(trial)
        self._remember(StudyEntry(run, text, trial, number_there, origin=origin), memory)
        return run

    def _sample(self) -> IssuedRun | None:
        """An arm that the sampler asks for, on the first seed; its other seeds follow."""
        proposal = self.view.ask(self._allows)
        if proposal is None:
            self._exhausted = True
            return None
        text = key(proposal.values)
        run = self._issue(text, self.plan.seeds[0], proposal.origin, proposal.memory)
        for seed in self.plan.seeds[1:]:
            self._enqueue(text, seed)
        return run

    def _allows(self, values: Values) -> bool:
        """Whether a proposal of the sampler can be an arm: it keeps the constraints, and was not run before."""
        return self.plan.space.allows(self.plan.space.config(values)) and key(values) not in self._known

    def _run(self, text: str, seed: int, number: int) -> IssuedRun:
        config = self.plan.run(json.loads(text), seed)
        return IssuedRun(
            number, identity(config, self.fingerprint), arm(config, self.fingerprint), seed, config
        )


def _mean(values: Collection[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def _journal(path: Path) -> JournalStorage:
    _mend(path)
    # A killed driver may leave its lock; no other process writes, so it need not be honoured for long.
    return JournalStorage(JournalFileBackend(str(path), JournalFileSymlinkLock(str(path), grace_period=5)))


def _mend(journal: Path) -> None:
    """Cuts off a line that a power cut or a full disk left half written: Optuna would write on behind it."""
    if journal.is_file():
        os.truncate(journal, journal.read_bytes().rfind(b"\n") + 1)
