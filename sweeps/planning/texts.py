"""Parsers of seeds, objectives and budgets as written on a command line."""

import re
from dataclasses import replace

from contrastive.config import in_words
from sweeps.planning.fields import in_hours, is_duration, parse_fields
from sweeps.planning.plan import Budget, Objective
from sweeps.store import former
from sweeps.store.schema import SECONDS


def parse_seeds(text: str) -> tuple[int, ...]:
    """Parse "3" as seeds 0, 1, 2, and "4,5" and "1-5" as the seeds themselves.

    >>> parse_seeds("3"), parse_seeds("7,"), parse_seeds("1-3")
    ((0, 1, 2), (7,), (1, 2, 3))

    Raises:
        ValueError: it is none of these.
    """
    if re.fullmatch(r"\d+", text):
        seeds = range(int(text))
    elif re.fullmatch(r"\d+-\d+", text):
        first, last = map(int, text.split("-"))
        seeds = range(first, last + 1)
    elif re.fullmatch(r"\d+(,\d+)*,?", text):
        seeds = dict.fromkeys(int(part) for part in text.split(",") if part)
    else:
        raise ValueError(f"--seeds {text}: give how many (3), which (4,5) or a range (1-5)")
    if not seeds:
        raise ValueError(f"--seeds {text} is no seed at all; give at least one")
    return tuple(seeds)


def parse_objectives(text: str) -> tuple[Objective, ...]:
    """Parse "knn_top1,seconds:min,effective_rank": metrics, the larger the better unless said otherwise.

    Times are summed over all epochs; of other metrics the last value counts.

    Raises:
        ValueError: a direction other than max and min.
    """
    objectives: list[Objective] = []
    for part in text.split(","):
        metric, _, direction = part.partition(":")
        if direction not in ("", "max", "min"):
            raise ValueError(f"--objectives {text}: '{direction}' is neither max nor min")
        word = "minimize" if direction == "min" else "maximize"
        objectives.append(Objective(metric=metric, direction=word, total=metric in SECONDS))
    return tuple(objectives)


def parse_budget(text: str, before: Budget | None = None) -> Budget:
    """Parse "runs=100,epochs=5000,hours=8,gpu_hours=20", any of them; the others are as `before`.

    A duration alone, such as "90m" or "1h30m", is wall-clock time.

    Raises:
        ValueError: another word, or no such number.
    """
    kinds = {"runs": int, "epochs": int, "hours": in_hours, "gpu_hours": in_hours}
    parts = [f"hours={part}" if is_duration(part) else part for part in text.split(",")]
    if number := next((part for part in parts if re.fullmatch(r"[\d.]+", part)), None):
        each = " or ".join(f"{kind}={number}" for kind in kinds)
        raise ValueError(f"--budget {text}: {number} of what? Such as {number}h, or {each}")
    found = parse_fields("--budget", former.budget(",".join(parts)), kinds)
    return in_words(lambda: replace(before or Budget(), **found))
