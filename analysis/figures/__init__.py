"""Figures of sweeps: each a function that returns a matplotlib Figure, and `save`, which writes one."""

from typing import TYPE_CHECKING

from sweeps.store import lazy

if TYPE_CHECKING:  # the one list of what is public
    from analysis.figures.curves import learning_curves as learning_curves
    from analysis.figures.differences import forest as forest
    from analysis.figures.differences import seed_slopes as seed_slopes
    from analysis.figures.embedding import Images as Images
    from analysis.figures.embedding import embedding_plane as embedding_plane
    from analysis.figures.heat import factors as factors
    from analysis.figures.heat import heat_map as heat_map
    from analysis.figures.overview import overview as overview
    from analysis.figures.parallel import parallel_coordinates as parallel_coordinates
    from analysis.figures.response import response_curve as response_curve
    from analysis.figures.response import slice_plot as slice_plot
    from analysis.figures.search import best_of_curves as best_of_curves
    from analysis.figures.search import importance_bars as importance_bars
    from analysis.figures.search import pareto_front as pareto_front
    from analysis.figures.stopping import rank_agreement as rank_agreement
    from analysis.figures.stopping import rung_ladder as rung_ladder
    from analysis.figures.style import save as save
    from analysis.figures.surface import response_surface as response_surface

lazy.publish(__name__)
