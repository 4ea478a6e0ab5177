"""Whether what a sweep is to be judged by is something that its runs will report."""

from contrastive.config import closest
from contrastive.metrics import reported
from sweeps.planning.plan import Plan, fixed_arms


def check_objectives(plan: Plan, *, classes: int | None = None) -> None:
    """Refuses an objective that an arm would lack at its end: it would fail, after all its epochs.

    `classes`: of the images, where they have been read.

    Raises:
        ValueError: names the objective and what is reported.
    """
    wanted = [objective.metric for objective in plan.objectives]
    for arm in fixed_arms(plan):
        config = plan.space.config(arm)
        known = reported(config, classes=classes)
        if missing := [metric for metric in wanted if metric not in known]:
            raise ValueError(
                f"objectives = {', '.join(missing)}: no run of {config.method.name} in this sweep reports it; what is "
                f"measured when training has ended is given by evaluation.after. {closest(missing[0], list(known))}"
            )
