from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from tests.benchmarks.searchers import SEEDS, regret

ARMS = 30


@pytest.fixture(scope="module")
def random_regrets() -> list[float]:
    return [regret("random", seed, ARMS) for seed in range(SEEDS)]


@pytest.mark.parametrize("design", ["tpe", "cmaes"])
def test_a_search_leaves_less_to_be_found_than_random_draws_do(
    design: str, random_regrets: list[float]
) -> None:
    """Paired by the seed of the search, over 20 of them: the 95 % interval of the difference lies above 0."""
    less = np.array(random_regrets) - [regret(design, seed, ARMS) for seed in range(SEEDS)]
    half = stats.t.ppf(0.975, SEEDS - 1) * less.std(ddof=1) / SEEDS**0.5
    assert fmean(less) - half > 0
