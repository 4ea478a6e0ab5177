"""Searches of the benchmark's surface, as its table has them."""

from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from tests.benchmarks.searchers import SEEDS, correlation, less_than_random, main


@pytest.mark.parametrize("design", ["tpe", "cmaes"])
def test_under_a_stopper_a_search_leaves_less_to_be_found_than_random_draws_do(design: str) -> None:
    """Paired by the seed, at equal epochs, over 20 of them: the 95 % interval of the difference lies above 0."""
    less = np.array([less_than_random(design, "asha", seed)[1] for seed in range(SEEDS)])
    half = stats.t.ppf(0.975, SEEDS - 1) * less.std(ddof=1) / SEEDS**0.5
    assert fmean(less) - half > 0


def test_early_ranks_of_the_surface_are_not_its_late_ones() -> None:
    assert 0.65 < correlation() < 0.75


def test_the_table_has_a_row_for_each_search_under_each_stopper(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--designs", "qmc,tpe", "--stoppers", "one_epoch,pasha", "--seeds", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Rank correlation of a tenth of training with its end: 0.7")
    rows = [line.split(" | ")[:2] for line in lines[4:]]
    assert rows == [[f"| {s}", d] for s in ("one_epoch", "pasha") for d in ("random", "qmc", "tpe")]
