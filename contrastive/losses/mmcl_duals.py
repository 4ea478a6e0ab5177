"""The duals of MMCL's support vector machines: built from a batch, solved and diagnosed."""

from typing import Literal, NamedTuple, Required, TypedDict, Unpack, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.kernels import Kernel, kernel_matrix
from contrastive.losses.rows import check_pairs, check_positive, unit_rows
from contrastive.losses.support_vectors import Dual, DualBatch, ProjectedGradient, descend, exact, inverse
from contrastive.losses.support_vectors.dual import gradient, kkt_residual

Solver = Literal["exact", "inverse", "projected_gradient"]
PUBLISHED = ProjectedGradient()


class MMCLDiagnostics(NamedTuple):
    """Margin, sparsity and accuracy of the SVMs of a batch."""

    margin: Float[Tensor, ""]
    """Mean over anchors of 2 / |w|, in the kernel's space; infinite if features coincide."""
    share_zero: Float[Tensor, ""]
    """Share of the alphas at 0: negatives that take no part."""
    share_at_penalty: Float[Tensor, ""]
    """Share of the alphas at the upper bound."""
    kkt_residual: Float[Tensor, ""]
    """max |a - clip(a - (Delta a - 2), 0, penalty)|: 0 exactly where the duals are solved."""


class SVM(TypedDict, total=False):
    """Keywords of `mmcl` that say how its support vector machines are solved."""

    regularisation: Required[float]
    penalty: float | None
    solver: Solver
    unit_diagonal: bool
    projected_gradient: ProjectedGradient


def mmcl_alphas(
    z1: Float[Tensor, "n d"], *, kernel: Kernel = "rbf", bandwidth: float, **svm: Unpack[SVM]
) -> Float[Tensor, "n n"]:
    """Return the alphas of `mmcl`, row = anchor, column = negative, diagonal 0.

    Keywords and errors are those of `mmcl`.

    Paper: https://arxiv.org/abs/2112.11450

    Example:
        >>> import torch
        >>> from contrastive.losses import mmcl_alphas
        >>> z = torch.eye(3)
        >>> mmcl_alphas(z, kernel="linear", bandwidth=1.0, regularisation=1.0)
        tensor([[0.0000, 0.5000, 0.5000],
                [0.5000, 0.0000, 0.5000],
                [0.5000, 0.5000, 0.0000]])
    """
    return _solved(z1, kernel, bandwidth, **svm)[1]


def mmcl_diagnostics(
    z1: Float[Tensor, "n d"], *, kernel: Kernel = "rbf", bandwidth: float, **svm: Unpack[SVM]
) -> MMCLDiagnostics:
    """Return margin, sparsity and accuracy of the SVMs of `mmcl`; keywords and errors are those of `mmcl`.

    Paper: https://arxiv.org/abs/2112.11450

    Example:
        >>> import torch
        >>> from contrastive.losses import mmcl_diagnostics
        >>> z = torch.eye(3)
        >>> found = mmcl_diagnostics(z, kernel="linear", bandwidth=1.0, regularisation=0.1)
        >>> round(found.margin.item(), 3)
        1.266
    """
    dual, alphas = _solved(z1, kernel, bandwidth, **svm)
    with torch.no_grad(), torch.autocast(z1.device.type, enabled=False):
        square = (alphas * (dual.hessian(alphas) - dual.regularisation * alphas)).sum(1)
        negatives = alphas.numel() - len(alphas)
        return MMCLDiagnostics(
            margin=(2 / square.clamp(min=0).sqrt()).mean(),
            share_zero=((alphas == 0).sum() - len(alphas)) / negatives,
            share_at_penalty=(alphas == dual.penalty).sum() / negatives,
            kkt_residual=kkt_residual(dual, alphas, gradient(dual, alphas)).max(),
        )


@torch.no_grad()
def _solved(
    z1: Tensor,
    kernel: Kernel,
    bandwidth: float,
    *,
    regularisation: float,
    penalty: float | None = None,
    solver: Solver = "exact",
    unit_diagonal: bool = False,
    projected_gradient: ProjectedGradient = PUBLISHED,
) -> tuple[DualBatch, Tensor]:
    """Return the duals of a batch and their alphas."""
    bound = check_numbers("mmcl", bandwidth, regularisation, penalty)
    check_pairs("mmcl", z1=z1, z2=z1)
    if len(z1) < 2:
        raise ValueError("mmcl: 1 sample given; needs 2 or more, for the other samples are the negatives.")
    with torch.autocast(z1.device.type, enabled=False):
        rows = unit_rows(z1)
        values = kernel_matrix(rows, rows, kernel, bandwidth)
        # For "rbf" and "linear" the 1 is true.
        wrong = unit_diagonal and kernel not in ("rbf", "linear")
        excess = 1 - values.diagonal() if wrong else values.new_zeros(len(values))
        dual = DualBatch.of(values, excess, regularisation, bound)
        if solver == "projected_gradient":
            return dual, descend(dual, projected_gradient)
        return dual, solve(dual, solver, kernel, convex=kernel != "tanh" and not unit_diagonal)


def check_numbers(where: str, bandwidth: float, regularisation: float, penalty: float | None) -> float:
    """Refuse illegal numbers, and return the upper bound of the alphas."""
    check_positive(where, bandwidth=bandwidth, regularisation=regularisation)
    if penalty is None:
        return torch.inf
    check_positive(where, penalty=penalty)
    return penalty


def solve(dual: Dual, solver: str, kernel: Kernel, *, convex: bool) -> Tensor:
    """Solve for the alphas by the closed form or exactly; wait for the device only where the solver may fail."""
    if solver == "exact":
        _check_definite(convex or dual.resolvent(0.0).convex, kernel)
        return exact(dual)
    if solver == "inverse":
        resolvent = dual.resolvent(0.0)
        _check_definite(convex or resolvent.factored, kernel)
        return inverse(dual, resolvent)
    raise ValueError(f"mmcl: solver={solver!r} given; needs one of {', '.join(get_args(Solver))}.")


def _check_definite(definite: bool | Tensor, kernel: Kernel) -> None:
    if not definite:
        raise ValueError(
            f"mmcl: the matrix of kernel={kernel!r} is not positive definite on this batch; "
            "needs a larger regularisation, unit_diagonal=False, or one of the kernels that are always positive: "
            "rbf, linear, polynomial, min."
        )
