"""BSIM, beyond single-instance multi-view (Chu et al. 2020): a mixture of two images is positive with both."""

from dataclasses import asdict, replace
from typing import ClassVar, Literal

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor

from contrastive.methods.byol import BYOL
from contrastive.methods.cacr import CACR
from contrastive.methods.mixture_losses import Inner, mixed_views, mixture_losses
from contrastive.methods.mmcl import MMCL
from contrastive.methods.moco import MoCo
from contrastive.methods.protocol import Assembly, Diagnosed, Embeddings, Gather, Mixing, Preset
from contrastive.methods.ressl import ReSSL
from contrastive.methods.sce import SCE
from contrastive.methods.simclr import SimCLR
from contrastive.methods.wcl import WCL
from contrastive.types import STRICT, Fraction, Positive


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
    """Whether each image has a share of its own; None: with mixup alone it has, with CutMix or both it has not."""
    weight: Fraction = 1.0
    """Of the mixture's loss; the rest is the inner method's. Between 0 and 1 it is the paper's WBSIM."""
    batches: Fraction = 1.0
    """Share of the batches that are mixed; the others are the inner method's."""
    batch_keys: bool = False
    """On MoCo: whether the batch's other keys are negatives too, in one softmax (i-Mix), or only the queue."""

    presets: ClassVar[dict[str, Preset]] = {
        f"{inner}-{preset}": Preset(
            source=f"ours: {inner}'s recipe '{preset}' under CutMix; the paper's settings are not public",
            values={
                "method.kind": "cutmix", "method.alpha": 1.0, "method.weight": 1.0, "method.batches": 1.0,
                "method.inner": asdict(method()),
                **{path.replace("method.", "method.inner.", 1): value
                   for path, value in method.presets[preset].values.items()},
            },
        )
        for inner, method in (("simclr", SimCLR), ("moco", MoCo), ("byol", BYOL))
        for preset in ("cifar10", "imagenet100", "imagenet")
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
        sources = mixed_views(self.inner)
        mixtures = tuple(len(inner.views) + i for i in range(len(sources)))
        # Views that only ever are queries need no pass of their own when all the loss is the mixtures'.
        clean = inner.online if self.weight < 1 else tuple(v for v in inner.online if v in _keys(self.inner))
        per_sample = self.per_sample if self.per_sample is not None else self.kind == "mixup"
        mixing = Mixing(
            sources,
            (*clean, *mixtures),
            self.kind,
            self.alpha,
            per_sample,
            self.batches if self.weight else 0.0,
        )
        least = 3 if isinstance(self.inner, CACR) else inner.smallest_batch
        return replace(inner, mixing=mixing, smallest_batch=least)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """(1 - weight) times the inner method's loss and weight times the mixtures'."""
        if embeddings.mixture is None:
            return self.inner.loss(embeddings, gather)
        mixed = torch.stack(mixture_losses(self.inner, embeddings, gather, batch_keys=self.batch_keys)).mean()
        if isinstance(self.inner, BYOL):
            mixed = mixed * len(self.inner.pairs)  # BYOL sums its directions
        if self.weight == 1:
            return mixed
        return (1 - self.weight) * self.inner.loss(self._clean(embeddings), gather) + self.weight * mixed

    def _clean(self, embeddings: Embeddings) -> Embeddings:
        """What the inner method would have been given: its own views, and no mixture of them."""
        own = self.inner.assembly.online
        return replace(
            embeddings,
            online={view: embeddings.online[view] for view in own if view in embeddings.online},
            second={view: embeddings.second[view] for view in own if view in embeddings.second},
            mixture=None,
        )

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """The inner method's, if its own first view is embedded at every step."""
        mixing = self.assembly.mixing
        whole = mixing is not None and 0 in mixing.online
        return self.inner.diagnosed if whole and isinstance(self.inner, Diagnosed) else ()

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """What the inner method has to say of its own views."""
        return (
            self.inner.diagnose(self._clean(embeddings), gather) if isinstance(self.inner, Diagnosed) else {}
        )


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
    reason: str | None = None
    match inner:
        case SCE() | ReSSL() if len(inner.views) > 2:
            reason = (
                "inner.views: a mixture of a multi-crop's small crop shows neither source; give two views"
            )
        case SCE() if inner.weights is not None:
            reason = "inner.weights: mixtures are defined for SCE's own weighting; leave weights out, set coefficient"
        case MMCL() if inner.queue:
            reason = (
                "inner.queue: a mixture is read by both sources' machines, built on the batch; set it to 0"
            )
        case WCL() if inner.neighbours:
            reason = "inner.neighbours: crops of neighbours carry one weak label, a mixture two; set it to 0"
        case CACR() if inner.form != "batch":
            reason = (
                "inner.momentum: mixtures are repelled from the batch without their two sources, which is defined "
                "for CACR's batch form; leave out momentum and queue"
            )
        case CACR() if inner.cost != "euclidean":
            reason = "inner.cost: mixtures are defined for CACR's cost 'euclidean'"
        case CACR() if inner.local_views:
            reason = "inner.local_views: a mixture is of whole views; leave them out"
        case _:
            pass
    return reason
