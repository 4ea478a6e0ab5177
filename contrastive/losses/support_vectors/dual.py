"""The dual of one-positive support vector machines, for all anchors together.

Anchor i has the positive p_i and negatives n_j with features phi in the kernel's space. With a single positive the
SVM's equality constraint says that the positive's weight is the sum of the negatives' alphas, so the dual is

    minimise over a:  a' Delta_i a / 2 - 2 * sum(a)    subject to 0 <= a_j <= penalty
    Delta_i[j, l] = <phi(p_i) - phi(n_j), phi(p_i) - phi(n_l)> + regularisation * [j = l]

Only differences of features occur, so the kernels are centred first: this changes no Delta, removes the large constant
that wide kernels have, and gives sums that are 0. With G the centred kernel matrix of the candidates, every product
Delta_i a and every inverse of Delta_i comes from G: matrices of one size, never one matrix an anchor.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Resolvent(NamedTuple):
    """The inverses (Delta_i + shift)⁻¹ of all anchors."""

    solve: Callable[[Tensor], Tensor]
    factored: Bool[Tensor, ""]
    """Whether the shared matrix was positive definite; else the solutions mean nothing."""
    convex: Bool[Tensor, ""]
    """Whether every Delta_i + shift is positive definite too."""


@dataclass(frozen=True)
class Dual(ABC):
    """The duals of all anchors; alphas are (anchors, candidates)."""

    gram: Float[Tensor, "k k"]
    """Kernel of the candidates, centred."""
    regularisation: float
    """Added to the diagonal of Delta."""
    penalty: float
    """Upper bound of the alphas; infinite for none."""

    @abstractmethod
    def zeros(self) -> Tensor:
        """Return alphas to start from."""

    @abstractmethod
    def masked(self, alpha: Tensor) -> Tensor:
        """Put 0, in place, where an anchor meets itself."""

    @abstractmethod
    def hessian(self, alpha: Tensor) -> Tensor:
        """Return Delta_i a_i for each row."""

    @abstractmethod
    def spread(self) -> Tensor:
        """Return the mean squared distance of anchors and negatives in the kernel's space."""

    @abstractmethod
    def resolvent(self, shift: float | Tensor) -> Resolvent:
        """Return (Delta_i + shift)⁻¹, from one factorisation."""


def gradient(dual: Dual, alpha: Tensor) -> Tensor:
    """Return the gradient of the dual's objective, 0 where an anchor meets itself."""
    return dual.masked(dual.hessian(alpha) - 2)


def to_box(dual: Dual, alpha: Tensor) -> Tensor:
    """Return the nearest point of the box."""
    return dual.masked(alpha.clamp(0, dual.penalty))


def kkt_residual(dual: Dual, alpha: Tensor, slope: Tensor) -> Float[Tensor, "n 1"]:
    """|a - clip(a - gradient)|, the largest entry of each anchor: 0 exactly at the solution."""
    return (alpha - to_box(dual, alpha - slope)).abs().amax(1, keepdim=True)


@dataclass(frozen=True)
class DualBatch(Dual):
    """Each row is an anchor, all other rows are its negatives.

    With D the matrix that takes phi(x_i) from the other rows, Delta_i = D G D' + regularisation + excess_i * 11'.
    """

    excess: Float[Tensor, " k"]
    """Value that stands in Delta_i for k(x_i, x_i), less the true one: 0 unless a constant is asked for."""

    @classmethod
    def of(
        cls, kernel: Float[Tensor, "n n"], excess: Tensor, regularisation: float, penalty: float
    ) -> "DualBatch":
        """Centre the kernel."""
        mean = torch.einsum("ij->i", kernel) / len(kernel)
        return cls(kernel - mean - mean[:, None] + mean.mean(), regularisation, penalty, excess)

    def zeros(self) -> Tensor:
        """Return alphas that are all 0."""
        return torch.zeros_like(self.gram)

    def masked(self, alpha: Tensor) -> Tensor:
        """Put 0 on the diagonal: an anchor is not its own negative."""
        return alpha.fill_diagonal_(0)

    def hessian(self, alpha: Tensor) -> Tensor:
        """Return (B G)_ij - (B G)_ii + regularisation a_ij + excess_i sum(a_i), with B_i the weights of -w_i."""
        total = alpha.sum(1, keepdim=True)
        pulled = alpha @ self.gram - total * self.gram
        constant = self.excess * total[:, 0] - pulled.diagonal()
        return self.masked(pulled + self.regularisation * alpha + constant[:, None])

    def spread(self) -> Tensor:
        """Return twice the variance, for the origin is the mean."""
        return 2 * self.gram.trace() / (len(self.gram) - 1)

    def resolvent(self, shift: float | Tensor) -> Resolvent:
        """Return all inverses from that of one matrix (the derivation is in `inverse`)."""
        n, mu, level = len(self.gram), self.regularisation + shift, self.spread()
        inverse, factored = _inverse(self.gram, mu, level)
        p = inverse - 1 / (n * (mu + level))
        surplus = mu - self.excess
        # 1 - surplus * P_ii, without the difference: (G + mu) P = 1 - 11' / n.
        left = 1 / n + torch.einsum("ij,ij->i", self.gram, p) + self.excess * p.diagonal()

        def solve(right: Tensor) -> Tensor:
            y = self.masked(right) @ p
            return self.masked(y + (surplus / left * y.diagonal())[:, None] * p)

        return Resolvent(solve, factored, factored & ~left.signbit().any())


@dataclass(frozen=True)
class Queue(Dual):
    """Each anchor has a positive of its own; the negatives are the rows of one queue.

    Delta_i = G + regularisation + own_i * 11' - cross_i 1' - 1 cross_i'.
    """

    cross: Float[Tensor, "n k"]
    """Kernel of positive and queue, of features less the queue's mean feature."""
    own: Float[Tensor, " n"]
    """Kernel of each positive with itself, likewise."""

    @classmethod
    def of(cls, kernel: Tensor, cross: Tensor, own: Tensor, regularisation: float, penalty: float) -> "Queue":
        """Move the origin of the feature space to the queue's mean."""
        mean, mean_cross = torch.einsum("ij->i", kernel) / len(kernel), cross.mean(1, keepdim=True)
        whole = mean.mean()
        return cls(
            kernel - mean - mean[:, None] + whole,
            regularisation,
            penalty,
            cross - mean_cross - mean + whole,
            own - 2 * mean_cross[:, 0] + whole,
        )

    def zeros(self) -> Tensor:
        """Return alphas that are all 0."""
        return torch.zeros_like(self.cross)

    def masked(self, alpha: Tensor) -> Tensor:
        """Change nothing: no anchor is in the queue."""
        return alpha

    def hessian(self, alpha: Tensor) -> Tensor:
        """Return Delta_i a_i by one product with G; the rest has rank 2."""
        total = alpha.sum(1)
        constant = self.own * total - (alpha * self.cross).sum(1)
        pulled = alpha @ self.gram - total[:, None] * self.cross
        return pulled + self.regularisation * alpha + constant[:, None]

    def spread(self) -> Tensor:
        """Return the mean of both squared norms: the origin is the queue's mean, so the mixed terms sum to 0."""
        return self.own.mean() + self.gram.diagonal().mean()

    def resolvent(self, shift: float | Tensor) -> Resolvent:
        """Return the inverses by Woodbury's identity: Delta_i + shift = M + U S U' with U = [1, cross_i].

        M = G + mu + level * 11' / k, S = [[own_i - level / k, -1], [-1, 0]], and since G1 = 0 and cross_i'1 = 0 the
        inner matrix S⁻¹ + U'M⁻¹U is [[k / (mu + level), -1], [-1, -gap_i]].
        """
        k, level = len(self.gram), self.spread()
        mu = self.regularisation + shift
        inverse, factored = _inverse(self.gram, mu, level)
        towards = self.cross @ inverse
        gap = self.own - level / k - (towards * self.cross).sum(1)
        weight = k / (mu + level)
        determinant = 1 + weight * gap

        def solve(right: Tensor) -> Tensor:
            y = right @ inverse
            ones, cross = y.sum(1), (y * self.cross).sum(1)
            constant = (cross - gap * ones) / determinant / (mu + level)
            along = (ones + weight * cross) / determinant
            return y + constant[:, None] + along[:, None] * towards

        return Resolvent(solve, factored, factored & ~determinant.signbit().any())


def _inverse(gram: Tensor, mu: float | Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Return (G + mu + level * 11' / n)⁻¹ by Cholesky, and whether there is one, without a wait of the host.

    G1 = 0, so the level only says what the inverse makes of 1; near the others' size, no digit is lost to it.
    """
    n = len(gram)
    eye = torch.eye(n, dtype=gram.dtype, device=gram.device)
    factor, info = torch.linalg.cholesky_ex(gram + mu * eye + level / n)
    return torch.cholesky_inverse(factor), info == 0
