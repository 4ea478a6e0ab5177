"""Origins of the arms of a search: its model, or random draws."""

from collections import Counter

from analysis.load import Record

DRAWN = ("start-up", "model", "chance")
"""Origins of arms that a sampler was asked for."""


def proposals_sentence(record: Record) -> str | None:
    """How many arms beside the default the model of a search has proposed, a sentence without its full stop.

    None of designs that have no model, and of records in which it is not told of every arm.
    """
    origins = {run.arm: run.origin for run in record.search.runs}
    others = Counter(origin for origin in origins.values() if origin != "default")
    if not all(origins.values()) or not any(others[origin] for origin in DRAWN):
        return None
    kinds = ("published", "start-up", "chance")
    rest = ", ".join(f"{others[kind]} {kind}" for kind in kinds if others[kind])
    found = f"{others['model']} of {others.total()} arms were proposed by the model"
    return f"{found} (the others: {rest})" if rest else found
