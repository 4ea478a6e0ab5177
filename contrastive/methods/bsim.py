"""BSIM, beyond single-instance multi-view (Chu et al. 2020): a mixture of two images is positive with both."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from dataclasses import dataclass as plain_dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
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
from contrastive.methods.protocol import Assembly, Embeddings, Gather, Mixing, Preset
from contrastive.methods.ressl import ReSSL
from contrastive.methods.sce import SCE
from contrastive.methods.simclr import SimCLR
from contrastive.methods.wcl import WCL
from contrastive.types import STRICT, Fraction, Positive

Inner = Annotated[
    SimCLR | MoCo | BYOL | ReSSL | SCE | MMCL | WCL | CACR,
    Field(discriminator="name"),
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BSIM:
    """Feeds mixtures of two images to the online network and contrasts each with both, in proportion.

    Only the online network's input is mixed: keys, queue, graphs, machines and whatever else defines a target
    come from whole images. Published for SimCLR, MoCo and BYOL; for the others the target is the same
    proportional sum. No code of the paper is public: CutMix, Beta(1, 1), a share for each batch (CutMix) or
    image (mixup) and partners that are never the image itself are our reading, after i-Mix and Un-Mix.
    """

    name: Literal["bsim"] = "bsim"
    inner: Inner = SimCLR()
    kind: Literal["mixup", "cutmix", "both"] = "cutmix"
    """"both": each batch is one or the other with equal chance."""
    alpha: Positive = 1.0
    """The image's own share is drawn from Beta(alpha, alpha)."""
    per_sample: bool | None = None
    """Whether each image has a share of its own; None: with mixup it has, with CutMix it has not."""
    weight: Fraction = 1.0
    """Of the mixture's loss; the rest is the inner method's. Between 0 and 1 it is the paper's WBSIM."""
    batches: Fraction = 1.0
    """Share of the batches that are mixed; the others are the inner method's."""
    batch_keys: bool = False
    """On MoCo: whether the batch's other keys are negatives too, in one softmax (i-Mix), or only the queue."""

    presets: ClassVar[dict[str, Preset]] = {
        f"{inner}-cifar10": Preset(
            source=f"ours: {inner}'s CIFAR-10 recipe under CutMix; the paper's settings are not public",
            values={
                "method.kind": "cutmix", "method.alpha": 1.0, "method.weight": 1.0, "method.batches": 1.0,
                "method.inner": asdict(method()),
                **{path.replace("method.", "method.inner.", 1): value
                   for path, value in method.presets["cifar10"].values.items()},
            },
        )
        for inner, method in (("simclr", SimCLR), ("moco", MoCo), ("byol", BYOL))
    }  # fmt: skip

    def __post_init__(self) -> None:
        refusal = _refusal(self.inner)
        if refusal:
            raise ValueError(refusal)
        if self.batch_keys and not isinstance(self.inner, MoCo):
            raise ValueError(
                f"batch_keys is a choice of BSIM on MoCo, and inner is '{self.inner.name}'; set it to false"
            )

    @property
    def assembly(self) -> Assembly:
        """The inner method's, with a mixture of each view that is a query."""
        inner = self.inner.assembly
        sources = _sources(self.inner)
        mixtures = tuple(len(inner.views) + i for i in range(len(sources)))
        # Views that only ever are queries need no pass of their own when all the loss is the mixtures'.
        clean = inner.online if self.weight < 1 else tuple(v for v in inner.online if v in _keys(self.inner))
        per_sample = self.per_sample if self.per_sample is not None else self.kind == "mixup"
        mixing = Mixing(
            sources, (*clean, *mixtures), self.kind, self.alpha, per_sample, self.batches if self.weight else 0.0
        )
        least = 3 if isinstance(self.inner, CACR) else inner.smallest_batch
        return replace(inner, mixing=mixing, smallest_batch=least)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """(1 - weight) times the inner method's loss and weight times the mixtures'."""
        if embeddings.mixture is None:
            return self.inner.loss(embeddings, gather)
        mixed = torch.stack(self._mixed(embeddings, gather)).mean()
        if isinstance(self.inner, BYOL):
            mixed = mixed * len(self.inner.pairs)  # BYOL sums its directions
        if self.weight == 1:
            return mixed
        return (1 - self.weight) * self.inner.loss(embeddings, gather) + self.weight * mixed

    def _mixed(self, embeddings: Embeddings, gather: Gather) -> list[Tensor]:
        """The loss of each mixed view, on the batch of all processes."""
        assert embeddings.mixture is not None
        first = len(self.inner.assembly.views)
        device = embeddings.online[first].device
        step = _Mixed(
            online={view: gather(rows) for view, rows in embeddings.online.items()},
            target={view: gather(rows) for view, rows in embeddings.target.items()},
            second={view: gather(rows) for view, rows in embeddings.second.items()},
            queue=embeddings.queue,
            epoch=embeddings.epoch,
            partner=embeddings.mixture.partner.to(device),
            share=embeddings.mixture.share.to(device, embeddings.online[first].dtype),
        )
        return [self._term(step, first + i, source) for i, source in enumerate(_sources(self.inner))]

    def _term(self, step: "_Mixed", mixture: int, source: int) -> Tensor:
        """The loss of one mixed view, whose other view is the key."""
        inner, view, other = self.inner, step.online[mixture], 1 - source
        mixed = (step.partner, step.share)
        match inner:
            case SimCLR():
                return mixed_nt_xent(view, step.online[other], *mixed, temperature=inner.temperature)
            case MoCo():
                return mixed_info_nce(
                    view,
                    step.target[other],
                    step.queue,
                    *mixed,
                    temperature=inner.temperature,
                    batch_keys=self.batch_keys,
                )
            case BYOL():
                return mixed_byol(view, step.target[other], *mixed)
            case SCE() | ReSSL():
                return _relational(inner, view, step.target[other], step.queue, mixed)
            case MMCL():
                return mixed_mmcl(view, step.online[other], *mixed, **inner.machine(step.epoch))
            case WCL():
                return self._weak(inner, step, mixture)
            case CACR():
                rest = [rows for position, rows in sorted(step.online.items()) if 0 < position < mixture]
                return mixed_cacr(
                    view,
                    torch.stack(rest),
                    rest[0],
                    *mixed,
                    attraction_temperature=inner.attraction_temperature,
                    repulsion_temperature=inner.repulsion_temperature,
                    attraction_weight=inner.attraction_weight,
                    repulsion_weight=inner.repulsion_weight,
                    variant=inner.variant,
                    detach_weights=inner.detach_weights,
                )

    def _weak(self, inner: WCL, step: "_Mixed", mixture: int) -> Tensor:
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


@plain_dataclass(frozen=True)
class _Mixed:
    """A mixed step's embeddings of the batch of all processes."""

    online: Mapping[int, Tensor]
    target: Mapping[int, Tensor]
    second: Mapping[int, Tensor]
    queue: Tensor | None
    epoch: int
    partner: Tensor
    share: Tensor


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


def _sources(inner: Inner) -> tuple[int, ...]:
    """The views that are queries, and so are mixed."""
    match inner:
        case SimCLR() | WCL() | CACR():
            return (0,)
        case MMCL():
            return (1, 0) if inner.symmetric else (1,)
        case _:
            return inner.assembly.online


def _keys(inner: Inner) -> tuple[int, ...]:
    """The views whose whole images the mixtures' loss takes from the online network."""
    match inner:
        case SimCLR():
            return (1,)
        case WCL():
            return (0, 1)
        case MMCL():
            return (0, 1) if inner.symmetric else (0,)
        case CACR():
            return tuple(range(1, len(inner.assembly.views)))
        case _:
            return ()


def _refusal(inner: Inner) -> str | None:
    """Why mixtures make no sense with the inner method as it is configured."""
    match inner:
        case SCE() | ReSSL() if len(inner.views) > 2:
            return "inner.views has a multi-crop, and a mixture of a small crop shows neither source; give two views"
        case SCE() if inner.weights is not None:
            return "inner.weights: mixtures are defined for SCE's own weighting; leave weights out, set coefficient"
        case MMCL() if inner.queue:
            return "inner.queue: a mixture is read by both sources' machines, which are built on the batch; set it to 0"
        case WCL() if inner.neighbours:
            return "inner.neighbours: crops of neighbours carry one weak label, a mixture two; set it to 0"
        case CACR() if inner.form != "batch":
            return (
                "inner.momentum: mixtures are repelled from the batch without their two sources, which is defined "
                "for CACR's batch form; leave out momentum and queue"
            )
        case CACR() if inner.cost != "euclidean":
            return "inner.cost: mixtures are defined for CACR's cost 'euclidean'"
        case CACR() if inner.local_views:
            return "inner.local_views: a mixture is of whole views; leave them out"
        case _:
            return None
