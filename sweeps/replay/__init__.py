"""Replays: simulations of what a stopper or a search would have made of a sweep that was recorded without stopping.

`python -m sweeps.replay SWEEP` compares stopping rules on a recorded sweep; `replay` simulates one sweep.
"""

from sweeps.planning.simulation.clock import Delays, Replayed
from sweeps.planning.simulation.curves import Curves, check_curves
from sweeps.planning.simulation.once import replay
from sweeps.planning.simulation.searcher import Ending, Listed, Searcher
from sweeps.replay.measured import FRACTIONS, Measured, Searching, interval_text, measure_replays
from sweeps.replay.read import of_file, of_sweep
from sweeps.replay.recording import Recording, correlation_at

__all__ = [
    "FRACTIONS", "Curves", "Delays", "Ending", "Listed", "Measured", "Recording", "Replayed", "Searcher", "Searching",
    "check_curves", "correlation_at", "interval_text", "measure_replays", "of_file", "of_sweep", "replay",
]  # fmt: skip
