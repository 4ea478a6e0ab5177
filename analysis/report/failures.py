"""Failed runs and their tracebacks."""

from typing import Any

from analysis.load import Run
from analysis.report.blocks import Section
from analysis.report.evidence import Evidence
from analysis.report.markup import Html, folded, tag
from analysis.tables import Table


def section(evidence: Evidence) -> Section:
    """Tabulate the failed runs, and show each traceback once."""
    failed = [run for run in evidence.record.runs if _why(run, evidence)]
    title = "What failed"
    if not failed:
        count = len(evidence.record.runs)
        none = f"None of {count} runs." if count else "Nothing: no run has begun."
        return Section(title, (tag("p", none),))
    names, why = evidence.names, {run.number: _why(run, evidence) for run in failed}
    full = [(r.number, r.identity, names[r.arm], r.seed, r.epochs, why[r.number]) for r in failed]
    rows = tuple(
        (str(number), arm, str(seed), str(epoch), reason.splitlines()[-1])
        for number, _, arm, seed, epoch, reason in full
    )
    caption = f"{len(failed)} of {len(evidence.record.runs)} runs failed, each after the epochs given."
    columns = ("run", "identity", "arm", "seed", "epoch", "reason")
    values: dict[str, list[Any]] = dict(zip(columns, map(list, zip(*full, strict=True)), strict=True))
    table = Table("failures", caption, ("run", "arm", "seed", "epoch", "last line"), rows, "rlrrl", values)
    alike: dict[str, list[str]] = {}
    for number, reason in why.items():
        alike.setdefault(reason, []).append(str(number))
    tracebacks = [_traceback(reason, runs) for reason, runs in alike.items() if "\n" in reason]
    return Section(title, (table, *tracebacks))


def _traceback(reason: str, runs: list[str]) -> Html:
    title = f"Traceback of run{'s' if len(runs) > 1 else ''} {', '.join(runs)}"
    return folded(title, tag("pre", reason, tabindex="0"))


def _why(run: Run, evidence: Evidence) -> str:
    """Return the reason of a failure, usually a traceback; "" of a run that has not failed."""
    if run.state == "failed":
        return run.reason.strip() or "no reason was recorded"
    if run.state == "complete" and run.last(evidence.record.metric) is None:
        return f"it came to its end with a {evidence.record.metric} that is not finite"
    return ""
