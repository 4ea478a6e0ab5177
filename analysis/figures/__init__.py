"""Figures of sweeps: each a function that returns a matplotlib Figure, and `save`, which writes one."""

from analysis.figures.curves import learning_curves
from analysis.figures.differences import forest, seed_slopes
from analysis.figures.embedding import Images, embedding_plane
from analysis.figures.heat import factors, heat_map
from analysis.figures.overview import overview
from analysis.figures.parallel import parallel_coordinates
from analysis.figures.response import response_curve, slice_plot
from analysis.figures.search import best_of_curves, importance_bars, pareto_front
from analysis.figures.stopping import rank_agreement, rung_ladder
from analysis.figures.style import save
from analysis.figures.surface import response_surface

__all__ = [
    "Images",
    "best_of_curves",
    "embedding_plane",
    "factors",
    "forest",
    "heat_map",
    "importance_bars",
    "learning_curves",
    "overview",
    "parallel_coordinates",
    "pareto_front",
    "rank_agreement",
    "response_curve",
    "response_surface",
    "rung_ladder",
    "save",
    "seed_slopes",
    "slice_plot",
]
