"""Curves of recorded runs, and the check that they are ground truth."""

import math
from collections.abc import Collection, Mapping, Sequence

Curves = Mapping[str, Sequence[float]]
"""The values of each run after every epoch; higher is better."""


def check_curves(curves: Curves, *, unwell: Collection[str] = (), horizon: int | None = None) -> int:
    """Return the horizon that all runs share.

    Args:
        curves: the recorded runs.
        unwell: runs that the guard has ended; they may be shorter, and their last value need not be finite.
        horizon: planned number of epochs; by default that of the longest run.

    Raises:
        ValueError: they share none, so the end of the sweep is unknown.
    """
    lengths = {run: len(curve) for run, curve in curves.items() if run not in unwell}
    horizon = horizon or max(lengths.values(), default=0)
    if not lengths or not horizon:
        raise ValueError("there are no curves to replay; give at least one run with one epoch")
    short = [run for run, length in lengths.items() if length < horizon]
    if short:
        raise ValueError(
            f"{len(short)} of {len(curves)} runs were stopped early (run {short[0]} after {lengths[short[0]]} of "
            f"{horizon} epochs), so there is no ground truth; record a sweep with --stopper none"
        )
    wild = next((run for run in lengths if not all(map(math.isfinite, curves[run]))), None)
    if wild is not None:
        raise ValueError(f"run {wild} has a value that is not finite; leave it out, as the guard would")
    return horizon
