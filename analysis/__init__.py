"""From the result store to statistics, tables and figures; needs neither torch nor Ray.

Everything public is had from here and imported when it is first used.

    >>> import analysis
    >>> results = analysis.open("tests/fixtures/evidence", "sce_ablation-20261125-111021")
    >>> results.compare(margin=1.0).columns[:5]
    ('name', 'difference', 'low', 'high', 'seeds')
    >>> print(results.finding)
    Training did not beat raw pixels (31.1). Of 8 parts left out one at a time, none makes a significant difference; ...
"""

from typing import TYPE_CHECKING

from sweeps.store import lazy

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

lazy.publish(__name__, told="{package} has no '{name}'; it has {names}")
