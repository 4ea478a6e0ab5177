"""What a sweep has shown, and whether its noise allows to say so; pure functions of a loaded record."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis import proposals, stopping
from analysis.arms import Arm, front, ranked
from analysis.compare import Comparison, Noise, compare, holm, p_value
from analysis.intervals import EVERYWHERE, Ends, chance, plus_minus
from analysis.load import Record, Run, parameters
from analysis.paired import ALPHA, expected_lead

MOST_PROPOSED = 20
"""Seeds that are proposed to settle something: more is for people to decide."""
PROPOSED = re.compile(r"--seeds (\d+)-(\d+)")


@dataclass(frozen=True)
class Summary:
    """A sweep in numbers; arms are ranked, complete ones first."""

    identifier: str
    label: str
    paths: tuple[str, ...]
    arms: tuple[Arm, ...]
    best: Arm | None
    default: Arm | None
    comparison: Comparison | None
    """The best less the default, by itself."""
    p_holm: float | None
    """Its p, corrected for the number of arms: whoever looks for the best has looked at all."""
    states: dict[str, int]
    """How many runs are in each state."""
    epochs_spent: int
    epochs_full: int
    settle_command: str | None
    reported: tuple[str, ...] = ()
    """What others have reported of settings of this space, a sentence each."""
    front: tuple[int, ...] = ()
    """Numbers of the complete arms that no other beats in every objective, if the sweep has several."""
    stopping: str | None = None
    """Whether early stopping would have paid, where nothing was stopped."""
    within: Ends = EVERYWHERE
    """Between what a score lies."""
    seed_deviation: float | None = None
    """Of one arm over seeds, as it was known when the sweep began."""
    proposals: str | None = None
    """How many arms a model has proposed, where one was asked."""
    codes: tuple[str, ...] = ()
    """Each commit with each digest of code that has trained some of the runs."""
    unconfirmed: bool = False
    """The best were to be run again on fresh seeds, and have not been."""
    confirmed: "Summary | None" = None
    """The best arms and the default again, on seeds that had no part in choosing them: the sweep's result."""

    @property
    def result(self) -> "Summary":
        """What may be reported: the runs on fresh seeds if there are any, else the search itself."""
        return self.confirmed or self

    @property
    def others(self) -> int:
        """How many arms there are beside the default."""
        return sum(arm is not self.default for arm in self.arms)

    @property
    def separable(self) -> bool | None:
        """Whether the best is told from the default, and not only by itself; None where nothing can be said."""
        if self.comparison is None or not self.comparison.separable:
            return self.comparison and self.comparison.separable
        return self.p_holm is not None and self.p_holm <= ALPHA

    @property
    def verdict(self) -> str | None:
        """The comparison of the best with the default in words, a sentence without its full stop."""
        if self.comparison is None:
            return None
        if self.separable or not self.comparison.separable or self.p_holm is None:
            return self.comparison.sentence
        corrected = f"(p {chance(self.p_holm)}, Holm)"
        return f"{self.comparison.sentence} by itself, but not as the best of {self.others} {corrected}"

    @property
    def luck(self) -> str | None:
        """How far as many arms would lead by luck alone; None where nothing leads, or no deviation is known."""
        if not self.seed_deviation or self.comparison is None or self.best is None or self.others < 2:
            return None
        seeds = len(self.best.scores)
        lead = expected_lead(self.others, self.seed_deviation, seeds)
        known = f"seed deviation {self.seed_deviation:g}, {seeds} seed{'s' if seeds > 1 else ''}"
        return (
            f"By luck {self.others} arms of equal worth would lead by {lead:.1f} points on average ({known})"
        )

    @property
    def settling(self) -> str | None:
        """The command that would settle it, on as many fresh seeds as show what was seen if it is true.

        Five at least, as what was seen of the best of many is too much, and twenty at most.
        """
        found = self.result.comparison
        needed = min((found and found.seeds_needed) or 0, MOST_PROPOSED)
        return self.settle_command and PROPOSED.sub(
            lambda seeds: f"--seeds {seeds[1]}-{max(int(seeds[2]), int(seeds[1]) + needed - 1)}",
            self.settle_command,
        )

    @property
    def complete(self) -> int:
        """How many arms are complete."""
        return sum(arm.score is not None for arm in self.arms)


def summarise(record: Record) -> Summary:
    """Ranks the arms of a sweep and compares the best with the default, on fresh seeds if it has such runs."""
    fresh = record.manifest.get("confirm_seeds") or []
    again = [run for run in record.runs if run.seed in fresh]
    if not again:
        return replace(_summarise(record), unconfirmed=bool(fresh))
    confirmed = _summarise(Record({**record.manifest, "seeds": fresh}, tuple(again)))
    return replace(_summarise(record.search), confirmed=confirmed)


def _summarise(record: Record) -> Summary:
    manifest, arms = record.manifest, ranked(record)
    best = arms[0] if arms and arms[0].score is not None else None
    default = next((arm for arm in arms if arm.digest == manifest.get("default_arm")), None)
    horizon = manifest.get("epochs") or max((run.epochs for run in record.runs), default=0)
    comparison, p_holm = _against(best, default, arms, Noise.of(manifest))
    return Summary(
        identifier=manifest.get("id", ""),
        label=manifest.get("metric_label") or record.metric,
        paths=parameters(record),
        arms=arms,
        best=best,
        default=default,
        comparison=comparison,
        p_holm=p_holm,
        states=dict(record.states),
        epochs_spent=sum(run.epochs for run in record.runs),
        epochs_full=horizon * len(record.runs),
        settle_command=manifest.get("settle_command"),
        reported=tuple(map(_figure, manifest.get("space", {}).get("reported", ()))),
        front=front(record, arms),
        within=record.within,
        seed_deviation=manifest.get("seed_deviation"),
        stopping=stopping.sentence(record),
        proposals=proposals.sentence(record),
        codes=codes(record.runs),
    )


def codes(runs: Iterable[Run]) -> tuple[str, ...]:
    """What has trained them: each digest of code with the commit that it was of, in order of issue."""
    named = ((run.commit or "unknown", run.code or "not recorded") for run in runs)
    return tuple(dict.fromkeys(f"commit {_first(commit)}, code {_first(code)}" for commit, code in named))


def _first(digest: str) -> str:
    """The first digits of a digest, or of each of two."""
    return "+".join(one if " " in one else one[:7] for one in digest.split("+"))


def headline(summary: Summary) -> str:
    """The sweep's finding in one sentence, without its full stop; of runs of several codes it names them."""
    used = dict.fromkeys((*summary.codes, *summary.result.codes))
    mixed = f"; these runs are of more than one code ({'; '.join(used)})" if len(used) > 1 else ""
    return _finding(summary) + mixed


def _finding(summary: Summary) -> str:
    summary = summary.result
    best, comparison = summary.best, summary.comparison
    if best is None or best.score is None:
        return f"No arm is complete: {_counts(summary.states) or 'no run has started'}"
    if best is summary.default:
        if summary.complete == 1:
            return f"Only the default is complete, at {best.score:.1f}"
        return f"The default, at {best.score:.1f}, is the best of {summary.complete} complete arms"
    names = short(summary.paths)
    mine = cells(summary.arms, summary.paths)[best.digest]
    values = ", ".join(
        f"{names[path].replace('_', ' ')} {value}" for path, value in zip(summary.paths, mine, strict=True)
    )
    if comparison is None:
        return f"Best: {values} at {best.score:.1f}; the default is not complete"
    end = {True: "beyond seed noise", False: "not separable from seed noise", None: "one seed cannot tell"}
    if comparison.separable and not summary.separable:
        end[False] = f"not separable among {summary.others} arms"
    gain = f"{comparison.difference:+.1f} over the default"
    return f"Best: {values} at {best.score:.1f}, {gain}: {end[summary.separable]}"


def text(summary: Summary, limit: int = 20) -> str:
    """The summary for a terminal: the `limit` best arms and the default, the verdict, and what would settle it.

    Where the best arms were run again on fresh seeds, the search is shown, but only those runs are judged.
    """
    tables = [f"{summary.identifier}: {summary.label}", "", *_table(summary, limit)]
    if summary.confirmed:
        seeds = ", ".join(map(str, sorted({seed for arm in summary.confirmed.arms for seed in arm.seeds})))
        tables += ["", f"The best again, and the default, on fresh seeds ({seeds}):", ""]
        tables += _table(summary.confirmed, limit)
    return "\n".join([*tables, "", *_verdict(summary)])


def _table(summary: Summary, limit: int) -> list[str]:
    others = _other_objectives(summary)
    head = ["arm", *short(summary.paths).values(), "seeds", "state", "epochs", "score", *others]
    listed = [arm for rank, arm in enumerate(summary.arms) if rank < limit or arm is summary.default]
    values = cells(listed, summary.paths)
    rows = [head, *(_row(arm, summary, values[arm.digest]) for arm in listed)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    if len(listed) < len(summary.arms):
        lines.append(f"... and {len(summary.arms) - len(listed)} more arms")
    if summary.front:
        front = ", ".join(map(str, sorted(summary.front)))
        lines.append(f"Not beaten in every objective by another: {front}.")
    return lines


def _other_objectives(summary: Summary) -> list[str]:
    """Those beside the one that the score is."""
    named = next((list(arm.objectives) for arm in summary.arms if arm.objectives), [])
    return [name for name in named if name != "knn_top1"]


def short(paths: tuple[str, ...]) -> dict[str, str]:
    """Each path's last name, or the whole path where last names are not unique."""
    names = Counter(path.rpartition(".")[2] for path in paths)
    return {path: name if names[name := path.rpartition(".")[2]] == 1 else path for path in paths}


def shown(value: Any) -> str:
    """A configuration value for people: three digits, a sub-configuration by its name."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    return value if isinstance(value, str) else json.dumps(value)


def apart(values: Iterable[Any]) -> dict[Any, str]:
    """How each of several numbers is shown: as by itself, with more digits where another would look the same."""
    found: dict[Any, str] = {}
    left = {value for value in values if isinstance(value, float)}
    for digits in range(3, 18):
        texts = {value: f"{value:.{digits}g}" for value in left}
        alike = Counter(texts.values())
        found |= {value: text for value, text in texts.items() if alike[text] == 1}
        left -= found.keys()
    return found


def cells(arms: Sequence[Arm], paths: Sequence[str]) -> dict[str, list[str]]:
    """What each arm, by its digest, has at these paths: different values look different."""
    columns = {path: apart(arm.values[path] for arm in arms) for path in paths}
    return {arm.digest: [_cell(arm.values[path], columns[path]) for path in paths] for arm in arms}


def _cell(value: Any, numbers: dict[Any, str]) -> str:
    return numbers[value] if isinstance(value, float) and value in numbers else shown(value)


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


def _row(arm: Arm, summary: Summary, values: list[str]) -> list[str]:
    mark = {id(summary.best): "best ", id(summary.default): "default "}.get(id(arm), "")
    last = "" if arm.last is None else f"({arm.last:.1f})"
    score = last if arm.score is None else plus_minus(arm.score, arm.deviation)
    others = [f"{arm.objectives[n]:.4g}" if n in arm.objectives else "" for n in _other_objectives(summary)]
    plain = [str(len(arm.seeds)), arm.state, str(arm.epochs), score]
    return [f"{mark}{arm.number}", *values, *plain, *others]


def _verdict(summary: Summary) -> list[str]:
    lines, result = [f"{headline(summary)}."], summary.result
    if result.comparison:
        lines.append(f"Best less default: {result.verdict}.")
        if result.luck and not summary.confirmed:
            lines.append(f"{result.luck}.")
        if result.separable and result.complete > 2:
            seeds = "these very seeds" if not summary.confirmed else "these seeds"
            lines.append(f"It is the best of {result.complete} on {seeds}: expect less on fresh ones.")
        if not result.separable and summary.settling:
            lines.append(f"To settle it: {summary.settling}")
    if summary.unconfirmed:
        lines.append("The best have not been confirmed on fresh seeds: these are candidates, not results.")
    states = Counter(summary.states)
    spent, full = summary.epochs_spent, summary.epochs_full
    if summary.confirmed:
        states.update(summary.confirmed.states)
        spent, full = spent + summary.confirmed.epochs_spent, full + summary.confirmed.epochs_full
    share = f"{spent:,} of {full:,} epochs ({spent / full if full else 0.0:.0%})"
    lines.append(f"Runs: {_counts(states) or 'none'}; trained {share}.")
    lines += [f"{summary.proposals}."] if summary.proposals else []
    return [*lines, *([summary.stopping] if summary.stopping else []), *summary.reported]


def _figure(reported: dict[str, Any]) -> str:
    setting = ", ".join(f"{path} {shown(value)}" for path, value in reported["values"].items())
    return f"Reported elsewhere: {setting}: {reported['score']}, {reported['what']} ({reported['source']})."


def _counts(states: dict[str, int]) -> str:
    order = ("complete", "stopped", "paused", "failed", "running")
    return ", ".join(f"{states[state]} {state}" for state in order if state in states)
