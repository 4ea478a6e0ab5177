"""Figures of one sweep by their names, each with a title that says what it shows, in which unit and of which data."""

import io
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from analysis import figures
from analysis.audit import audit
from analysis.best_of import best_of
from analysis.components import leave_one_out
from analysis.fanova import fanova
from analysis.figures.style import UNDATED, titled
from analysis.observed import observed
from analysis.report.comparisons import MAX_FOREST_ROWS, best_beside_default, forest_of
from analysis.report.evidence import Evidence, images
from analysis.report.parameters import NO_PARAMETERS, surface_of


@dataclass(frozen=True, repr=False)
class Drawing:
    """A figure that can be saved; a notebook shows it by itself. `figure` is matplotlib's own."""

    title: str
    figure: Figure

    def save(self, path: str | Path) -> Path:
        """Write the figure in the format that the name ends with, whole or not at all; return its path.

        Raises:
            ValueError: the name ends with none of .pdf, .png and .svg.
        """
        where = Path(path).expanduser()
        suffix = where.suffix.lower().removeprefix(".")
        if suffix not in UNDATED:
            raise ValueError(f"{path}: a figure is written as .pdf, .png or .svg; end its name so")
        (written,) = figures.save(self.figure, where.with_suffix(""), (suffix,))
        return written

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.figure.savefig(content, format="png", dpi=120)
        return content.getvalue()

    def __repr__(self) -> str:
        return f"<Drawing: {self.title[:120]}>"


class Figures:
    """What can be drawn of a sweep. Each raises ValueError, which says why, where the record has not what it needs."""

    def __init__(self, evidence: Evidence):
        self._evidence = evidence

    def overview(self) -> Drawing:
        """Draw where the arms lie, and how each run learned."""
        figure = figures.overview(self._evidence.search, self._evidence.summary)
        return Drawing(" ".join(figure.get_suptitle().split()), figure)

    def learning_curves(self, top: int = 3) -> Drawing:
        """Draw the metric after each epoch: the best arms and the default, the others thin."""
        search, summary = self._evidence.search, self._evidence.summary
        return self._drawing("Learning curves", figures.learning_curves(search, summary, top=top))

    def forest(self) -> Drawing:
        """Draw each arm less the default with its interval."""
        rows = self._evidence.differences[:MAX_FOREST_ROWS]
        return self._drawing("Differences from the default", forest_of(rows, self._evidence))

    def leave_one_out(self) -> Drawing:
        """Draw the method without each of its parts, less the full method."""
        rows = leave_one_out(self._evidence.record, margin=self._evidence.margin)
        return self._drawing("Leaving one part out", forest_of(rows, self._evidence))

    def seed_slopes(self) -> Drawing:
        """Draw the best arm and the default seed by seed."""
        return self._drawing("Best and default by seed", best_beside_default(self._evidence.summary.result))

    def slices(self) -> Drawing:
        """Draw the score over each parameter."""
        self._varied()
        return self._drawing("Slices", figures.slice_plot(self._evidence.summary, self._evidence.space))

    def response_surface(self) -> Drawing:
        """Draw the expected score over the first two numeric parameters that vary."""
        self._varied()
        return self._drawing("Response surface", surface_of(self._evidence))

    def parallel_coordinates(self) -> Drawing:
        """Draw every arm through its parameters to its score."""
        self._varied()
        figure = figures.parallel_coordinates(self._evidence.summary, self._evidence.space)
        return self._drawing("Parallel coordinates", figure)

    def importance(self) -> Drawing:
        """Draw how much of the variance of the score each parameter explains (fANOVA)."""
        found = fanova(observed(self._evidence.record), self._evidence.generator, pairs=True)
        return self._drawing("Importance of parameters", figures.importance_bars(found))

    def rung_ladder(self) -> Drawing:
        """Draw what early stopping did at each rung."""
        return self._drawing("Rungs", figures.rung_ladder(self._evidence.record, self._evidence.events))

    def rank_agreement(self) -> Drawing:
        """Draw how well the order of runs at an epoch tells their order at the end."""
        found = audit(self._evidence.record, self._evidence.events)
        return self._drawing("Rank agreement", figures.rank_agreement(found))

    def best_of(self) -> Drawing:
        """Draw the score that the best of n arms is expected to have."""
        design = self._evidence.plan.get("design") or "search"
        found = best_of({design: self._evidence.search})
        curves = figures.best_of_curves(found, label=self._evidence.summary.label)
        return self._drawing("Best of n arms", curves)

    def embeddings(self, queries: int = 5) -> Drawing:
        """Draw validation images in the plane of the best encoder's embeddings, and the nearest ones of some."""
        found, _ = images(self._evidence.directory)
        step = max(len(found.labels) // queries, 1)
        places = range(0, len(found.labels), step)[:queries]
        return self._drawing("Embeddings of the best encoder", figures.embedding_plane(found, places))

    def __repr__(self) -> str:
        names = [name for name in vars(type(self)) if not name.startswith("_")]
        return f"<Figures: {', '.join(names)}>"

    def _varied(self) -> None:
        if self._evidence.space.get("alternatives"):
            raise ValueError(f"{NO_PARAMETERS}; draw forest()")

    def _drawing(self, title: str, figure: Figure) -> Drawing:
        whole = self._evidence.summary.titled(title)
        titled(figure, whole)
        return Drawing(whole, figure)
