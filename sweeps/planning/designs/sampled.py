"""Designs that spread arms over the domains: on grids, one parameter at a time, at random, evenly."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from search_spaces.domains import Choice, Domain, Zip
from search_spaces.space import Space
from sweeps.planning.designs.arms import Values, finest, stands

PATIENCE = 1000
"""Draws per wanted arm: draws that violate a constraint or repeat an arm yield none."""


def size(space: Space, most: int) -> int:
    """Count the arms of a space; `most` if it has more."""
    if any(domain.size is None for domain in space.domains.values()):
        return most
    axes = {key: domain.points(domain.size or 1) for key, domain in space.domains.items()}
    arms = (arm for arm in _product(space, axes) if stands(space, arm))
    return len(list(itertools.islice(arms, most)))


def grid(space: Space, most: int, kept: Iterable[Values] = ()) -> list[Values]:
    """Return the largest full grid that contains all arms of `kept`; likewise the designs below."""

    def arms_at(count: int) -> Iterator[Values]:
        return _product(space, {key: domain.points(count) for key, domain in space.domains.items()})

    return finest(space, most, arms_at, what="grid", kept=kept)


def one_at_a_time(space: Space, most: int, kept: Iterable[Values] = ()) -> list[Values]:
    """Vary one parameter at a time, on as many points as fit, with the others at the base."""

    def arms_at(count: int) -> Iterator[Values]:
        for key, domain in space.domains.items():
            for value in domain.points(count):
                yield _beside(space, {key: value})

    return finest(space, most, arms_at, what="round of single changes", kept=kept)


def crossed(space: Space, most: int, kept: Iterable[Values] = ()) -> list[Values]:
    """Cross every two parameters in a full grid on as many points as fit, with the others at the base.

    Raises:
        ValueError: there are no two.
    """
    if len(space.domains) < 2:
        raise ValueError(f"design = pairs: {space.name} has fewer than two parameters; take grid")

    def arms_at(count: int) -> Iterator[Values]:
        for keys in itertools.combinations(space.domains, 2):
            for pair in itertools.product(*(space.domains[key].points(count) for key in keys)):
                yield _beside(space, dict(zip(keys, pair, strict=True)))

    return finest(space, most, arms_at, what="set of grids for two parameters", kept=kept)


def random_arms(space: Space, most: int, seed: int) -> list[Values]:
    """Draw arms independently; the default comes first."""
    generator = np.random.default_rng([seed, 1])
    arms, wanted = [space.default()], size(space, most)
    for _ in range(PATIENCE * most):
        if len(arms) >= wanted:
            break
        chosen: dict[str, Any] = {}
        for key, domain in space.domains.items():
            if space.conditional.is_active(key, chosen):
                chosen[key] = random_value(domain, generator)
        arms = _grown(space, arms, space.flat(chosen))
    return arms


def sobol(space: Space, most: int, seed: int) -> list[Values]:
    """Draw arms by a scrambled Sobol sequence (Owen 1998); the default comes first.

    Points that violate constraints or repeat an arm are replaced by further ones.
    """
    from scipy.stats import qmc  # takes longer to import than all else that plans

    arms, wanted = [space.default()], size(space, most)
    if not space.domains:
        return arms
    engine = qmc.Sobol(len(space.domains), rng=np.random.default_rng([seed, 2]))
    while len(arms) < wanted and engine.num_generated < PATIENCE * most:
        # A power of two at a time, so that what is drawn stays balanced.
        for point in engine.random_base2(((engine.num_generated or most) - 1).bit_length()):
            fractions = zip(space.domains.items(), point, strict=True)
            chosen = {key: domain.at(float(fraction)) for (key, domain), fraction in fractions}
            arms = _grown(space, arms, space.flat(chosen))
    return arms[:wanted]


def random_value(domain: Domain, generator: np.random.Generator) -> Any:
    """Draw a random value of a domain."""
    if isinstance(domain, Choice | Zip):
        return domain.values[generator.integers(len(domain.values))]
    return domain.at(generator.random())


def _grown(space: Space, arms: list[Values], arm: Values) -> list[Values]:
    return [*arms, arm] if arm not in arms and stands(space, arm) else arms


def _product(space: Space, axes: Mapping[str, list[Any]]) -> Iterator[Values]:
    """Return the arms of all combinations."""
    return (space.flat(chosen) for chosen in space.conditional.combinations(axes))


def _beside(space: Space, choices: Mapping[str, Any]) -> Values:
    """Return the base with these choices, and with those that their conditions require."""
    there, needed = space.chosen({}), dict[str, Any]()
    for key in choices:
        if key not in there:
            needed |= space.conditional.context(key)
    return space.conditional.arm({**needed, **choices})
