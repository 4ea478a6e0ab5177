"""Plans of sweeps: pure functions of a space, so that a plan can be printed before anything is spent."""

from dataclasses import replace
from functools import cached_property
from typing import Any

from pydantic import Field, JsonValue, TypeAdapter

from contrastive import config as configs
from contrastive.config import Config, in_words
from contrastive.types import Count, Natural, NonNegative, Positive, strict
from search_spaces.domains import Choice, Zip
from search_spaces.space import Space
from sweeps.planning.designs import (
    ANY,
    ARMS,
    COMPARISONS,
    LISTS,
    Design,
    Values,
    known_arms,
    total,
    usual_design,
)
from sweeps.planning.objectives import Objective, check_order
from sweeps.stoppers import Asha, Guard, Never, Stopper
from sweeps.store import former


@strict()
class Confirm:
    """The confirmation: the best arms of the search and the default, run again on fresh seeds when it has ended."""

    arms: Count = 3
    seeds: Count = 5


@strict(kw_only=True)
class Budget:
    """The limits on what a sweep may spend; the first that is reached ends it. None: no limit."""

    runs: Count | None = None
    """Number of runs issued."""
    epochs: Count | None = None
    """Number of epochs of all runs together."""
    hours: Positive | None = None
    """Wall-clock hours."""
    gpu_hours: Positive | None = None


@strict(kw_only=True)
class Plan:
    """A sweep: `arms` configurations, each run on every seed. The space's default is always the first arm."""

    space: Space
    design: Design = "tpe"
    arms: Count = ARMS
    seeds: tuple[Natural, ...] = (0,)
    stopper: Stopper = Asha()
    given: tuple[dict[str, JsonValue], ...] = ()
    """Arms of the design "given", beside the default; for the design "path", the arm that it leads to."""
    sampler_seed: Natural = 0
    objectives: tuple[Objective, ...] = Field(default=(Objective(),), min_length=1)
    """The first is knn_top1: stopping, paths, confirmation and the summary go by it."""
    confirm: Confirm | None = None
    budget: Budget = Budget()
    guard: Guard = Guard()
    """Guard that ends runs that have collapsed or diverged, the default's too."""
    workers_per_run: Count = 1
    gpus_per_worker: NonNegative = 0.0
    smoke: bool = False
    """Whether it is a smoke test: its runs are neither reused by other sweeps nor shown among theirs."""

    def __post_init__(self) -> None:
        self._check_workers()
        self._check_design()
        check_order(self.objectives)

    def _check_workers(self) -> None:
        if self.space.base.batch % self.workers_per_run:
            raise ValueError(
                f"workers_per_run = {self.workers_per_run} does not divide the batch of "
                f"{self.space.base.batch} images; change either"
            )
        if self.workers_per_run > 1 and 0 < self.gpus_per_worker < 1:
            raise ValueError(
                f"gpus_per_worker = {self.gpus_per_worker}: several workers cannot share one GPU in a run; "
                "give each a whole one, or a run one worker"
            )

        if self.budget.gpu_hours and not self.gpus_per_worker:
            raise ValueError("budget = gpu_hours: the runs ask for no GPU; limit hours, or ask for GPUs")

    def _check_design(self) -> None:
        if self.design not in ANY and (self.design in LISTS) != bool(self.space.alternatives):
            lists = "lists its arms" if self.space.alternatives else "lists no arms"
            raise ValueError(
                f"design = {self.design}: {self.space.name} {lists}; take {usual_design(self.space)}"
            )
        ranges = [domain for domain in self.space.domains.values() if not isinstance(domain, Choice | Zip)]
        if self.design == "cmaes" and len(ranges) < 2:
            raise ValueError(
                f"design = cmaes: it needs two ranges of numbers, and {self.space.name} has {len(ranges)}; take tpe"
            )
        if self.design == "cmaes" and len(self.objectives) > 1:
            raise ValueError("design = cmaes: it has one objective; take nsga2 or tpe for several")
        if self.design == "path" and len(self.given) != 1:
            raise ValueError(f"design = path: it leads to one arm, and {len(self.given)} are given")
        for arm in self.given:
            if not self.space.allows(self.space.config(arm)):
                raise ValueError(f"given = {arm}: it breaks a constraint of {self.space.name}")

    @property
    def epochs(self) -> int:
        """Epochs of a run that is not stopped."""
        return self.space.base.epochs

    @property
    def device(self) -> str:
        """Device on which runs are trained: a GPU only if one was asked for."""
        return "cuda" if self.gpus_per_worker else "cpu"

    @property
    def gpus(self) -> float:
        """GPUs of a run."""
        return self.gpus_per_worker * self.workers_per_run

    @property
    def runs(self) -> int:
        """Number of runs of the search: arms times seeds."""
        return self.arms * len(self.seeds)

    @property
    def confirm_seeds(self) -> tuple[int, ...]:
        """Fresh seeds of the confirmation; none if nothing is confirmed."""
        fresh = max(self.seeds) + 1
        return tuple(range(fresh, fresh + self.confirm.seeds)) if self.confirm else ()

    @property
    def confirm_runs(self) -> int:
        """Number of runs on fresh seeds: those of the best arms, if any differ from the default, and of the default."""
        arms = 1 + min(self.confirm.arms, self.arms - 1) if self.confirm else 0
        return arms * len(self.confirm_seeds)

    @cached_property
    def epochs_expected(self) -> int:
        """Epochs of the search that are expected to be trained under the stopper, found by simulating it once."""
        # Imported late: not every plan is simulated.
        from sweeps.planning.simulation.expected import expected_epochs

        reference = self.space.reference
        expected = expected_epochs(
            self.stopper,
            arms=self.arms,
            seeds=len(self.seeds),
            epochs=self.epochs,
            deviation=reference.seed_deviation if reference else None,
        )
        return round(expected)

    def run(self, values: Values, seed: int) -> Config:
        """Return the configuration of the run of an arm on a seed."""
        return configs.replace(self.space.config(values), {"seed": seed})


_PLAN = TypeAdapter(Plan)


def checked(**fields: Any) -> Plan:
    """Return a plan from its fields, checked.

    Raises:
        ValueError: an illegal one, in one sentence.
    """
    space: Space = fields["space"]
    fields = {"design": usual_design(space, fields.get("arms")), **fields}
    if fields["design"] in COMPARISONS:
        fields = {"stopper": Never(), **fields}
    parts = len(space.domains if fields["design"] == "path" else space.alternatives)
    if parts and fields["design"] in COMPARISONS:
        fields = {"arms": 1 + parts * (parts + 1) // 2, **fields}  # all pairs, or all steps of a path
    plan = Plan(**fields)
    # Adaptive designs are asked for arms as they go; the others have as many as they have.
    return replace(plan, arms=total(plan))


def to_dict(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON-ready values."""
    return _PLAN.dump_python(plan, mode="json")


def from_dict(values: dict[str, Any]) -> Plan:
    """Return the plan that `to_dict` wrote, in this version or a former one.

    Raises:
        ValueError: it is none that this program knows, in one sentence.
    """
    return in_words(lambda: _PLAN.validate_python(former.plan(values)), Plan)


def fixed_arms(plan: Plan) -> list[Values]:
    """Arms known before the sweep starts, the default first; adaptive designs ask for others as they learn."""
    return known_arms(plan, {})


def ladder(plan: Plan) -> list[tuple[int, float]]:
    """Return the rungs, and how many runs go on after each if it keeps exactly its share."""
    seeds = len(plan.seeds)  # runs are compared with those of the same seed
    return [(rung, seeds * survivors) for rung, survivors in plan.stopper.ladder(plan.epochs, plan.arms)]


def expected_epochs_of(plan: Plan) -> tuple[int, int]:
    """Return the epochs of the plan if no run is stopped, and those expected under the stopper."""
    again = plan.confirm_runs * plan.epochs
    return plan.runs * plan.epochs + again, plan.epochs_expected + again
