"""A recorded sweep from Python: its finding, rows, comparisons, figures, tables and report, also while it runs."""

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from analysis.arms import Arm
from analysis.components import leave_one_out
from analysis.headline import headline
from analysis.multiple import Difference, against
from analysis.paired import check_margin
from analysis.report.evidence import read_evidence
from analysis.rows import Rows
from analysis.summary import Summary
from sweeps import store

if TYPE_CHECKING:
    from analysis.gallery import Figures

RUN_FIELDS = (
    *("number", "arm", "seed", "attempt", "state", "reason"),
    *("epochs", "seconds", "device_seconds", "origin"),
)


def open(root: str | Path, sweep: str | None = None) -> "Results":  # noqa: A001
    """Open a sweep of a result store: the one of that name, else the last; or the sweep whose folder `root` is.

    >>> results = open("tests/fixtures/evidence", "methods-20261125-110151")
    >>> results
    <Results of methods-20261125-110151: 55 complete>
    >>> results.best.values
    {'alternative': 'cacr'}

    Raises:
        ValueError: there is no such sweep, or no store; names what there is.
    """
    return Results(store.find(sweep, root=Path(root)))


class Results:
    """What a sweep has recorded so far. What was read stays as it is; `refresh` reads again."""

    def __init__(self, directory: str | Path):
        self.directory = Path(directory).expanduser()
        self._evidence = read_evidence(self.directory)

    @property
    def id(self) -> str:
        """Name of the sweep."""
        return self._evidence.manifest.get("id") or self.directory.name

    @property
    def summary(self) -> Summary:
        """The sweep in numbers: its arms, the best beside the default, states and costs."""
        return self._evidence.summary

    @property
    def finding(self) -> str:
        """What may be said, in a sentence; first what weakens it."""
        return headline(self.summary)

    @property
    def best(self) -> Arm | None:
        """The best complete arm, on fresh seeds where there are any; None while there is none."""
        return self.summary.result.best

    @cached_property
    def arms(self) -> Rows:
        """A row for each arm, the best first: its parameters, mean over seeds, interval, standard deviation."""
        from analysis.report.arms import arm_table  # draws with matplotlib, which takes a second to import

        values, names = arm_table(self._evidence, self.summary, "arms", "").values, self._evidence.names
        named = {"name": [names[digest] for digest in values["digest"]]} if values else {}
        return Rows("arms", {**named, **values})

    @cached_property
    def runs(self) -> Rows:
        """A row for each run, in order of issue: state, cost, and the last value of each metric."""
        runs = self._evidence.record.runs
        metrics = sorted({name for run in runs for name in run.curve})
        columns = {name: [getattr(run, name) for run in runs] for name in RUN_FIELDS}
        lasts = {name: [run.last(name) for run in runs] for name in metrics if name not in columns}
        return Rows("runs", {"run": [run.identity for run in runs], **columns, **lasts} if runs else {})

    @cached_property
    def epochs(self) -> Rows:
        """A row for each epoch of each run, a column for each metric."""
        return Rows("epochs", store.epochs(self.directory))

    @cached_property
    def events(self) -> Rows:
        """A row for each thing that was done, in order; its `detail` is JSON."""
        return Rows("events", store.events(self.directory))

    def compare(self, margin: float | None = None) -> Rows:
        """Each arm less the default, paired by seed, corrected for their number: interval, p, effect, cost, verdict.

        Args:
            margin: largest difference, in points, that would not matter; says which arms are equivalent.

        Raises:
            ValueError: the default is not complete, or the margin is not above 0.
        """
        check_margin(margin)
        found = against(self._evidence.record, margin=margin, generator=self._evidence.generator)
        return _differences("comparisons", found)

    def leave_one_out(self, margin: float | None = None) -> Rows:
        """The method without each of its parts less the full method, as `compare`.

        Raises:
            ValueError: the space lists no parts, the full method is not complete, or the margin is not above 0.
        """
        check_margin(margin)
        found = leave_one_out(self._evidence.record, margin=margin, generator=self._evidence.generator)
        return _differences("parts left out", found)

    @property
    def figures(self) -> "Figures":
        """What can be drawn: `results.figures.forest().save("forest.pdf")`."""
        from analysis.gallery import Figures

        return Figures(self._evidence)

    def report(self, path: str | Path | None = None, *, margin: float | None = None) -> Path:
        """Write one page about the sweep that opens from disk, report.html in its folder by default."""
        from analysis import report

        return report.write(self.directory, None if path is None else Path(path).expanduser(), margin=margin)

    def tables(
        self, directory: str | Path, *, formats: Sequence[str] = ("txt", "md", "tex", "csv")
    ) -> tuple[Path, ...]:
        """Write every table of the report, and of an ablation the one for a paper; returns their paths."""
        from analysis import report

        return report.write_tables(self._evidence, Path(directory).expanduser(), formats)

    def save_figures(
        self, directory: str | Path, *, formats: Sequence[str] = ("pdf", "png")
    ) -> tuple[Path, ...]:
        """Write every figure that the record allows; returns their paths."""
        from analysis.report.figured import save_figures

        return save_figures(self._evidence, Path(directory).expanduser(), formats)

    def refresh(self) -> Self:
        """Read the sweep again, as it is now."""
        return type(self)(self.directory)

    def __repr__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in self._evidence.states.items())
        return f"<Results of {self.id}: {states or 'no run yet'}>"


def _differences(what: str, rows: Sequence[Difference]) -> Rows:
    return Rows(what, {one.name: [getattr(row, one.name) for row in rows] for one in fields(Difference)})
