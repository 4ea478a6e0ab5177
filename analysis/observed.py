"""What is known of a sweep's parameters: where each complete arm lies on the axis of each, and what it scored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.arms import ranked
from analysis.load import Record, paths_of

CELLS = 50
"""Into how many a continuous scale is cut where it has to be, as by Watanabe et al. (IJCAI 2023)."""
ABSENT = ""
"""In place of the value of a parameter that an arm does not have; what `load.setting` gives."""


@dataclass(frozen=True)
class Axis:
    """One domain of a space, by its key, and where each arm lies on it."""

    key: str
    positions: NDArray[np.float64]
    """(arms,), from 0 to 1 on the domain's own scale, so that draws from it are uniform; nan: the arm has no such."""
    cells: int = CELLS
    """Into how many it is cut where it has to be: one for each level, or whole number on a linear scale."""
    ordered: bool = True


@dataclass(frozen=True)
class Observed:
    """The complete arms of a sweep. `left_out` counts the others, whose scores are unknown."""

    axes: tuple[Axis, ...]
    scores: NDArray[np.float64]
    """(arms,), more is better."""
    left_out: int = 0
    digests: tuple[str, ...] = ()


def by_domain(record: Record) -> Record:
    """The same sweep with its arms told apart by the paths that vary, also where its space lists them by name."""
    space = {**record.manifest.get("space", {}), "alternatives": {}}
    return replace(record, manifest={**record.manifest, "space": space})


def chosen(values: Mapping[str, Any], domains: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """An arm's values by key of domain: one for each of its paths, all `ABSENT` where it does not exist in the arm.

    A sub-configuration comes without the fields that vary by themselves.
    """
    return {
        key: tuple(_own(path, values) if _exists(domain, values) else ABSENT for path in paths_of(key))
        for key, domain in domains.items()
    }


def observed(record: Record) -> Observed:
    """The complete arms of a sweep, scored by their mean over the search's seeds.

    Only complete arms count: a stopped arm has no final value, and its last one would make parameters matter by
    how fast they let learn. Where many were stopped this is of the survivors only; `left_out` says how many.
    """
    fresh = record.manifest.get("confirm_seeds") or []
    search = replace(by_domain(record), runs=tuple(run for run in record.runs if run.seed not in fresh))
    domains, arms = search.manifest["space"].get("domains", {}), ranked(search)
    complete = [arm for arm in arms if arm.score is not None]
    values = [chosen(arm.values, domains) for arm in complete]
    return Observed(
        axes=tuple(_axis(key, [v[key] for v in values], domain) for key, domain in domains.items()),
        scores=np.array([arm.score for arm in complete], float),
        left_out=len(arms) - len(complete),
        digests=tuple(arm.digest for arm in complete),
    )


def _exists(domain: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether the condition of a domain holds in an arm; of what does not vary it always does."""
    when = domain.get("when") or {}
    names = when.get("path", "").split(".")
    for end in range(len(names), 0, -1):
        start = ".".join(names[:end])
        if start in values:
            node = values[start]
            for name in names[end:]:
                node = node.get(name) if isinstance(node, dict) else None
            return node in when["values"]
    return True


def _own(path: str, values: Mapping[str, Any]) -> Any:
    """The value at a path without what lies below paths that vary by themselves."""
    value = values[path]
    for inner in (other for other in values if other.startswith(f"{path}.")):
        value = _without(value, inner[len(path) + 1 :].split("."))
    return value


def _without(value: Any, names: Sequence[str]) -> Any:
    if not isinstance(value, dict) or names[0] not in value:
        return value
    rest = {name: part for name, part in value.items() if name != names[0]}
    return rest if len(names) == 1 else {**rest, names[0]: _without(value[names[0]], names[1:])}


def _axis(key: str, values: Sequence[tuple[Any, ...]], domain: Mapping[str, Any]) -> Axis:
    absent = np.array([all(part == ABSENT for part in value) for value in values], bool)
    there = [value for value, out in zip(values, absent, strict=True) if not out]
    positions = np.full(len(values), np.nan)
    if domain.get("kind") not in ("uniform", "log_uniform", "integer"):
        positions[~absent], cells = _levels(there, domain)
        return Axis(key, positions, cells, ordered=False)
    positions[~absent], cells = _measured(np.array([value for (value,) in there], float), domain)
    return Axis(key, positions, cells)


def _levels(values: Sequence[tuple[Any, ...]], domain: Mapping[str, Any]) -> tuple[NDArray[np.float64], int]:
    """Each level that was tried has an equal part; they stand in the order of the domain."""
    listed = [value if domain.get("kind") == "zip" else (value,) for value in domain.get("values", ())]
    names = [json.dumps(value, sort_keys=True) for value in values]
    order = dict.fromkeys(json.dumps(value, sort_keys=True) for value in listed)
    tried = [name for name in {**order, **dict.fromkeys(sorted(names))} if name in set(names)]
    return np.array([tried.index(name) + 0.5 for name in names]) / max(len(tried), 1), max(len(tried), 1)


def _measured(values: NDArray[np.float64], domain: Mapping[str, Any]) -> tuple[NDArray[np.float64], int]:
    """Numbers between the ends of their domain, or of the values if the domain has become narrower since."""
    whole = 0.5 if domain["kind"] == "integer" else 0.0
    low = min(domain["low"], values.min(initial=np.inf)) - whole
    high = max(domain["high"], values.max(initial=-np.inf)) + whole
    log = domain["kind"] == "log_uniform" or domain.get("logarithmic", False)
    scaled = np.log(values / low) / np.log(high / low) if log else (values - low) / (high - low)
    return scaled, min(CELLS, _count(high - low, log=log)) if whole else CELLS


def _count(size: float, *, log: bool) -> int:
    """How many cells whole numbers have: one each, or one each doubling."""
    return int(np.ceil(np.log2(size))) + 1 if log else round(size)
