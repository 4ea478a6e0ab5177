"""The reserve: the part of a budget kept for the confirmation, so that the search cannot spend it."""

from collections.abc import Sequence

from sweeps.planning.plan import Budget, Plan


def check_budget(budget: Budget, plans: Sequence[Plan], *, together: bool = False) -> None:
    """Refuse a budget too small for the confirmation, the default and one arm to confirm.

    `together`: it is that of a campaign, which can go on with a larger one: the confirmations alone must fit.

    Raises:
        ValueError: says how much it takes, and what else would do.
    """
    if not any(plan.confirm for plan in plans):
        return
    for name in ("runs", "epochs"):
        each = [plan.epochs if name == "epochs" else 1 for plan in plans]
        again = sum(size * plan.confirm_runs for size, plan in zip(each, plans, strict=True))
        least = sum(
            size * min(2, plan.arms) * len(plan.seeds) for size, plan in zip(each, plans, strict=True)
        )
        least, limit = 0 if together else least, getattr(budget, name)
        if limit is not None and limit < again + least:
            search = "" if together else f" and the default with one arm more {least}"
            raise ValueError(
                f"--budget {name}={limit}: the confirmation takes {again} {name}{search}; give {name}={again + least} "
                "or more, or confirm fewer arms on fewer seeds (--confirm, --confirm-seeds)"
            )


def budget_lines(budget: Budget, plans: Sequence[Plan]) -> list[str]:
    """Return a line for each limit: the part kept for the confirmation, and the search's part."""
    runs = sum(plan.confirm_runs for plan in plans)
    epochs = sum(plan.confirm_runs * plan.epochs for plan in plans)
    lines: list[str] = []
    for name, limit in vars(budget).items():
        if not isinstance(limit, int | float):
            continue
        of = f"of the budget of {limit:g} {name.replace('_', '-')}"
        if not runs:
            lines.append(f"{of} all is the search's")
        elif name in ("runs", "epochs"):
            kept = runs if name == "runs" else epochs
            lines.append(f"{of} {kept} are kept for the confirmation, the search has {limit - kept:g}")
        else:
            lines.append(
                f"{of} so much is kept for the confirmation as its {epochs} epochs ({runs} runs) take by those "
                "measured until then, and a tenth more: an estimate"
            )
    return lines
