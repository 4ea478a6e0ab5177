"""What a sweep has found, in one sentence."""

from analysis.naming import cells, short
from analysis.summary import Summary

SMOKE = "Smoke test: it shows that the sweep runs, and says nothing about methods"


def headline(summary: Summary) -> str:
    """The sweep's finding in one sentence, without its full stop; of runs of several codes it names them."""
    if summary.smoke:
        return SMOKE
    used = dict.fromkeys((*summary.codes, *summary.result.codes))
    mixed = f"; these runs are of more than one code ({'; '.join(used)})" if len(used) > 1 else ""
    return _finding(summary) + mixed


def _finding(summary: Summary) -> str:
    summary = summary.result
    best, comparison = summary.best, summary.comparison
    if best is None or best.score is None:
        return f"No arm is complete: {counts(summary.states) or 'no run has started'}"
    if best is summary.default:
        if summary.complete == 1:
            return f"Only the default is complete, at {best.score:.1f}"
        return f"The default, at {best.score:.1f}, is the best of {summary.complete} complete arms"
    names = short(summary.paths)
    mine = cells(summary.arms, summary.paths)[best.digest]
    values = ", ".join(
        f"{names[path].replace('_', ' ')} {value}" for path, value in zip(summary.paths, mine, strict=True)
    )
    if comparison is None:
        return f"Best: {values} at {best.score:.1f}; the default is not complete"
    end = {True: "beyond seed noise", False: "not separable from seed noise", None: "one seed cannot tell"}
    if comparison.separable and not summary.separable:
        end[False] = f"not separable among {summary.others} arms"
    gain = f"{comparison.difference:+.1f} over the default"
    return f"Best: {values} at {best.score:.1f}, {gain}: {end[summary.separable]}"


def counts(states: dict[str, int]) -> str:
    """How many runs are in each state, in words."""
    order = ("complete", "stopped", "paused", "failed", "running")
    return ", ".join(f"{states[state]} {state}" for state in order if state in states)
