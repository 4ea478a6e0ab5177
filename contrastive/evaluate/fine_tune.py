"""Semi-supervised evaluation: the whole encoder is fine-tuned on a fraction of the labels."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from contrastive.data import label_fraction
from contrastive.evaluate.features import Network, Task
from contrastive.evaluate.linear import linear_head, sgd, shuffled, step_at, stepped
from contrastive.evaluate.protocols import FineTune
from contrastive.randomness import generator
from contrastive.siamese import seeded
from contrastive.views import View


def fine_tune(protocol: FineTune, network: Network, task: Task, draw: int) -> Float[Tensor, "m classes"]:
    """Return class scores of the query images by a copy of the encoder fine-tuned on one draw of the labels."""
    labelled = label_fraction(task.bank.labels, protocol.fraction, draw)
    labels = task.bank.labels.to(task.device)
    view = View(crop_scale=protocol.crop_scale, jitter=0.0, grey=0.0)
    # Inside, what an encoder draws for itself (dropout) is drawn from the seed too.
    with seeded(task.config.seed):
        model, optimiser = _begin(protocol, network, task, draw)
        for epoch in range(protocol.epochs):
            order, views = (
                generator(task.config.seed, "finetune", use, draw, epoch) for use in ("order", "views")
            )
            rows = [labelled[some] for some in shuffled(len(labelled), protocol.batch, order)]
            share = stepped(epoch, protocol.milestones, protocol.factor)
            for chosen, images in zip(rows, task.views(task.bank, rows, view, views), strict=True):
                step_at(optimiser, cross_entropy(model(images), labels[chosen]), share)
    return task.embed(model, task.queries)


def _begin(
    protocol: FineTune, network: Network, task: Task, draw: int
) -> tuple[nn.Module, torch.optim.Optimizer]:
    # Built anew: the encoder in training may have batch statistics that wait for other processes.
    encoder = task.config.encoder.build()
    encoder.load_state_dict(network.encoder.state_dict())
    encoder = encoder.to(task.device, task.config.dtype)
    encoder = encoder.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    stream = generator(task.config.seed, "finetune", "head", draw)
    head = linear_head(task.config.encoder.dim, task, stream)
    optimiser = sgd(protocol, [(encoder, protocol.lr), (head, protocol.head_lr)])
    return nn.Sequential(encoder, head).train(), optimiser
