"""WCL's graph and contrast against the usual way: `python tests/benchmarks/wcl.py`.

The usual way, as the authors release it: the similarities go to SciPy for the connected components, which come
back as an (n, n) mask of positives, and the loss is exponentials, their sums and the masked mean of logarithms.
Ours: `weak_labels` and `supervised_contrast`. A step is both views' labels, both views' loss, and the gradient.

The contestants run by turns, once each per round, so that a busy machine slows both alike; a ratio is the median
over rounds of the round's own ratio. Both must give one loss and one gradient, which is checked first.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor
from torch.nn.functional import normalize

from contrastive.losses import supervised_contrast, weak_labels

TEMPERATURE = 0.1

Labels = Callable[[Tensor], Tensor]
Contrast = Callable[[Tensor, Tensor], Tensor]


@torch.no_grad()
def usual_labels(z: Tensor) -> Tensor:
    """The (n, n) mask of rows in one component."""
    unit = normalize(z)
    n = len(z)
    similarity = unit @ unit.T - 2 * torch.eye(n)
    nearest = similarity.argmax(1).cpu().numpy()
    edges = coo_matrix((np.ones(n), (np.arange(n), nearest)), shape=(n, n))
    component = torch.from_numpy(connected_components(edges, directed=False)[1])
    return (component[:, None] == component).float().to(z.device)


def usual_contrast(z: Tensor, mask: Tensor) -> Tensor:
    """Logarithm of each share, averaged over the mask without its diagonal; keys without gradient."""
    unit = normalize(z)
    others = 1 - torch.eye(len(z))
    share = torch.exp(unit @ unit.detach().T / TEMPERATURE) * others
    logarithm = torch.log(share / share.sum(1, keepdim=True) + (1 - others))
    positive = mask * others
    return -((logarithm * positive).sum(1) / positive.sum(1)).mean()


def our_contrast(z: Tensor, labels: Tensor) -> Tensor:
    """The keys are the rows themselves."""
    return supervised_contrast(z, z, labels, temperature=TEMPERATURE)


def step(z1: Tensor, z2: Tensor, labels: Labels, contrast: Contrast) -> tuple[Tensor, Tensor]:
    """Loss and gradient of the swapped form."""
    first, second = z1.clone().requires_grad_(), z2.clone().requires_grad_()
    loss = (contrast(first, labels(second)) + contrast(second, labels(first))) / 2
    loss.backward()
    return loss.detach(), torch.cat([first.grad, second.grad])


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Of processor time a repeat: one thread, and steadier than the clock on a machine that others use."""
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) / repeats


def compare(name: str, usual: Callable[[], object], ours: Callable[[], object], rounds: int) -> None:
    """Print the median time of each, and the median over rounds of the ratio with its range."""
    seconds(usual, 5), seconds(ours, 5)
    times = [(seconds(usual, 20), seconds(ours, 20)) for _ in range(rounds)]
    ratios = sorted(theirs / mine for theirs, mine in times)
    medians = (1e3 * statistics.median(column) for column in zip(*times, strict=True))
    print(
        "{:22s} usual {:6.2f} ms   ours {:6.2f} ms".format(name, *medians),
        f"  {statistics.median(ratios):5.2f}x ({ratios[0]:.2f}–{ratios[-1]:.2f})",
        flush=True,
    )


def main() -> None:
    """The graph, the contrast, and a step of both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    # What an encoder's first step does too: glibc then keeps freed memory instead of faulting it in anew.
    torch.empty(31 * 2**20, dtype=torch.uint8)
    z1, z2 = torch.randn(2, options.rows, options.width, generator=torch.Generator().manual_seed(0))
    (theirs, slope), (mine, gradient) = (
        step(z1, z2, *way) for way in ((usual_labels, usual_contrast), (weak_labels, our_contrast))
    )
    torch.testing.assert_close(mine, theirs, rtol=2e-5, atol=0)
    torch.testing.assert_close(gradient, slope, rtol=1e-4, atol=1e-6)
    mask, labels = usual_labels(z2), weak_labels(z2)
    anchors = z1.requires_grad_()
    compare("labels of a view", lambda: usual_labels(z2), lambda: weak_labels(z2), options.rounds)
    compare(
        "contrast, gradient",
        lambda: usual_contrast(anchors, mask).backward(),
        lambda: our_contrast(anchors, labels).backward(),
        options.rounds,
    )
    compare(
        "a step of both views",
        lambda: step(z1.detach(), z2, usual_labels, usual_contrast),
        lambda: step(z1.detach(), z2, weak_labels, our_contrast),
        options.rounds,
    )


if __name__ == "__main__":
    main()
