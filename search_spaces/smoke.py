"""Smoke tests: any space as a sweep of seconds on a few synthetic images; they show only that it runs."""

from collections.abc import Collection
from dataclasses import replace

from contrastive.config import to_json
from contrastive.data import Shapes
from contrastive.encoder import Strided
from search_spaces.ablations import overlap
from search_spaces.fitting import fitted
from search_spaces.space import Space

SUFFIX = "_smoke"
"""Of the name of a space, where its sweep is only a smoke test."""
IMAGES = Shapes(train=64, validation=40, test=40, seed=1_000_003)
"""Drawn from a seed of their own, so that no other sweep ever has runs on them."""
EPOCHS, ARMS = 2, 3
BATCHES = (16, 32, 64)


def smoke_test(space: Space, asked: Collection[str] = ()) -> Space:
    """The space on so few images, for so few epochs, with so small an encoder that an arm takes a second.

    What varies, and between which values, stays, and what was `asked` for; so do sub-configurations around it.

    >>> from search_spaces import SPACES
    >>> smoke_test(SPACES["sce_temperatures"]).name
    'sce_temperatures_smoke'

    Raises:
        ValueError: no batch of these images will do; says why not.
    """
    small = {
        "data": to_json(IMAGES),
        "encoder": to_json(Strided(width=4)),
        "evaluation.after": [],
        "evaluation.neighbours": 20,
    }
    kept = [*space.paths, *asked]
    changes = {path: value for path, value in small.items() if not overlap([path], kept)}
    why: ValueError | None = None
    for batch in [space.base.batch] if "batch" in kept else BATCHES:
        try:
            found = fitted(space, {**changes, "batch": batch}, {"epochs": EPOCHS})
        except ValueError as error:
            why = why or error
        else:
            question = f"Smoke test: does a sweep of {space.name} run? It says nothing about its methods."
            return replace(found, name=f"{space.name}{SUFFIX}", question=question)
    raise ValueError(f"--smoke: {why}")
