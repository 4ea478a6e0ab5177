"""Figures of sweeps: each a function that returns a matplotlib Figure, and `save`, which writes one."""

from analysis.figures.overview import overview
from analysis.figures.style import save

__all__ = ["overview", "save"]
