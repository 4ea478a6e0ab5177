"""Figures over parameters: good regions, and importance."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from itertools import islice

from matplotlib.figure import Figure

from analysis import figures
from analysis.fanova import fanova
from analysis.figures.scale import is_number
from analysis.importance import Importance, disagreement
from analysis.observed import observed
from analysis.paired import ALPHA
from analysis.pedanova import ped_anova
from analysis.report.blocks import Block
from analysis.report.evidence import Evidence
from analysis.report.markup import items
from analysis.report.plates import Group, Plate
from analysis.tuning import tunability

NO_PARAMETERS = "the space lists its arms by name and has no parameters to draw over"


def parameter_figures(evidence: Evidence) -> Group:
    """Return the figures over parameters; none of a space that lists its arms by name."""
    summary, space = evidence.summary, evidence.space
    if space.get("alternatives"):
        return Group("Parameters", (Plate("Figures over parameters", _listed),))

    known = observed(evidence.record)
    variance = cache(lambda: fanova(known, evidence.generator, pairs=True))
    best = cache(lambda: beyond_chance(ped_anova(known, evidence.generator)))

    def sentences() -> tuple[Block, ...]:
        # Of one parameter that of all together is the same.
        found = dict.fromkeys(gain.sentence for gain in tunability(evidence.record) if gain.arms > 1)
        with suppress(ValueError):  # the plates say why one of the two is not drawn
            found |= dict.fromkeys(filter(None, [disagreement(variance(), best())]))
        return (items(*found),) if found else ()

    plates = (
        Plate("Response surface", lambda: surface_of(evidence)),
        Plate("Slices", lambda: figures.slice_plot(summary, space)),
        Plate("Parallel coordinates", lambda: _lines(evidence)),
        Plate("Importance, fANOVA", lambda: figures.importance_bars(variance())),
        Plate("Importance, PED-ANOVA", lambda: figures.importance_bars(best())),
    )
    return Group("Parameters", (*plates, *_responses(evidence)), sentences)


def beyond_chance(found: Importance) -> Importance:
    """Return an importance that exceeds what shuffled scores give.

    Raises:
        ValueError: it is not.
    """
    if found.chance is not None and found.chance > ALPHA:
        shuffles = f"{found.chance:.0%} of shuffles of their scores do"
        raise ValueError(
            f"{found.method} of {found.arms} arms finds no more than {shuffles}, so it says nothing of the "
            "parameters; let the sweep grow (--arms)"
        )
    return found


def _listed() -> Figure:
    raise ValueError(NO_PARAMETERS)


def surface_of(evidence: Evidence) -> Figure:
    """Draw the response surface over the first two varied numeric parameters.

    Raises:
        ValueError: there are not two, or too few arms are complete.
    """
    numeric = list(islice(_numeric(evidence), 2))
    if len(numeric) < 2:
        raise ValueError(f"it needs two numeric parameters that vary, and there are {len(numeric)}")
    return figures.response_surface(evidence.summary, (numeric[0], numeric[1]), evidence.space)


def _lines(evidence: Evidence) -> Figure:
    if len(evidence.summary.paths) < 2:
        raise ValueError("it needs two parameters that vary")
    return figures.parallel_coordinates(evidence.summary, evidence.space)


def _responses(evidence: Evidence) -> Iterator[Plate]:
    """Yield a curve for each parameter, or one for each quantity that others have reported of it alone."""
    reported = evidence.space.get("reported") or ()
    for path in evidence.summary.paths:
        kinds = dict.fromkeys(one["what"] for one in reported if set(one["values"]) == {path})
        for what in kinds or (None,):
            title = f"Response to {path}{f', beside {what}' if what else ''}"
            says = f"The arms that vary {path} alone, all else as in the default."
            yield Plate(title, partial(_response, evidence, path, what), says)


def _response(evidence: Evidence, path: str, what: str | None) -> Figure:
    try:
        return figures.response_curve(evidence.summary, path, evidence.space, what=what)
    except ValueError as reason:  # told once for all parameters that it is true of
        raise ValueError(str(reason).replace(path, "it")) from reason


def _numeric(evidence: Evidence) -> Iterator[str]:
    """Yield the paths at which all arms have numbers that are not all equal."""
    arms = evidence.summary.arms
    for path in evidence.summary.paths:
        values = [arm.values[path] for arm in arms]
        if len(set(map(str, values))) > 1 and all(map(is_number, values)):
            yield path
