"""What one GPU makes of each method: `python tests/benchmarks/gpu.py [FILE.md]`.

Images a second of the training loop (views made on the GPU, one step after the other) and of its steps alone, and
the share of the card's own peak, measured on a product of matrices in the same precision, that the steps' products
reach. float32 is without TF32; bf16 runs encoder and heads under autocast, the losses in float32; compiled is bf16
with torch.compile on encoder and heads. Beside them lightly's loop for SimCLR where lightly is installed, and small
runs that share the card. Prints tables in Markdown; where no GPU is at hand it says so.
"""

import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from contrastive.batches import batches
from contrastive.config import Config
from contrastive.data.dataset import Dataset, Split, assemble
from contrastive.distributed import World
from contrastive.encoder import ResNet
from contrastive.learner import Learner
from contrastive.methods import BSIM, BYOL, CACR, MMCL, SCE, WCL, Method, MoCo, SimCLR
from contrastive.methods.protocol import Batch, Embeddings
from contrastive.views import View, Views
from search_spaces.laptop import laptop

GPU = torch.device("cuda")
SECONDS = 0.8
"""How long each figure is measured."""
METHODS: dict[str, Method] = {
    "SimCLR": SimCLR(), "SCE, 65,536 keys": SCE(queue=65536), "MMCL, exact": MMCL(), "WCL": WCL(), "CACR": CACR(),
    "BSIM on SimCLR": BSIM(inner=SimCLR()), "MoCo, 65,536 keys": MoCo(queue=65536), "BYOL": BYOL(),
}  # fmt: skip
PRECISIONS = ("float32", "TF32", "bf16", "compiled")
Row = list[str]


def main() -> None:
    if not torch.cuda.is_available():
        print("No GPU is at hand: nothing was measured.")
        return
    if sys.argv[1:2] == ["--share"]:
        print(_steps_of_a_small_run(float(sys.argv[2])))
        return
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    text: list[str] = []
    for section in (machine, small_images, traffic, sharing, beside_lightly, large_images):
        began = time.perf_counter()
        try:
            text += [*section(), ""]
        except Exception as error:  # a section that fails must not cost the others, which took minutes
            text += [f"{section.__name__}: {type(error).__name__}: {error}", ""]
        torch.cuda.empty_cache()
        print(
            *text[-40:] if out is None else [section.__name__, f"{time.perf_counter() - began:.0f} s"],
            flush=True,
        )
        if out:
            out.write_text("\n".join(text))
    print("\n".join(text))


def machine() -> Iterator[str]:
    """The card, and its own peaks."""
    card = torch.cuda.get_device_properties(0)
    kind = platform.processor() or platform.machine()
    yield f"{card.name}, {card.total_memory / 2**30:.0f} GiB; {os.cpu_count()} {kind} processors"
    yield f"torch {torch.__version__}, CUDA {torch.version.cuda}, Python {platform.python_version()}"
    yield ", ".join(f"{name} peak {peak(name) / 1e12:.0f} TFLOP/s" for name in ("float32", "TF32", "bf16"))


def peak(precision: str) -> float:
    """Floating-point operations a second of a large product."""
    size, dtype = 8192, torch.bfloat16 if precision in ("bf16", "compiled") else torch.float32
    a, b = (torch.randn(size, size, device=GPU, dtype=dtype) for _ in range(2))
    with settings(precision):
        return 2 * size**3 * rate(lambda: a @ b)


def small_images() -> Iterator[str]:
    """ResNet-18, 32 pixels, 256 images a step."""
    yield from _table("ResNet-18, 32 px, batch 256", METHODS, PRECISIONS, size=32, depth=18, count=16384)


def large_images() -> Iterator[str]:
    """ResNet-50, 224 pixels, 256 images a step."""
    methods = {name: METHODS[name] for name in ("SimCLR", "SCE, 65,536 keys")}
    yield from _table("ResNet-50, 224 px, batch 256", methods, PRECISIONS, size=224, depth=50, count=1024)


def _table(
    title: str, methods: dict[str, Method], precisions: tuple[str, ...], *, size: int, depth: int, count: int
) -> Iterator[str]:
    images = random_images(count, size)
    yield from _head([title, *(f"{p}: images/s, steps alone, of peak" for p in precisions)])
    peaks = {p: peak(p) for p in precisions}
    for name, method in methods.items():
        cells: Row = []
        for precision in precisions:
            if precision == "compiled" and name not in ("SimCLR", "SCE, 65,536 keys"):
                cells.append("–")
                continue
            try:
                whole, alone, share = measured(
                    _trial(method, size, depth), images, precision, peaks[precision]
                )
                cells.append(f"{whole:,.0f}, {alone:,.0f}, {100 * share:.0f} %")
            except Exception as error:  # one cell's failure is that cell's
                cells.append(f"{type(error).__name__}: {str(error).splitlines()[0][:80]}")
            torch.cuda.empty_cache()
        yield _line([name, *cells])


def measured(config: Config, images: Dataset, precision: str, peak: float) -> tuple[float, float, float]:
    """Images a second of the loop and of its steps alone, and their share of the peak."""
    with settings(precision):
        learner = Learner(config, steps_per_epoch=1000, world=World(), device=GPU)
        prepare(learner.model, precision)
        whole = rate(next_of(learner, config, images)) * config.batch
        batch = next(batches(config, images, 1, world=World(), device=GPU))
        with FlopCounterMode(display=False) as counter:
            learner.step(batch) if precision != "compiled" else None
        alone = rate(lambda: learner.step(batch))
        if precision == "compiled":
            plain = Learner(config, steps_per_epoch=1000, world=World(), device=GPU)
            with FlopCounterMode(display=False) as counter:
                plain.step(batch)
    return whole, alone * config.batch, alone * counter.get_total_flops() / peak


def next_of(learner: Learner, config: Config, images: Dataset) -> Callable[[], object]:
    """A function that makes the next batch and takes a step on it, epoch after epoch."""

    def endless() -> Iterator[Batch]:
        for epoch in range(1, 10**6):
            yield from batches(config, images, min(epoch, config.epochs), world=World(), device=GPU)

    stream = endless()
    return lambda: learner.step(replace(next(stream), step=0))


def prepare(model: nn.Module, precision: str) -> None:
    """Let the model embed in this precision, and hand embeddings in float32 to the loss."""
    if precision == "compiled":
        branches = [branch for branch in (model.online, model.target) if branch is not None]
        for branch in branches:
            branch.compile(dynamic=False)
    if precision not in ("bf16", "compiled"):
        return
    plain = model.forward

    def forward(batch: Batch) -> Embeddings:
        with torch.autocast("cuda", torch.bfloat16):
            found = plain(batch)
        parts = {name: _floats(getattr(found, name)) for name in ("online", "second", "target")}
        return replace(found, **parts)

    model.forward = forward


def _floats(views: dict[int, Tensor]) -> dict[int, Tensor]:
    return {view: rows.float() for view, rows in views.items()}


def sharing() -> Iterator[str]:
    """The space's small runs, several at once on the card."""
    yield from _head(["small runs at once", "steps/s together", "times one alone"])
    alone = 0.0
    for count in (1, 2, 4, 8):
        command = [sys.executable, __file__, "--share", "6"]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
        together = sum(float(process.communicate()[0].split()[-1]) for process in running)
        alone = alone or together
        yield _line([str(count), f"{together:.0f}", f"{together / alone:.2f}"])


def _steps_of_a_small_run(seconds: float) -> float:
    config = laptop("sce")
    images = random_images(4096, 32)
    step = next_of(Learner(config, steps_per_epoch=64, world=World(), device=GPU), config, images)
    return rate(step, seconds=seconds)


def traffic() -> Iterator[str]:
    """What a step of the loop asks of the processor: kernels, copies, waits."""
    yield from _head(["a step at 32 px", "kernels", "copies", "waits for the GPU", "processor ms"])
    images = random_images(4096, 32)
    warnings.simplefilter("ignore")
    for name, method in METHODS.items():
        config = _trial(method, 32, 18)
        step = next_of(Learner(config, steps_per_epoch=1000, world=World(), device=GPU), config, images)
        for _ in range(4):
            step()
        torch.cuda.synchronize()
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as trace:
            began = time.process_time()
            for _ in range(4):
                step()
            spent = time.process_time() - began
        names = [event.name for event in trace.events()]
        kernels = sum(n.startswith(("cudaLaunchKernel", "cuLaunchKernel")) for n in names) / 4
        copies = sum(n.startswith("cudaMemcpyAsync") for n in names) / 4
        waits = sum(n.startswith(("cudaStreamSynchronize", "cudaDeviceSynchronize")) for n in names) / 4
        yield _line([name, f"{kernels:.0f}", f"{copies:.0f}", f"{waits:.0f}", f"{spent / 4 * 1e3:.1f}"])


def beside_lightly() -> Iterator[str]:
    """lightly's documented SimCLR loop, ResNet-18 at 32 pixels, as many loading processes as the machine has."""
    from lightly.loss import NTXentLoss
    from lightly.models.modules import SimCLRProjectionHead
    from lightly.transforms import SimCLRTransform
    from torchvision.transforms.functional import to_pil_image

    images = [to_pil_image(image) for image in random_images(16384, 32).train.images]
    transform = SimCLRTransform(input_size=32, gaussian_blur=0.0)

    class Images(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, row: int) -> list[Tensor]:
            return transform(images[row])

    loader = DataLoader(
        Images(), 256, shuffle=True, drop_last=True, num_workers=os.cpu_count() or 1, persistent_workers=True
    )
    backbone, head, criterion = (
        ResNet().build().to(GPU),
        SimCLRProjectionHead(512, 512, 128).to(GPU),
        NTXentLoss(),
    )
    optimiser = torch.optim.SGD([*backbone.parameters(), *head.parameters()], lr=0.06)

    def endless() -> Iterator[list[Tensor]]:
        while True:
            yield from loader

    stream = endless()

    def step() -> None:
        loss = criterion(*(head(backbone(view.to(GPU))) for view in next(stream)))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()

    with settings("TF32"):
        yield f"lightly's SimCLR loop, ResNet-18, 32 px, batch 256: {256 * rate(step, seconds=5):,.0f} images/s"


@contextmanager
def settings(precision: str) -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def rate(step: Callable[[], object], seconds: float = SECONDS) -> float:
    """Calls a second, the GPU's work done: the median over parts of a measurement after a warm-up."""
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    began = time.perf_counter()
    step()
    torch.cuda.synchronize()
    each = max(1, round(seconds / 5 / (time.perf_counter() - began)))
    found: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(each):
            step()
        torch.cuda.synchronize()
        found.append(each / (time.perf_counter() - began))
    return statistics.median(found)


def random_images(count: int, size: int) -> Dataset:
    def split(n: int) -> Split:
        return Split(torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8), torch.arange(n) % 10)

    return assemble(tuple("0123456789"), train=split(count), validation=split(16), test=split(16))


def _trial(method: Method, size: int, depth: int) -> Config:
    views = (
        Views()
        if size == 32
        else Views(strong=View(crop_scale=(0.08, 1.0)), second=View(crop_scale=(0.08, 1.0)))
    )
    return Config(
        method=method, encoder=ResNet(depth=depth, stem="cifar" if size == 32 else "imagenet"), views=views
    )


def _head(cells: Row) -> Iterator[str]:
    yield _line(cells)
    yield _line(["---"] * len(cells))


def _line(cells: Row) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
