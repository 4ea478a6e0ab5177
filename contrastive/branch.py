"""One side of a model: an encoder and the heads on it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize


class Outputs(NamedTuple):
    """What a branch makes of one view."""

    embedding: Tensor
    """After projector and predictor."""
    projection: Tensor
    """After the projector alone."""
    second: Tensor | None
    """After the second projector."""


class Branch(nn.Module):
    """Encoder and projector, and on the online side of some methods a predictor, a second projector or prototypes.

    `together`: views of one size go through it as one batch, with batch statistics over all of them.
    """

    def __init__(
        self,
        encoder: nn.Module,
        projector: nn.Module,
        predictor: nn.Module | None = None,
        second_projector: nn.Module | None = None,
        *,
        prototypes: Tensor | None = None,
        together: bool = False,
    ):
        super().__init__()
        self.together = together
        self.encoder, self.projector = encoder, projector
        self.predictor, self.second_projector = predictor, second_projector
        self.prototypes = None if prototypes is None else nn.Parameter(normalize(prototypes, dim=1))

    def forward(self, views: list[Tensor]) -> list[Outputs]:
        """Embed each view; unless they go together, batch statistics are those of one view."""
        if not self.together:
            return [self._embed(view) for view in views]
        found: dict[int, Outputs] = {}
        for size in dict.fromkeys(view.shape for view in views):
            places = [i for i, view in enumerate(views) if view.shape == size]
            joined = self._embed(torch.cat([views[i] for i in places]))
            parts = [[None] * len(places) if rows is None else rows.chunk(len(places)) for rows in joined]
            found |= dict(zip(places, map(Outputs, *parts), strict=True))
        return [found[i] for i in range(len(views))]

    def _embed(self, view: Tensor) -> Outputs:
        features = self.encoder(view)
        projection = self.projector(features)
        return Outputs(
            embedding=self.predictor(projection) if self.predictor else projection,
            projection=projection,
            second=self.second_projector(features) if self.second_projector else None,
        )
