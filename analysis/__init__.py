"""From the result store to statistics, tables and figures; needs neither torch nor Ray.

Everything public is had from here and imported when it is first used.

    >>> import analysis
    >>> results = analysis.open("tests/fixtures/evidence", "sce_ablation-20261125-111021")
    >>> results.compare(margin=1.0).columns[:5]
    ('name', 'difference', 'low', 'high', 'seeds')
    >>> print(results.finding)
    Training did not beat raw pixels (31.1). Of 8 parts left out one at a time, none makes a significant difference; ...
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis import figures, paired, report
    from analysis.arms import Arm, pareto, ranked
    from analysis.compare import Comparison, holm
    from analysis.components import add_one_in, interactions, leave_one_out
    from analysis.gallery import Drawing, Figures
    from analysis.importance import Importance
    from analysis.intervals import student_interval
    from analysis.load import Record, Run
    from analysis.multiple import Difference, against
    from analysis.noise import Noise
    from analysis.paper import paper_table
    from analysis.pedanova import ped_anova
    from analysis.results import Results
    from analysis.results import open_results as open  # noqa: A004
    from analysis.rows import Rows
    from analysis.summary import Summary
    from analysis.tables import Table, save_tables
    from analysis.terminal import summary_text
    from analysis.tuning import tunability

WHERE = {
    "arms": ("Arm", "pareto", "ranked"),
    "compare": ("Comparison", "holm"),
    "components": ("add_one_in", "interactions", "leave_one_out"),
    "gallery": ("Drawing", "Figures"),
    "importance": ("Importance",),
    "intervals": ("student_interval",),
    "load": ("Record", "Run"),
    "multiple": ("Difference", "against"),
    "noise": ("Noise",),
    "paper": ("paper_table",),
    "pedanova": ("ped_anova",),
    "results": ("Results", "open"),
    "rows": ("Rows",),
    "summary": ("Summary",),
    "tables": ("Table", "save_tables"),
    "terminal": ("summary_text",),
    "tuning": ("tunability",),
}
"""By module what it lends to this one; modules that are public as they are: figures, paired, report."""
__all__ = [
    "Arm", "Comparison", "Difference", "Drawing", "Figures", "Importance", "Noise", "Record", "Results", "Rows", "Run",
    "Summary", "Table", "add_one_in", "against", "figures", "holm", "interactions", "leave_one_out", "open", "paired",
    "paper_table", "pareto", "ped_anova", "ranked", "report", "save_tables", "student_interval", "summary_text",
    "tunability",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in ("figures", "paired", "report"):
        return importlib.import_module(f"analysis.{name}")
    for module, names in WHERE.items():
        if name in names:
            found = getattr(
                importlib.import_module(f"analysis.{module}"), "open_results" if name == "open" else name
            )
            globals()[name] = found
            return found
    raise AttributeError(f"analysis has no '{name}'; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
