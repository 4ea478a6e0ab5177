"""One page about a recorded sweep: what it found, what may be claimed, and where that comes from.

Beside the page lies a folder SWEEP_tables with every table of it in full, NAME.csv each.
"""

from contextlib import suppress
from pathlib import Path

from analysis import tables
from analysis.paper import paper_table
from analysis.report import arms, differences, failures, figured, finding, methods, origin
from analysis.report.evidence import read_evidence
from analysis.report.page import page
from analysis.tables import Table
from sweeps import store

__all__ = ["REPORT_FILE", "write"]

REPORT_FILE = "report.html"
SECTIONS = (
    *(finding.section, figured.section, arms.section, differences.section, failures.section),
    *(methods.section, origin.provenance, origin.reported),
)
"""In the order in which they are read."""


def write(
    directory: Path, out: Path | None = None, *, margin: float | None = None, tabled: Path | None = None
) -> Path:
    """Writes the report of a sweep, finished or not, whole or not at all, and its tables; returns its path.

    The same record gives the same bytes.

    Args:
        directory: of the sweep, STORE/sweeps/<id>.
        out: the file; report.html in that folder unless given.
        margin: differences up to so many points would not matter; says which arms are equivalent.
        tabled: a folder that gets every table as a file in text, Markdown, LaTeX and CSV, and of an ablation the one
            for a paper, `paper`.

    Raises:
        StoreError: there is no sweep in that folder.
        ValueError: the margin is not above 0.
        OSError: something cannot be written.
    """
    evidence = read_evidence(directory, margin)
    sections = tuple(section(evidence) for section in SECTIONS)
    name = evidence.manifest.get("id") or directory.name
    foot = f"Made from the record of {name}, as it was at {origin.written(evidence)} UTC."
    path = out or directory / REPORT_FILE
    beside = path.with_name(f"{directory.resolve().name}_tables")
    content = page(name, evidence.space.get("question", ""), sections, foot, beside.name).encode()
    store.write_whole(path, lambda file: file.write(content))
    found = [block for one in sections for block in one.blocks if isinstance(block, Table)]
    tables.save_tables(found, beside, ("csv",))
    if tabled:
        with suppress(ValueError):  # only an ablation has one
            found.append(paper_table(evidence.summary))
        tables.save_tables(found, tabled)
    return path
