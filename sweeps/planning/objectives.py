"""Check that the runs of a sweep will report its objectives."""

from contrastive.config import closest
from contrastive.metrics import reported
from sweeps.planning.plan import Plan, fixed_arms


def check_objectives(plan: Plan, *, classes: int | None = None) -> None:
    """Refuse an objective that some arm would not report: the arm would fail, after all its epochs.

    `classes`: those of the images, if they have been read.

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
