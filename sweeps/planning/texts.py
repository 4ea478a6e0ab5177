"""Parsers of seeds, objectives, budgets and other fields as written on a command line."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contrastive.config import closest
from sweeps.planning.plan import Budget, Objective
from sweeps.store import former
from sweeps.store.schema import SECONDS

DURATION = re.compile(r"(?:(?P<d>[\d.]+)d)?(?:(?P<h>[\d.]+)h)?(?:(?P<m>[\d.]+)m(?:in)?)?(?:(?P<s>[\d.]+)s)?")
HOURS = {"d": 24.0, "h": 1.0, "m": 1 / 60, "s": 1 / 3600}


def parse_seeds(seeds: int | Sequence[int] | str) -> tuple[int, ...]:
    """Read 3 or "3" as seeds 0, 1, 2, and [4, 5], "4,5" and "1-5" as the seeds themselves.

    >>> parse_seeds(3), parse_seeds("7,"), parse_seeds("1-3")
    ((0, 1, 2), (7,), (1, 2, 3))

    Raises:
        ValueError: it is none of these.
    """
    text = str(seeds) if isinstance(seeds, int | str) else "".join(f"{seed}," for seed in seeds)
    if re.fullmatch(r"\d+", text):
        found = range(int(text))
    elif re.fullmatch(r"\d+-\d+", text):
        first, last = map(int, text.split("-"))
        found = range(first, last + 1)
    elif re.fullmatch(r"(\d+(,\d+)*,?)?", text):
        found = dict.fromkeys(int(part) for part in text.split(",") if part)
    else:
        raise ValueError(f"--seeds {text}: give how many (3), which (4,5) or a range (1-5)")
    if not found:
        raise ValueError(f"--seeds {text} is no seed at all; give at least one")
    return tuple(found)


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


def parse_budget(text: str | Budget, before: Budget | None = None) -> Budget:
    """Parse "runs=100,epochs=5000,hours=8,gpu_hours=20", any of them; the others are as `before`.

    A duration alone, such as "90m" or "1h30m", is wall-clock time.

    Raises:
        ValueError: another word, or no such number.
    """
    if isinstance(text, Budget):
        return text
    kinds = {"runs": int, "epochs": int, "hours": in_hours, "gpu_hours": in_hours}
    parts = [f"hours={part}" if is_duration(part) else part for part in text.split(",")]
    if number := next((part for part in parts if re.fullmatch(r"[\d.]+", part)), None):
        each = " or ".join(f"{kind}={number}" for kind in kinds)
        raise ValueError(f"--budget {text}: {number} of what? Such as {number}h, or {each}")
    found = parse_fields("--budget", former.budget(",".join(parts)), kinds)
    return replace(before or Budget(), **found)


def in_hours(text: str) -> float:
    """Parse a number of hours, or a duration such as "2.5h", "90m" or "1h30m".

    >>> in_hours("1h30m"), in_hours("90min"), in_hours("8")
    (1.5, 1.5, 8.0)

    Raises:
        ValueError: it is neither.
    """
    found = DURATION.fullmatch(text)
    if not text or found is None:
        return float(text)
    return sum(HOURS[unit] * float(number) for unit, number in found.groupdict().items() if number)


def is_duration(text: str) -> bool:
    """Return whether a text is a duration with its units, so that nothing else can be meant."""
    return bool(text) and DURATION.fullmatch(text) is not None


def parse_fields(flag: str, text: str, fields: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """Parse "name=number,name=number" with these names and kinds of number.

    Raises:
        ValueError: another name, or no such number.
    """
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name not in fields:
            raise ValueError(f"{flag} {text}: it has no '{name}'. {closest(name, list(fields))}")
        try:
            found[name] = fields[name](value)
        except ValueError:
            raise ValueError(f"{flag} {text}: {name} wants a number, such as {name}=8") from None
    return found
