"""Tables of differences: arms less the default, and components."""

from collections.abc import Sequence
from math import isclose

from analysis.intervals import LEVEL, chance, signed, spanned
from analysis.load import FULL
from analysis.multiple import HOUR, Difference
from analysis.report.blocks import Section
from analysis.report.evidence import Evidence
from analysis.report.markup import tag
from analysis.tables import Table, dense

HEAD = (
    *("", "difference", f"{LEVEL:.0%} interval", "n", "p", "p (Holm)", "p (flips)", "P(better)", "g"),
    *("s a run", "device-hours a run", "verdict"),
)

MEASURED_FIELDS = ("difference", "low", "high", "seeds", "p", "p_holm", "p_flips")
CSV_COLUMNS = {
    "name": "name",
    "arm": "number",
    **{name: name for name in (*MEASURED_FIELDS, "probability_of_improvement", "effect_size")},
    "seconds_of_a_run": "seconds",
    "device_hours_of_a_run": "device_hours",
    "verdict": "verdict",
}
"""Of a file with all digits: what each one holds of a difference."""


def section(evidence: Evidence) -> Section:
    """Tabulate every complete arm less the default, corrected for their number."""
    title = "Differences"
    try:
        rows = evidence.differences
    except ValueError as reason:
        return Section(title, (tag("p", f"There are none: {reason}."),))
    if not rows:
        return Section(title, (tag("p", "There are none: the sweep has no arm beside the default."),))
    notes = [tag("p", note) for note in _notes(rows, evidence.margin)]
    if components_alone(evidence, rows):
        found = "Every arm changes one component, so the table of components has them all."
        return Section(title, (tag("p", found), *notes))
    seeds = "fresh seeds" if evidence.summary.confirmed else "the seeds of the search"
    table = difference_table("differences", f"Each arm less the default, on {seeds}.", rows)
    return Section(title, (table, *notes))


def components_alone(evidence: Evidence, rows: Sequence[Difference]) -> bool:
    """Return whether these are exactly the differences of an ablation's components, one at a time."""
    plan = evidence.plan
    named = {one["name"] for one in plan.get("space", {}).get("alternatives", ())}
    return evidence.space.get("base_name") == FULL and bool(rows) and {row.name for row in rows} <= named


def difference_table(name: str, caption: str, rows: Sequence[Difference]) -> Table:
    """Tabulate differences; empty columns are left out."""
    cells = [(row.name, *_measured(row), row.verdict) for row in rows]
    interval = f"Student's {LEVEL:.0%} interval of n paired seeds, each for itself"
    align = "l" + "r" * (len(HEAD) - 2) + "l"
    values = {column: [getattr(row, field) for row in rows] for column, field in CSV_COLUMNS.items()}
    caption = f"{caption} Points of the metric; {interval}."
    return dense(Table(name, caption, HEAD, tuple(cells), align, values))


def _measured(row: Difference) -> tuple[str, ...]:
    """Format what was measured, in the order of HEAD."""
    better = row.probability_of_improvement
    ahead = "" if better is None or row.seeds < 2 else f"{better:.2f}"
    tests = (_p(p) for p in (row.p, row.p_holm, row.p_flips))
    points = (_number(row.difference), spanned(row.low, row.high), str(row.seeds or ""))
    return (*points, *tests, ahead, _number(row.effect_size), _number(row.seconds, 1), _devices(row))


def _notes(rows: Sequence[Difference], margin: float | None) -> list[str]:
    """Explain the columns that are there."""
    several = [row for row in rows if row.seeds > 1]
    if not several and any(row.p is not None for row in rows):
        return [
            "One seed each, so no intervals. p: of the difference of two runs, given the deviation over seeds that was "
            "known before; Holm: corrected for all rows of the table, and what the verdicts go by."
        ]
    if not several:
        return ["One seed each: no intervals, no p."]
    smallest = max(row.p_flips_smallest or 0.0 for row in several)
    notes = [
        "p: Student's, two-sided, of the paired differences; Holm: corrected for all rows of the table, and what the "
        f"verdicts go by; flips: by flipped signs, which assumes no normality but cannot fall below {smallest:.2g} on "
        "so few seeds. P(better): the share of seeds on which the arm is ahead. g: Hedges' effect size of paired "
        "differences. Costs: of one run, less one of the default."
    ]
    if margin is None:
        none = "No margin was given (--margin), so nothing is called equivalent"
        return [*notes, f"{none}; not significant is not equal."]
    return [*notes, f"Equivalent within ±{margin:g}: two one-sided tests, corrected likewise."]


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else signed(value, digits)


def _devices(row: Difference) -> str:
    """Format device-hours; nothing where a run has one device, as its seconds say the same."""
    if row.device_hours is None or row.seconds is None or isclose(HOUR * row.device_hours, row.seconds):
        return ""
    return f"{row.device_hours:+.2g}".replace("-", "−")


def _p(value: float | None) -> str:
    return "" if value is None else chance(value) if value >= 0.001 else "<0.001"
