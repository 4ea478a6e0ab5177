"""Finding of a sweep, and the claims that it supports."""

import json
from collections import Counter
from typing import Any

from scipy import stats

from analysis.arms import PLANNED
from analysis.compare import Comparison
from analysis.headline import counts, headline
from analysis.intervals import chance
from analysis.paired import ALPHA
from analysis.report.blocks import Section
from analysis.report.evidence import Evidence
from analysis.report.markup import Html, items, join, tag
from analysis.summary import Summary

PLANNED_PARTS = (
    "The parts were fixed before the first run: of each one what the table of components says, its p corrected for "
    "their number, may be claimed. Which of them matters most may not."
)
PLANNED_ROWS = {
    "ablation": PLANNED_PARTS,
    "addition": PLANNED_PARTS,
    "comparison": "The arms were fixed before the first run: of each one what the table of differences says of it and "
    "the default, its p corrected for their number, may be claimed. Which of them is best may not: the first of a "
    "ranking is there partly by luck.",
}
SMOKE_CLAIM = "No evidence", ["Nothing may be claimed of so few images, epochs and arms."]


def section(evidence: Evidence) -> Section:
    """Write the headline, the comparison behind it, the claims, and progress and baselines."""
    summary = evidence.summary
    word, claims = SMOKE_CLAIM if summary.smoke else claim(evidence)
    verdict = summary.result.verdict
    parts = summary.result.question in ("ablation", "addition") and summary.result.rows
    behind = [tag("p", f"Best less default: {verdict}.")] if verdict and not parts else []
    asked = [f"{summary.proposals}."] if summary.proposals else []
    beside = [*_progress(evidence), *asked, *_front(summary), *_test(evidence), *_baselines(evidence)]
    lead = tag("p", tag("strong", f"{word}. "), f"{headline(summary)}.", class_="lead")
    return Section("Finding", (lead, *behind, *(tag("p", one) for one in claims), items(*beside)))


def claim(evidence: Evidence) -> tuple[str, list[str]]:
    """Return a word for the kind of result, and the claims; a winner is named from fresh seeds only."""
    summary, result = evidence.summary, evidence.summary.result
    if result.best is None:
        return "Nothing to claim yet", ["Nothing may be claimed: no arm is complete on every seed."]
    if result.default is None or result.default.score is None:
        return "Nothing to claim yet", ["The default is not complete, so no gain over it may be claimed."]
    if result.complete == 1 and result.others:
        return _unanswered(summary)
    if result.question != "search" and result.rows and not summary.confirmed and _planned(evidence):
        return "Planned beforehand", [PLANNED_ROWS[result.question]]
    return _claimed(evidence)


def _claimed(evidence: Evidence) -> tuple[str, list[str]]:
    """Return word and claims where arms beside the default are complete."""
    summary, result = evidence.summary, evidence.summary.result
    if result.best is result.default:
        return "No gain", [
            "No arm is ahead of the default. That none is better may not be claimed: the table of differences says "
            "how large a difference these seeds leave open.",
            *_planned(evidence),
        ]
    if summary.confirmed or _alone(evidence):
        return _judged(evidence)
    return "A candidate", [
        f"It was chosen among {result.others} arms beside the default on the very seeds that it is scored on, so "
        "part of its lead is luck: a candidate, not a result.",
        *([f"{summary.luck}."] if summary.luck else []),
        *_settle(summary),
        *_planned(evidence),
    ]


def _unanswered(summary: Summary) -> tuple[str, list[str]]:
    """Return word and claims where only the default is complete."""
    result = summary.result
    states = Counter(arm.state for arm in result.arms if arm is not result.default)
    others = counts(states)
    if summary.confirmed:
        return "Not confirmed", [f"Of the arms that were to be run again none is complete: {others}."]
    return "Nothing to claim yet", [f"Of the arms beside the default none is complete: {others}."]


def _alone(evidence: Evidence) -> bool:
    """Return whether the best was the only planned arm beside the default, so that nothing was chosen."""
    return evidence.plan.get("design") in PLANNED and evidence.summary.result.others == 1


def _judged(evidence: Evidence) -> tuple[str, list[str]]:
    """Return word and claims of an arm whose seeds had no part in choosing it."""
    result, others = evidence.summary.result, evidence.summary.result.others
    if not result.significant:
        return "No claim", [f"{_where(evidence)} the gain cannot be told from noise: no winner may be named."]
    if others == 1:
        chosen = ", unless another sweep has chosen the arm on these seeds"
        unless = "" if evidence.summary.confirmed else chosen
        return "A result", [f"{_where(evidence)} the gain may be claimed{unless}."]
    least = result.comparison and simultaneous(result.comparison, others)
    above = ""
    if least is not None:
        end = f"{least:+.2f}" if least >= 0.005 else "0"
        above = f" The gain of the best of {others} is above {end} with 95 % confidence."
    return "A result", [
        f"{_where(evidence)} the gain may be claimed, also among the {others} arms that were run there beside the "
        f"default (p {chance(result.p_holm or 0.0)}, corrected by Holm). It is the best of {others} there, so the gain "
        f"as seen is somewhat too large.{above}"
    ]


def simultaneous(found: Comparison, others: int) -> float | None:
    """Return a lower bound of the gain of the best of several arms, if that may be claimed by Holm.

    The bound of the same procedure (Strassburger and Bretz 2008): the lower end of Bonferroni's interval, but 0 where
    that is below, as Holm has rejected that there is no gain. Each of the two is passed by the true gain 1 time in 40
    at most. None where there is no spread over seeds.
    """
    if not found.deviation:
        return None
    quantile = float(stats.t.isf(ALPHA / others / 2, found.seeds - 1))
    return max(found.difference - quantile * found.deviation / found.seeds**0.5, 0.0)


def _where(evidence: Evidence) -> str:
    if not evidence.summary.confirmed:
        seeds = ", ".join(map(str, sorted({run.seed for run in evidence.record.runs})))
        return f"On the seeds {seeds}, for which its arms were fixed beforehand,"
    seeds = ", ".join(map(str, evidence.manifest["confirm_seeds"]))
    if evidence.summary.result.others == 1:
        return f"On the fresh seeds {seeds}, which had no part in choosing the arm,"
    return f"On the fresh seeds {seeds}"


def counted(evidence: Evidence) -> str:
    """Return the number of runs in each state, in words."""
    return counts(evidence.states) or "none"


def _settle(summary: Summary) -> list[str]:
    if not summary.settling:
        return []
    return [join("To settle it on fresh seeds: ", tag("code", summary.settling))]


def _planned(evidence: Evidence) -> list[str]:
    if evidence.plan.get("design") not in PLANNED:
        return []
    return [
        "Its arms were fixed before the first run. So each difference that the tables call significant, "
        "corrected for their number, may be claimed; which of them is best may not."
    ]


def _progress(evidence: Evidence) -> list[str]:
    """Say how many runs there are, and how many are missing."""
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
    """Return the scores on the test images, if the sweep has not gone on since."""
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
