"""MMCL's solvers against the published form: `python tests/benchmarks/mmcl.py`.

The published form builds one (B - 1) x (B - 1) matrix an anchor, B³ numbers in all, and solves each densely, or steps
through all of them. It is written here from the paper's equations: Cholesky anchor by anchor for the closed form, one
batched product an iteration for the projected gradient. The contestants run by turns, forward and backward, once each
per round; a ratio is the median over rounds of the round's own ratio of processor seconds. Memory is the growth of the
process's peak in one forward and backward, each in a process of its own.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from contrastive.losses import mmcl, mmcl_alphas
from contrastive.losses.support_vectors import ProjectedGradient

BANDWIDTH, REGULARISATION, WIDTH = 10.0, 0.1, 128
"""The published ImageNet setting: no penalty, steps by the Frobenius norm."""
STEPS = ProjectedGradient(normalised_step=True, seed=0)


def published_matrices(x: Tensor) -> tuple[Tensor, Tensor]:
    """(B, B - 1, B - 1) matrices of the duals, and which columns are negatives."""
    n = len(x)
    kernel = torch.exp((2 * x @ x.T - 2) / BANDWIDTH)
    negatives = ~torch.eye(n, dtype=torch.bool)
    towards = kernel[negatives].view(n, n - 1)
    both = negatives[:, :, None] & negatives[:, None, :]
    between = kernel.expand(n, n, n)[both].view(n, n - 1, n - 1)
    matrices = 1 + between - towards[:, :, None] - towards[:, None, :] + REGULARISATION * torch.eye(n - 1)
    return matrices, negatives


def published_inverse(matrices: Tensor) -> Tensor:
    """Each anchor's system solved for itself, then clipped."""
    twos = torch.full((matrices.shape[1], 1), 2.0)
    solved = [torch.cholesky_solve(twos, torch.linalg.cholesky(matrix))[:, 0] for matrix in matrices]
    return torch.stack(solved).clamp(min=0)


def published_steps(matrices: Tensor) -> Tensor:
    """Projected gradient with Nesterov's momentum, to the published stop."""
    generator = torch.Generator().manual_seed(0)
    alpha = torch.randn(matrices.shape[:2], generator=generator).relu()
    t, ahead = torch.rand((), generator=generator).item(), alpha
    step = 1 / matrices.flatten(1).norm(dim=1, keepdim=True)
    for _ in range(STEPS.iterations):
        gradient = torch.bmm(matrices, ahead[:, :, None])[:, :, 0] - 2
        before, alpha = alpha, (ahead - step * gradient).clamp(min=0)
        if ((alpha - before).abs() / (before + 1e-7)).mean() < STEPS.stop:
            break
        t_next = ((t**4 + 4 * t**2) ** 0.5 - t**2) / 2
        ahead = alpha + t * (1 - t) / (t**2 + t_next) * (alpha - before)
        t = t_next
    return alpha


def published(z1: Tensor, z2: Tensor, solver: Callable[[Tensor], Tensor]) -> Tensor:
    x, y = normalize(z1), normalize(z2)
    with torch.no_grad():
        matrices, negatives = published_matrices(x)
        alpha = solver(matrices)
    kernel = torch.exp((2 * y @ x.T - 2) / BANDWIDTH)
    towards = kernel[negatives].view(len(x), -1)
    return ((alpha * towards).sum(1) - alpha.sum(1) * kernel.diagonal()).mean()


def ours(z1: Tensor, z2: Tensor, solver: str) -> Tensor:
    options = {"bandwidth": BANDWIDTH, "regularisation": REGULARISATION}
    return mmcl(z1, z2, **options, solver=solver, projected_gradient=STEPS)


CONTESTANTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "exact": lambda z1, z2: ours(z1, z2, "exact"),
    "inverse": lambda z1, z2: ours(z1, z2, "inverse"),
    "projected gradient": lambda z1, z2: ours(z1, z2, "projected_gradient"),
    "published inverse": lambda z1, z2: published(z1, z2, published_inverse),
    "published projected gradient": lambda z1, z2: published(z1, z2, published_steps),
}
RATIOS = [
    ("published inverse", "inverse"),
    ("published projected gradient", "projected gradient"),
    ("published projected gradient", "exact"),
]


def embeddings(batch: int) -> tuple[Tensor, Tensor]:
    """Two views, spread over the sphere."""
    z1, noise = torch.randn(2, batch, WIDTH, generator=torch.Generator().manual_seed(0))
    return z1.requires_grad_(), (z1.detach() + 0.5 * noise).requires_grad_()


def once(name: str, batch: int) -> float:
    """Processor seconds of one forward and backward."""
    z1, z2 = embeddings(batch)
    start = time.process_time()
    CONTESTANTS[name](z1, z2).backward()
    return time.process_time() - start


def peak() -> float:
    """Most memory this process has held, in megabytes (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def growth(name: str, batch: int) -> float:
    """Megabytes by which one forward and backward raises the peak."""
    torch.set_num_threads(1)
    once(name, 8)
    before = peak()
    once(name, batch)
    return peak() - before


def agree(batch: int) -> None:
    """Both sides compute the same thing, or the race means nothing."""
    z1, z2 = embeddings(batch)
    torch.testing.assert_close(
        CONTESTANTS["inverse"](z1, z2), CONTESTANTS["published inverse"](z1, z2), rtol=1e-3, atol=1e-4
    )
    solved = mmcl_alphas(z1, bandwidth=BANDWIDTH, regularisation=REGULARISATION)
    stepped = published_steps(published_matrices(normalize(z1.detach()))[0])
    assert abs(stepped.sum() / solved.sum() - 1) < 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for batch in arguments.batches:
        agree(batch)
        rounds = [{name: once(name, batch) for name in CONTESTANTS} for _ in range(arguments.rounds)]
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            memory = {name: pool.apply(growth, (name, batch)) for name in CONTESTANTS}
        print(f"batch {batch}, one thread, float32")
        for name in CONTESTANTS:
            seconds = statistics.median(times[name] for times in rounds)
            print(f"  {name:30} {1000 * seconds:9.1f} ms {memory[name]:8.0f} MB")
        for slow, fast in RATIOS:
            ratio = statistics.median(times[slow] / times[fast] for times in rounds)
            print(f"  {slow} / {fast}: {ratio:.0f}")


if __name__ == "__main__":
    main()
