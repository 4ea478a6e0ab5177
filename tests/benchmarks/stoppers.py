"""What stopping costs and saves on recorded sweeps: `python tests/benchmarks/stoppers.py [CURVES...]`.

A file of curves holds a sweep of which every run was trained to its end, so that any stopper can be replayed on it
and its choice be compared with the best arm that was there (tests/fixtures/curves are used by default). Every replay
issues all arms in a random order, of either seed by turns, two at a time. The table has for each stopper:

    regret      the best final value of all arms less that of the best arm that came to its end: mean over replays
                with its 95 % interval. The interval is of the order of arms; other arms would give other means.
    near        share of replays that end within one paired seed deviation of the best arm
    epochs      share of the epochs that were trained
    1 epoch     the baseline (every run for an epoch, then the best few to the end) with as many arms kept as make its
                epochs most nearly equal: its regret and epochs, and the stopper's regret less the baseline's

    python tests/benchmarks/stoppers.py --record STORE/sweeps/ID tests/fixtures/curves/NAME.json

makes such a file of a sweep that was carried out with --stopper none on two seeds or more.

    python tests/benchmarks/stoppers.py --seeds 1 3 5

asks whether more seeds make stopping worse, on sweeps that are made up: 12 arms of 24 epochs whose ends differ by 3
points (sd) and on each seed by 2, two runs at a time, judged as the engine judges them. Its table has how many arms
come to their end on every seed, in how many sweeps none but the default does, the regret of the best that does in the
mean over seeds, with its 95 % interval, and the share of the epochs.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from sweeps.replay import Recording, interval_text, measure_replays, of_file, of_sweep, replay
from sweeps.stoppers import OneEpoch, by_text

FIXTURES = Path(__file__).parents[1] / "fixtures" / "curves"
STOPPERS = (
    "asha",
    "asha:grace=1,reduction=3",
    "asha:grace=1,reduction=12,noise=1",
    "promote",
    "promote:grace=3,reduction=3",
    "promote:grace=1,reduction=3",
    "promote:grace=1,reduction=3,noise=1",
    "promote:grace=1,reduction=6,noise=1",
    "hyperband",
    "median",
    "pasha",
    "optuna:pruner=MedianPruner",
    "optuna:pruner=HyperbandPruner",
)
SEVERAL = ("asha", "promote", "hyperband", "pasha", "median", "one_epoch", "optuna:pruner=MedianPruner")
"""Shown over seeds."""
ARMS, HORIZON, ARM, SEED = 12, 24, 3.0, 2.0
"""Of the sweeps that are made up: the last two are deviations, in points."""
PARTS = {"tenth": 10, "sixth": 6, "third": 3}
UNSURE = 0.4
"""Below this rank correlation of early and final values an early comparison says little about the end."""


def baseline(recording: Recording, epochs: float) -> OneEpoch:
    """The 1-epoch baseline that trains most nearly this share of the epochs."""
    arms, horizon = len(recording.arms), recording.horizon
    keep = round(arms * (epochs * horizon - 1) / (horizon - 1))
    return OneEpoch(keep=min(max(1, keep), arms))


def table(recording: Recording, stoppers: tuple[str, ...], *, replays: int, workers: int) -> Iterator[str]:
    """The lines of the Markdown table of a recording."""
    yield f"### {recording.name}: {len(recording.arms)} arms x {len(recording.seeds)} seeds, {recording.horizon} epochs"
    yield ""
    yield f"Recorded by `{recording.command}`."
    at = {f"a {share}": recording.horizon // number for share, number in PARTS.items()}
    found = [f"{recording.correlation(epoch):.2f} at {part} of training" for part, epoch in at.items()]
    first = f"{recording.correlation(1):.2f} after one epoch"
    yield f"Rank correlation of {recording.metric} with the final one: {', '.join([first, *found])}."
    yield f"Paired seed deviation: {recording.deviation:.2f} points."
    if recording.correlation(at["a tenth"]) < UNSURE:
        yield "At a tenth, the order of arms says little about the last one: stopping by it does not pay here."
    yield ""
    yield "| stopper | regret | near | epochs | 1 epoch: keep | regret | epochs | stopper less 1 epoch |"
    yield "|---|---|---|---|---|---|---|---|"
    for text in stoppers:
        found = measure_replays(recording, by_text(text), replays=replays, workers=workers)
        plain = baseline(recording, found.epochs)
        other = measure_replays(recording, plain, replays=replays, workers=workers)
        yield (
            f"| `{text}` | {found.regret} | {found.near:.0%} | {found.epochs:.0%} "
            f"| {plain.keep} | {other.regrets.mean():.2f} | {other.epochs:.0%} "
            f"| {interval_text(found.regrets - other.regrets)} |"
        )
    yield ""


def over_seeds(stopper: str, seeds: int, *, replays: int, workers: int) -> str:
    """A line of the table of seeds."""
    complete, alone, regrets, epochs = list[int](), list[bool](), list[float](), list[float]()
    for number in range(replays):
        runs = made(np.random.default_rng(number), seeds)
        arms = {run: run.partition("/")[0] for run in runs}
        default = [run for run, arm in arms.items() if arm == "0"]
        found = replay(runs, by_text(stopper), arms=arms, workers=workers, spared=default, deviation=SEED)
        short = {arms[run] for run, epoch in found.ended.items() if epoch < HORIZON}
        ends = {arm: fmean(runs[run][-1] for run in runs if arms[run] == arm) for arm in set(arms.values())}
        assert found.value is not None
        complete.append(ARMS - len(short))
        alone.append(complete[-1] == 1)
        regrets.append(max(ends.values()) - found.value)
        epochs.append(found.epochs / (len(runs) * HORIZON))
    regret, share = interval_text(np.array(regrets)), fmean(epochs)
    return f"| `{stopper}` | {seeds} | {fmean(complete):.1f} | {fmean(alone):.1%} | {regret} | {share:.1%} |"


def made(chance: np.random.Generator, seeds: int) -> dict[str, list[float]]:
    """Runs of arms on seeds, arm by arm."""
    height = 50 + chance.normal(0, ARM, (ARMS, 1)) + chance.normal(0, SEED, (ARMS, seeds))
    rise = 1 - np.exp(-np.arange(1, HORIZON + 1) / chance.uniform(4, 8, (ARMS, 1, 1)))
    values = height[:, :, None] * rise + chance.normal(0, 0.5, (ARMS, seeds, HORIZON))
    return {f"{arm}/{seed}": values[arm, seed].tolist() for arm in range(ARMS) for seed in range(seeds)}


def main() -> None:
    """Tables of recordings, or a recording made of a sweep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("curves", nargs="*", type=Path, default=sorted(FIXTURES.glob("*.json")))
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stopper", action="append", help="instead of the usual ones; may be repeated")
    parser.add_argument("--record", nargs=2, type=Path, metavar=("SWEEP", "OUT"))
    parser.add_argument("--seeds", type=int, nargs="+", help="the table of seeds, for so many of them")
    options = parser.parse_args()
    if options.seeds:
        print(
            "| stopper | seeds | arms complete | only the default | regret | epochs |\n|---|---|---|---|---|---|"
        )
        for text in options.stopper or SEVERAL:
            for seeds in options.seeds:
                print(over_seeds(text, seeds, replays=options.replays, workers=options.workers), flush=True)
        return
    if options.record:
        sweep, out = options.record
        found = replace(of_sweep(sweep), name=out.stem)
        out.write_text(json.dumps(asdict(found)) + "\n", encoding="utf-8")
        return
    for path in options.curves:
        stoppers = tuple(options.stopper or STOPPERS)
        for line in table(of_file(path), stoppers, replays=options.replays, workers=options.workers):
            print(line, flush=True)


if __name__ == "__main__":
    main()
