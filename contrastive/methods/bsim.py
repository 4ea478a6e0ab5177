"""BSIM, beyond single-instance multi-view (Chu et al. 2020): a mixture of two images is positive with both."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from contrastive.methods.byol import BYOL
from contrastive.methods.moco import MoCo
from contrastive.methods.protocol import Assembly, Diagnosed, Embeddings, Gather, MixedStep, Mixing
from contrastive.methods.simclr import SimCLR
from contrastive.recipes import Preset
from contrastive.types import Fraction, Positive, configuration

if TYPE_CHECKING:
    from torch import Tensor

    from contrastive.methods.protocol import Mixable as Inner  # the list of methods completes it


@configuration
class BSIM:
    """Contrast of mixtures of two images, seen by the online network, with both images in proportion.

    Only the online network's input is mixed: keys, queue, graphs, machines and all else that defines a target
    come from whole images. Published for SimCLR, MoCo and BYOL; for the others the target is the same
    proportional sum. No code of the paper is public: CutMix, Beta(1, 1), a share for each batch (CutMix) or
    image (mixup) and partners that are never the image itself are our reading, after i-Mix and Un-Mix.

    Paper: https://arxiv.org/abs/2011.13356

    Example:
        >>> from contrastive.methods import BSIM, MoCo
        >>> method = BSIM(inner=MoCo(symmetric=True), kind="mixup")
        >>> method.assembly.mixing.sources  # both views are queries, and so mixed
        (0, 1)
    """

    name: Literal["bsim"] = "bsim"
    inner: Inner = SimCLR()
    kind: Literal["mixup", "cutmix", "both"] = "cutmix"
    """"both": each batch is one or the other with equal chance."""
    alpha: Positive = 1.0
    """The image's own share is drawn from Beta(alpha, alpha)."""
    per_sample: bool | None = None
    """Whether each image has a share of its own; None: yes with mixup alone, no with CutMix or both."""
    weight: Fraction = 1.0
    """Weight of the mixtures' loss; the inner method's has the rest. Between 0 and 1 it is the paper's WBSIM."""
    batches: Fraction = 1.0
    """Share of the batches that are mixed; on the others the loss is the inner method's."""
    batch_keys: bool = False
    """For MoCo: whether the batch's other keys are negatives too, in one softmax (i-Mix), or only the queue."""

    laptop: ClassVar[dict[str, dict[str, Any]]] = {
        f"bsim on {name}": {"inner": kind(**fields), "weight": 0.5}
        for kind in (SimCLR, MoCo, BYOL)
        for name, fields in kind.laptop.items()
    }
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
        queries = self.inner.queries()  # refuses what cannot be mixed
        if self.batch_keys and not queries.batch_keys:
            raise ValueError(
                f"batch_keys is a choice of BSIM on MoCo, and inner is '{self.inner.name}'; set it to false"
            )

    @property
    def assembly(self) -> Assembly:
        """The inner method's assembly, with a mixture of each view that is a query."""
        inner, queries = self.inner.assembly, self.inner.queries()
        mixtures = tuple(len(inner.views) + i for i in range(len(queries.views)))
        # Views that only ever are queries need no pass of their own when all the loss is the mixtures'.
        clean = inner.online if self.weight < 1 else tuple(v for v in inner.online if v in queries.whole)
        per_sample = self.per_sample if self.per_sample is not None else self.kind == "mixup"
        mixing = Mixing(
            queries.views,
            (*clean, *mixtures),
            self.kind,
            self.alpha,
            per_sample,
            self.batches if self.weight else 0.0,
        )
        least = max(inner.smallest_batch, queries.smallest_batch)
        return replace(inner, mixing=mixing, smallest_batch=least)

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Return (1 - weight) times the inner method's loss plus weight times the mixtures'."""
        import torch

        if embeddings.mixture is None:
            return self.inner.loss(embeddings, gather)
        mixed = torch.stack(self._mixture_losses(embeddings, gather)).mean()
        if self.weight == 1:
            return mixed
        return (1 - self.weight) * self.inner.loss(self._clean(embeddings), gather) + self.weight * mixed

    def _mixture_losses(self, embeddings: Embeddings, gather: Gather) -> list[Tensor]:
        """Return the loss of each mixed view, on the batch of all processes."""
        assert embeddings.mixture is not None
        first = len(self.inner.assembly.views)
        like = embeddings.online[first]
        step = MixedStep(
            online={view: gather(rows) for view, rows in embeddings.online.items()},
            target={view: gather(rows) for view, rows in embeddings.target.items()},
            second={view: gather(rows) for view, rows in embeddings.second.items()},
            queue=embeddings.queue,
            epoch=embeddings.epoch,
            partner=embeddings.mixture.partner.to(like.device),
            share=embeddings.mixture.share.to(like.device, like.dtype),
            batch_keys=self.batch_keys,
        )
        views = self.inner.queries().views
        return [self.inner.mixed_loss(step, first + i, view) for i, view in enumerate(views)]

    def _clean(self, embeddings: Embeddings) -> Embeddings:
        """Return the inner method's own views, without mixtures."""
        own = self.inner.assembly.online
        return replace(
            embeddings,
            online={view: embeddings.online[view] for view in own if view in embeddings.online},
            projected={view: embeddings.projected[view] for view in own if view in embeddings.projected},
            second={view: embeddings.second[view] for view in own if view in embeddings.second},
            mixture=None,
        )

    @property
    def diagnosed(self) -> tuple[str, ...]:
        """The inner method's names, if its own first view is embedded at every step."""
        mixing = self.assembly.mixing
        whole = mixing is not None and 0 in mixing.online
        return self.inner.diagnosed if whole and isinstance(self.inner, Diagnosed) else ()

    def diagnose(self, embeddings: Embeddings, gather: Gather) -> dict[str, Tensor]:
        """Return the inner method's diagnostics of its own views."""
        return (
            self.inner.diagnose(self._clean(embeddings), gather) if isinstance(self.inner, Diagnosed) else {}
        )
