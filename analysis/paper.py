"""Tables as a paper prints them."""

from typing import Any

from analysis.arms import Arm
from analysis.intervals import HALF, LEVEL, chance, interval, reach, signed
from analysis.multiple import Difference
from analysis.summary import Summary
from analysis.tables import Table, dense

SHIFT = {"ablation": "less the full method", "addition": "less the bare method"}
FIRST = {"ablation": "full method", "addition": "bare method"}


def paper_table(summary: Summary) -> Table:
    """The full method with its mean, then each part left out, or added to the bare one: its mean and its difference.

    Raises:
        ValueError: the sweep is no ablation, or what its parts are compared with is not complete.
    """
    result = summary.result
    if result.question not in FIRST or not result.rows or result.origin is None:
        raise ValueError(
            f"{summary.identifier}: its space lists no alternatives that are parts of a method, or the full method is "
            "not complete on every seed; take a finished sweep of an ablation"
        )
    arms = {arm.number: arm for arm in result.arms}
    first = _line(FIRST[result.question], result.origin, None, summary)
    lines = [first, *(_line(row.name, arms.get(row.number or 0), row, summary) for row in result.rows)]
    several = any(len(arm.scores) > 1 for arm in arms.values())
    half = HALF if several else ""
    head = ("", f"{result.label}{half}", f"{SHIFT[result.question]}{half}", "p (Holm)", "verdict")
    values = {name: [values[name] for _, values in lines] for name in lines[0][1]}
    caption, rows = _caption(result, several=several), tuple(cells for cells, _ in lines)
    return dense(Table("paper", caption, head, rows, "lrrrl", values))


def _caption(result: Summary, *, several: bool) -> str:
    seeds = max(len(arm.seeds) for arm in result.arms)
    on = f" on {result.data}" if result.data else ""
    over = f"{seeds} seed{'s' if several else ''}"
    what = f"{result.label}{on}, {over}"
    if not several:
        return f"{what}; no intervals."
    return (
        f"{what}. ± is half of the {LEVEL:.0%} interval (Student), of means each for itself, of differences paired by "
        "seed; p is corrected for all rows (Holm)."
    )


def _line(
    name: str, arm: Arm | None, row: Difference | None, summary: Summary
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The cells of a row, and its values with all digits."""
    mean = interval(list(arm.scores.values()), summary.within) if arm and arm.score is not None else None
    half = None if row is None or row.low is None or row.high is None else (row.high - row.low) / 2
    difference = None if row is None else row.difference
    p = None if row is None else row.p_holm
    cells = (
        name,
        "" if mean is None else str(mean),
        "" if difference is None else f"{signed(difference)}{reach(half, 2)}",
        "" if p is None else "<0.001" if p < 0.001 else chance(p),
        "" if row is None else row.verdict,
    )
    return cells, {
        "name": name,
        "mean": mean and mean.mean,
        "mean_half_interval": mean and mean.half,
        "difference": difference,
        "difference_half_interval": half,
        "p_holm": p,
        "seeds": len(arm.scores) if arm else 0,
        "verdict": row and row.verdict,
    }
