"""A linear classifier on frozen features, and the steps it shares with fine-tuning."""

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from contrastive.evaluate.features import Network, Task, readout
from contrastive.evaluate.protocols import FineTune, LinearProbe
from contrastive.randomness import generator
from contrastive.views import View


def linear_probe(protocol: LinearProbe, network: Network, task: Task) -> Float[Tensor, "m classes"]:
    """Return class scores of the query images by a classifier trained on the bank; the network is left as it is."""
    layer = readout(network, protocol.layer)
    training = layer.training
    layer.eval()
    queries = task.embed(layer, task.queries)
    seed, count = task.config.seed, len(task.bank)
    head = linear_head(queries.shape[1], task, generator(seed, "linear", "head"))
    optimiser = sgd(protocol, [(head, protocol.lr)], nesterov=protocol.nesterov)
    labels = task.bank.labels.to(task.device)
    features = None if protocol.augment else task.embed(layer, task.bank)
    for epoch in range(protocol.epochs):
        rows = shuffled(count, protocol.batch, generator(seed, "linear", "order", epoch))
        inputs = (
            _crops(protocol, layer, task, rows, epoch) if features is None else (features[r] for r in rows)
        )
        for step, (chosen, x) in enumerate(zip(rows, inputs, strict=True)):
            progress = (epoch + step / len(rows)) / protocol.epochs
            step_at(optimiser, cross_entropy(head(x), labels[chosen]), _share(protocol, epoch, progress))
    layer.train(training)
    return head(queries).detach()


def linear_head(features: int, task: Task, stream: torch.Generator) -> nn.Linear:
    """Return a layer from features to classes with weights N(0, 0.01) and bias 0, as in all sources."""
    # Made without torch's own initial weights, which would be drawn from its global generator.
    head = nn.Linear(features, task.classes, dtype=task.config.dtype, device="meta")
    head = head.to_empty(device=task.device)
    with torch.no_grad():
        head.weight.copy_(0.01 * torch.randn(head.weight.shape, generator=stream, dtype=torch.float64))
        head.bias.zero_()
    return head


def sgd(
    protocol: LinearProbe | FineTune, peaks: Sequence[tuple[nn.Module, float]], *, nesterov: bool = False
) -> torch.optim.SGD:
    """Return SGD over these modules, each with its peak learning rate."""
    groups = [{"params": list(module.parameters()), "peak": peak} for module, peak in peaks]
    momentum, decay = protocol.momentum, protocol.weight_decay
    return torch.optim.SGD(groups, lr=protocol.lr, momentum=momentum, nesterov=nesterov, weight_decay=decay)


def shuffled(count: int, batch: int, stream: torch.Generator) -> tuple[Int[Tensor, " _"], ...]:
    """Return all rows in random order, in the fewest batches of at most `batch`, whose sizes differ by one.

    A last batch of what is left over might be too small for batch statistics.
    """
    return torch.randperm(count, generator=stream).tensor_split(-(-count // batch))


def stepped(epoch: int, milestones: Sequence[int], factor: float) -> float:
    """Return the share of the learning rate in an epoch (from 0): `factor` for each milestone passed."""
    return factor ** sum(epoch >= milestone for milestone in milestones)


def step_at(optimiser: torch.optim.Optimizer, loss: Tensor, share: float) -> None:
    """Take one step at this share of each group's peak learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = share * group["peak"]
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def _share(protocol: LinearProbe, epoch: int, progress: float) -> float:
    if protocol.schedule == "steps":
        return stepped(epoch, protocol.milestones, protocol.factor)
    return (1 + math.cos(math.pi * progress)) / 2


def _crops(
    protocol: LinearProbe, layer: nn.Module, task: Task, rows: Sequence[Tensor], epoch: int
) -> Iterator[Tensor]:
    view = View(crop_scale=protocol.crop_scale, jitter=0.0, grey=0.0)
    stream = generator(task.config.seed, "linear", "views", epoch)
    for images in task.views(task.bank, rows, view, stream):
        with torch.no_grad():
            features = layer(images)
        yield features  # outside, for what takes it shall compute gradients
