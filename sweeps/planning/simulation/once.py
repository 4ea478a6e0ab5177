"""Simulation of one sweep of recorded runs."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sweeps.planning.simulation.clock import Delays, Durations, Replayed, Simulation
from sweeps.planning.simulation.curves import Curves, check_curves
from sweeps.planning.simulation.searcher import Listed, Searcher
from sweeps.stoppers import AnyStopper, judge_of


def replay(
    curves: Curves,
    stopper: AnyStopper,
    *,
    arms: Mapping[str, str] | None = None,
    order: Sequence[str] | None = None,
    searcher: Searcher | None = None,
    workers: int = 2,
    seconds: Durations | None = None,
    delays: Delays | None = None,
    checkpoints: bool = True,
    spared: Collection[str] = (),
    unwell: Mapping[str, str] | None = None,
    deviation: float | None = None,
) -> Replayed:
    """Simulate the sweep of these runs under a stopper, which judges arms by the mean of their runs.

    A free place resumes the run that the judge promotes, from the epoch at which it paused, else starts a new one.

    Args:
        curves: the recorded runs, every one to its end.
        stopper: what ends runs.
        arms: the arm of each run; by default each run is an arm of its own. All arms have equally many runs.
        order: order in which runs are issued; that of `curves` by default.
        searcher: chooses that order as results come in, instead.
        workers: number of runs trained at once.
        seconds: duration of an epoch of each run, or of each of its epochs; 1 by default.
        delays: seconds for which a place is held without training; none by default.
        checkpoints: whether a promoted run goes on from where it paused; otherwise it repeats its epochs.
        spared: controls: runs that go on whatever the judge says.
        unwell: reason, by run, for runs that the guard ended when they were recorded; they end here too.
        deviation: sd of the metric over seeds, for one run, for stoppers that allow for noise.

    Raises:
        ValueError: a run is shorter than the others or has a value that is not finite, `order` is none of these
            runs or not the only one to choose, or there is no worker.
    """
    arms = {run: (arms or {}).get(run, run) for run in curves}
    unwell, sizes = unwell or {}, Counter(arms.values())
    horizon = check_curves(curves, unwell=unwell)
    if order is not None and searcher is not None:
        raise ValueError("order and searcher both say which run is next; give one of them")
    _check(curves, sizes, order, workers)
    seeds, controls = len(curves) // len(sizes), {arms[run] for run in spared}
    judge = judge_of(stopper, horizon, seeds=seeds, deviation=deviation, spared=controls.__contains__)
    searcher, delays = searcher or Listed(order or list(curves)), delays or Delays()
    simulation = Simulation(
        curves, judge, searcher, arms, seconds or {}, delays, checkpoints, frozenset(spared), unwell
    )
    return simulation.carry_out(workers)


def _check(curves: Curves, sizes: Mapping[str, int], order: Sequence[str] | None, workers: int) -> None:
    """Refuse an order of other runs, zero workers, and arms of unequal size."""
    if order is not None and sorted(order) != sorted(curves):
        raise ValueError(f"order has {len(order)} runs, not the {len(curves)} recorded ones, each once")
    if workers < 1:
        raise ValueError(f"workers = {workers}: nothing is trained without one; give 1 or more")
    if len(set(sizes.values())) > 1:
        raise ValueError(f"arms have {min(sizes.values())} to {max(sizes.values())} runs; give all as many")
