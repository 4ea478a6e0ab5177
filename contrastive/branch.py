"""One side of a model: an encoder and the heads on it."""

import torch
from torch import Tensor, nn


class Branch(nn.Module):
    """Encoder and projector, and on the online side of some methods a predictor or a second projector.

    `together`: views of one size go through it as one batch, with batch statistics over all of them.
    """

    def __init__(
        self,
        encoder: nn.Module,
        projector: nn.Module,
        predictor: nn.Module | None = None,
        second_projector: nn.Module | None = None,
        *,
        together: bool = False,
    ):
        super().__init__()
        self.together = together
        self.encoder, self.projector = encoder, projector
        self.predictor, self.second_projector = predictor, second_projector

    def forward(self, views: list[Tensor]) -> list[tuple[Tensor, Tensor | None]]:
        """Embed each view; unless they go together, batch statistics are those of one view."""
        if not self.together:
            return [self._embed(view) for view in views]
        found: dict[int, tuple[Tensor, Tensor | None]] = {}
        for size in dict.fromkeys(view.shape for view in views):
            places = [i for i, view in enumerate(views) if view.shape == size]
            first, second = self._embed(torch.cat([views[i] for i in places]))
            parts = second.chunk(len(places)) if second is not None else [None] * len(places)
            found |= dict(zip(places, zip(first.chunk(len(places)), parts, strict=True), strict=True))
        return [found[i] for i in range(len(views))]

    def _embed(self, view: Tensor) -> tuple[Tensor, Tensor | None]:
        features = self.encoder(view)
        first = self.projector(features)
        second = self.second_projector(features) if self.second_projector else None
        return self.predictor(first) if self.predictor else first, second
