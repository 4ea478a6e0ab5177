"""Which runs a sweep has, what they reported and how they ended: an Optuna study in a journal file.

A run is COMPLETE only at its last epoch, PRUNED with all its intermediate values when it was stopped, and FAIL
otherwise; optuna-dashboard can watch. With the store's rows it is all that a resumed sweep needs.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import TrialState

from contrastive.config import Trial, arm, identity, to_dict
from search_spaces.domains import Choice, Domain, LogUniform
from sweeps.plan import Plan, fixed_arms, key

FILE = "study.log"
TRIES = 300
"""Proposals in a row that may break a constraint or repeat an arm before the space counts as exhausted."""

State = Literal["running", "complete", "stopped", "failed"]


@dataclass(frozen=True)
class Run:
    """One arm on one seed, as issued."""

    number: int
    identity: str
    arm: str
    seed: int
    trial: Trial
    attempt: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {**vars(self), "trial": to_dict(self.trial)}

    def row(self) -> dict[str, Any]:
        """The columns of a trials row that say which run it is of."""
        columns = {name: value for name, value in vars(self).items() if name not in ("identity", "trial")}
        return {"trial": self.identity, "config": to_dict(self.trial), **columns}


class Study:
    """The sweep's Optuna study: which runs exist, what they reported and how they ended."""

    def __init__(self, plan: Plan, fingerprint: str, directory: Path):
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.plan, self.fingerprint = plan, fingerprint
        _mend(directory / FILE)
        path = str(directory / FILE)
        # A killed driver may leave its lock; no other process writes, so it need not be honoured for long.
        backend = JournalFileBackend(path, JournalFileSymlinkLock(path, grace_period=5))
        self.study = optuna.create_study(
            study_name=directory.name,
            storage=JournalStorage(backend),
            direction="maximize",
            load_if_exists=True,
        )
        self.distributions = {p: _distribution(d) for p, d in plan.space.domains.items()}
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if "number" not in trial.user_attrs:  # asked in the moment of an interruption, never issued
                self.study.tell(trial.number, state=TrialState.FAIL)
        self._fill()

    def ask(self) -> tuple[optuna.Trial, Run] | None:
        """The next run, or None when every arm has been issued on every seed."""
        for _ in range(TRIES):
            issued = self.issued()
            waiting = self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
            if not waiting and len({run.arm for _, run in issued}) >= self.plan.arms:
                return None
            if not waiting and self.plan.design != "tpe":
                return None
            # The sampler's randomness is a function of how much was asked, so a resumed study goes on alike.
            self.study.sampler = self._sampler(len(self.study.get_trials(deepcopy=False)))
            asked = self.study.ask(self.distributions)
            refusal = self._adopt(asked, issued) if "values" not in asked.user_attrs else None
            if refusal:
                asked.set_user_attr("refused", refusal)
                self.study.tell(asked, state=TrialState.FAIL)
                continue
            asked.set_user_attr("number", len(issued))
            self._fill()
            return asked, self._run(asked.user_attrs)
        return None

    def issued(self) -> list[tuple[optuna.trial.FrozenTrial, Run]]:
        """All runs issued so far, in order."""
        trials = self.study.get_trials(deepcopy=False)
        return [(t, self._run(t.user_attrs)) for t in trials if "number" in t.user_attrs]

    def unfinished(self) -> list[tuple[optuna.Trial, Run]]:
        """Runs that were issued and have not ended: what an interrupted sweep left behind."""
        return [
            (optuna.Trial(self.study, t._trial_id), run)  # pyright: ignore[reportPrivateUsage]
            for t, run in self.issued()
            if t.state == TrialState.RUNNING
        ]

    def reconcile(self, reports: Iterable[tuple[str, int, int, float]], ended: Mapping[str, str]) -> None:
        """Tells the study what the store knows of unfinished runs: (run, attempt, epoch, value), and endings."""
        unfinished = {run.identity: asked for asked, run in self.unfinished()}
        last: dict[str, float] = {}
        for run, _, epoch, value in reports:
            if run in unfinished:
                self.report(unfinished[run], epoch, value)
                last[run] = value
        for run in unfinished.keys() & ended.keys():
            self.tell(unfinished[run], ended[run], last.get(run))

    def ended(self) -> bool:
        """Whether every run of the plan has been issued and has ended."""
        return len(self.issued()) == self.plan.runs and not self.unfinished()

    def report(self, trial: optuna.Trial, epoch: int, value: float) -> None:
        """Adds an intermediate value, once."""
        known = self.study._storage.get_trial(trial._trial_id).intermediate_values  # pyright: ignore
        if epoch not in known:
            trial.report(value, epoch)

    def tell(self, trial: optuna.Trial, state: str, value: float | None) -> None:
        """Ends a run: "complete" with its last value, "stopped" or "failed"."""
        states = {"complete": TrialState.COMPLETE, "stopped": TrialState.PRUNED, "failed": TrialState.FAIL}
        self.study.tell(trial, value if state == "complete" else None, state=states[state])

    def _sampler(self, asked: int) -> optuna.samplers.BaseSampler:
        seed = self.plan.sampler_seed * 100_003 + asked
        startup = max(4, self.plan.arms // 2) * len(self.plan.seeds)
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup)

    def _adopt(self, asked: optuna.Trial, issued: list[tuple[Any, Run]]) -> str | None:
        """Makes a proposal of the sampler an arm on the first seed, or says why it cannot be one."""
        values = {path: _value(asked.params[path], d) for path, d in self.plan.space.domains.items()}
        trial = self.plan.space.trial(values)
        if not self.plan.space.allows(trial):
            return "breaks a constraint of the space"
        if arm(trial, self.fingerprint) in {run.arm for _, run in issued}:
            return "was run before"
        asked.set_user_attr("seed", self.plan.seeds[0])
        asked.set_user_attr("values", key(values))
        return None

    def _fill(self) -> None:
        """Enqueues every known arm on every seed where it is not yet, whatever was interrupted before.

        Seed by seed, so that what has finished at any moment is comparable.
        """
        trials = self.study.get_trials(deepcopy=False)
        there = [t.user_attrs for t in trials if "number" in t.user_attrs or t.state == TrialState.WAITING]
        known = {(has["values"], has["seed"]) for has in there}
        arms = dict.fromkeys([*map(key, fixed_arms(self.plan)), *(has["values"] for has in there)])
        for seed in self.plan.seeds:
            for text in arms:
                if (text, seed) not in known:
                    self._enqueue(text, seed)

    def _enqueue(self, text: str, seed: int) -> None:
        values = json.loads(text)
        params = {path: _parameter(values[path], d) for path, d in self.plan.space.domains.items()}
        self.study.enqueue_trial(params, user_attrs={"seed": seed, "values": text})

    def _run(self, attributes: Mapping[str, Any]) -> Run:
        trial = self.plan.run(json.loads(attributes["values"]), attributes["seed"])
        return Run(
            number=attributes["number"],
            identity=identity(trial, self.fingerprint),
            arm=arm(trial, self.fingerprint),
            seed=attributes["seed"],
            trial=trial,
        )


def _distribution(domain: Domain) -> BaseDistribution:
    if isinstance(domain, Choice):
        return CategoricalDistribution([key_of(value) for value in domain.values])
    return FloatDistribution(domain.low, domain.high, log=isinstance(domain, LogUniform))


def _value(parameter: Any, domain: Domain) -> Any:
    return json.loads(parameter) if isinstance(domain, Choice) else parameter


def _parameter(value: Any, domain: Domain) -> Any:
    return key_of(value) if isinstance(domain, Choice) else value


def key_of(value: Any) -> str:
    """A choice's value as Optuna's category: categories must be plain, values may be sub-configurations."""
    return json.dumps(value, sort_keys=True)


def _mend(journal: Path) -> None:
    """Cuts off a line that a power cut or a full disk left half written: Optuna would write on behind it."""
    if journal.is_file():
        os.truncate(journal, journal.read_bytes().rfind(b"\n") + 1)
