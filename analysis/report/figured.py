"""The section of figures: group by group, and at its end what is not shown, and why."""

from analysis.report import comparisons, course, parameters
from analysis.report.blocks import Block, Section
from analysis.report.evidence import Evidence
from analysis.report.markup import items, join, tag
from analysis.report.plates import Group, Maker, drawn

MAKERS: tuple[Maker, ...] = (
    comparisons.overview_figures,
    comparisons.component_figures,
    parameters.parameter_figures,
    comparisons.arm_figures,
    course.learning_figures,
    course.stopping_figures,
    course.search_figures,
    course.objective_figures,
    course.embedding_figures,
)


def section(evidence: Evidence) -> Section:
    """All figures that the record allows."""
    blocks: list[Block] = []
    missing: dict[str, list[str]] = {}
    for make in MAKERS:
        found, without = _group(make(evidence))
        blocks += found
        for title, reason in without:
            told = reason.removeprefix(f"{evidence.summary.identifier}: ").rstrip(".")
            missing.setdefault(told, []).append(title)
    lines = [join(tag("b", ", ".join(titles)), f": {told}.") for told, titles in missing.items()]
    rest = [tag("h3", "Not shown"), items(*lines)] if lines else []
    return Section("Figures", (*blocks, *rest))


def _group(group: Group) -> tuple[list[Block], list[tuple[str, str]]]:
    """What can be shown, below its heading, and why each other figure cannot."""
    shown: list[Block] = []
    missing: list[tuple[str, str]] = []
    for plate in group.plates:
        try:
            shown.append(drawn(plate))
        except ValueError as reason:
            missing.append((plate.title, str(reason)))
    try:
        shown += group.more()
    except ValueError as reason:
        if shown:  # else the figures have said it
            missing.append((group.title, str(reason)))
    return ([tag("h3", group.title), *shown] if shown else []), missing
