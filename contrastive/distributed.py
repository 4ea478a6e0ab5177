"""Several processes that train one model. With one process every function here is the identity."""

from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class World:
    """Number of this process (`rank`) among all (`size`)."""

    rank: int = 0
    size: int = 1

    def rows(self, count: int) -> slice:
        """Return this process's contiguous share of `count` rows; the shares differ by one at most."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)


def current_world() -> World:
    """Return this process in the running process group, or one process alone."""
    if dist.is_available() and dist.is_initialized():
        return World(dist.get_rank(), dist.get_world_size())
    return World()


def gather(rows: Tensor, world: World) -> Tensor:
    """Gather all processes' rows in rank order, with gradient.

    Each process computes the loss of the whole batch; the backward pass sums the processes' gradients, so
    that the averaging of parameter gradients gives exactly the one-process gradient. Every process must
    hold the same number of rows.
    """
    return rows if world.size == 1 else _Gather.apply(rows, world)  # pyright: ignore[reportReturnType]


def gather_uneven(rows: Tensor, world: World, count: int) -> Tensor:
    """Gather all processes' shares (`World.rows`) of `count` rows, in order, without gradient."""
    if world.size == 1:
        return rows
    longest = -(-count // world.size)
    padded = nn.functional.pad(rows, (0, 0) * (rows.ndim - 1) + (0, longest - len(rows)))
    shares = gather(padded.detach(), world).chunk(world.size)
    lengths = [count * (r + 1) // world.size - count * r // world.size for r in range(world.size)]
    return torch.cat([share[:n] for share, n in zip(shares, lengths, strict=True)])


def permute(rows: Tensor, order: Tensor, world: World) -> Tensor:
    """Return this process's share of all processes' rows put in `order` (of the whole batch), without gradient."""
    order = order.to(rows.device)
    if world.size == 1:
        return rows.detach()[order]
    return gather(rows.detach(), world)[order[world.rows(len(order))]]


def mean_over(value: Tensor, world: World) -> Tensor:
    """Return the mean of a tensor over the processes, without gradient."""
    if world.size == 1:
        return value.detach()
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / world.size


def peer_lost(error: Exception) -> bool:
    """Whether a collective failed because another process ended."""
    gone = ("closed by peer", "reset by peer", "Broken pipe")
    return isinstance(error, dist.DistBackendError) or any(words in str(error) for words in gone)


def parallel(module: nn.Module, world: World) -> nn.Module:
    """Return the module with gradients averaged over the processes."""
    # Buffers are equal without broadcasting: batch statistics are synchronised.
    return module if world.size == 1 else nn.parallel.DistributedDataParallel(module, broadcast_buffers=False)


def synchronise_batch_norm(module: M, world: World) -> M:
    """Return the module with batch statistics over all processes (torch's own version needs a GPU).

    Raises:
        ValueError: a layer is a batch normalisation that does more, which would be lost.
    """
    plain = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    other = {type(m).__name__ for m in module.modules() if isinstance(m, _BatchNorm) and type(m) not in plain}
    if world.size > 1 and other:
        raise ValueError(
            f"the encoder's {', '.join(sorted(other))} cannot be synchronised over {world.size} processes; train it "
            "on one, or take an encoder with plain batch normalisation"
        )
    if world.size > 1 and next(module.parameters()).is_cuda:
        return cast(M, nn.SyncBatchNorm.convert_sync_batchnorm(module))
    if world.size > 1:
        convert_batch_norm(module, plain, _SynchronisedBatchNorm, world=world)
    return module


def convert_batch_norm(
    module: nn.Module, kinds: tuple[type[_BatchNorm], ...], to: type[_BatchNorm], **attributes: Any
) -> int:
    """Replace each batch normalisation of exactly these classes by one `to` class; return their number."""
    found = [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if type(child) in kinds and isinstance(child, _BatchNorm)
    ]
    for parent, name, child in found:
        copy = to(child.num_features, child.eps, child.momentum, child.affine)
        copy = copy if child.running_mean is None else copy.to(child.running_mean)
        copy.load_state_dict(child.state_dict())
        for attribute, value in attributes.items():
            setattr(copy, attribute, value)
        for own, given in zip(copy.parameters(), child.parameters(), strict=True):
            own.requires_grad_(given.requires_grad)
        setattr(parent, name, copy)
    return len(found)


class _Gather(torch.autograd.Function):
    """All processes' rows, with gradient."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, world: World) -> Tensor:
        """(n, ...) of each process in, (world.size * n, ...) in rank order out."""
        ctx.world, ctx.count = world, len(rows)
        shares = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(world.size)]
        dist.all_gather(shares, rows.contiguous())
        return torch.cat(shares)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """The gradient of the whole batch, summed over the processes, at this one's rows."""
        total = grads[0].contiguous().clone()
        dist.all_reduce(total)
        start = ctx.world.rank * ctx.count
        return total[start : start + ctx.count], None


class _Sum(torch.autograd.Function):
    """A sum over processes, with gradient."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        """The sum over the processes."""
        total = value.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """The sum of the processes' gradients, each of which depends on every value."""
        total = grads[0].contiguous().clone()
        dist.all_reduce(total)
        return total


class _SynchronisedBatchNorm(_BatchNorm):
    """Batch normalisation by the statistics of the batch of all processes, differentiable through both."""

    world: World = World()

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - torch's name
        if input.ndim < 2:
            raise ValueError(f"batch normalisation needs (N, C, ...), got {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """(N, C, ...) in, the same out, normalised by the batch of all processes in training."""
        if not self.training:
            return super().forward(input)
        dims = [d for d in range(input.ndim) if d != 1]
        shape = [1, -1] + [1] * (input.ndim - 2)
        count = input.numel() // input.shape[1] * self.world.size
        average: Tensor = _Sum.apply(input.sum(dims)) / count  # pyright: ignore
        centred = input - average.view(shape)
        # Two passes, because the mean of squares minus the squared mean cancels in float32.
        variance: Tensor = _Sum.apply(centred.square().sum(dims)) / count  # pyright: ignore
        self._track(average.detach(), variance.detach() * count / max(1, count - 1))
        scaled = centred * (variance + self.eps).rsqrt().view(shape)
        return scaled * self.weight.view(shape) + self.bias.view(shape) if self.affine else scaled

    @torch.no_grad()
    def _track(self, average: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        self.running_mean.lerp_(average, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
