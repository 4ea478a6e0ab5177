"""Figures that compare arms: overview, differences, components, best and default by seed."""

from collections.abc import Callable, Sequence
from functools import partial

from matplotlib.figure import Figure

from analysis import figures
from analysis.arms import Arm
from analysis.components import add_one_in, interactions, leave_one_out
from analysis.load import FULL
from analysis.multiple import Difference, name_of
from analysis.report import differences
from analysis.report.blocks import WORDS, Block
from analysis.report.evidence import Evidence
from analysis.report.plates import Group, Plate
from analysis.summary import Summary

MAX_FOREST_ROWS = 30
"""RowMaker of a forest plot; the table has all."""
RowMaker = Callable[..., Sequence[Difference]]
COMPONENTS: dict[str, tuple[str, RowMaker]] = {
    "Leaving one out": ("leave-one-out", leave_one_out),
    "Adding one in": ("add-one-in", add_one_in),
    "Interactions": ("interactions", interactions),
}
"""Of each figure the name of its table, and what makes the rows of both."""


def overview_figures(evidence: Evidence) -> Group:
    """Return the overview figure."""
    summary, search = evidence.summary, evidence.search
    seeds = max((len(arm.seeds) for arm in summary.arms), default=0)
    spread = len(summary.paths) < 2 and seeds > 1
    says = (
        "Left: the arms over what varies"
        + (", the first two parameters" if len(summary.paths) > 2 else "")
        + f"; {'whiskers: one standard deviation over seeds' if spread else 'no intervals'}. "
        f"Right: every run as it learned. n = {len(search.runs)} runs of {len(summary.arms)} arms on {seeds} "
        f"seed{'s' if seeds != 1 else ''}; dashed: what needs no training."
    )
    return Group("Overview", (Plate("Overview", lambda: _overview(evidence), says),))


def component_figures(evidence: Evidence) -> Group:
    """Return the figures and tables of a method's components."""

    def forest(make: RowMaker) -> Figure:
        return forest_of(_components(evidence, make), evidence)

    def tables() -> tuple[Block, ...]:
        return tuple(
            differences.difference_table(name, WORDS["figures"][title], rows)
            for title, (name, make) in COMPONENTS.items()
            if (rows := _components(evidence, make))
        )

    plates = [Plate(title, partial(forest, make)) for title, (_, make) in COMPONENTS.items()]
    return Group("Components", tuple(plates), tables)


def arm_figures(evidence: Evidence) -> Group:
    """Return the figures of all arms against the default, and of the best by seed."""
    result = evidence.summary.result
    cut = f", the best {MAX_FOREST_ROWS}" if len(result.arms) > MAX_FOREST_ROWS + 1 else ""
    says = f"Every arm less the default{cut}."

    def forest() -> Figure:
        rows = evidence.differences
        if differences.components_alone(evidence, rows):
            raise ValueError("every arm changes one component, and is drawn above")
        if not any(row.low is not None for row in rows):
            raise ValueError("one seed gives no intervals; the table of differences has the numbers")
        return forest_of(rows[:MAX_FOREST_ROWS], evidence)

    roles = {"default": result.default, "best": result.best}
    named = [_named(word, arm) for word, arm in roles.items() if arm]
    pairs = f"The {' and the '.join(named)}, seed by seed."
    plates = (
        Plate("Differences from the default", forest, says),
        Plate("Best and default by seed", lambda: best_beside_default(result), pairs),
    )
    return Group("Arms against the default", plates)


def _overview(evidence: Evidence) -> Figure:
    if not any(run.curve for run in evidence.search.runs):
        raise ValueError("no run has reported anything yet")
    return figures.overview(evidence.search, evidence.summary)


def best_beside_default(result: Summary) -> Figure:
    """Draw the best arm and the default seed by seed.

    Raises:
        ValueError: one of them is missing, or there is one seed.
    """
    best, default = result.best, result.default
    if best is None or default is None or best is default or default.score is None:
        raise ValueError("there is no arm beside the default to draw against it")
    if len(best.scores) < 2:
        raise ValueError("one seed has no spread to show")
    scores = {"default": default.scores, "best": best.scores}
    return figures.seed_slopes(scores, label=result.label, verdict=result.verdict, within=result.within)


def _named(role: str, arm: Arm) -> str:
    name = name_of(arm.values)
    return role if name == role else f"{role} ({name})"


def _components(evidence: Evidence, rows: RowMaker) -> Sequence[Difference]:
    base = evidence.space.get("base_name", FULL)
    if evidence.space.get("alternatives") and base != FULL:
        raise ValueError(f"the space lists arms beside '{base}', which are no parts of it")
    return rows(evidence.record, margin=evidence.margin, generator=evidence.generator)


def forest_of(rows: Sequence[Difference], evidence: Evidence) -> Figure:
    """Draw some differences of a sweep as a forest plot.

    Raises:
        ValueError: there are none.
    """
    if not rows:
        raise ValueError("the design has no such arms")
    label = f"difference in {evidence.summary.label.replace('(%)', '(points)')}"
    return figures.forest(rows, label=label, margin=evidence.margin)
