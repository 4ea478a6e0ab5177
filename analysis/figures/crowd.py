"""Which of very many arms are drawn, where all of them could be neither told apart nor drawn in a while."""

from collections.abc import Sequence

import numpy as np

from analysis.arms import Arm
from analysis.summary import Summary

BEST = 10
"""One in this many of the drawn arms is one of the first ranks."""


def thinned(count: int, most: int) -> list[int]:
    """Places of `most` of `count` things in order of rank: the first of them, the others at even steps; all if few."""
    if count <= most:
        return list(range(count))
    first = most // BEST
    steps = np.linspace(first, count - 1, most - first).round().astype(int)
    return [*range(first), *steps.tolist()]


def some(arms: Sequence[Arm], summary: Summary, most: int) -> list[Arm]:
    """Return at most `most` of the arms, in their order, and the best and the default."""
    chosen = set(thinned(len(arms), most))
    known = {arm.digest for arm in (summary.best, summary.default) if arm}
    return [arm for rank, arm in enumerate(arms) if rank in chosen or arm.digest in known]


def drawn_note(drawn: int, count: int, what: str = "arms") -> str:
    """What a caption says of those that are not drawn; nothing where all are."""
    if drawn >= count:
        return ""
    return f"Drawn: {drawn:,} of {count:,} {what}, the best and others at even steps of rank."
