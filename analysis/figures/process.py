"""Gaussian process through the means of arms, equal to the process through all their runs.

It is imported only where it is needed: scikit-learn's takes a while to load.
"""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel


class OfMeans(GaussianProcessRegressor):
    """Gaussian process of means whose likelihood includes the deviations of the runs from their means.

    The likelihood of runs at the same point is that of their mean, whose noise has the variance of one run's over
    their number, times that of their deviations from it.

    Args:
        kernel: ends with the WhiteKernel of a mean.
        seeds: runs of each arm.
        within: sum of the squared deviations of the runs from the means of their arms.
    """

    def __init__(self, kernel: Any = None, seeds: int = 1, within: float = 0.0):
        super().__init__(kernel)
        self.seeds, self.within = seeds, within

    def log_marginal_likelihood(
        self, theta: Any = None, eval_gradient: bool = False, clone_kernel: bool = True
    ) -> Any:
        """Return the log likelihood of all runs, with its gradient on request, as the base class does."""
        found: Any = super().log_marginal_likelihood(theta, eval_gradient, clone_kernel)
        if theta is None:
            return found
        variance = self.seeds * math.exp(theta[-1])
        freedom = len(self.X_train_) * (self.seeds - 1)
        more = -0.5 * (freedom * math.log(2 * math.pi * variance) + self.within / variance)
        if not eval_gradient:
            return found + more
        value, slope = found
        slope[-1] += 0.5 * (self.within / variance - freedom)
        return value + more, slope


def fit_process(inputs: NDArray[np.float64], table: NDArray[np.float64]) -> Any:
    """Fit the process to arms at `inputs` (arms, 2) with runs `table` (arms, seeds) of mean 0 and deviation 1."""
    seeds, means = table.shape[1], table.mean(axis=1)
    lengths: Any = (0.4, 0.4)
    white = WhiteKernel(0.1 / seeds, (1e-4 / seeds, 2 / seeds))
    kernel = ConstantKernel(1.0, (0.05, 20)) * Matern(lengths, (0.1, 5), nu=2.5) + white
    model = OfMeans(kernel, seeds, float(np.square(table - means[:, None]).sum()))
    with warnings.catch_warnings():  # a parameter that does not matter has the longest length allowed
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(inputs, means)
