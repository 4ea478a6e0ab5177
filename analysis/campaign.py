"""What a campaign has shown: each comparison that was written down before it began."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.compare import compare
from analysis.load import load
from analysis.summarise import Arm, Summary, summarise

FILE = "campaign.json"


@dataclass(frozen=True)
class Result:
    """One planned comparison, in points of the metric; `verdict` says so where it could not be made."""

    sweep: str
    arm: str
    against: str
    difference: float | None
    low: float | None
    high: float | None
    seeds: int
    verdict: str


@dataclass(frozen=True)
class Standing:
    """Where one sweep of a campaign is: its runs by state, its epochs, the best and the default arm."""

    sweep: str
    identifier: str
    states: dict[str, int]
    planned: int
    epochs: int
    best: float | None
    default: float | None


def read(directory: Path) -> dict[str, Any]:
    """What was written before the campaign in `directory` (STORE/campaigns/<id>) began."""
    return json.loads((directory / FILE).read_text(encoding="utf-8"))


def sweeps(directory: Path) -> dict[str, Path]:
    """The folders of a campaign's sweeps, by their names in it."""
    root = directory.parent.parent
    return {name: root / "sweeps" / identifier for name, identifier in read(directory)["sweeps"].items()}


def results(directory: Path) -> list[Result]:
    """The planned comparisons of the campaign in `directory` (STORE/campaigns/<id>), as far as its sweeps have come.

    Raises:
        StoreError: one of its sweeps is missing.
    """
    content = read(directory)
    summaries = {name: summarise(load(path)).result for name, path in sweeps(directory).items()}
    return [_result(planned, summaries[planned["sweep"]]) for planned in content["comparisons"]]


def standing(directory: Path) -> list[Standing]:
    """Where each sweep of the campaign in `directory` is, also while it runs."""
    found: list[Standing] = []
    for name, path in sweeps(directory).items():
        record = load(path)
        summary = summarise(record)
        plan = record.manifest["plan"]
        best, default = summary.best, summary.default
        found.append(
            Standing(
                sweep=name,
                identifier=path.name,
                states=summary.states,
                planned=plan["arms"] * len(plan["seeds"]),
                epochs=summary.epochs_spent,
                best=best.score if best else None,
                default=default.score if default else None,
            )
        )
    return found


def text(found: list[Standing]) -> list[str]:
    """A line for each sweep."""

    def score(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    return [
        f"  {one.sweep:<16} {sum(one.states.values())} of {one.planned} runs begun "
        f"({', '.join(f'{count} {state}' for state, count in one.states.items()) or 'none'}), "
        f"{one.epochs} epochs; best {score(one.best)}, default {score(one.default)}"
        for one in found
    ]


def markdown(found: list[Result]) -> str:
    """The comparisons as a table. Its intervals are each for itself, not corrected for their number."""
    rows = ["| sweep | arm | less | difference | 95 % interval | seeds | |", "|---|---|---|---|---|---|---|"]
    for one in found:
        interval = "" if one.low is None else f"{one.low:+.2f} to {one.high:+.2f}"
        difference = "" if one.difference is None else f"{one.difference:+.2f}"
        cells = (one.sweep, one.arm, one.against, difference, interval, str(one.seeds), one.verdict)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, ""])


def _result(planned: dict[str, str], summary: Summary) -> Result:
    arm, against = _arm(planned["arm"], summary), _arm(planned["against"], summary)
    name = words(arm.values if arm and planned["arm"] == "best" else planned["arm"])
    names = planned["sweep"], name, planned["against"]
    if arm is None or against is None or not arm.scores or not against.scores:
        missing = planned["arm"] if arm is None or not arm.scores else planned["against"]
        state = "not begun" if arm is None else arm.state
        return Result(*names, None, None, None, 0, f"{words(missing)}: {state}")
    if not arm.scores.keys() & against.scores.keys():
        return Result(*names, None, None, None, 0, "no seed is complete in both")
    found = compare(arm.scores, against.scores, None)
    low, high = found.interval or (None, None)
    verdict = {True: "separable", False: "not separable", None: "one seed cannot tell"}[found.separable]
    return Result(*names, found.difference, low, high, found.seeds, verdict)


def _arm(name: str, summary: Summary) -> Arm | None:
    if name == "best":
        return summary.best
    if name == "default":
        return summary.default
    return next((arm for arm in summary.arms if arm.values == json.loads(name)), None)


def words(setting: Any) -> str:
    """A setting for people: its values, or its name."""
    if isinstance(setting, str):
        if not setting.startswith("{"):
            return setting
        setting = json.loads(setting)
    return ", ".join(
        str(value) if path == "alternative" else f"{path} {value}" for path, value in setting.items()
    )
