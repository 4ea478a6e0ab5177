"""Campaigns: many sweeps under one budget, planned before the first starts. Only data, in the command line's words."""

from typing import Literal

from pydantic import Field

from contrastive.types import Count, NonNegative, Positive, strict


@strict(kw_only=True)
class Entry:
    """One sweep of a campaign. Fields are the flags of the command line; None is what they are without it."""

    space: str
    data: str | None = None
    """None: the campaign's."""
    method_preset: str | None = None
    set: tuple[str, ...] = ()
    epochs: Count | None = None
    design: str | None = None
    arms: Count | None = None
    seeds: str | None = None
    stopper: str | None = None
    objectives: str | None = None
    confirm: Count | None = None
    confirm_seeds: Count | None = None
    weight: Positive = 1.0
    """Its share of the machines, beside the others'."""
    compare: Literal["all", "best", "none"] = "all"
    """What is tested against the default when all has ended: every other arm, the best alone, or nothing.

    The best is tested on fresh seeds, so it takes `confirm` and `confirm_seeds`.
    """


@strict(kw_only=True)
class Campaign:
    """A research programme: a question, its sweeps by name, and what all of them may cost."""

    name: str
    question: str
    entries: dict[str, Entry] = Field(min_length=1)
    order: Literal["fair", "priority"] = "fair"
    """Fair: all go forward together, by weight; priority: the first named is finished first."""
    data: str | None = None
    budget: str | None = None
    """Such as "epochs=20000,hours=48"."""
    workers_per_run: Count = 1
    gpus_per_worker: NonNegative = 0.0
