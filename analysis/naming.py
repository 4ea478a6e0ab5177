"""Parameters and their values in words: short where that is unambiguous, different where the values are."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.load import ARM

if TYPE_CHECKING:  # arms need statistics, which take long to import
    from analysis.arms import Arm


def short(paths: tuple[str, ...]) -> dict[str, str]:
    """Each path's last name, or the whole path where last names are not unique.

    >>> short(("method.temperature", "optimiser.lr"))
    {'method.temperature': 'temperature', 'optimiser.lr': 'lr'}
    """
    names = Counter(path.rpartition(".")[2] for path in paths)
    return {path: name if names[name := path.rpartition(".")[2]] == 1 else path for path in paths}


def shown(value: Any) -> str:
    """A configuration value for people: three digits, a sub-configuration by its name.

    >>> shown(0.123456), shown({"name": "cosine"})
    ('0.123', 'cosine')
    """
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    return value if isinstance(value, str) else json.dumps(value)


def name_of(values: Mapping[str, Any]) -> str:
    """An arm for people: its name, or the value of each parameter.

    >>> name_of({"method.target_temperature": 0.1, "optimiser.lr": 0.03})
    'target temperature 0.1, lr 0.03'
    """
    names = short(tuple(values))
    return ", ".join(
        shown(value) if path == ARM else f"{names[path].replace('_', ' ')} {shown(value)}"
        for path, value in values.items()
    )


def distinct_numbers(values: Iterable[Any]) -> dict[Any, str]:
    """How each of several numbers is shown: as by itself, with more digits where another would look the same."""
    found: dict[Any, str] = {}
    left = {value for value in values if isinstance(value, float)}
    for digits in range(3, 18):
        texts = {value: f"{value:.{digits}g}" for value in left}
        alike = Counter(texts.values())
        found |= {value: summary_text for value, summary_text in texts.items() if alike[summary_text] == 1}
        left -= found.keys()
    return found


def cells(arms: "Sequence[Arm]", paths: Sequence[str]) -> dict[str, list[str]]:
    """What each arm, by its digest, has at these paths: different values look different."""
    columns = {path: distinct_numbers(arm.values[path] for arm in arms) for path in paths}
    return {arm.digest: [_cell(arm.values[path], columns[path]) for path in paths] for arm in arms}


def _cell(value: Any, numbers: dict[Any, str]) -> str:
    return numbers[value] if isinstance(value, float) and value in numbers else shown(value)
