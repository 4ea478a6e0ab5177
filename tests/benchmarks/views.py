"""Views per second against torchvision's PIL pipeline in a DataLoader: `python tests/benchmarks/views.py`.

The contestants run by turns, once each per round, so that a busy machine slows all of them alike; a ratio is the
median over rounds of the round's own ratio. Same operators, batch and process count. With `--workers 2` both sides
use two processes: the DataLoader's workers, and two processes of one thread that render for themselves.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from contrastive.views import View, draw, normalise, render

BATCH, SIDE = 256, 32
PIL_BATCHES, OUR_BATCHES = 4, 40
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
RECIPES = {
    "crop, flip, jitter, grey": View(),
    "the same, blur .5, solarise .1": View(blur=0.5, solarise=0.1),
    "SCE on CIFAR-10: blur of 13 taps": View(blur=0.5, blur_kernel=13),
    "BYOL on CIFAR-10: bicubic": View(crop_scale=(0.08, 1.0), interpolation="bicubic", saturation=0.2),
}


class PilViews(Dataset[Tensor]):
    """One view of each image, made by torchvision on PIL images as solo-learn and lightly make them."""

    def __init__(self, images: Tensor, view: View) -> None:
        self.images = images.permute(0, 2, 3, 1).numpy()
        jitter = v2.ColorJitter(view.brightness, view.contrast, view.saturation, view.hue)
        self.transform = v2.Compose([
            v2.RandomResizedCrop(SIDE, view.crop_scale, view.crop_ratio, v2.InterpolationMode(view.interpolation)),
            v2.RandomHorizontalFlip(view.flip),
            v2.RandomApply([jitter], view.jitter),
            v2.RandomGrayscale(view.grey),
            *([v2.RandomApply([v2.GaussianBlur(view.blur_kernel, view.blur_sigma)], view.blur)] if view.blur else []),
            *([v2.RandomSolarize(128, view.solarise)] if view.solarise else []),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ])  # fmt: skip

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.transform(Image.fromarray(self.images[index]))


def pil(images: Tensor, view: View, workers: int) -> Callable[[], float]:
    """Views per second of the DataLoader, its start not counted."""
    views = PilViews(images[:BATCH].repeat(PIL_BATCHES + max(workers, 1), 1, 1, 1), view)
    loader = DataLoader(views, BATCH, num_workers=workers, persistent_workers=workers > 0)

    def rate() -> float:
        batches = iter(loader)
        for _ in range(max(workers, 1)):
            next(batches)
        start = time.perf_counter()
        count = sum(len(batch) for batch in batches)
        return count / (time.perf_counter() - start)

    return rate


def render_batches(images: Tensor, view: View, seed: int) -> float:
    """Seconds for OUR_BATCHES batches in this process, the draws included."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    times: list[float] = []
    for _ in range(OUR_BATCHES + 2):
        start = time.perf_counter()
        draws = draw(view, BATCH, height=SIDE, width=SIDE, generator=generator)
        normalise(render(images[:BATCH], draws, view), MEAN, STD)
        times.append(time.perf_counter() - start)
    return sum(times[2:])


def ours(
    images: Tensor, view: View, pool: "multiprocessing.pool.Pool | None", workers: int
) -> Callable[[], float]:
    """Views per second of `render`, in this process or in each of the pool's."""

    def rate() -> float:
        if pool is None:
            return OUR_BATCHES * BATCH / render_batches(images, view, 0)
        seconds = pool.starmap(render_batches, [(images, view, seed) for seed in range(workers)], chunksize=1)
        return workers * OUR_BATCHES * BATCH / max(seconds)

    return rate


def free_a_large_block() -> None:
    """What an encoder's first step does too: glibc then keeps freed memory instead of faulting it in anew."""
    torch.empty(31 * 2**20, dtype=torch.uint8)


def compare(name: str, contestants: dict[str, Callable[[], float]], rounds: int) -> None:
    """Print the median rate of each, and the median over rounds of its ratio to the first."""
    for rate in contestants.values():
        rate()
    rates = [{label: rate() for label, rate in contestants.items()} for _ in range(rounds)]
    first = next(iter(contestants))
    for label in contestants:
        median = statistics.median(one[label] for one in rates)
        ratios = sorted(one[label] / one[first] for one in rates)
        print(
            f"{name:32s} {label:24s} {median:9.0f} views/s {statistics.median(ratios):7.1f}x "
            f"({ratios[0]:.1f}–{ratios[-1]:.1f})",
            flush=True,
        )


def main() -> None:
    """Every recipe, both colour paths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--workers", type=int, default=0, help="0: everything in this process, one thread")
    parser.add_argument(
        "--keep-malloc", action="store_true", help="leave the allocator as the process started it"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    prepare = None if options.keep_malloc else free_a_large_block
    if prepare:
        prepare()
    images = torch.randint(0, 256, (BATCH, 3, SIDE, SIDE), dtype=torch.uint8)
    context = multiprocessing.get_context("spawn")
    pool = context.Pool(options.workers, prepare) if options.workers else None
    for name, view in RECIPES.items():
        contestants = {"PIL, DataLoader": pil(images, view, options.workers)}
        for colour in ("exact", "affine"):
            contestants[f"ours, {colour}"] = ours(images, replace(view, colour=colour), pool, options.workers)
        compare(name, contestants, options.rounds)
    if pool:
        pool.terminate()


if __name__ == "__main__":
    main()
