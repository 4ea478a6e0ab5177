"""Figures of learning, early stopping, the expected best of n arms, objectives and embeddings."""

from collections.abc import Iterator, Sequence
from functools import cache, partial

from matplotlib.figure import Figure

from analysis import figures
from analysis.audit import audit
from analysis.best_of import best_of
from analysis.report.blocks import Block
from analysis.report.evidence import Evidence, images
from analysis.report.markup import items
from analysis.report.plates import Group, Plate

QUERIES = 8


def learning_figures(evidence: Evidence) -> Group:
    """Return the learning curves."""
    alone = max((len(arm.seeds) for arm in evidence.summary.arms), default=0) < 2
    end = "; one seed, so no intervals." if alone else "."
    says = f"The metric after each epoch: the best arms and the default, the others thin{end}"
    plate = Plate("Learning curves", lambda: figures.learning_curves(evidence.search, evidence.summary), says)
    return Group("Learning", (plate,))


def stopping_figures(evidence: Evidence) -> Group:
    """Return the figures and the audit of early stopping."""
    found = audit(evidence.record, evidence.events)

    def sentences() -> tuple[Block, ...]:
        could = [evidence.summary.stopping] if evidence.summary.stopping else ["Nothing was stopped early."]
        return (items(*(found.sentences if found.rungs else could)),)

    ladder = Plate("Rung ladder", lambda: figures.rung_ladder(evidence.record, evidence.events))
    agreement = Plate("Rank agreement", lambda: figures.rank_agreement(found))
    return Group("Early stopping", (ladder, agreement), sentences)


def search_figures(evidence: Evidence) -> Group:
    """Return the figure of the expected best of n arms."""
    name = evidence.plan.get("design") or "search"

    found = cache(lambda: best_of({name: evidence.search}))

    def curve() -> Figure:
        return figures.best_of_curves(found(), label=evidence.summary.label)

    def sentence() -> tuple[Block, ...]:
        return (items(found()[name].sentence),)

    return Group("Expected best of n arms", (Plate("Best of n", curve),), sentence)


def objective_figures(evidence: Evidence) -> Group:
    """Return the Pareto fronts of the first objective and each other one."""
    return Group("Objectives", tuple(_fronts(evidence)))


def embedding_figures(evidence: Evidence) -> Group:
    """Return the figure of the best encoder's embeddings."""

    def plane() -> Figure:
        shown, run = images(evidence.directory)
        queries = [int((shown.labels == label).argmax()) for label in sorted(set(shown.labels.tolist()))]
        figure = figures.embedding_plane(shown, queries[:QUERIES], neighbours=min(6, len(shown.labels) - 1))
        figure.supxlabel(f"Encoder of run {run}. {figure.get_supxlabel()}")
        return figure

    return Group("Embeddings", (Plate("Embeddings", plane),))


def _fronts(evidence: Evidence) -> Iterator[Plate]:
    wanted: Sequence[dict[str, str]] = evidence.manifest.get("objectives") or []
    names = [one["metric"] for one in wanted]

    def single() -> Figure:
        raise ValueError("the sweep has one objective")

    if len(names) < 2:
        yield Plate("Pareto front", single)
    for other in names[1:]:
        draw = partial(figures.pareto_front, evidence.summary, wanted, (other, names[0]))
        says = "Every complete arm at two of its objectives."
        yield Plate(f"Pareto front, {names[0]} and {other}", draw, says)
