"""Text of the form "name=number,name=number"."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from contrastive.config import closest

DURATION = re.compile(r"(?:(?P<d>[\d.]+)d)?(?:(?P<h>[\d.]+)h)?(?:(?P<m>[\d.]+)m(?:in)?)?(?:(?P<s>[\d.]+)s)?")
HOURS = {"d": 24.0, "h": 1.0, "m": 1 / 60, "s": 1 / 3600}


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
