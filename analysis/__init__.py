"""From the result store to statistics, tables and figures; needs neither torch nor Ray.

Everything public is had from here and imported when it is first used.

    >>> import analysis
    >>> results = analysis.open("tests/fixtures/evidence", "sce_ablation-20261125-111021")
    >>> results.compare(margin=1.0).columns[:5]
    ('name', 'difference', 'low', 'high', 'seeds')
    >>> print(results.finding)
    Training did not beat raw pixels (31.1). Of 8 parts left out one at a time, none makes a significant difference; ...
"""

import ast
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the one list of what is public
    from analysis import figures as figures
    from analysis import paired as paired
    from analysis import report as report
    from analysis.arms import Arm as Arm
    from analysis.arms import pareto as pareto
    from analysis.arms import ranked as ranked
    from analysis.audit import audit as audit
    from analysis.best_of import best_of as best_of
    from analysis.compare import Comparison as Comparison
    from analysis.compare import compare as compare
    from analysis.compare import holm as holm
    from analysis.components import add_one_in as add_one_in
    from analysis.components import interactions as interactions
    from analysis.components import leave_one_out as leave_one_out
    from analysis.fanova import fanova as fanova
    from analysis.gallery import Drawing as Drawing
    from analysis.gallery import Figures as Figures
    from analysis.headline import headline as headline
    from analysis.importance import Importance as Importance
    from analysis.intervals import student_interval as student_interval
    from analysis.learning import learning as learning
    from analysis.load import Record as Record
    from analysis.load import Run as Run
    from analysis.load import load as load
    from analysis.multiple import Difference as Difference
    from analysis.multiple import against as against
    from analysis.noise import Noise as Noise
    from analysis.observed import observed as observed
    from analysis.paper import paper_table as paper_table
    from analysis.pedanova import ped_anova as ped_anova
    from analysis.results import Results as Results
    from analysis.results import open as open  # noqa: A004
    from analysis.rows import Rows as Rows
    from analysis.summarise import summarise as summarise
    from analysis.summary import Summary as Summary
    from analysis.tables import Table as Table
    from analysis.tables import save_tables as save_tables
    from analysis.terminal import summary_text as summary_text
    from analysis.tuning import tunability as tunability


def _homes() -> dict[str, tuple[str, str]]:
    """Where each public name is defined, by the imports above, and what it is called there."""
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    found = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {one.asname or one.name: (str(node.module), one.name) for node in found for one in node.names}


class _Package(ModuleType):
    """The package, whose public names are imported on first use."""

    def __getattr__(self, name: str) -> Any:
        if name not in HOMES:
            raise AttributeError(f"analysis has no '{name}'; it has {', '.join(HOMES)}")
        home, called = HOMES[name]
        found = importlib.import_module(f"{home}.{called}") if home == __name__ else None
        self.__dict__[name] = found or getattr(importlib.import_module(home), called)
        return self.__dict__[name]

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing the file of a function of the same name binds that file here: the function goes first.
        if not (isinstance(value, ModuleType) and HOMES.get(name, ("analysis",))[0] != __name__):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *HOMES})


HOMES = _homes()
__all__ = list(HOMES)  # pyright: ignore[reportUnsupportedDunderAll]
sys.modules[__name__].__class__ = _Package
