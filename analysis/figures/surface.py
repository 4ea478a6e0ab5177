"""Response surface: expected score over two parameters, and its uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.arms import Arm
from analysis.figures.marks import mark_arms, marker_key, some
from analysis.figures.scale import Scale, excluded, hatch_excluded, parameter_scale, require_parameter
from analysis.figures.style import INK, PAGE, ink_on, note, shades, sheet, styled
from analysis.stopping import MIN_RUNS
from analysis.summary import Summary

SIDE = 60
"""Points of the surface along each axis."""
MAX_SURFACE_ARMS = 300
"""Arms that a surface goes through: what it takes grows with their cube."""
GREYS = LinearSegmentedColormap.from_list("light greys", ["#FAFAFA", "#8C8C8C"])


@dataclass(frozen=True)
class Surface:
    """Expected score and its standard deviation on a grid; both (len(y), len(x)), in points."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    noise: float
    """Standard deviation of one run around the surface."""


@styled
def response_surface(summary: Summary, paths: tuple[str, str], space: Mapping[str, Any]) -> Figure:
    """Draw the expected score over two numeric parameters and its standard deviation, side by side.

    Args:
        summary: the sweep; the surface goes by its complete arms, each seed of them, and shows the others hollow.
        paths: the two parameters.
        space: the manifest's, for the domains and for what it excludes.

    Raises:
        ValueError: a parameter is not numeric or does not vary, or fewer than six arms are complete.
    """
    x, y = (_numeric(path, summary, space) for path in paths)
    arms = [arm for arm in summary.arms if arm.score is not None]
    if len(arms) < MIN_RUNS:
        needed = f"a surface over {' and '.join(paths)} needs {MIN_RUNS} complete arms"
        raise ValueError(f"{needed}, got {len(arms)}; draw the arms alone")
    points = zip(summary.arms, x.positions, y.positions, strict=True)
    places = {arm.digest: (across, up) for arm, across, up in points}
    fitted = some(arms, summary, MAX_SURFACE_ARMS)
    found = surface(fitted, [places[arm.digest] for arm in fitted], x, y)
    out = excluded(found.x, found.y, paths, space)
    figure = sheet(PAGE, 3.0)
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    tint, colours = shades([*found.mean[~out], *(arm.last for arm in arms)])
    grey = ScalarMappable(Normalize(0, float(found.deviation[~out].max())), GREYS)
    for axes, values, fill in ((left, found.mean, colours), (right, found.deviation, grey)):
        _fill(axes, found, values, out, fill)
        x.draw(axes, "x")
        y.draw(axes, "y")
        hatch_excluded(axes, x, y, paths, space)
    mark_arms(left, summary, summary.arms, places.values(), tint, numbered=False, size=45)
    right.plot(*zip(*(places[arm.digest] for arm in arms), strict=True), ".", color=INK, markersize=3)
    left.set_title(f"Expected {summary.label}")
    right.set(title="Its standard deviation (points)", ylabel="")
    around = f"one run lies {found.noise:.1f} points (one deviation) around it"
    note(figure, f"{_through(fitted, len(arms))}; {around}. Arms: {marker_key(summary.arms, summary)}.")
    return figure


def _through(fitted: Sequence[Arm], count: int) -> str:
    """Describe the surface and the runs it was fitted to."""
    runs = sum(len(arm.scores) for arm in fitted)
    of = f" of {count:,}, the best and others at even steps of rank" if len(fitted) < count else ""
    process = "Gaussian process (Matérn 5/2, a length an axis)"
    return f"{process} through n = {runs} runs of {len(fitted)} complete arms{of}"


def surface(arms: Sequence[Arm], places: Sequence[tuple[float, float]], x: Scale, y: Scale) -> Surface:
    """Regress the score of each run on where its arm lies (Rasmussen and Williams 2006, algorithm 2.1).

    What a seed adds to all arms is taken out first, so that noise is what remains between seeds of one arm. Lengths,
    amplitude and noise maximise the marginal likelihood. The arms' means and what the seeds vary around them say all
    that the runs do, so that only as many points as arms have to be solved for.
    """
    from analysis.figures.process import fit_process

    seeds = sorted(set.intersection(*(set(arm.scores) for arm in arms)))
    table = np.array([[arm.scores[seed] for seed in seeds] for arm in arms])
    table -= table.mean(axis=0) - table.mean()
    columns = [one.unit(column) for one, column in zip((x, y), zip(*places, strict=True), strict=True)]
    middle, unit = float(table.mean()), float(table.std()) or 1.0
    model = fit_process(np.stack(columns, axis=1), (table - middle) / unit)
    x_line, y_line = x.line(SIDE), y.line(SIDE)
    grid = np.stack(np.meshgrid(x.unit(x_line), y.unit(y_line)), axis=-1).reshape(-1, 2)
    mean, deviation = model.predict(grid, return_std=True)
    error = float(model.kernel_.k2.noise_level)  # of the mean of an arm
    latent = unit * np.sqrt(np.maximum(deviation**2 - error, 0))
    shape = (SIDE, SIDE)
    noise = unit * (error * len(seeds)) ** 0.5
    return Surface(x_line, y_line, middle + unit * mean.reshape(shape), latent.reshape(shape), noise)


def _numeric(path: str, summary: Summary, space: Mapping[str, Any]) -> Scale:
    require_parameter(path, summary)
    found = parameter_scale(summary, path, space, summary.arms)
    if found.categories or len(set(found.positions)) < 2:
        has = "names" if found.categories else "one value"
        raise ValueError(f"{path} has {has}, so no surface; use two numeric ones")
    return found


def _fill(
    axes: Axes, found: Surface, values: NDArray[np.float64], out: NDArray[np.bool_], colours: ScalarMappable
) -> None:
    """Draw bands of colour with a line and a number at each step, which a print in grey shows too."""
    levels = MaxNLocator(8).tick_values(float(values[~out].min()), float(values[~out].max()))
    cmap = colours.get_cmap()
    norm: Any = colours.norm
    axes.contourf(found.x, found.y, values, levels, cmap=cmap, norm=norm, extend="both")
    inks = [ink_on(cmap(share)) for share in norm(levels)]
    style: Any = {"levels": levels, "colors": inks, "linewidths": 0.5}
    lines = axes.contour(found.x, found.y, np.where(out, np.nan, values), **style)
    axes.clabel(lines, levels[::2], fmt="%g", fontsize=6)
