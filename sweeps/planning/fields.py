"""Text of the form "name=number,name=number"."""

from typing import Any

from contrastive.config import closest


def parse_fields(flag: str, text: str, fields: dict[str, type]) -> dict[str, Any]:
    """Reads "name=number,name=number" with these names and kinds of number.

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
