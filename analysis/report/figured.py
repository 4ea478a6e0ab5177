"""Section of figures, with the reasons for those that are not shown."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from analysis.figures.style import save, titled
from analysis.report import comparisons, course, parameters
from analysis.report.blocks import Block, Section
from analysis.report.evidence import Evidence
from analysis.report.markup import items, join, tag
from analysis.report.plates import Group, Maker, drawn, slug

MAKERS: tuple[Maker, ...] = (
    *(comparisons.overview_figures, comparisons.component_figures, parameters.parameter_figures),
    *(comparisons.arm_figures, course.learning_figures, course.stopping_figures),
    *(course.search_figures, course.objective_figures, course.embedding_figures),
)


def section(evidence: Evidence) -> Section:
    """Draw all figures that the record allows."""
    blocks: list[Block] = []
    missing: dict[str, list[str]] = {}
    for make in MAKERS:
        found, without = _group(make(evidence), evidence.summary.measured if evidence.summary.data else "")
        blocks += found
        for title, reason in without:
            told = reason.removeprefix(f"{evidence.summary.identifier}: ").rstrip(".")
            missing.setdefault(told, []).append(title)
    lines = [join(tag("b", ", ".join(titles)), f": {told}.") for told, titles in missing.items()]
    rest = [tag("h3", "Not shown"), items(*lines)] if lines else []
    return Section("Figures", (*blocks, *rest))


def save_figures(
    evidence: Evidence, directory: Path, formats: Sequence[str] = ("pdf", "png")
) -> tuple[Path, ...]:
    """Write each figure that the record allows as TITLE.pdf and TITLE.png, with unit and data set in its title."""
    paths: list[Path] = []
    for plate in (plate for make in MAKERS for plate in make(evidence).plates):
        with suppress(ValueError):  # the page says why there is none
            figure = plate.draw()
            if not figure.get_suptitle():
                titled(figure, evidence.summary.titled(plate.title))
            paths += save(figure, directory / slug(plate.title), formats)
    return tuple(paths)


def _group(group: Group, measured: str) -> tuple[list[Block], list[tuple[str, str]]]:
    """Return the blocks that can be shown, and the reason for each figure that cannot."""
    shown: list[Block] = []
    missing: list[tuple[str, str]] = []
    for plate in group.plates:
        try:
            shown.append(drawn(plate, measured))
        except ValueError as reason:
            missing.append((plate.title, str(reason)))
    try:
        shown += group.more()
    except ValueError as reason:
        if shown:  # else the figures have said it
            missing.append((group.title, str(reason)))
    return ([tag("h3", group.title), *shown] if shown else []), missing
