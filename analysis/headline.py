"""Headline of a sweep: caveats first, then a sentence that answers the question of its space."""

from collections.abc import Sequence

from analysis.intervals import signed
from analysis.load import ARM
from analysis.multiple import Difference
from analysis.naming import cells, short, shown
from analysis.paired import ALPHA
from analysis.summary import Summary

SMOKE = "Smoke test: it shows that the sweep runs, and says nothing about methods"
COARSE = 1.0
"""Points between two possible scores of an arm from which on it is said, also where no arms tie."""
MAX_RANKED = 12
"""Arms of a ranking that a sentence names; of more only the first of them, and the default."""
ADDED = ("helps", "help", "worse with")
LEFT_OUT = ("is missed", "are missed", "better without")
"""What is said of one part, of several, and of those that do the opposite."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def headline(summary: Summary) -> str:
    """The sweep's finding without its last full stop; of runs of several codes it names them."""
    return ". ".join([*caveats(summary), finding_of(summary)])


def finding_of(summary: Summary) -> str:
    """Return the answer alone, a sentence without its full stop."""
    if summary.smoke:
        return SMOKE
    used = dict.fromkeys((*summary.codes, *summary.result.codes))
    mixed = f"; these runs are of more than one code ({'; '.join(used)})" if len(used) > 1 else ""
    return _answer(summary.result) + mixed


def caveats(summary: Summary) -> list[str]:
    """Return the caveats of the finding in sentences: no baseline beaten, or scores too coarse to rank by."""
    result = summary.result
    if result.best is None or result.best.score is None or summary.smoke:
        return []
    return [one for one in (_baselines(result, result.best.score), _grid(result, result.best.score)) if one]


def counts(states: dict[str, int]) -> str:
    """Say how many runs are in each state."""
    order = ("complete", "stopped", "paused", "failed", "running")
    return ", ".join(f"{states[state]} {state}" for state in order if state in states)


def _baselines(result: Summary, score: float) -> str | None:
    above = {name: value for name, value in result.baselines.items() if score <= value}
    if len(above) > 1 and len(above) == len(result.baselines):
        values = ", ".join(f"{name} {value:.3g}" for name, value in above.items())
        return f"Training beat neither baseline ({values})"
    articles = {name: "" if name.startswith("raw") else "the " for name in above}
    names = [f"{articles[name]}{name} ({value:.3g})" for name, value in above.items()]
    return f"Training did not beat {' and '.join(names)}" if names else None


def _grid(result: Summary, score: float) -> str | None:
    """On which grid scores lie, where it is coarse or arms tie for the best."""
    tied = sum(arm.score is not None and abs(arm.score - score) < 1e-9 for arm in result.arms)
    many = NUMBERS[tied] if tied < len(NUMBERS) else f"{tied:,}"
    tie = f"{many} arms tie for the best" if tied > 1 else ""
    if not result.images:
        return tie.capitalize() or None
    seeds = max(len(arm.scores) for arm in result.arms)
    step = 100 / result.images / seeds
    if not tie and step < COARSE:
        return None
    scores = f"means over {seeds} seeds" if seeds > 1 else "scores"
    grid = f"{result.images:,} {result.split} images: {scores} lie on a grid of {step:.2g} points"
    return f"{grid}, {tie}" if tie else grid


def _answer(result: Summary) -> str:
    best = result.best
    if best is None or best.score is None:
        return f"No arm is complete: {counts(result.states) or 'no run has started'}"
    unfinished = result.origin is not None and result.origin.score is None
    if result.question in ("ablation", "addition") and (result.rows or unfinished):
        return _parts(result)
    if result.question == "comparison" and result.complete > 1:
        return _ranking(result)
    if best is result.default:
        if result.complete == 1:
            return f"Only the default is complete, at {best.score:.1f}"
        return f"The default, at {best.score:.1f}, is the best of {result.complete} complete arms"
    return _best(result)


def _best(result: Summary) -> str:
    """Of a search: the values of the best arm, and whether it is better than the default."""
    best, comparison = result.best, result.comparison
    assert best is not None
    named = zip(short(result.paths).values(), cells(result.arms, result.paths)[best.digest], strict=True)
    values = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in named)
    if comparison is None:
        return f"Best: {values} at {best.score:.1f}; the default is not complete"
    end = {True: "significantly better", False: "no significant difference", None: "one seed cannot tell"}
    if comparison.significant and not result.significant:
        end[False] = f"no significant difference after correction for {result.others} arms"
    gain = f"{comparison.difference:+.1f} over the default"
    return f"Best: {values} at {best.score:.1f}, {gain}: {end[result.significant]}"


def _parts(result: Summary) -> str:
    """Of an ablation: which parts are missed when they are left out, or help when they are added."""
    added = result.question == "addition"
    if result.origin is None or result.origin.score is None:
        return f"The {'bare' if added else 'full'} method is not complete, so no part of it can be judged"
    how = "added one at a time to the bare method" if added else "left out one at a time"
    about = f"Of {len(result.rows)} part{'s' if len(result.rows) > 1 else ''} {how}"
    made = [row for row in result.rows if row.difference is not None]
    if made and all(row.p is None and row.seeds == 1 for row in made):
        return f"{about} on one seed, which cannot tell: {_named(made)} points{_unfinished(result)}"
    lower, higher, alike = _sorted(made)
    if alike and not (lower or higher):
        largest = max(alike, key=lambda row: abs(row.difference or 0.0))
        nothing = f"{about}, none makes a significant difference; the largest is {_named([largest])} points"
        return f"{nothing}{_unfinished(result)}"
    hit, other = (higher, lower) if added else (lower, higher)
    one, many, beside = ADDED if added else LEFT_OUT
    counted = f"{len(hit)} {one if len(hit) == 1 else many}: {_named(hit)} points"
    said = f"{about}, {counted if hit else f'none {one}'}"
    said += f"; {beside}: {_named(other)} points" if other else ""
    said += f"; {len(alike)} make{'s' if len(alike) == 1 else ''} no significant difference" if alike else ""
    return f"{said}{_unfinished(result)}"


def _ranking(result: Summary) -> str:
    """Of a comparison: all arms in order, who differs from the default, and who passes what needs no training."""
    ranked = [(place, arm) for place, arm in enumerate(result.arms, 1) if arm.score is not None]
    shown_arms = [
        f"{place}. {shown(arm.values.get(ARM, ''))}{' (default)' if arm is result.default else ''} {arm.score:.1f}"
        for place, arm in ranked
        if place <= MAX_RANKED or arm is result.default
    ]
    left = len(ranked) - len(shown_arms)
    said = f"Ranking: {', '.join(shown_arms)}{f' and {left} more' if left else ''}"
    lower, higher, alike = _sorted([row for row in result.rows if row.difference is not None])
    base = shown(result.default.values.get(ARM, "")) if result.default else "the default"
    if result.rows and all(row.p is None for row in result.rows):
        return f"{said}; {'one seed cannot tell them apart' if len(result.seeds) == 1 else 'no test was possible'}"
    parts = [
        f"significantly better than {base}: {', '.join(row.name for row in higher) or 'none'}",
        f"significantly worse: {', '.join(row.name for row in lower)}" if lower else "",
        f"no significant difference from {base}: {len(alike)}" if alike else "",
        _above(result),
    ]
    return "; ".join([said, *filter(None, parts)])


def _above(result: Summary) -> str:
    """How many arms pass all that needs no training."""
    scores = [arm.score for arm in result.arms if arm.score is not None]
    what = "both baselines" if len(result.baselines) == 2 else "what needs no training"
    passed = sum(score > max(result.baselines.values(), default=0.0) for score in scores)
    return f"{passed} of {len(scores)} are above {what}" if result.baselines else ""


def _sorted(rows: Sequence[Difference]) -> tuple[list[Difference], list[Difference], list[Difference]]:
    """Those significantly below 0, those above, and the others; p corrected for all rows."""
    clear = [row for row in rows if row.p_holm is not None and row.p_holm <= ALPHA]
    lower = [row for row in clear if (row.difference or 0.0) < 0]
    higher = [row for row in clear if (row.difference or 0.0) > 0]
    return lower, higher, [row for row in rows if row not in (*lower, *higher)]


def _named(rows: Sequence[Difference]) -> str:
    return ", ".join(f"{row.name} {signed(row.difference or 0.0)}" for row in rows)


def _unfinished(result: Summary) -> str:
    left = sum(row.difference is None for row in result.rows)
    return f"; {left} not complete" if left else ""
