"""Report of a recorded sweep as one page: finding, claims, figures, tables, methods and provenance.

Beside the page lies a folder SWEEP_tables with every table of it in full, NAME.csv each.
"""

from collections.abc import Iterable
from pathlib import Path

from analysis import tables
from analysis.paper import paper_table
from analysis.report import arms, differences, failures, finding, methods, origin
from analysis.report import figured as figures_section
from analysis.report.blocks import Section
from analysis.report.evidence import Evidence, read_evidence
from analysis.report.figured import save_figures
from analysis.report.page import page
from analysis.tables import Table
from sweeps import store

__all__ = ["REPORT_FILE", "write", "write_tables"]

REPORT_FILE = "report.html"
SECTIONS = (
    *(finding.section, figures_section.section, arms.section, differences.section, failures.section),
    *(methods.section, origin.origin_section, origin.reported_by_others),
)
"""In the order in which they are read."""


def write(
    directory: str | Path,
    out: str | Path | None = None,
    *,
    margin: float | None = None,
    tabled: Path | None = None,
    figured: Path | None = None,
) -> Path:
    """Write the report of a sweep, finished or not, whole or not at all, and its tables; return its path.

    The same record gives the same bytes.

    Args:
        directory: of the sweep, STORE/sweeps/<id>.
        out: the file; report.html in that folder unless given.
        margin: largest difference, in points, that would not matter; says which arms are equivalent.
        tabled: a folder that gets every table as a file in text, Markdown, LaTeX and CSV, and of an ablation the one
            for a paper, `paper`.
        figured: a folder that gets every figure as PDF and PNG.

    Raises:
        StoreError: there is no sweep in that folder.
        ValueError: the margin is not above 0.
        OSError: something cannot be written.
    """
    directory = Path(directory)
    evidence = read_evidence(directory, margin)
    sections = tuple(section(evidence) for section in SECTIONS)
    name = evidence.manifest.get("id") or directory.name
    foot = f"Made from the record of {name}, as it was at {origin.written(evidence)} UTC."
    path = Path(out or directory / REPORT_FILE)
    beside = path.with_name(f"{directory.resolve().name}_tables")
    content = page(name, evidence.space.get("question", ""), sections, foot, beside.name).encode()
    store.write_whole(path, lambda file: file.write(content))
    tables.save_tables(_tables(sections), beside, ("csv",))
    if tabled:
        tables.save_tables([*_tables(sections), *_for_paper(evidence)], tabled)
    if figured:
        save_figures(evidence, figured)
    return path


def write_tables(
    evidence: Evidence, directory: Path, formats: Iterable[str] = tables.FORMATS
) -> tuple[Path, ...]:
    """Write every table of a sweep's report, and of an ablation the one for a paper; return their paths."""
    sections = [make(evidence) for make in SECTIONS]
    return tables.save_tables([*_tables(sections), *_for_paper(evidence)], directory, formats)


def _tables(sections: Iterable[Section]) -> list[Table]:
    return [block for one in sections for block in one.blocks if isinstance(block, Table)]


def _for_paper(evidence: Evidence) -> list[Table]:
    try:
        return [paper_table(evidence.summary)]
    except ValueError:  # only an ablation has one
        return []
