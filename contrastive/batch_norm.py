"""Batch normalisation as if the batch were spread over several devices: each part by its own statistics."""

from torch import Tensor, nn
from torch.nn.functional import batch_norm

from contrastive import distributed
from contrastive.distributed import World


def split_batch_norm(encoder: nn.Module, splits: int, world: World) -> None:
    """Make every BatchNorm2d of the encoder normalise each of `splits` parts of the batch by itself.

    This is MoCo's recipe on one GPU (its CIFAR-10 demonstration): with the target's rows shuffled before, a query
    cannot recognise its key by shared statistics. As published, heads are left as they are. One split changes
    nothing.

    Raises:
        ValueError: the parts do not divide among the processes, or there is nothing to split.
    """
    if splits == 1:
        return
    if splits % world.size:
        raise ValueError(
            f"batch_norm_splits = {splits} parts do not divide among {world.size} processes; change either"
        )
    share = splits // world.size
    kinds = (nn.BatchNorm2d,)
    if not distributed.convert_batch_norm(encoder, kinds, SplitBatchNorm2d, splits=share, world=world):
        raise ValueError(
            f"batch_norm_splits = {splits}: this encoder has no plain batch normalisation to split; set it to 1"
        )


class SplitBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation of `splits` equal, consecutive parts of a batch, each by its own mean and variance."""

    splits: int = 1
    world: World = World()

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """(N, C, H, W) in, the same out."""
        if not self.training:
            return super().forward(input)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        # The parts stand beside each other as channels, so that one call normalises them all.
        parts = self.splits
        n, c, h, w = input.shape
        beside = input.reshape(parts, n // parts, c, h, w).transpose(0, 1).reshape(-1, parts * c, h, w)
        means, variances = self.running_mean.repeat(parts), self.running_var.repeat(parts)
        weight, bias = self.weight.repeat(parts), self.bias.repeat(parts)
        out = batch_norm(
            beside, means, variances, weight, bias, training=True, momentum=self.momentum, eps=self.eps
        )
        self.running_mean.copy_(distributed.mean_over(means.view(parts, c).mean(0), self.world))
        self.running_var.copy_(distributed.mean_over(variances.view(parts, c).mean(0), self.world))
        return out.view(-1, parts, c, h, w).transpose(0, 1).reshape(n, c, h, w)
