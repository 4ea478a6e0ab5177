"""Results of a campaign: the comparisons planned before it started."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from analysis.arms import Arm
from analysis.compare import Comparison, compare
from analysis.intervals import LEVEL, chance, signed, spanned
from analysis.load import ARM, load
from analysis.multiple import Difference, differences
from analysis.summarise import summarise
from analysis.summary import Summary
from analysis.tables import Table, markdown

CAMPAIGN_FILE = "campaign.json"


@dataclass(frozen=True)
class Result:
    """One planned comparison, in points of the metric; `verdict` says why if it could not be made."""

    sweep: str
    arm: str
    against: str
    difference: float | None
    low: float | None
    high: float | None
    seeds: int
    verdict: str
    p: float | None = None
    """Student's two-sided p of this comparison alone."""
    p_holm: float | None = None
    """The same, corrected for all planned comparisons of the campaign, including those that could not be made."""


@dataclass(frozen=True)
class Standing:
    """State of one sweep of a campaign: its runs by state, its epochs, the best and the default arm."""

    sweep: str
    identifier: str
    states: dict[str, int]
    planned: int
    epochs: int
    best: float | None
    default: float | None


def read_campaign(directory: Path) -> dict[str, Any]:
    """Read the manifest of the campaign in `directory` (STORE/campaigns/<id>)."""
    return json.loads((directory / CAMPAIGN_FILE).read_text(encoding="utf-8"))


def campaign_sweeps(directory: Path) -> dict[str, Path]:
    """Return the folders of a campaign's sweeps, by their names in it."""
    root = directory.parent.parent
    sweeps = read_campaign(directory)["sweeps"]
    return {name: root / "sweeps" / identifier for name, identifier in sweeps.items()}


def results(directory: Path) -> list[Result]:
    """Return the planned comparisons of the campaign in `directory` (STORE/campaigns/<id>), as far as they can be made.

    Raises:
        StoreError: one of its sweeps is missing.
    """
    content = read_campaign(directory)
    summaries = {name: summarise(load(path)) for name, path in campaign_sweeps(directory).items()}
    planned: list[dict[str, str]] = content["comparisons"]
    made = [_comparison(one, summaries[one["sweep"]]) for one in planned]
    rows = differences([_name(one, summaries[one["sweep"]]) for one in planned], made)
    shared = [field.name for field in fields(Result) if field.name in Difference.__dataclass_fields__]
    return [
        Result(one["sweep"], row.name, one["against"], **{name: getattr(row, name) for name in shared})
        for one, row in zip(planned, rows, strict=True)
    ]


def mixed_codes(directory: Path) -> str:
    """Say which code versions trained the runs of its sweeps, if more than one; else ""."""
    summaries = (summarise(load(path)) for path in campaign_sweeps(directory).values())
    used = dict.fromkeys(one for summary in summaries for one in (*summary.codes, *summary.result.codes))
    return f"The runs compared are of more than one code: {'; '.join(used)}.\n\n" if len(used) > 1 else ""


def standings(directory: Path) -> list[Standing]:
    """Return the state of each sweep of the campaign in `directory`, also while it runs."""
    return [_standing(name, path) for name, path in campaign_sweeps(directory).items()]


def _standing(name: str, path: Path) -> Standing:
    record = load(path)
    summary, plan = summarise(record), record.manifest["plan"]
    best, default = (arm and arm.score for arm in (summary.best, summary.default))
    planned = plan["arms"] * len(plan["seeds"])
    return Standing(name, path.name, summary.states, planned, summary.epochs_spent, best, default)


def standing_lines(found: list[Standing]) -> list[str]:
    """Return a line for each sweep."""

    def score(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    return [
        f"  {one.sweep:<16} {sum(one.states.values())} of {one.planned} runs begun "
        f"({', '.join(f'{count} {state}' for state, count in one.states.items()) or 'none'}), "
        f"{one.epochs} epochs; best {score(one.best)}, default {score(one.default)}"
        for one in found
    ]


def results_markdown(found: list[Result]) -> str:
    """Format the comparisons as a table. Intervals are not corrected; verdicts go by p, corrected for their number."""
    numbers = ("difference", f"{LEVEL:.0%} interval", "seeds", "p", "p (Holm)")
    head = ("sweep", "arm", "less", *numbers, "verdict")
    rows: list[tuple[str, ...]] = []
    for one in found:
        difference = "" if one.difference is None else signed(one.difference)
        chances = ("" if p is None else chance(p) for p in (one.p, one.p_holm))
        cells = (difference, spanned(one.low, one.high), str(one.seeds), *chances)
        rows.append((one.sweep, one.arm, one.against, *cells, one.verdict))
    return markdown(Table("results", "", head, tuple(rows), "lllrrrrrl"))


def _name(planned: dict[str, str], summary: Summary) -> str:
    """Name the arm of a planned comparison; "best" is followed by the arm that it turned out to be."""
    best = summary.result.best if planned["arm"] == "best" else None
    return arm_words(best.values if best else planned["arm"])


def _comparison(planned: dict[str, str], summary: Summary) -> Comparison | str:
    """Make a planned comparison, or say why that is impossible."""
    arms = {name: _arm(name, summary.result) for name in (planned["arm"], planned["against"])}
    for name, arm in arms.items():
        if arm is None or arm.score is None:
            return f"{arm_words(name)}: {'not begun' if arm is None else arm.state}"
    if planned["arm"] == "best" and not summary.confirmed:
        return "the best was chosen on these very seeds, and was not run again on fresh ones"
    arm, against = (found.scores for found in arms.values() if found)
    return compare(arm, against, None)


def _arm(name: str, summary: Summary) -> Arm | None:
    if name == "best":
        return summary.best
    if name == "default":
        return summary.default
    return next((arm for arm in summary.arms if arm.values == json.loads(name)), None)


def arm_words(setting: Any) -> str:
    """Describe a setting for people: its values, or its name."""
    if isinstance(setting, str):
        if not setting.startswith("{"):
            return setting
        setting = json.loads(setting)
    return ", ".join(str(value) if path == ARM else f"{path} {value}" for path, value in setting.items())
