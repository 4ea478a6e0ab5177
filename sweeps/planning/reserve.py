"""The reserve: the part of a budget kept for the confirmation, so that the search cannot spend it."""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from sweeps.planning.plan import Budget, Plan

LONGER = 1.1
"""Safety factor on the reserve of time, which can only be estimated."""


class Spender(Protocol):
    """Interface of a sweep in progress, for its reserve."""

    @property
    def plan(self) -> Plan:
        """The plan being carried out."""
        ...

    @property
    def epochs_spent(self) -> int:
        """Epochs spent by all its runs."""
        ...

    @property
    def seconds_spent(self) -> float:
        """Seconds spent by all its epochs."""
        ...

    def confirmed(self) -> tuple[int, int]:
        """Started confirmation runs that are needed whatever the search still finds, and their epochs."""
        ...

    def under_way(self) -> int:
        """Epochs left of the search's runs in training."""
        ...


def lacking(
    budget: Budget,
    spenders: Sequence[Spender],
    used: Mapping[str, float],
    *,
    places: int,
    runs: int = 0,
    epochs: int | None = None,
) -> str | None:
    """Say why these runs or epochs exceed the search's share of a budget; None if they fit.

    Args:
        budget: of all spenders together.
        spenders: the sweeps; if none has a confirmation, there is no reserve.
        used: spending so far, in the units of the budget.
        places: number of runs trained at once.
        runs: number of runs to start.
        epochs: epochs of a run to come, beside those in training; None: check whether any of the share is left.
    """
    if not any(one.plan.confirm for one in spenders):
        return None
    kept = {"runs": float(sum(one.plan.confirm_runs - one.confirmed()[0] for one in spenders))}
    kept["epochs"] = float(sum(_epochs(one) for one in spenders))
    wanted = {"runs": float(runs), "epochs": float(epochs or 0)}
    if epochs is not None:
        wanted["epochs"] += sum(one.under_way() for one in spenders)
    for name, price in _prices(spenders, used, places).items():
        whole = math.ceil(kept["runs"] / places) * places / kept["runs"] if kept["runs"] else 1.0
        kept[name] = LONGER * price * kept["epochs"] * (whole if name == "hours" else 1.0)
        wanted[name] = price * wanted["epochs"]
    for name, held in kept.items():
        limit = getattr(budget, name)
        if limit is not None and used[name] + held + wanted[name] > limit:
            estimated = " (an estimate)" if name not in ("runs", "epochs") else ""
            return (
                f"the search has had its share of the budget of {limit:g} {name.replace('_', '-')}: {held:.3g}"
                f"{estimated} are kept for the confirmation"
            )
    return None


def _epochs(one: Spender) -> int:
    return one.plan.confirm_runs * one.plan.epochs - one.confirmed()[1]


def _prices(spenders: Sequence[Spender], used: Mapping[str, float], places: int) -> dict[str, float]:
    """Return the measured hours of an epoch; nothing before the first."""
    epochs = sum(one.epochs_spent for one in spenders)
    if not epochs:
        return {}
    hours = sum(one.seconds_spent for one in spenders) / epochs / 3600
    return {"hours": hours / places, "gpu_hours": used["gpu_hours"] / epochs}


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
