"""The study of a sweep: together with the store's rows all that a resumed sweep needs."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from contrastive.config import arm, identity
from sweeps.engine.journal import Journal
from sweeps.engine.runs import IssuedRun, StudyEntry
from sweeps.engine.sampler_view import Origin, SamplerView
from sweeps.engine.standings import Standings
from sweeps.planning import parameters
from sweeps.planning.designs import ADAPTIVE, key, known_arms
from sweeps.planning.plan import Plan, Values


@dataclass
class Study:
    """The sweep's Optuna study: its runs, their reports and their ends.

    Whatever is asked often is kept in memory; the journal is read when it is opened, and only written to
    after that.
    """

    plan: Plan
    fingerprint: str
    directory: Path
    storage: BaseStorage | None = None
    """Storage of the trials; None: a journal in the directory."""
    entries: dict[str, StudyEntry] = field(default_factory=dict[str, StudyEntry], init=False)
    """Entries by run, in order of issue."""

    def __post_init__(self) -> None:
        self._waiting: deque[tuple[str, int]] = deque()
        self._known: dict[str, set[int]] = {}
        self._open_runs: dict[str, IssuedRun] = {}
        self._origins: dict[str, Origin | None] = {}
        self._exhausted = False
        self.confirming = False
        self.standings, self.view = Standings(self.plan), SamplerView(self.plan)
        self.journal = Journal(self.plan, self.directory, self.storage, self.view.distributions)
        for trial in self.journal.issued():
            self._recall(trial)
        self._fill()

    @cached_property
    def default_arm(self) -> str:
        """The arm that everything is compared with, by its digest."""
        return arm(self.plan.space.base, self.fingerprint)

    @property
    def study(self) -> optuna.Study:
        """Optuna's own."""
        return self.journal.study

    def ask(self) -> IssuedRun | None:
        """Return the next run; None if nothing can start yet."""
        if not self._waiting and self.plan.design == "path":
            self._fill()
        if not self._waiting:
            return self._sample() if self.plan.design in ADAPTIVE and self.more() else None
        text, seed = self._waiting.popleft()
        return self._issue(text, seed, self._origin(text))

    def more(self) -> bool:
        """Return whether the search still has runs to issue."""
        grows = self.plan.design in (*ADAPTIVE, "path") and not self._exhausted and not self.confirming
        return bool(self._waiting) or (grows and len(self._known) < self.plan.arms)

    def block(self) -> int:
        """Return how many of the next runs belong to one arm."""
        if not self._waiting:
            return len(self.plan.seeds)
        return sum(1 for _ in takewhile(lambda one: one[0] == self._waiting[0][0], self._waiting))

    def confirm(self) -> None:
        """Enqueue the best arms of the search and the default on fresh seeds; the search starts no further runs."""
        self.confirming = True
        self._waiting.clear()
        if not self.plan.confirm:
            return
        default = key(self.plan.space.default())
        ranked = (*self.standings.ranking(), *self.standings.partial_ranking())
        best = [text for text in ranked if text != default][: self.plan.confirm.arms]
        for seed in self.plan.confirm_seeds:
            for text in [default, *best]:
                self._enqueue(text, seed)

    def planned(self) -> list[str]:
        """Return the runs that are known to come, by identity; of a search only its first ones."""
        return [self._run(text, seed, 0).identity for text, seed in self._waiting]

    def unfinished(self) -> list[IssuedRun]:
        """Return the runs that were issued and have not ended: interrupted and paused ones."""
        return list(self._open_runs.values())

    def report(self, run: str, epoch: int, value: float, others: tuple[float, ...] = ()) -> None:
        """Add the values of the objectives after an epoch, once."""
        entry = self.entries[run]
        self._look_at(entry, epoch, (value, *others))
        if epoch > entry.epoch and entry.state == "running":
            entry.epoch = epoch
            self.journal.report(entry, epoch, value)

    def tell(self, run: str, state: str, values: tuple[float, ...] = (), *, unwell: bool = False) -> None:
        """End a run: "complete" with the values of the objectives, "stopped" or "failed".

        `unwell`: it was stopped by the guard, not because others were better.
        """
        entry = self.entries[run]
        self.journal.tell(entry, state, values, unwell=unwell)
        entry.state, entry.values = state, values if state == "complete" else ()
        entry.unwell = unwell
        self._remember(entry)

    def retry(self, run: str) -> IssuedRun:
        """Retry a failed run: the same run, as another trial of Optuna's."""
        entry = self.entries[run]
        self._issue(entry.arm, entry.run.seed, entry.origin, number=entry.run.number)
        return self.entries[run].run

    def _recall(self, trial: FrozenTrial) -> None:
        """Restore an issued run from the journal; of several trials of one run the last counts."""
        attributes = trial.user_attrs
        run = self._run(attributes["values"], attributes["seed"], attributes["number"])
        entry = self.journal.recall(run, trial)
        self._remember(entry, parameters.memory(trial.system_attrs))
        for epoch, value in trial.intermediate_values.items():
            self._look_at(entry, epoch, (value,))

    def _remember(self, entry: StudyEntry, memory: Mapping[str, Any] | None = None) -> None:
        """Keep an issued run in memory, and of a new arm what the sampler has to remember of it."""
        run = entry.run
        self.entries[run.identity] = entry
        self.view.add(entry.arm, json.loads(entry.arm), memory or {})
        if run.seed in self.plan.seeds:
            self.view.judge(entry.arm, run.seed, failed=entry.state == "failed", unwell=entry.unwell)
        self._known.setdefault(entry.arm, set()).add(run.seed)
        self._origins.setdefault(entry.arm, entry.origin)
        self.standings.update(entry)
        if entry.state == "running":
            self._open_runs[run.identity] = run
        else:
            self._open_runs.pop(run.identity, None)

    def _fill(self) -> None:
        """Enqueue every known arm on every seed that it lacks, whatever was interrupted before.

        Where arms may be stopped, one after the other: they are judged by the mean over their seeds, and one that
        was stopped gets no more. Else seed by seed, so that what has finished at any moment is comparable.
        """
        issued = dict.fromkeys(e.arm for e in self.entries.values() if e.run.seed in self.plan.seeds)
        known = [arm for arm in map(key, known_arms(self.plan, self.standings.scores())) if arm not in issued]
        room = max(0, self.plan.arms - len(issued))  # a space may have been widened: its arms are others then
        arms = [arm for arm in (*issued, *known[:room]) if arm not in self.standings.given_up]
        runs = [(text, seed) for seed in self.plan.seeds for text in arms]
        if self.plan.stopper.meetings(self.plan.epochs):
            runs = [(text, seed) for text in arms for seed in self.plan.seeds]
        for text, seed in runs:
            self._enqueue(text, seed)

    def _enqueue(self, text: str, seed: int) -> None:
        seeds = self._known.setdefault(text, set())
        if seed not in seeds:
            seeds.add(seed)
            self._waiting.append((text, seed))

    def _look_at(self, entry: StudyEntry, epoch: int, values: tuple[float, ...]) -> None:
        """Show the sampler a report; runs on fresh seeds are no part of the search."""
        if entry.run.seed in self.plan.seeds:
            self.view.report(entry.arm, entry.run.seed, epoch, values)

    def _origin(self, text: str) -> Origin | None:
        """Return the origin of an arm not asked of the sampler: it was known before, or is on another seed."""
        known = "published" if self.plan.design in ADAPTIVE else "listed"
        return self._origins.get(text, "default" if text == key(self.plan.space.default()) else known)

    def _issue(
        self,
        text: str,
        seed: int,
        origin: Origin | None,
        memory: Mapping[str, Any] | None = None,
        *,
        number: int | None = None,
    ) -> IssuedRun:
        """Record and return a run of a known arm."""
        run = self._run(text, seed, len(self.entries) if number is None else number)
        self._remember(self.journal.add(run, text, origin, memory), memory)
        return run

    def _sample(self) -> IssuedRun | None:
        """Sample an arm, on the first seed; its other seeds follow."""
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
        """Return whether a proposal can be an arm: it satisfies the constraints and was not run before."""
        return self.plan.space.allows(self.plan.space.config(values)) and key(values) not in self._known

    def _run(self, text: str, seed: int, number: int) -> IssuedRun:
        config, images = self.plan.run(json.loads(text), seed), self.fingerprint
        return IssuedRun(number, identity(config, images), arm(config, images), seed, config)
