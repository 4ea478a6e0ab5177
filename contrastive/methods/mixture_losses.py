"""The loss of a mixed step for each method: BSIM's, which holds the method it mixes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from contrastive.losses import (
    mixed_byol,
    mixed_cacr,
    mixed_info_nce,
    mixed_mmcl,
    mixed_nt_xent,
    mixed_ressl,
    mixed_sce,
    mixed_supervised_contrast,
)
from contrastive.methods.byol import BYOL
from contrastive.methods.cacr import CACR
from contrastive.methods.mmcl import MMCL
from contrastive.methods.moco import MoCo
from contrastive.methods.protocol import Embeddings, Gather
from contrastive.methods.ressl import ReSSL
from contrastive.methods.sce import SCE
from contrastive.methods.simclr import SimCLR
from contrastive.methods.wcl import WCL

Inner = Annotated[
    SimCLR | MoCo | BYOL | ReSSL | SCE | MMCL | WCL | CACR,
    Field(discriminator="name"),
]
"""The methods that can be mixed."""


def mixture_losses(inner: Inner, embeddings: Embeddings, gather: Gather, *, batch_keys: bool) -> list[Tensor]:
    """The loss of each mixed view, on the batch of all processes.

    `batch_keys`: on MoCo the batch's other keys are negatives too.
    """
    assert embeddings.mixture is not None
    first = len(inner.assembly.views)
    device = embeddings.online[first].device
    step = _Step(
        online={view: gather(rows) for view, rows in embeddings.online.items()},
        target={view: gather(rows) for view, rows in embeddings.target.items()},
        second={view: gather(rows) for view, rows in embeddings.second.items()},
        queue=embeddings.queue,
        epoch=embeddings.epoch,
        partner=embeddings.mixture.partner.to(device),
        share=embeddings.mixture.share.to(device, embeddings.online[first].dtype),
    )
    return [_term(inner, step, first + i, view, batch_keys) for i, view in enumerate(mixed_views(inner))]


def mixed_views(inner: Inner) -> tuple[int, ...]:
    """The views that are queries, and so are mixed."""
    match inner:
        case SimCLR() | WCL() | CACR():
            return (0,)
        case MMCL():
            return (1, 0) if inner.symmetric else (1,)
        case _:
            return inner.assembly.online


@dataclass(frozen=True)
class _Step:
    """A mixed step's embeddings of the batch of all processes."""

    online: Mapping[int, Tensor]
    target: Mapping[int, Tensor]
    second: Mapping[int, Tensor]
    queue: Tensor | None
    epoch: int
    partner: Tensor
    share: Tensor


def _term(inner: Inner, step: _Step, mixture: int, source: int, batch_keys: bool) -> Tensor:
    """The loss of one mixed view, whose other view is the key."""
    view, other = step.online[mixture], 1 - source
    mixed = (step.partner, step.share)
    match inner:
        case SimCLR():
            loss = mixed_nt_xent(view, step.online[other], *mixed, temperature=inner.temperature)
        case MoCo():
            loss = mixed_info_nce(
                view,
                step.target[other],
                step.queue,
                *mixed,
                temperature=inner.temperature,
                batch_keys=batch_keys,
            )
        case BYOL():
            loss = mixed_byol(view, step.target[other], *mixed)
        case SCE() | ReSSL():
            loss = _relational(inner, view, step.target[other], step.queue, mixed)
        case MMCL():
            loss = mixed_mmcl(view, step.online[other], *mixed, **inner.machine(step.epoch))
        case WCL():
            loss = _weak(inner, step, mixture)
        case CACR():
            rest = [rows for position, rows in sorted(step.online.items()) if 0 < position < mixture]
            loss = mixed_cacr(
                view, torch.stack(rest), rest[0], *mixed, detach_weights=inner.detach_weights, **inner.forces
            )
    return loss


def _relational(
    inner: SCE | ReSSL, view: Tensor, key: Tensor, queue: Tensor | None, mixed: tuple[Tensor, Tensor]
) -> Tensor:
    temperatures = {"temperature": inner.temperature, "target_temperature": inner.target_temperature}
    if isinstance(inner, SCE):
        return mixed_sce(
            view,
            key,
            queue,
            *mixed,
            **temperatures,
            coefficient=inner.coefficient,
            positive_in_target=inner.positive_in_target,
        )
    assert queue is not None
    return mixed_ressl(view, key, queue, *mixed, **temperatures)


def _weak(inner: WCL, step: _Step, mixture: int) -> Tensor:
    """WCL: the mixture is an anchor among the whole images of its own view, with labels of whole images."""
    loss = mixed_nt_xent(
        step.online[mixture], step.online[1], step.partner, step.share, temperature=inner.temperature
    )
    if not inner.graph_weight:
        return loss
    graph = step.second if inner.separate_heads else step.online
    weak = mixed_supervised_contrast(
        graph[mixture],
        graph[0],
        inner.labels(graph)[0],
        step.partner,
        step.share,
        temperature=inner.temperature,
        detach_keys=inner.detach_keys,
    )
    return loss + inner.graph_weight * weak
