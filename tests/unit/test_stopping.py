from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.load import Record, Run
from analysis.stopping import correlation, sentence


def record(curves: list[list[float]], states: list[str] | None = None, seeds: int = 1) -> Record:
    runs: list[Run] = []
    for number, curve in enumerate(curves):
        epochs = np.arange(1, len(curve) + 1)
        run: dict[str, Any] = {
            "trial": str(number),
            "number": number,
            "arm": str(number),
            "seed": number % seeds,
        }
        state = states[number] if states else "complete"
        run |= {"attempt": 0, "config": {}, "state": state, "reason": "", "epochs": len(curve)}
        runs.append(Run(**run, curve={"knn_top1": (epochs, np.array(curve))}))
    return Record({"epochs": len(curves[0])}, tuple(runs))


def curves(order: list[float], count: int = 10) -> list[list[float]]:
    """The end is in order of number; the first epoch as given."""
    return [[first, *[float(number)] * (count - 1)] for number, first in enumerate(order)]


def test_the_correlation_is_of_ranks_within_each_seed() -> None:
    early = [3.0, 1.0, 2.0, 9.0, 5.0, 60.0, 7.0, 8.0]
    expected = stats.spearmanr(early, range(8)).statistic
    assert correlation(record(curves(early)), 1) == pytest.approx(expected)
    # Two seeds, the second ten points better: the order within each is perfect, that of all together is not.
    two = curves([10.0, 0.0, 11.0, 1.0, 12.0, 2.0, 13.0, 3.0, 14.0, 4.0, 15.0, 5.0])
    assert correlation(record(two, seeds=2), 1) == pytest.approx(1.0)
    assert correlation(record(two), 1) < 1.0


@pytest.mark.parametrize(
    ("early", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "would cost little"),
        ([4, 0, 1, 2, 7, 3, 5, 6], "would lose good runs now and then"),
        ([7, 6, 5, 4, 3, 2, 1, 0], "little better than chance"),
    ],
)
def test_it_is_said_whether_stopping_would_have_paid(early: list[float], expected: str) -> None:
    found = sentence(record(curves(early)))
    assert found
    assert expected in found
    assert found.startswith("Ranks at epoch 1 of 10 correlate")


def test_nothing_is_said_of_few_runs_or_of_a_sweep_that_stopped_some() -> None:
    assert sentence(record(curves([0, 1, 2, 3, 4]))) is None
    states = ["complete"] * 7 + ["stopped"]
    assert sentence(record(curves([0, 1, 2, 3, 4, 5, 6, 7]), states)) is None
    assert correlation(record(curves([1, 1, 1, 1, 1, 1, 1])), 1) is None
