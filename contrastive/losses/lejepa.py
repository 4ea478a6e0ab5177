"""LeJEPA's loss and its regulariser SIGReg, a test of normality along random directions (Balestriero & LeCun 2025)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_columns, check_positive, product


def sigreg(
    z: Float[Tensor, "v n d"], directions: Float[Tensor, "m d"], *, limit: float = 5.0, points: int = 9
) -> Float[Tensor, ""]:
    """How far embeddings are from a standard normal distribution, by Epps and Pulley's test along each direction.

    for each direction a of length 1, x[j] = z[j] . a:
        n * integral over t from -limit to limit of |mean over j of exp(i t x[j]) - exp(-t^2 / 2)|^2 exp(-t^2 / 2)

    by the trapezoidal rule on `points` points from 0 to the limit: the integrand is even. The authors' paper has 17
    points from -5 to 5, which are 9 from 0, and their example 17 from 0 to 3. Without limits the integral is

        sqrt(2 pi) ( sum over j, k of exp(-(x[j] - x[k])^2 / 2) / n - sqrt(2) sum over j of exp(-x[j]^2 / 4)
            + n / sqrt(3) )

    On several processes, call it on the embeddings gathered with gradient, and on the same directions.

    Args:
        z: embeddings, view by view; they are not normalised.
        directions: need not be of length 1.
        limit: up to which frequency; larger for finer structure, which is noisier.
        points: where the integrand is taken.

    Returns:
        The mean over directions and views, at least 0, about 1 for normal samples; gradients reach `z`.

    Raises:
        ValueError: no embedding or direction, widths differ, a limit not above 0, or fewer than two points.

    Paper: https://arxiv.org/abs/2511.08544

    Example:
        >>> import torch
        >>> from contrastive.losses import sigreg
        >>> axes = torch.eye(2)
        >>> collapsed, spread = torch.zeros(1, 512, 2), torch.linspace(-2, 2, 512)[None, :, None].repeat(1, 1, 2)
        >>> round(sigreg(collapsed, axes).item()), round(sigreg(spread, axes).item())
        (209, 30)
    """
    where = "sigreg"
    check_positive(where, limit=limit)
    if points < 2:
        raise ValueError(f"{where}: points={points} given; an integral needs 2 or more, such as 17.")
    check_columns(where, z.shape[-1], z=z.flatten(0, 1), directions=directions)
    rows = z.to(torch.promote_types(z.dtype, torch.float32))
    unit = torch.nn.functional.normalize(directions.to(rows.dtype), dim=1)
    sliced = product(rows, unit.T.expand(len(rows), -1, -1))
    # One frequency at a time: (v, n, m) numbers are in memory at once, not (v, n, m, points).
    terms = [
        weight * _distance(sliced * frequency, frequency) for frequency, weight in _quadrature(limit, points)
    ]
    return z.shape[1] * torch.stack(terms).sum()


def lejepa(
    z: Float[Tensor, "v n d"],
    directions: Float[Tensor, "m d"],
    *,
    regularisation_weight: float,
    global_views: int | None = None,
    limit: float = 5.0,
    points: int = 9,
) -> Float[Tensor, ""]:
    """Every view near the mean of the image's global views, embeddings distributed normally (LeJEPA).

    prediction = mean over views v, images j, coordinates i of (z[v, j, i] - mean over global g of z[g, j, i])^2
    (1 - regularisation_weight) * prediction + regularisation_weight * `sigreg`(z)

    On several processes, call it on the embeddings gathered with gradient.

    Args:
        z: embeddings, view by view, the global ones first; they are not normalised.
        directions: of `sigreg`, drawn anew at each step.
        regularisation_weight: the paper's lambda, from 0 to 1.
        global_views: how many of the views show most of the image; None: all.
        limit: of `sigreg`.
        points: of `sigreg`.

    Returns:
        The loss, at least 0; gradients reach `z`.

    Raises:
        ValueError: a weight outside [0, 1], no global view or more than views, or what `sigreg` refuses.

    Paper: https://arxiv.org/abs/2511.08544

    Example:
        >>> import torch
        >>> from contrastive.losses import lejepa
        >>> views = torch.stack([torch.eye(4), torch.zeros(4, 4)])
        >>> round(lejepa(views, torch.eye(4), regularisation_weight=0.0).item(), 4)
        0.0625
    """
    where = "lejepa"
    if not 0 <= regularisation_weight <= 1:
        raise ValueError(
            f"{where}: regularisation_weight={regularisation_weight} given; needs 0 to 1, such as 0.05."
        )
    count = len(z) if global_views is None else global_views
    if not 1 <= count <= len(z):
        raise ValueError(f"{where}: global_views={count} given of {len(z)} views; needs 1 to {len(z)}.")
    normality = sigreg(z, directions, limit=limit, points=points)
    rows = z.to(torch.promote_types(z.dtype, torch.float32))
    prediction = (rows - rows[:count].mean(0)).square().mean()
    return (1 - regularisation_weight) * prediction + regularisation_weight * normality


def _quadrature(limit: float, points: int) -> list[tuple[float, float]]:
    """Frequencies from 0 to the limit, and what each counts: the trapezoid of both signs under a normal window."""
    step, last = limit / (points - 1), points - 1
    return [
        (step * k, step * (1 if k in (0, last) else 2) * math.exp(-((step * k) ** 2) / 2))
        for k in range(points)
    ]


def _distance(angle: Float[Tensor, "v n m"], frequency: float) -> Float[Tensor, ""]:
    """Squared distance of the empirical and the normal characteristic function, mean over views and directions."""
    real, imaginary = angle.cos().mean(1), angle.sin().mean(1)
    return ((real - math.exp(-(frequency**2) / 2)).square() + imaginary.square()).mean()
