"""What a sweep has found, and how much of it may be claimed."""

import json
from typing import Any

from analysis.arms import Arm
from analysis.multiple import against, name_of
from analysis.paired import ALPHA
from analysis.report.blocks import Section
from analysis.report.evidence import Evidence
from analysis.report.markup import Html, items, join, tag
from analysis.summarise import Summary, headline

PLANNED = ("around", "listed", "added", "pairs", "given", "path", "grid")
"""Designs whose arms are all known before the first run: each one's difference was to be seen, whatever it would be."""
COUNTED = ("complete", "stopped", "paused", "failed", "running")


def section(evidence: Evidence) -> Section:
    """The headline, the comparison behind it, what may be claimed, and what it stands beside."""
    summary = evidence.summary
    word, claims = claim(evidence)
    comparison = summary.result.comparison
    behind = [tag("p", f"Best less default: {comparison.sentence}.")] if comparison else []
    beside = [*_progress(evidence), *_front(summary), *_test(evidence), *_baselines(evidence)]
    lead = tag("p", tag("strong", f"{word}. "), f"{headline(summary)}.", class_="lead")
    return Section("Finding", (lead, *behind, *(tag("p", one) for one in claims), items(*beside)))


def claim(evidence: Evidence) -> tuple[str, list[str]]:
    """Whether it is a result, in a word, and what may be said of it; a winner only from fresh seeds."""
    summary, result = evidence.summary, evidence.summary.result
    if result.best is None:
        return "Nothing to claim yet", ["Nothing may be claimed: no arm is complete on every seed."]
    if result.best is result.default:
        return "No gain", [
            "No arm is ahead of the default. That none is better may not be claimed: the table of differences says "
            "how large a difference so many seeds leave open.",
            *_planned(evidence),
        ]
    if summary.confirmed:
        return _on_fresh_seeds(evidence, result.best)
    return "A candidate", [
        f"It was chosen among {result.complete} complete arms on the very seeds that it is scored on, so part of "
        "its lead is luck: a candidate, not a result.",
        *_settle(summary),
        *_planned(evidence),
    ]


def _on_fresh_seeds(evidence: Evidence, best: Arm) -> tuple[str, list[str]]:
    """The same of an arm whose seeds had no part in choosing it; it may be one of several that were run there."""
    result = evidence.summary.result
    if result.comparison is None:
        return "No claim", ["The default is not complete on the fresh seeds, so no gain may be claimed."]
    if not result.comparison.separable:
        return "No claim", ["On fresh seeds the gain cannot be told from noise: no winner may be named."]
    p = {row.name: row.p_holm for row in against(evidence.record)}[name_of(best.values)]
    among = f"among the {result.complete - 1} arms that were run there beside the default"
    corrected = "" if p is None else f"{among} (p {p:.2g}, corrected by Holm)"
    if p is not None and p > ALPHA:
        said = f"On fresh seeds the gain is clear by itself, but not {corrected}: no winner may be named."
        return "No claim", [said]
    seeds = ", ".join(map(str, evidence.manifest["confirm_seeds"]))
    also = f", also {corrected}" if corrected and result.complete > 2 else ""
    return "A result", [f"The seeds {seeds} had no part in choosing it, so the gain may be claimed{also}."]


def counted(evidence: Evidence) -> str:
    """How many runs are in each state, in words."""
    states = evidence.states
    return ", ".join(f"{states[state]} {state}" for state in COUNTED if states[state]) or "none"


def _settle(summary: Summary) -> list[str]:
    if not summary.settle_command:
        return []
    return [join("To settle it on fresh seeds: ", tag("code", summary.settle_command))]


def _planned(evidence: Evidence) -> list[str]:
    if evidence.plan.get("design") not in PLANNED:
        return []
    return [
        "Its arms were fixed before the first run. So of each one what the tables of differences call separable, "
        "corrected for their number, may be claimed; which of them is best may not."
    ]


def _progress(evidence: Evidence) -> list[str]:
    """How far it has come, where it is not at its end."""
    planned, states = evidence.manifest.get("runs") or 0, evidence.states
    missing = max(planned - states.total(), 0)
    if not (missing or states["running"] or states["paused"]):
        return [f"Runs: {counted(evidence)}."]
    return [f"Not at its end when this was written. Runs: {counted(evidence)}; {missing} not begun."]


def _front(summary: Summary) -> list[str]:
    if not summary.front:
        return []
    return [f"Not beaten in every objective by another: arms {', '.join(map(str, sorted(summary.front)))}."]


def _test(evidence: Evidence) -> list[str]:
    """What the sweep has read off the test images at its end, if it has not gone on since."""
    path, summary = evidence.directory / "summary.json", evidence.summary
    if not path.is_file():
        return []
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    now = (summary.states, summary.epochs_spent)
    if (content.get("states"), content.get("epochs_spent")) != now:
        return []
    found = ", ".join(f"{name} {value:.2f} %" for name, value in content.get("test", {}).items())
    return [f"On the test images, read once: {found}."] if found else []


def _baselines(evidence: Evidence) -> list[Html | str]:
    lines = evidence.manifest.get("baselines") or {}
    found = ", ".join(f"{name} {value:.2f} %" for name, value in lines.items())
    return [f"For comparison, kNN on {found}."] if found else []
