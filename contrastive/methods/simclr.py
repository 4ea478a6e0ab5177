"""SimCLR (Chen et al., ICML 2020): two views of an image must find each other in the batch."""

from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass
from torch import Tensor

from contrastive.encoder import Head
from contrastive.losses import nt_xent
from contrastive.methods.protocol import Embeddings, Gather, Preset
from contrastive.types import STRICT, Positive
from contrastive.views import ViewName


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SimCLR:
    """NT-Xent over both views of the whole batch; no target network, no queue, no predictor."""

    name: Literal["simclr"] = "simclr"
    temperature: Positive = 0.2
    views: tuple[ViewName, ViewName] = ("strong", "strong")
    projector: Head = Head(hidden=(512,), output=128)

    predictor: ClassVar[None] = None
    momentum: ClassVar[None] = None
    queue: ClassVar[int] = 0
    online_views: ClassVar[tuple[int, ...]] = (0, 1)
    target_views: ClassVar[tuple[int, ...]] = ()

    presets: ClassVar[dict[str, Preset]] = {
        "cifar10": Preset(
            source="the SimCLR authors' advice for CIFAR-10; optimiser ours",
            values={
                "method.temperature": 0.2, "method.projector": {"hidden": [512], "output": 64},
                "encoder": {"name": "resnet", "depth": 18, "stem": "cifar"},
                "optimiser": {"name": "sgd", "lr": 0.06, "momentum": 0.9, "weight_decay": 5e-4,
                              "warmup_epochs": 10},
                "batch": 256, "epochs": 200,
            },
        ),
    }  # fmt: skip

    def loss(self, embeddings: Embeddings, gather: Gather) -> Tensor:
        """Equation 1 of the paper on the batch of all processes."""
        first, second = (gather(embeddings.online[view]) for view in self.online_views)
        return nt_xent(first, second, temperature=self.temperature)
