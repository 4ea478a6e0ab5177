"""Objectives: what counts in a sweep, and checks that its runs report it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from contrastive.config import closest
from contrastive.metrics import reported
from contrastive.types import strict
from sweeps.planning.designs import known_arms

if TYPE_CHECKING:
    from sweeps.planning.plan import Plan


@strict()
class Objective:
    """A metric that runs report after each epoch, by which arms are judged."""

    metric: str = Field(default="knn_top1", min_length=1)
    direction: Literal["maximize", "minimize"] = "maximize"
    total: bool = False
    """Whether it is summed over the epochs (such as seconds); otherwise the last epoch's value counts."""


def check_order(objectives: Sequence[Objective]) -> None:
    """Refuse objectives of which the first is not knn_top1, or one is named twice.

    Raises:
        ValueError: says which.
    """
    if objectives[0] != Objective():
        raise ValueError(
            f"objectives = {objectives[0].metric}: the first is knn_top1, more of it better; stopping, "
            "confirmation and the summary go by it. Name it first, then the others"
        )
    names = [(objective.metric, objective.total) for objective in objectives]
    if twice := [name[0] for i, name in enumerate(names) if name in names[:i]]:
        raise ValueError(f"objectives = {', '.join(twice)}: named twice; name each once")


def check_objectives(plan: "Plan", *, classes: int | None = None) -> None:
    """Refuse an objective that some arm would not report: the arm would fail, after all its epochs.

    `classes`: those of the images, if they have been read.

    Raises:
        ValueError: names the objective and what is reported.
    """
    wanted = [objective.metric for objective in plan.objectives]
    for arm in known_arms(plan, {}):
        config = plan.space.config(arm)
        known = reported(config, classes=classes)
        if missing := [metric for metric in wanted if metric not in known]:
            raise ValueError(
                f"objectives = {', '.join(missing)}: no run of {config.method.name} in this sweep reports it; what is "
                f"measured when training has ended is given by evaluation.after. {closest(missing[0], list(known))}"
            )
