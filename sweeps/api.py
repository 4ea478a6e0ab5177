"""Sweeps from Python: run one and have its results, open one that was recorded, ask a store."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import campaign as campaigns
from analysis import results
from analysis.arms import Arm
from analysis.rows import Rows
from sweeps import store as stores
from sweeps.store.driver import DEFAULT_STORE
from sweeps.store.sql import Answer, ask

if TYPE_CHECKING:
    import torch

    from contrastive.checkpoint import Pretrained
    from search_spaces.campaign import Campaign
    from search_spaces.space import Space
    from sweeps.planning.plan import Budget
    from sweeps.sessions.options import Options
    from sweeps.sessions.session import Outcome
    from sweeps.stoppers import Stopper


@dataclass(frozen=True)
class TrainedArm(Arm):
    """An arm whose runs may have kept their checkpoints."""

    checkpoints: dict[int, Path] = field(default_factory=dict[int, Path], repr=False)
    """Of its complete runs, by seed."""

    def encoder(self, *, seed: int | None = None, device: "str | torch.device" = "cpu") -> "Pretrained":
        """Load a trained encoder of the arm, with its configuration and what standardises its images.

        Args:
            seed: of which run; by default of the first that has a checkpoint.
            device: where its modules shall be.

        Raises:
            ValueError: no checkpoint of it is kept; says which are.
        """
        from contrastive.checkpoint import load_encoder

        kept = [one for one in sorted(self.checkpoints) if self.checkpoints[one].is_file()]
        wanted = next(iter(kept), None) if seed is None else seed
        if wanted is None or wanted not in kept:
            raise ValueError(
                f"seed = {seed}: arm {self.number} has checkpoints of the seeds {kept or 'none'}; sweeps keep those "
                "of their best arms (keep=3), and a run that was reused has its own in its sweep"
            )
        return load_encoder(self.checkpoints[wanted], device=device)


class Sweep(results.Results):
    """A sweep as it is recorded, also while it runs, whose best arm gives its trained encoder."""

    @property
    def best(self) -> TrainedArm | None:
        """The best complete arm, on fresh seeds where there are any; None while there is none."""
        best = super().best
        if best is None:
            return None
        runs = [row for row in self.runs if row["arm"] == best.digest and row["seed"] in best.scores]
        folders = {row["seed"]: self.directory / "checkpoints" / row["run"] for row in runs}
        found = {seed: folder / "checkpoint.pt" for seed, folder in folders.items()}
        return TrainedArm(**{f.name: getattr(best, f.name) for f in fields(best)}, checkpoints=found)


class CampaignResults:
    """A campaign: its sweeps by name, and the differences that were planned before its first run."""

    def __init__(self, directory: str | Path):
        self.directory = Path(directory).expanduser()
        self._manifest = campaigns.read_campaign(self.directory)

    @cached_property
    def sweeps(self) -> dict[str, Sweep]:
        """Its sweeps, as far as they have been recorded."""
        return {name: Sweep(folder) for name, folder in campaigns.campaign_sweeps(self.directory).items()}

    @cached_property
    def comparisons(self) -> Rows:
        """A row for each planned difference: interval, p corrected for all of them, verdict."""
        found = campaigns.results(self.directory)
        return Rows(
            "comparisons", {f.name: [getattr(one, f.name) for one in found] for f in fields(campaigns.Result)}
        )

    def __repr__(self) -> str:
        return f"<Campaign {self.directory.name}: {', '.join(self.sweeps)}>"


def start(
    space: "str | Space | None" = None,
    *,
    arms: int | None = None,
    seeds: int | Sequence[int] | str | None = None,
    stopper: "str | Stopper | None" = None,
    design: str | None = None,
    data: str | Path | None = None,
    method_preset: str | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002
    epochs: int | None = None,
    smoke: bool = False,
    objectives: str | None = None,
    sampler_seed: int | None = None,
    confirm: int | None = None,
    confirm_seeds: int | None = None,
    budget: "str | Budget | None" = None,
    workers_per_run: int | None = None,
    gpus_per_worker: float | None = None,
    store: str | Path = DEFAULT_STORE,
    progress: bool = True,
    **options: Any,
) -> Sweep:
    """Run a sweep to its end, and open it. Blocks; in another thread it can be watched with `sweeps.open`.

    None is what the command line does without the flag of that name; `sweeps run --help` explains each.

    Args:
        space: a `Space`, the name of one, or FILE.py:VARIABLE.
        arms: how many, the default among them.
        seeds: how many, or which.
        stopper: which runs are stopped early, such as "asha:reduction=3"; "none" stops nothing.
        design: how arms are chosen.
        data: a data set, or a folder of images.
        method_preset: a published recipe, such as "sce:cifar10".
        set: values of any field of the configuration by its path, which then no longer vary.
        epochs: of a run that is not stopped.
        smoke: only see that it runs.
        objectives: what counts, the most important first.
        sampler_seed: of the search itself.
        confirm: how many of the best arms are run again on fresh seeds.
        confirm_seeds: on how many.
        budget: when to end, such as "hours=8".
        workers_per_run: processes that share a run.
        gpus_per_worker: may be a fraction.
        store: the result store.
        progress: whether to print what happens.
        options: other fields of `sweeps.Options`.

    Raises:
        ValueError: something that cannot be meant, or that this machine cannot run; nothing has been written.
        KeyboardInterrupt: it was interrupted; `sweeps.resume` goes on with it.
    """
    from sweeps.sessions import request as requests
    from sweeps.sessions import session

    asked = requests.Request(
        space=space,
        arms=arms,
        seeds=_seeds(seeds),
        stopper=stopper,
        design=design,
        data=None if data is None else str(data),
        method_preset=method_preset,
        set=_assignments(set),
        epochs=epochs,
        smoke=smoke,
        objectives=objectives,
        sampler_seed=sampler_seed,
        confirm=confirm,
        confirm_seeds=confirm_seeds,
        budget=budget,
        workers_per_run=workers_per_run,
        gpus_per_worker=gpus_per_worker,
    )
    chosen = _options(store, progress, options)
    plan = requests.plan_of(asked, store=chosen.store)
    return _opened(session.start(plan, chosen, f"sweeps.start({plan.space.name!r})"))


def resume(
    store: str | Path = DEFAULT_STORE,
    sweep: str | None = None,
    *,
    arms: int | None = None,
    seeds: int | Sequence[int] | str | None = None,
    space: "str | Space | None" = None,
    confirm: int | None = None,
    confirm_seeds: int | None = None,
    budget: "str | Budget | None" = None,
    stopper: "str | Stopper | None" = None,
    progress: bool = True,
    **options: Any,
) -> Sweep:
    """Go on with a sweep, the last one of the store by default, or let it grow; then open it.

    Args:
        store: the result store.
        sweep: its id or folder.
        arms: how many there shall be then.
        seeds: more of them.
        space: the same space with wider ranges.
        confirm: how many of the best arms are run again on fresh seeds.
        confirm_seeds: on how many.
        budget: a larger one.
        stopper: another one, for what is still to be run.
        progress: whether to print what happens.
        options: other fields of `sweeps.Options`.

    Raises:
        ValueError: there is no such sweep, or it cannot go on so; says why.
        KeyboardInterrupt: it was interrupted.
    """
    from sweeps.sessions import session
    from sweeps.sessions.request import Request

    chosen = _options(store, progress, options)
    asked = Request(
        arms=arms,
        seeds=_seeds(seeds),
        space=space,
        confirm=confirm,
        confirm_seeds=confirm_seeds,
        budget=budget,
        stopper=stopper,
    )
    return _opened(session.resume(stores.find(sweep, root=chosen.store), chosen, asked))


def open(store: str | Path = DEFAULT_STORE, sweep: str | None = None) -> Sweep:  # noqa: A001
    """Open a sweep that was recorded, or that runs: the one of that id, else the last one of the store.

    Raises:
        ValueError: there is none; names those that there are.
    """
    return Sweep(results.recorded(store, sweep))


def start_campaign(
    campaign: "str | Campaign",
    *,
    data: str | Path | None = None,
    budget: str | None = None,
    store: str | Path = DEFAULT_STORE,
    progress: bool = True,
    **options: Any,
) -> CampaignResults:
    """Run many sweeps under one budget, and open what came of it.

    Args:
        campaign: a `Campaign`, the name of one, or FILE.py:VARIABLE.
        data: images of the sweeps that name none.
        budget: of all together, such as "hours=8".
        store: the result store.
        progress: whether to print what happens.
        options: other fields of `sweeps.Options`.

    Raises:
        ValueError: something that cannot be meant; nothing has been written.
        KeyboardInterrupt: it was interrupted; `sweeps.resume_campaign` goes on with it.
    """
    from sweeps.campaigns import planned, run

    chosen = _options(store, progress, options)
    found = planned.campaign_of(campaign, None if data is None else str(data), budget)
    outcome = run.start(found, planned.planned(found, chosen.store), chosen)
    return CampaignResults(_ended(outcome))


def resume_campaign(
    store: str | Path = DEFAULT_STORE,
    campaign: str | None = None,
    *,
    budget: str | None = None,
    progress: bool = True,
    **options: Any,
) -> CampaignResults:
    """Go on with a campaign, the last one of the store by default; its budget may be raised.

    Raises:
        ValueError: there is no such campaign.
        KeyboardInterrupt: it was interrupted.
    """
    from sweeps.campaigns import run

    chosen = _options(store, progress, options)
    folder = stores.find(campaign, root=chosen.store, kinds=("campaign",))
    return CampaignResults(_ended(run.resume(folder, budget, chosen)))


def open_campaign(store: str | Path = DEFAULT_STORE, campaign: str | None = None) -> CampaignResults:
    """Open a campaign that was recorded, or that runs: the one of that id, else the last one of the store.

    Raises:
        ValueError: there is none; names those that there are.
    """
    return CampaignResults(stores.find(campaign, root=Path(store), kinds=("campaign",)))


def sql(store: str | Path, query: str) -> Answer:
    """Answer a query over all sweeps of a store, read only; `.df()` and `.arrow()` give it as a table.

    Raises:
        ValueError: there is no store, or the query cannot be answered; names the columns that there are.
    """
    return ask(Path(store), query)


def export(
    store: str | Path = DEFAULT_STORE, sweep: str | None = None, *, out: str | Path
) -> tuple[Path, ...]:
    """Write the best arm of a sweep and its trained encoders into the folder `out`; returns the files.

    Raises:
        ValueError: there is no such sweep, or no arm of it is complete.
    """
    from sweeps.sessions.export import export as write

    done = write(stores.find(sweep, root=Path(store)), Path(out).expanduser())
    return (Path(done.best), *map(Path, done.encoders))


def report(
    store: str | Path = DEFAULT_STORE,
    sweep: str | None = None,
    *,
    out: str | Path | None = None,
    margin: float | None = None,
) -> Path:
    """Write one page about a sweep that opens from disk; returns its path.

    Args:
        store: the result store.
        sweep: the sweep's id or folder; the last one by default.
        out: where to; report.html in the sweep's folder by default.
        margin: differences up to so many points would not matter.

    Raises:
        ValueError: there is no such sweep.
    """
    return open(store, sweep).report(out, margin=margin)


def _options(store: str | Path, progress: bool, more: Mapping[str, Any]) -> "Options":
    from contrastive.words import closest
    from sweeps.sessions.options import Options
    from sweeps.store.driver import Program

    known = [f.name for f in fields(Options) if f.name not in ("store", "progress", "program")]
    if unknown := [name for name in more if name not in known]:
        raise ValueError(f"{unknown[0]} is no option of a sweep. {closest(unknown[0], known)}")
    shown = "stdout" if progress else "none"
    return Options(store=Path(store), progress=shown, program=Program("python -m sweeps"), **more)


def _opened(outcome: "Outcome") -> Sweep:
    return Sweep(_ended(outcome))


def _ended(outcome: "Outcome") -> Path:
    if outcome.interrupted:
        raise KeyboardInterrupt
    return outcome.directory


def _seeds(seeds: int | Sequence[int] | str | None) -> str | None:
    """As the command line takes them."""
    if seeds is None or isinstance(seeds, str):
        return seeds
    return str(seeds) if isinstance(seeds, int) else "".join(f"{seed}," for seed in seeds)


def _assignments(values: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple(f"{path}={json.dumps(value)}" for path, value in (values or {}).items())
