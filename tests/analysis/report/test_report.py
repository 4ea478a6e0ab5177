"""The report of a sweep, whatever the sweep has come to: what it holds, what it claims, and that nothing breaks it."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from html import unescape
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from analysis import figures, report
from analysis.__main__ import main
from analysis.load import Record, Run
from analysis.multiple import against
from analysis.report import arms, comparisons, differences, failures, figured, finding, methods
from analysis.report.evidence import Evidence, images, read_evidence
from analysis.report.finding import claim, simultaneous
from analysis.report.markup import Html, join, tag
from analysis.report.svg import inline
from analysis.summarise import summarise
from analysis.tables import Table
from sweeps.planning import plan as plans
from sweeps.store import StoreError, Writer, write_manifest
from tests import recorded as made_up
from tests.analysis.test_components import PARTS, additive
from tests.analysis.test_components import record as ablation
from tests.fixtures.tiny_space import TINY

SECTIONS = [
    *(
        "Finding",
        "Figures",
        "Arms",
        "Differences",
        "What failed",
        "Methods",
        "Provenance",
        "Reported by others",
    ),
]
FIRST = Path(__file__).parents[2] / "fixtures" / "store_version_1" / "sweeps"
TRACEBACK = 'Traceback (most recent call last):\n  File "a.py"\nValueError: <b>&"boom"</b> is no loss'
BEGUN = 1_800_000_000.0
ORIGIN = {"commit": "c0ffee", "host": "here", "device": "cpu", "packages": '{"torch": "9.9"}', "data": "f00d"}
Event = tuple[str, str, int, dict[str, Any]]


def recorded(directory: Path, sweep: Record, events: Sequence[Event] = (), **manifest: Any) -> Path:
    """A sweep in a store, each record a second after the one before."""
    write_manifest(directory, {**sweep.manifest, **manifest})
    ticks = count(BEGUN)
    with Writer(directory, "w", clock=lambda: next(ticks), origin=ORIGIN) as writer:
        for run in sweep.runs:
            for epoch in range(1, run.epochs + 1):
                metrics = {name: values[epochs == epoch] for name, (epochs, values) in run.curve.items()}
                told = {name: float(found[0]) for name, found in metrics.items() if found.size}
                writer.report(run.identity, run.attempt, epoch, told)
            writer.run(
                run=run.identity,
                **{name: getattr(run, name) for name in ("number", "arm", "seed", "attempt", "config")},
                **{name: getattr(run, name) for name in ("state", "reason", "epochs", "rung", "dropped")},
                seconds=run.seconds or 60.0 + run.number,
                device_seconds=run.device_seconds or 60.0 + run.number,
            )
        for kind, config, epoch, detail in events:
            writer.event(kind, config, epoch, **detail)
    return directory


def planned(**fields: Any) -> dict[str, Any]:
    return {"plan": plans.to_dict(plans.checked(space=TINY, **fields))}


def search(directory: Path, arms: int = 8, seeds: int = 3, **manifest: Any) -> Path:
    """A random search of two temperatures, with reported figures and baselines."""
    sweep = made_up.sweep(arms, seeds=range(seeds), **manifest.pop("made", {}))
    baselines = {"baselines": {"raw pixels": 38.0, "untrained encoder": 28.0}}
    untrained = {"untrained": {str(seed): 27.0 + seed for seed in range(seeds)}}
    found = {
        **planned(design="random", arms=arms, seeds=tuple(range(seeds))),
        **baselines,
        **untrained,
        **manifest,
    }
    return recorded(
        directory, sweep, **{"runs": len(sweep.runs), "settle_command": "sweeps --settle", **found}
    )


def stopped(directory: Path) -> Path:
    """ASHA with its rungs on record, one run spared."""
    sweep = made_up.sweep(8, rungs=(3, 6))
    events: list[Event] = []
    for run in sweep.runs:
        for rung in (rung for rung in (3, 6) if rung <= run.epochs):
            decision = "stop" if run.epochs == rung else "spared" if run.number == 0 else "goes on"
            events.append(
                ("rung", run.identity, rung, {"decision": decision, "value": 1.0, "cutoff": 45.0, "peers": 3})
            )
    return recorded(directory, sweep, events, **planned(stopper={"name": "asha"}, arms=8))


def confirmed(directory: Path, gains: Sequence[float] = (5.0,)) -> Path:
    """The best arms of a search and its default again on three seeds, on which they gain so much."""
    sweep = made_up.sweep(6)
    default, *others = sweep.runs
    best = sorted(others, key=lambda run: -(run.last("knn_top1") or 0.0))[: len(gains)]
    again = [
        replace(
            run,
            identity=f"again {run.arm} {seed}",
            number=6 + (1 + len(gains)) * seed + place,
            seed=seed,
            curve={
                "knn_top1": (np.arange(1, 13), np.full(12, 50 + seed + (gain + seed / 9 if place else 0.0)))
            },
        )
        for seed in (1, 2, 3)
        for place, (run, gain) in enumerate(zip((default, *best), (0.0, *gains), strict=True))
    ]
    plan = planned(design="random", arms=6, confirm={"arms": len(gains), "seeds": 3})
    return recorded(directory, replace(sweep, runs=(*sweep.runs, *again)), **plan, confirm_seeds=[1, 2, 3])


def listed(directory: Path, design: str) -> Path:
    sweep = ablation(PARTS, design, additive)
    return recorded(directory, sweep, space={**sweep.manifest["space"], "base_name": "default"})


def failed(directory: Path) -> Path:
    sweep = made_up.sweep(3)
    runs = tuple(replace(run, state="failed", reason=TRACEBACK, curve={}, epochs=0) for run in sweep.runs)
    return recorded(directory, replace(sweep, runs=runs), **planned(arms=3))


def running(directory: Path) -> Path:
    sweep = made_up.sweep(4)
    first, *others = sweep.runs
    begun = replace(
        first, state="running", epochs=2, curve={"knn_top1": (np.arange(1, 3), np.array([30.0, 35.0]))}
    )
    return recorded(directory, replace(sweep, runs=(begun, *others[:1])), **planned(arms=4), runs=4)


def objectives(directory: Path) -> Path:
    wanted = [
        {"metric": "knn_top1", "direction": "maximize", "total": False},
        {"metric": "seconds", "direction": "minimize", "total": True},
    ]
    sweep = made_up.sweep(5)
    runs = tuple(
        replace(run, curve={**run.curve, "seconds": (np.arange(1, 13), np.full(12, 1.0 + run.number % 3))})
        for run in sweep.runs
    )
    return recorded(
        directory, replace(sweep, runs=runs), **planned(design="nsga2", arms=5), objectives=wanted
    )


def embedded(directory: Path) -> Path:
    generator, folder = np.random.default_rng(0), search(directory, arms=2, seeds=1)
    labels = np.arange(30) % 3
    np.savez_compressed(
        folder / "embeddings.npz",
        features=generator.normal(labels[:, None], 0.5, (30, 4)).astype(np.float32),
        labels=labels,
        classes=np.array(["one", "two", "three"]),
        images=generator.integers(0, 256, (30, 6, 6, 3)).astype(np.uint8),
        run=np.array(1),
    )
    return folder


def hostile(directory: Path) -> Path:
    """Everything that is shown holds what could be taken for markup."""
    name = "</svg><script>alert(\"1\")</script> & 'x' | \\ {y}_z % # ~^"
    method = {"temperature": 0.1, "kernel": name}
    sweep = made_up.sweep(3, domains={"method.kernel": {"kind": "choice", "values": [name, "rbf"]}})
    runs = [replace(run, config={"method": method | {"kernel": run.number and name}}) for run in sweep.runs]
    runs[2] = replace(runs[2], state="failed", reason=TRACEBACK, curve={}, epochs=1)
    reported = [{"values": {"method.kernel": name}, "score": 1.0, "what": name, "source": name}]
    space = {**sweep.manifest["space"], "question": name, "reported": reported}
    return recorded(
        directory, replace(sweep, runs=tuple(runs)), space=space, command=name, id=name, **planned()
    )


KINDS: dict[str, Callable[[Path], Path]] = {
    "empty": lambda folder: recorded(folder, replace(made_up.sweep(1), runs=()), **planned()),
    "one arm": lambda folder: search(folder, arms=1),
    "one seed": lambda folder: search(folder, arms=4, seeds=1),
    "several seeds": search,
    "stopped": stopped,
    "confirmed": confirmed,
    "an ablation": lambda folder: listed(folder, "leave_one_out"),
    "pairs": lambda folder: listed(folder, "pairs"),
    "only failed": failed,
    "running": running,
    "several objectives": objectives,
    "embeddings": embedded,
    "hostile": hostile,
    "version 1": lambda _: next(FIRST.glob("*-100931")),
    "version 1, cut off": lambda _: next(FIRST.glob("*-101027")),
}


class Page(HTMLParser):
    """A page's elements, each with its attributes, and its text; refuses what is not closed in order."""

    def __init__(self, content: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open += [] if tag == "meta" else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags]

    @property
    def words(self) -> str:
        return " ".join(text for tag, text in self.texts if tag != "style")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The report of each kind of sweep, written once."""

    @cache
    def content(kind: str) -> str:
        folder = tmp_path_factory.mktemp("sweeps") / "made-up"
        out = report.write(KINDS[kind](folder), tmp_path_factory.mktemp("out") / "report.html")
        return out.read_text(encoding="utf-8")

    return content


@pytest.mark.parametrize("kind", KINDS)
def test_every_sweep_has_a_page_with_all_sections_in_order(kind: str, written: Callable[[str], str]) -> None:
    page = Page(written(kind))
    assert page.of("h2") == SECTIONS
    anchors = [f"#{a['id']}" for name, a in page.elements if name == "h2"]
    links = [a["href"] or "" for name, a in page.elements if name == "a"]
    assert [link for link in links if link.startswith("#")] == anchors
    assert page.elements[0] == ("html", {"lang": "en"})
    assert len(page.of("h1")) == 1
    for section in SECTIONS:  # each says something
        assert re.search(f">{section}</h2>.{{20}}", written(kind)), section


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_things_of_a_page_share_an_id_and_all_that_is_referred_to_is_there(
    kind: str, written: Callable[[str], str]
) -> None:
    page = Page(written(kind))
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert set(ids.values()) == {1}
    values = [value or "" for _, attributes in page.elements for value in attributes.values()]
    referred = {one for value in values for one in re.findall(r"url\(#([^)]+)\)", value)}
    referred |= {
        (a.get("href") or "#")[1:] for _, a in page.elements if (a.get("href") or "").startswith("#")
    }
    assert referred <= ids.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_asks_nothing_of_a_network_and_runs_nothing(kind: str, written: Callable[[str], str]) -> None:
    page = Page(written(kind))
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "iframe", "object", "embed", "img", "base"}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(
                ("#", "data:image/png;base64,", "made-up_tables/", "sce_temperatures-")
            )
    assert "@import" not in written(kind)
    assert len(written(kind)) < 1_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_says_what_it_shows_of_how_many_and_what_its_intervals_are(
    kind: str, written: Callable[[str], str]
) -> None:
    captions = re.findall(r"<figcaption><b>Figure (\d+)\. .*?</b>(.*?)</figcaption>", written(kind))
    pictures = [a for name, a in Page(written(kind)).elements if name == "svg"]
    assert [int(number) for number, _ in captions] == list(range(1, len(pictures) + 1))
    for _, caption in captions:
        assert re.search(r"\bn = \d|n: paired seeds", caption), caption
        assert re.search(r"interval|deviation|from one seed to the other|one seed", caption), caption
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)
    assert "matplotlib" not in written(kind)


HAS = {
    "one seed": ["Overview", "Slices", "Parallel coordinates", "Learning curves", "Best of n"],
    "several seeds": [
        "Differences from the default",
        "Best and default by seed",
        "Rank agreement",
        "Response surface",
    ],
    "stopped": ["Rung ladder"],
    "confirmed": ["Best and default by seed"],
    "an ablation": ["Leaving one out"],
    "pairs": ["Leaving one out", "Interactions"],
    "several objectives": ["Pareto front, knn_top1 and seconds"],
    "embeddings": ["Embeddings"],
    "running": ["Learning curves"],
}


@pytest.mark.parametrize("kind", HAS)
def test_figures_suit_the_kind_of_sweep(kind: str, written: Callable[[str], str]) -> None:
    captions = re.findall(r"<figcaption><b>Figure \d+\. (.*?)\. </b>", written(kind))
    assert set(HAS[kind]) <= set(captions)
    assert len(set(captions)) == len(captions)
    absent = re.search(r"Not shown</h3>(.*?)</ul>", written(kind))
    assert absent is not None
    for title in captions:
        assert f">{title}<" not in absent[1]


def test_arms_that_are_no_components_are_not_called_so(tmp_path: Path) -> None:
    sweep = ablation(PARTS, "leave_one_out", additive)
    peers = {**sweep.manifest["space"], "base_name": "simclr"}
    evidence = read_evidence(recorded(tmp_path / "sweep", sweep, space=peers))
    said = unescape("".join(map(str, figured.section(evidence).blocks)))
    assert "the space lists arms beside 'simclr', which are no parts of it." in said
    assert "title='Differences from the default'" in said
    names = [block.name for block in differences.section(evidence).blocks if isinstance(block, Table)]
    assert names == ["differences"]


def test_what_cannot_be_drawn_is_told_with_its_reason(written: Callable[[str], str]) -> None:
    words = Page(written("one seed")).words
    assert "Pareto front : the sweep has one objective." in words
    assert "Embeddings : the sweep keeps no embeddings" in words
    assert "Leaving one out, Adding one in, Interactions : its space lists no alternatives" in words
    assert "No run has begun, so there are no arms." in Page(written("empty")).words


def test_an_arm_that_was_run_again_keeps_its_number(tmp_path: Path) -> None:
    evidence = read_evidence(confirmed(tmp_path / "sweep"))
    again, search = (block for block in arms.section(evidence).blocks if isinstance(block, Table))
    numbers = {row[2:4]: row[0] for row in search.rows}
    assert [(row[0], row[1]) for row in again.rows] == [
        (numbers[again.rows[0][2:4]], "best"),
        ("0", "default"),
    ]


def test_a_winner_is_named_only_from_fresh_seeds(tmp_path: Path, written: Callable[[str], str]) -> None:
    assert "<strong>A candidate. </strong>" in written("several seeds")
    assert "a candidate, not a result" in written("several seeds")
    assert "sweeps --settle" in written("several seeds")
    result = written("confirmed")
    assert "<strong>A result. </strong>" in result
    assert (
        "On the fresh seeds 1, 2, 3, which had no part in choosing the arm, the gain may be claimed."
        in result
    )
    assert "candidate" not in Page(result).words
    # A seed adds 0.11 more than the one before: t of three is 15.6 at a gain of 0.78, 6.5 at 0.19, 2.7 at -0.05.
    for number, (gains, word, says) in enumerate(
        (
            ((0.78, -1.0, -2.0), "A result", "also among the 3 arms that were run there beside the default"),
            ((0.19, -0.22, -0.23), "No claim", "the gain cannot be told from noise: no winner may be named"),
            ((-0.05,), "No claim", "the gain cannot be told from noise: no winner may be named"),
            ((-5.0,), "No gain", "That none is better may not be claimed"),
        )
    ):
        evidence = read_evidence(confirmed(tmp_path / str(number), gains))
        found, said = claim(evidence)
        assert found == word
        assert says in said[0]
        comparison = evidence.summary.result.comparison
        if word == "A result":  # of several: chosen there, so corrected, and less than was seen
            assert comparison
            least = simultaneous(comparison, 3)
            assert least
            assert 0 < least < comparison.difference
            assert "so the gain as seen is somewhat too large" in said[0]
            assert f"is above {least:+.2f} with 95 % confidence" in said[0]
        if word == "No claim" and len(gains) > 1:
            assert comparison
            assert comparison.significant  # by itself
            assert "by itself, but not as the best of 3" in str(finding.section(evidence))
    for kind in ("empty", "only failed", "running"):
        assert "<strong>A result" not in written(kind)


def in_full(path: Path) -> list[dict[str, str]]:
    """The rows of a file of a table."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(keepends=True)))


def changed(evidence: Evidence, change: Callable[[Run], Run]) -> Evidence:
    record = Record(evidence.record.manifest, tuple(map(change, evidence.record.runs)))
    return replace(evidence, record=record, summary=summarise(record))


def test_the_picture_of_a_confirmed_sweep_says_which_runs_it_shows(tmp_path: Path) -> None:
    evidence = read_evidence(confirmed(tmp_path))
    figure = figures.overview(evidence.search, evidence.summary)
    assert str(figure.get_suptitle()).startswith("On fresh seeds: Best: ")
    left, right = figure.axes[:2]
    assert left.get_title(loc="left").startswith("The search: arms (")
    assert right.get_title(loc="left").startswith("The search: runs as they learned")
    curves = [line for line in right.lines if len(np.asarray(line.get_xdata())) == 12]
    assert len(curves) == len(evidence.search.runs) == 6


def test_the_picture_of_named_arms_keeps_its_scale(tmp_path: Path) -> None:
    evidence = read_evidence(listed(tmp_path, "leave_one_out"))
    left = comparisons.overview_figures(evidence).plates[0].draw().axes[0]
    assert left.get_xlabel() == evidence.summary.label
    assert len(left.get_xticks()) > 1
    assert len(left.get_yticklabels()) == len(evidence.summary.arms)


def test_two_arms_whose_values_look_alike_are_not_taken_for_each_other(tmp_path: Path) -> None:
    evidence = read_evidence(confirmed(tmp_path, (0.78, 0.0, -2.0)))
    best = evidence.summary.result.best
    assert best

    def alike(run: Run) -> Run:
        value = 0.18459 if run.arm == best.digest else 0.18461
        method = {**run.config["method"], "temperature": value, "target_temperature": 0.05}
        return replace(run, config={"method": method})

    rows = {row.name: row for row in against(changed(evidence, alike).record)}
    assert len(rows) == 3
    mine = f"temperature 0.185, target temperature 0.05 (arm {best.number})"
    assert rows[mine].difference == pytest.approx(0.78 + 2 / 9)


@pytest.mark.parametrize("state", ["failed", "running"])
def test_arms_that_could_not_be_confirmed_are_not_called_no_gain(tmp_path: Path, state: str) -> None:
    def lost(run: Run) -> Run:
        return replace(run, state=state) if run.seed == 3 and run.arm != "arm 0" else run

    word, said = claim(changed(read_evidence(confirmed(tmp_path)), lost))
    assert word == "Not confirmed"
    assert said == [f"Of the arms that were to be run again none is complete: 1 {state}."]


def test_while_only_the_default_is_complete_nothing_is_claimed(tmp_path: Path) -> None:
    def begun(run: Run) -> Run:
        return replace(run, state="running") if run.arm != "arm 0" else run

    word, said = claim(changed(read_evidence(search(tmp_path, arms=3)), begun))
    assert word == "Nothing to claim yet"
    assert said == ["Of the arms beside the default none is complete: 2 running."]


def test_an_arm_that_was_fixed_beforehand_and_alone_needs_no_other_seeds(tmp_path: Path) -> None:
    def better(run: Run) -> Run:
        end = 50 + run.seed + (0.0 if run.arm == "arm 0" else 2 + 0.1 * run.seed)
        return replace(run, curve={"knn_top1": (run.curve["knn_top1"][0], np.full(12, end))})

    plan = planned(design="given", arms=2, seeds=(0, 1, 2))
    word, said = claim(changed(read_evidence(search(tmp_path, arms=2, **plan)), better))
    assert word == "A result"
    assert said == [
        "On the seeds 0, 1, 2, for which its arms were fixed beforehand, the gain may be claimed, unless another "
        "sweep has chosen the arm on these seeds."
    ]


def test_planned_differences_may_be_claimed_where_arms_were_fixed_beforehand(tmp_path: Path) -> None:
    said = "corrected for their number, may be claimed; which of them is best may not"
    for design in ("one_at_a_time", "random"):
        plan = planned(design=design, arms=4, seeds=(0, 1, 2))
        word, sentences = claim(read_evidence(search(tmp_path / design, arms=4, **plan)))
        assert word == "A candidate"
        assert (said in sentences[-1]) == (design == "one_at_a_time")


def test_an_ablation_has_its_differences_once(written: Callable[[str], str]) -> None:
    alone, pairs = written("an ablation"), written("pairs")
    assert "so the table of components has them all." in alone
    assert "Each arm less the default" not in alone
    assert "Each arm less the default" in pairs
    assert alone.count("<td>no queue</td>") == 2  # among the components, and among the arms


def test_what_failed_is_told_with_its_last_line_and_each_traceback_once(
    written: Callable[[str], str],
) -> None:
    content = written("only failed")
    page = Page(content)
    assert content.count("<td>ValueError: &lt;b&gt;&amp;&quot;boom&quot;&lt;/b&gt; is no loss</td>") == 3
    assert page.of("pre").count(TRACEBACK) == 1
    assert "Traceback of runs 0, 1, 2" in page.of("summary")
    assert "3 of 3 runs failed" in page.words


def test_a_run_that_ends_without_a_finite_value_is_told_among_the_failures(tmp_path: Path) -> None:
    sweep = made_up.sweep(2)
    lost = replace(sweep.runs[1], curve={"knn_top1": (np.arange(1, 13), np.full(12, np.nan))})
    table, *_ = failures.section(
        read_evidence(recorded(tmp_path / "sweep", replace(sweep, runs=(sweep.runs[0], lost))))
    ).blocks
    assert isinstance(table, Table)
    assert [row[-1] for row in table.rows] == ["it came to its end with a knn_top1 that is not finite"]


def test_a_sweep_that_is_not_at_its_end_says_so(written: Callable[[str], str]) -> None:
    said = "Not at its end when this was written. Runs: 1 complete, 1 running; 2 not begun."
    assert said in Page(written("running")).words
    assert "Not at its end" not in written("several seeds")


def test_the_methods_can_be_read_without_the_record(written: Callable[[str], str]) -> None:
    words = " ".join(Page(written("several seeds")).words.split())
    for part in (
        "By default SCE was trained with the encoder strided (width 2) on shapes (128 training, 60 validation, 60 test",
        "for 8 epochs in batches of 16 by SGD (learning rate 0.06, cosine schedule, weight decay 0.0005).",
        "The default and 7 configurations drawn at random over temperature (0.05 to 0.8, logarithmic)",
        "each was trained on the same 3 seeds (0, 1, 2), so that differences are paired by seed.",
        "24 runs (24 complete) trained 288 epochs in 28.6 minutes of run time, summed over runs (cpu) on 1 machine",
    ):
        assert part in words
    assert "were made by leaving out each component and each two together;" in written("pairs")
    assert "Runs were stopped early by ASHA (Li et al., MLSys 2020), with reduction 2." in written("stopped")
    assert (
        "The best 1 configurations and the default were trained anew to their end on fresh seeds (1, 2, 3)."
        in (written("confirmed"))
    )


def test_epochs_of_another_sweep_are_not_said_to_have_been_trained_here(tmp_path: Path) -> None:
    def taken(run: Run) -> Run:
        return replace(run, reason="reused from another", seconds=0.0) if run.number == 0 else run

    said = str(methods.section(changed(read_evidence(search(tmp_path)), taken)))
    assert (
        "24 runs (24 complete); 1 of them were taken from another sweep, the others trained 276 epochs"
        in said
    )


def test_methods_that_were_not_recorded_are_not_made_up(tmp_path: Path) -> None:
    (said,) = methods.section(read_evidence(recorded(tmp_path / "sweep", made_up.sweep(1)))).blocks
    assert "its methods cannot be told from it" in str(said)


def test_the_provenance_is_that_of_the_runs(written: Callable[[str], str]) -> None:
    words = " ".join(Page(written("several seeds")).words.split())
    assert "Commit c0ffee" in words
    assert "Host here" in words
    assert "torch 9.9" in words
    assert "Last recorded 2027-01-15 08:05:11" in words  # 288 epochs and 24 ends after the first second
    old = Page(written("version 1")).words
    assert "2fe48f3527f60260ea6a96a285446780e0c1c856" in old


def test_nothing_that_is_shown_can_become_markup(written: Callable[[str], str]) -> None:
    content = written("hostile")
    assert "<script" not in content
    page = Page(content)
    assert page.of("h1") == ["</svg><script>alert(\"1\")</script> & 'x' | \\ {y}_z % # ~^"]
    assert any("<script>" in text for text in page.of("td"))
    assert any(TRACEBACK in text for text in page.of("pre"))


@given(st.text(), st.text(), st.dictionaries(st.sampled_from(["title", "aria_label", "class_"]), st.text()))
def test_text_comes_out_of_an_element_as_it_went_in(one: str, two: str, attributes: dict[str, str]) -> None:
    # A parser must take these for others: HTML has no other way.
    one, two = (re.sub(r"[\r\x00]", "", text) for text in (one, two))
    page = Page(tag("p", one, tag("b", two), **attributes))
    assert "".join(page.of("p")) == one
    assert "".join(page.of("b")) == two
    kept = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    assert page.elements == [("p", kept), ("b", {})]


def test_only_markup_is_taken_as_markup() -> None:
    assert join("<i>", Html("<b>")) == "&lt;i&gt;<b>"


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = embedded(tmp_path / "sweep")
    one, two = (report.write(folder, tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two


def test_many_runs_make_no_heavy_page_and_every_row_is_in_its_file(tmp_path: Path) -> None:
    sweep = made_up.sweep(130, epochs=60, rungs=(5, 15, 30))
    page = report.write(recorded(tmp_path / "sweep", sweep, **planned(design="random", arms=130)))
    assert page.stat().st_size < 3_000_000
    content = page.read_text(encoding="utf-8")
    default = next(n for n, arm in enumerate(summarise(sweep).arms) if arm.digest == "arm 0")
    shown = 100 if default < 100 else 101
    assert f"Shown: {shown} of 130 rows, the first and the default." in content
    rows = in_full(tmp_path / "sweep" / "sweep_tables" / "arms.csv")
    assert sorted(int(row["arm"]) for row in rows) == list(range(130))
    assert [row["role"] for row in rows].count("default") == 1


def test_every_table_of_a_page_is_beside_it_with_all_digits(tmp_path: Path) -> None:
    folder = search(tmp_path / "a sweep", arms=8)
    page = Page(report.write(folder, tmp_path / "page.html").read_text(encoding="utf-8"))
    files = [
        unquote(a["href"] or "") for name, a in page.elements if name == "a" and "#" not in str(a["href"])
    ]
    assert files == [f"a sweep_tables/{name}.csv" for name in ("arms", "baselines", "differences")]
    assert sorted(files) == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.csv"))
    found = {Path(file).stem: in_full(tmp_path / file) for file in files}
    evidence = read_evidence(folder)
    for row, arm in zip(found["arms"], evidence.summary.arms, strict=True):
        assert (int(row["arm"]), row["state"], int(row["seeds"])) == (arm.number, "complete", 3)
        assert float(row["config.method.temperature"]) == arm.values["method.temperature"]
        assert float(row["mean"]) == arm.score
        assert float(row["deviation"]) == pytest.approx(arm.deviation)
        assert float(row["interval_low"]) < float(row["mean"]) < float(row["interval_high"])
    for row, one in zip(found["differences"], evidence.differences, strict=True):
        assert float(row["difference"]) == one.difference
        assert float(row["p_holm"]) == one.p_holm
        assert (float(row["low"]), float(row["high"])) == (one.low, one.high)
    assert [float(row["score"]) for row in found["baselines"]] == [arm.score for arm in evidence.summary.arms]


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_files_of_every_sweep_have_a_head_and_the_rows_of_the_page(
    kind: str, tmp_path: Path
) -> None:
    folder = KINDS[kind](tmp_path / "sweep")
    page = Page(report.write(folder, tmp_path / "out.html").read_text(encoding="utf-8"))
    named = [text for text in page.of("a") if text.endswith(".csv")]
    assert len(named) == len(set(named)) == [name for name, _ in page.elements].count("table")
    for name in named:
        for row in in_full(tmp_path / name):
            assert None not in row  # no more cells than the head has
            assert None not in row.values()
            assert all(re.fullmatch(r"[\w.-]+", column) for column in row), row


@pytest.mark.parametrize(("count", "picture"), [(100, False), (5000, True)])
def test_many_marks_are_a_picture_and_words_stay_words(count: int, picture: bool) -> None:
    figure = Figure()
    figure.subplots().scatter(np.arange(count), np.arange(count), label="marks")
    figure.axes[0].set_xlabel("a word")
    found = Page(inline(figure, "marks", "Many <marks>"))
    assert ("image" in {name for name, _ in found.elements}) == picture
    assert any("a word" in text for text in found.of("text"))
    assert found.elements[0][1]["aria-label"] == "Many <marks>"


def test_ids_of_a_figure_bear_its_name_and_colours_stay_colours() -> None:
    figure = Figure()
    figure.subplots().fill_between([0, 1], [1, 2], hatch="//", facecolor="#123456")
    one, two = (inline(figure, name, "") for name in ("one", "two"))
    ids = re.findall(r' id="([^"]+)"', one)
    assert ids
    assert all(identifier.startswith("one-") for identifier in ids)
    assert one.replace("one-", "two-") == two
    assert "#123456" in one
    assert "<style" not in one


def test_a_page_lies_beside_the_record_and_its_tables_where_they_are_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = search(tmp_path / "results" / "sweeps" / "made-up", arms=3)
    tables = tmp_path / "tables"
    store = str(tmp_path / "results")
    assert main(["report", "made-up", "--store", store, "--margin", "1.5", "--tables", str(tables)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    assert not list(folder.glob("*.partial"))
    stems = ("arms", "baselines", "differences")
    assert {path.name for path in tables.iterdir()} == {
        f"{n}.{s}" for n in stems for s in ("txt", "md", "tex", "csv")
    }
    content = (folder / "report.html").read_text(encoding="utf-8")
    assert "Equivalent within ±1.5" in content
    assert "\\begin{tabular}" in content
    assert (tables / "arms.tex").read_text(encoding="utf-8") in Page(content).of("pre")


def test_what_cannot_be_reported_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoreError, match="name a folder under STORE/sweeps"):
        report.write(tmp_path)
    folder = search(tmp_path / "sweep", arms=1)
    assert main(["report", str(folder), "--margin", "-1"]) == 2
    assert "give the points that would not matter, a number above 0" in capsys.readouterr().err
    assert main(["report", str(folder), "--out", str(tmp_path / "none" / "report.html")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_test_accuracies_are_told_only_of_the_record_they_belong_to(tmp_path: Path) -> None:
    folder = search(tmp_path / "sweep", arms=1, seeds=1)
    for epochs, there in ((12, True), (11, False)):
        content = {"states": {"complete": 1}, "epochs_spent": epochs, "test": {"best": 54.2}}
        (folder / "summary.json").write_text(json.dumps(content), encoding="utf-8")
        told = "".join(map(str, finding.section(read_evidence(folder)).blocks))
        assert ("On the test images, read once: best 54.20 %." in told) == there


@pytest.mark.parametrize("content", [b"", b"PK nonsense", None])
def test_embeddings_that_cannot_be_read_are_told(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        np.savez(tmp_path / "embeddings.npz", labels=np.arange(3))
    else:
        (tmp_path / "embeddings.npz").write_bytes(content)
    with pytest.raises(ValueError, match="embeddings.npz cannot be read"):
        images(tmp_path)
