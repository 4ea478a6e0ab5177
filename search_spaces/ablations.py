"""Arms that a space lists by name: names of combinations, and arms that remain when paths are pinned."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contrastive.config import closest
from search_spaces.parts import Alternative

TOGETHER, ALL, BUT = " & ", "all", " but "
"""Words in the names of arms that combine alternatives: "a & b", "all", "all but a"."""


@dataclass(frozen=True)
class NamedArms:
    """The arms of a space's alternatives by name, beside its default."""

    default_name: str
    default: Mapping[str, Any]
    arms: Mapping[str, Mapping[str, Any]]
    standing: Sequence[str]

    def name_of(self, arm: Mapping[str, Any]) -> str:
        """Name an arm by its alternatives, and by each path that no alternative explains."""
        for name, values in self.arms.items():
            if values == arm:
                return name
        left, names = self._changed(arm), list[str]()
        for name, values in self.arms.items():
            changed = self._changed(values)
            if changed <= left and all(values[path] == arm[path] for path in changed):
                names, left = [*names, name], left - changed
        missing = [name for name in self.standing if name not in names]
        if (
            not left
            and len(names) > 2
            and len(names) + len(missing) == len(self.standing)
            and not missing[1:]
        ):
            return BUT.join([ALL, *missing])
        return (
            TOGETHER.join([*names, *(f"{path} = {arm[path]}" for path in sorted(left))]) or self.default_name
        )

    def names_in(self, text: str) -> list[str]:
        """Return the alternatives in a name made by `name_of`; none for the default.

        Raises:
            ValueError: no alternative has such a name.
        """
        if text in self.arms or text == self.default_name:
            return [text] if text in self.arms else []
        most = {f"{ALL}{BUT}{left}": [n for n in self.standing if n != left] for left in self.standing}
        names = {ALL: [*self.standing], **most}.get(text, text.split(TOGETHER))
        for name in names:
            if name not in self.arms:
                raise ValueError(
                    f"there is no alternative '{name}'. {closest(name, [self.default_name, *self.arms])}"
                )
        return names

    def _changed(self, arm: Mapping[str, Any]) -> set[str]:
        return {path for path in arm if arm[path] != self.default[path]}


def standing(alternatives: Iterable[Alternative]) -> tuple[str, ...]:
    """Return names of alternatives that share no path, the first of the list among those that do."""
    names, paths = list[str](), list[str]()
    for alternative in alternatives:
        if not overlap(alternative.values, paths):
            names.append(alternative.name)
            paths += alternative.values
    return tuple(names)


def overlap(some: Iterable[str], others: Iterable[str]) -> list[str]:
    """Return the paths of `some` that are equal to, inside or around one of `others`."""
    others = list(others)
    return [
        p for p in some if any(f"{p}.".startswith(f"{o}.") or f"{o}.".startswith(f"{p}.") for o in others)
    ]


def without_pinned(alternatives: Iterable[Alternative], pinned: Collection[str]) -> tuple[Alternative, ...]:
    """Return the alternatives without changes of pinned paths, and without those that have no other."""
    return tuple(
        replace(a, values={path: value for path, value in a.values.items() if path not in pinned})
        for a in alternatives
        if not a.values.keys() <= set(pinned)
    )
