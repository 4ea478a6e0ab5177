"""Translation of the words of former versions, in what they have written, to present ones."""

from collections.abc import Mapping
from typing import Any

DESIGNS = {"listed": "leave_one_out", "added": "add_one_in", "around": "one_at_a_time"}
"""Designs by their former names."""


def budget(text: str) -> str:
    """Translate the limits of a budget, as they are typed."""
    return text.replace("trials=", "runs=")


def plan(values: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a plan given as JSON-ready values."""
    found = _renamed(values, {"workers_per_trial": "workers_per_run"})
    if isinstance(found.get("budget"), Mapping):
        found["budget"] = _renamed(found["budget"], {"trials": "runs"})
    return _of_design(found)


def manifest(content: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a sweep's manifest."""
    known = isinstance(content.get("plan"), Mapping)
    return {**content, "plan": plan(content["plan"])} if known else {**content}


def campaign(values: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a campaign given as JSON-ready values."""
    found = _renamed(values, {"workers_per_trial": "workers_per_run"})
    entries = {name: _renamed(entry, {"trials": "arms"}) for name, entry in found["entries"].items()}
    found["entries"] = {name: _of_design(entry) for name, entry in entries.items()}
    return found | {"budget": found.get("budget") and budget(found["budget"])}


def _of_design(values: dict[str, Any]) -> dict[str, Any]:
    known = {"design": DESIGNS.get(values["design"], values["design"])} if "design" in values else {}
    return values | known


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in values.items()}
