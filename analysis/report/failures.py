"""What failed, and where."""

from analysis.load import Run
from analysis.report.blocks import Section
from analysis.report.evidence import Evidence
from analysis.report.markup import folded, tag
from analysis.tables import Table


def section(evidence: Evidence) -> Section:
    """A row for each run that failed, and each traceback once."""
    failed = [run for run in evidence.record.runs if _why(run, evidence)]
    title = "What failed"
    if not failed:
        count = len(evidence.record.runs)
        return Section(
            title, (tag("p", f"None of {count} runs." if count else "Nothing: no run has begun."),)
        )
    names, why = evidence.names, {run.number: _why(run, evidence) for run in failed}
    rows = tuple(
        (str(run.number), names[run.arm], str(run.seed), str(run.epochs), why[run.number].splitlines()[-1])
        for run in failed
    )
    caption = f"{len(failed)} of {len(evidence.record.runs)} runs failed, each after the epochs given."
    values = {
        "run": [run.number for run in failed],
        "identity": [run.identity for run in failed],
        "arm": [names[run.arm] for run in failed],
        "seed": [run.seed for run in failed],
        "epoch": [run.epochs for run in failed],
        "reason": list(why.values()),
    }
    table = Table("failures", caption, ("run", "arm", "seed", "epoch", "last line"), rows, "rlrrl", values)
    alike: dict[str, list[str]] = {}
    for number, reason in why.items():
        alike.setdefault(reason, []).append(str(number))
    tracebacks = [
        folded(
            f"Traceback of run{'s' if len(runs) > 1 else ''} {', '.join(runs)}",
            tag("pre", reason, tabindex="0"),
        )
        for reason, runs in alike.items()
        if "\n" in reason
    ]
    return Section(title, (table, *tracebacks))


def _why(run: Run, evidence: Evidence) -> str:
    """The reason of a failure, a traceback as a rule; "" of a run that is well."""
    if run.state == "failed":
        return run.reason.strip() or "no reason was recorded"
    if run.state == "complete" and run.last(evidence.record.metric) is None:
        return f"it came to its end with a {evidence.record.metric} that is not finite"
    return ""
