"""Arms that a space lists by name: names of combinations, and what remains where paths are pinned."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contrastive.config import closest
from search_spaces.parts import Alternative

TOGETHER, ALL, BUT = " & ", "all", " but "
"""In the names of arms that are several alternatives at once: "a & b", "all", "all but a"."""


@dataclass(frozen=True)
class NamedArms:
    """The arms of a space's alternatives by name, beside its default."""

    default_name: str
    default: Mapping[str, Any]
    arms: Mapping[str, Mapping[str, Any]]
    standing: Sequence[str]

    def name_of(self, arm: Mapping[str, Any]) -> str:
        """An alternative, several at once, or what no alternative explains, path by path."""
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
        """The alternatives that `name_of` has named together; none for the default.

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
    """Names of alternatives that change nothing in common: the first of the list stands for all that do."""
    names, paths = list[str](), list[str]()
    for alternative in alternatives:
        if not overlap(alternative.values, paths):
            names.append(alternative.name)
            paths += alternative.values
    return tuple(names)


def overlap(some: Iterable[str], others: Iterable[str]) -> list[str]:
    """The paths among `some` that are among `others`, inside one of them or around one."""
    others = list(others)
    return [
        p for p in some if any(f"{p}.".startswith(f"{o}.") or f"{o}.".startswith(f"{p}.") for o in others)
    ]


def without_pinned(alternatives: Iterable[Alternative], pinned: Collection[str]) -> tuple[Alternative, ...]:
    """What is left of alternatives where pinned paths stay as they are."""
    return tuple(
        replace(a, values={path: value for path, value in a.values.items() if path not in pinned})
        for a in alternatives
        if not a.values.keys() <= set(pinned)
    )
