"""Summaries of loaded records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis import proposals, stopping
from analysis.arms import Arm, default_arm, front, ranked
from analysis.compare import Comparison, compare, holm, p_value
from analysis.components import add_one_in, bare_method, leave_one_out
from analysis.load import FULL, Record, Run, parameters
from analysis.measured import data_set, judged_images, judged_split, recorded_baselines
from analysis.multiple import Difference, against
from analysis.naming import shown
from analysis.noise import Noise
from analysis.summary import Question, Summary

ADDITION = "add_one_in"
"""The design that gives parts back to the bare method."""


def summarise(record: Record) -> Summary:
    """Rank the arms of a sweep and compare the best with the default, on fresh seeds if it has such runs."""
    if record.result is record:
        return replace(_summarise(record), unconfirmed=bool(record.manifest.get("confirm_seeds")))
    return replace(_summarise(record.search), confirmed=_summarise(record.result))


def _summarise(record: Record) -> Summary:
    manifest, space, arms = record.manifest, record.manifest.get("space", {}), ranked(record)
    best = arms[0] if arms and arms[0].score is not None else None
    default = default_arm(record, arms)
    horizon = manifest.get("epochs") or max((run.epochs for run in record.runs), default=0)
    found = Summary(
        identifier=manifest.get("id", ""),
        label=manifest.get("metric_label") or record.metric,
        paths=parameters(record),
        arms=arms,
        best=best,
        default=default,
        states=dict(record.states),
        epochs_spent=sum(run.epochs for run in record.runs),
        epochs_full=horizon * len(record.runs),
        smoke=bool(manifest.get("plan", {}).get("smoke")),
        reported=tuple(map(_figure, space.get("reported", ()))),
        front=front(record, arms),
        within=record.within,
        seed_deviation=manifest.get("seed_deviation"),
        proposals=proposals.proposals_sentence(record),
        codes=codes(record.runs),
        question=question_of(manifest),
        origin=default,
        data=data_set(record),
        images=judged_images(record),
        split=judged_split(record),
        baselines=recorded_baselines(record),
    )
    return found if found.smoke else _judged(found, record)


def _judged(found: Summary, record: Record) -> Summary:
    """Add to a summary what its runs say of the arms; a smoke test says nothing."""
    manifest = record.manifest
    comparison, p_holm = _against(found.best, found.default, found.arms, Noise.of(manifest))
    origin, rows = _rows(record, found.question, found.default)
    return replace(
        found,
        comparison=comparison,
        p_holm=p_holm,
        settle_command=manifest.get("settle_command"),
        stopping=stopping.stopping_sentence(record),
        rows=rows,
        origin=origin,
    )


def question_of(manifest: Mapping[str, Any]) -> Question:
    """What a space asks: of arms that it lists by name, whether they are parts of one method or stand side by side."""
    space, plan = manifest.get("space", {}), manifest.get("plan", {})
    if not space.get("alternatives"):
        return "search"
    if space.get("base_name", FULL) != FULL:
        return "comparison"
    if not plan.get("space", {}).get("alternatives"):
        return "search"
    return "addition" if plan.get("design") == ADDITION else "ablation"


def _rows(
    record: Record, question: Question, default: Arm | None
) -> tuple[Arm | None, tuple[Difference, ...]]:
    """What answers the question, and the arm that it is compared with; nothing while that is not complete."""
    try:
        if question == "comparison":
            return default, against(record)
        if question == "addition":
            return bare_method(record), add_one_in(record)
        return default, leave_one_out(record) if question == "ablation" else ()
    except ValueError:  # the arm that all are compared with is not complete
        return default, ()


def codes(runs: Iterable[Run]) -> tuple[str, ...]:
    """What has trained them: each digest of code with the commit that it was of, in order of issue."""
    named = ((run.commit or "unknown", run.code or "not recorded") for run in runs)
    return tuple(dict.fromkeys(f"commit {_first(commit)}, code {_first(code)}" for commit, code in named))


def _first(digest: str) -> str:
    """The first digits of a digest, or of each of two."""
    return "+".join(one if " " in one else one[:7] for one in digest.split("+"))


def _against(
    best: Arm | None, default: Arm | None, arms: Sequence[Arm], noise: Noise | None
) -> tuple[Comparison | None, float | None]:
    """The best arm less the default, and its p among those of all arms.

    One that is not complete counts, as it was looked at too.
    """
    if best is None or default is None or best is default or default.score is None:
        return None, None
    others = [arm for arm in arms if arm is not default]  # the best first
    found = [None if arm.score is None else p_value(arm.scores, default.scores, noise) for arm in others]
    return compare(best.scores, default.scores, noise), holm(found)[0]


def _figure(reported: dict[str, Any]) -> str:
    setting = ", ".join(f"{path} {shown(value)}" for path, value in reported["values"].items())
    return f"Reported elsewhere: {setting}: {reported['score']}, {reported['what']} ({reported['source']})."
