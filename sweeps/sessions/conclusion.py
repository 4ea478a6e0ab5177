"""Conclusion of a sweep: its summary, figure and report."""

from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from analysis import figures, report
from analysis.arms import Arm
from analysis.load import Record, load
from analysis.summarise import summarise
from analysis.summary import Summary
from analysis.terminal import summary_text
from sweeps import store
from sweeps.engine import journal
from sweeps.engine.accuracies import test_accuracy
from sweeps.engine.sweep import Sweep
from sweeps.sessions import embeddings
from sweeps.sessions.options import Options


def conclude(begun: Sweep, options: Options) -> tuple[dict[str, Any], bool]:
    """Write and show the results of a sweep; return its summary, JSON-ready, and whether an arm is complete."""
    content, summary = write_summary(begun)
    page = write_report(begun, options)
    if options.progress != "stderr":  # its reader gets the summary from standard output
        lines = _lines(begun, content, summary, page, options)
        options.console().out("\n".join(lines))
    return content, bool(summary.complete)


def write_summary(begun: Sweep) -> tuple[dict[str, Any], Summary]:
    """Write summary.json and the figure of a sweep; return the files written, and the summary."""
    record = load(begun.directory)
    summary, baselines = summarise(record), record.manifest["baselines"]
    overview = figures.overview(record.search, summary, baselines=baselines)
    png, pdf = figures.save(overview, begun.directory / "overview")
    embeddings.write_embeddings(begun, record, summary)
    content = {
        **asdict(summary),
        "verdict": summary.result.verdict,
        "test": _tests(begun, record, summary),
        "baselines": baselines,
        "sweep": str(begun.directory),
        "figures": [str(png), str(pdf)],
    }
    store.write_json(begun.directory / "summary.json", content)
    return content, summary


def write_report(begun: Sweep, options: Options) -> Path | None:
    """Write the report of a sweep; return its path, or None, with a sentence, if that fails: all else is on disk."""
    try:
        return report.write(begun.directory)
    except Exception as error:
        again = options.line(f"report {begun.directory}")
        options.console().out(f"The report: {type(error).__name__}: {error}. Try: {again}")
        return None


def _lines(
    begun: Sweep, content: dict[str, Any], summary: Summary, page: Path | None, options: Options
) -> list[str]:
    return [
        "",
        summary_text(summary),
        *(f"On the test images, read once: {name} {value:.2f} %." for name, value in content["test"].items()),
        *map(str, store.torn(begun.directory)),
        *(f"For comparison, kNN on {name}: {value:.2f} %." for name, value in content["baselines"].items()),
        "",
        f"figure      {content['figures'][0]} and .pdf",
        f"report      {page or 'could not be written'}",
        f"summary     {begun.directory / 'summary.json'}",
        f"reports     {begun.directory / 'parts'} ({options.line('sql')} QUERY asks them)",
        f"study       {begun.directory / journal.FILE} (optuna-dashboard opens it)",
        f"checkpoints {begun.directory / 'checkpoints'}",
    ]


def _tests(begun: Sweep, record: Record, summary: Summary) -> dict[str, float]:
    """Measure kNN top-1 on the test images for the best arm and the default, as means over their seeds."""
    result = summary.result
    reported: dict[str, Arm | None] = {"best": result.best, "default": result.default}
    found: dict[str, float] = {}
    read: dict[str, float] = {}  # once for each arm: the best may be the default
    for name, arm in reported.items():
        if arm is None or arm.score is None:
            continue
        if arm.digest not in read:
            runs = [run.identity for run in record.runs if run.arm == arm.digest and run.seed in arm.scores]
            kept = [run for run in runs if begun.checkpoint(run).is_file()]
            if len(kept) < len(runs):
                continue  # reused from a sweep that no longer has it, or removed for lack of room
            read[arm.digest] = fmean(test_accuracy(begun, run) for run in runs)
        found[name] = read[arm.digest]
    return found
