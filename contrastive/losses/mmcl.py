"""Max-margin contrastive learning, MMCL (Shah et al., AAAI 2022): the negatives are a support vector machine's.

Every anchor x_i trains a small SVM that parts x_i from the other rows in the kernel's space; its alphas say which
negatives matter. The loss reads the SVM's decision function at the anchor's other view y_i and wants it large.

What the three numbers do. The SVM asks <w, phi(x_i) - phi(x_j)> >= 2 of every negative; the margin is 2 / |w|.

- `regularisation` prices the square of a shortfall, by 1 / (2 * regularisation). Small: a hard margin that a few
  close negatives decide. Large: a wide margin that many negatives share. A negative with a free alpha falls short
  by regularisation * alpha; one beyond the margin has alpha 0 and takes no part.
- `penalty` prices a shortfall itself, and so bounds every alpha. An alpha above 2 / regularisation needs a negative on
  the wrong side, so with regularisation 0.1 a penalty of 20 or more does nothing in practice, and the published values
  100 and "none" are one. Where the box acts depends on the alphas' size: with 256 unit features and a free sum of
  alphas of 2 to 25 an anchor (bandwidth 0.5 to 5), penalties of about 0.02 to 1 act. The closest negatives reach the
  bound first; a penalty far below gives all negatives one weight, and the margin grows as the penalty shrinks.
- `bandwidth` of "rbf" divides the squared distance. Narrow: only near neighbours differ from nothing, and the alphas
  are nearly equal, near 2 / (n + regularisation). Wide: the kernel is linear at heart, distances shrink by the
  bandwidth, alphas and |w| grow, and with bandwidth s and regularisation r the alphas approach s/2 times those of
  the linear kernel with regularisation r s / 2: a wider kernel is a softer margin.

Published values: bandwidth 50, then 5 from epoch 75 and 0.5 from epoch 125, penalty 100 (CIFAR-100); bandwidth 10, no
penalty (ImageNet); regularisation 0.1.
"""

from typing import Unpack

import torch
from jaxtyping import Float, Int
from torch import Tensor

from contrastive.losses.kernels import Kernel, kernel_matrix
from contrastive.losses.mmcl_duals import PUBLISHED, SVM, Solver, mmcl_alphas
from contrastive.losses.rows import check_pairs, unit_rows
from contrastive.losses.support_vectors import ProjectedGradient


def mmcl(
    z1: Float[Tensor, "n d"],
    z2: Float[Tensor, "n d"],
    *,
    kernel: Kernel = "rbf",
    bandwidth: float,
    regularisation: float,
    penalty: float | None = None,
    solver: Solver = "exact",
    symmetric: bool = False,
    unit_diagonal: bool = False,
    projected_gradient: ProjectedGradient = PUBLISHED,
) -> Float[Tensor, ""]:
    """Return minus the mean decision value of each anchor's SVM at the anchor's other view.

    for i in n:  f_i(y) = sum over j != i of a[i, j] (k(x_i, y) - k(x_j, y)),   loss_i = -f_i(y_i)

    with x = z1 and y = z2 scaled to unit length and a = `mmcl_alphas`, which carry no gradient.

    Args:
        z1: embeddings of the first views, on which the SVMs are trained; need not be normalised.
        z2: embeddings of the second views, in the same order.
        kernel: see `kernel_matrix`; "tanh" is not a kernel proper and may be refused.
        bandwidth: divides the squared distance of "rbf", multiplies the cosine of "tanh"; else without effect.
        regularisation: price of squared shortfalls, inverted.
        penalty: upper bound of the alphas; None for none.
        solver: "exact", the SVM's dual itself; "inverse", the published unconstrained minimiser clipped into the
            box, another loss (1.1 to 12 times the exact one); "projected_gradient", the published iteration.
        symmetric: the mean of both directions; published is one.
        unit_diagonal: the published code's 1 for k(x_i, x_i), wrong for "tanh", "polynomial" and "min".
        projected_gradient: options of that solver.

    Returns:
        The mean over the anchors; gradients reach both arguments.

    Raises:
        ValueError: shapes differ, fewer than two samples, a number not above 0, an unknown kernel or solver, or
            duals that are not convex.

    Paper: https://arxiv.org/abs/2112.11450

    Example:
        >>> import torch
        >>> from contrastive.losses import mmcl
        >>> z = torch.eye(3)
        >>> round(mmcl(z, z, kernel="linear", bandwidth=1.0, regularisation=0.1).item(), 3)
        -1.29
    """
    check_pairs("mmcl", z1=z1, z2=z2)

    def one_sided(anchors: Tensor, queries: Tensor) -> Tensor:
        """Return the loss of SVMs trained on one view and read at the other."""
        alphas = mmcl_alphas(
            anchors,
            kernel=kernel,
            bandwidth=bandwidth,
            regularisation=regularisation,
            penalty=penalty,
            solver=solver,
            unit_diagonal=unit_diagonal,
            projected_gradient=projected_gradient,
        )
        values = kernel_matrix(unit_rows(queries), unit_rows(anchors), kernel, bandwidth)
        return -(_weights(alphas) * values).sum() / len(alphas)

    return (one_sided(z1, z2) + one_sided(z2, z1)) / 2 if symmetric else one_sided(z1, z2)


def mixed_mmcl(
    mixture: Float[Tensor, "n d"],
    z1: Float[Tensor, "n d"],
    partner: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    *,
    kernel: Kernel = "rbf",
    bandwidth: float,
    **svm: Unpack[SVM],
) -> Float[Tensor, ""]:
    """Read both sources' decision functions at a mixture of two images, in proportion.

    for c in n:  -(share[c] f_c(m_c) + (1 - share[c]) f_partner[c](m_c))

    The SVMs are trained on the clean z1. Each source is a negative of the other's SVM; the terms are kept, so that
    the loss is continuous in the share, and share 1 is mmcl(z1, mixture).

    Args:
        mixture: embeddings of the mixtures m.
        z1: embeddings of the clean images.
        partner: row of z1 that is mixed into image c.
        share: of image c in its mixture, from 0 to 1.
        kernel: as in `mmcl`.
        bandwidth: as in `mmcl`.
        **svm: the other keywords of `mmcl`, without `symmetric`.

    Returns:
        The mean over the mixtures; gradients reach mixture and z1.

    Raises:
        ValueError: as `mmcl`.

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> import torch
        >>> from contrastive.losses import mixed_mmcl
        >>> key = torch.eye(3)
        >>> partner, share = torch.tensor([1, 2, 0]), torch.full((3,), 0.5)
        >>> mixture = (key + key[partner]) / 2
        >>> loss = mixed_mmcl(mixture, key, partner, share, kernel="linear", bandwidth=1.0, regularisation=0.1)
        >>> round(loss.item(), 3)
        -0.456
    """
    check_pairs("mixed_mmcl", mixture=mixture, z1=z1)
    weights = _weights(mmcl_alphas(z1, kernel=kernel, bandwidth=bandwidth, **svm))
    blended = torch.lerp(weights[partner], weights, share[:, None].to(weights))
    return -(blended * kernel_matrix(unit_rows(mixture), unit_rows(z1), kernel, bandwidth)).sum() / len(z1)


def _weights(alphas: Tensor) -> Float[Tensor, "n n"]:
    """Return each feature's weight in each w: the sum of alphas for the anchor's own, minus alpha for a negative's."""
    return alphas.sum(1).diag() - alphas
