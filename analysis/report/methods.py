"""Methods paragraph of a report: how the sweep was carried out, in sentences for a paper."""

import json
from collections.abc import Mapping
from math import isclose
from typing import Any

from analysis.arms import PLANNED
from analysis.estimate import MIN_SEEDS
from analysis.intervals import LEVEL
from analysis.load import PERCENTAGE, paths_of
from analysis.multiple import HOUR
from analysis.naming import short, shown
from analysis.report.blocks import WORDS, Section
from analysis.report.evidence import Evidence
from analysis.report.finding import counted
from analysis.report.markup import tag

ADAPTIVE = ("tpe", "gp", "cmaes")
"""Designs that need some arms before they can learn from them."""
IMAGES = {"train": "training", "validation": "validation", "test": "test"}


def section(evidence: Evidence) -> Section:
    """Write the methods paragraph."""
    if not evidence.plan:
        none = tag("p", "The record has no plan, so its methods cannot be told from it.")
        return Section("Methods", (none,))
    parts = [part(evidence) for part in (_trained, _arms, _judged, _stopped, _confirmed, _analysed, _done)]
    return Section("Methods", (tag("p", " ".join(part for part in parts if part)),))


def _trained(evidence: Evidence) -> str:
    base: dict[str, Any] = evidence.plan["space"]["base"]
    data, optimiser = base["data"], base["optimiser"]
    sizes = [f"{data[key]:,} {word}" for key, word in IMAGES.items() if isinstance(data.get(key), int)]
    images = f" ({', '.join(sizes)} images)" if sizes else ""
    rate = f"learning rate {optimiser['lr']:g}, {optimiser['schedule']} schedule"
    return (
        f"By default {base['method']['name'].upper()} was trained with the encoder {_called(base['encoder'])} on "
        f"{data['name']}{images} for {base['epochs']} epochs in batches of {base['batch']} by "
        f"{optimiser['name'].upper()} ({rate}, weight decay {optimiser['weight_decay']:g})."
    )


def _arms(evidence: Evidence) -> str:
    plan, seeds = evidence.plan, evidence.manifest["seeds"]
    how = WORDS["designs"].get(plan["design"], f"made by the design {plan['design']}")
    names, domains = short(evidence.summary.paths), evidence.space.get("domains", {})
    ranges: list[str] = []
    for key, domain in domains.items():
        together = " with ".join(names[path] for path in paths_of(key) if path in names)
        ranges.append(f"{together} ({range_of(domain)})".replace("_", " "))
    over = f" over {', '.join(ranges)}" if ranges and not evidence.space.get("alternatives") else ""
    shared = f"each was trained on one seed ({_listed(seeds)})"
    if len(seeds) > 1:
        paired = "so that differences are paired by seed"
        shared = f"each was trained on the same {len(seeds)} seeds ({_listed(seeds)}), {paired}"
    first = len(plan["space"].get("first", ()))
    published = f", {first} that {'was' if first == 1 else 'were'} published" if first else ""
    if plan["design"] in ADAPTIVE:
        how += ", which draws the first of them at random"
    if plan["design"] in PLANNED:
        return f"{plan['arms']} configurations, the default among them, were {how}{over}; {shared}."
    known = f"The default{published} and {plan['arms'] - 1 - first} configurations {how}{over} were tried"
    return f"{known}; {shared}."


def _judged(evidence: Evidence) -> str:
    how = evidence.plan["space"]["base"].get("evaluation", {})
    knn = f" with {how['neighbours']} neighbours" if "neighbours" in how else ""
    metrics = [one["metric"] for one in evidence.manifest.get("objectives") or []]
    others = [metric for metric in metrics if metric != PERCENTAGE]
    besides = f" and {', '.join(others)}" if others else ""
    return (
        f"They are judged by {evidence.summary.label}{knn} on {how.get('split', 'validation')} images after the "
        f"last epoch{besides}."
    )


def _stopped(evidence: Evidence) -> str:
    stopper: dict[str, Any] = dict(evidence.plan["stopper"])
    name = stopper.pop("name")
    words = WORDS["stoppers"].get(name, f"Runs were stopped early by {name}")
    settings = [f"{key} {shown(value)}" for key, value in stopper.items() if value not in (None, {}, 0)]
    return f"{words}{f', with {_listed(settings)}' if settings else ''}."


def _analysed(evidence: Evidence) -> str:
    seeds = max((len(arm.seeds) for arm in evidence.summary.result.arms), default=0)
    if seeds < 2:
        return "One seed has no interval." if seeds else ""
    means = "smoothed bootstrap intervals (Hesterberg 2015)" if seeds >= MIN_SEEDS else "Student's intervals"
    return (
        f"Differences are given with Student's paired {LEVEL:.0%} intervals, their p corrected by Holm (1979) within "
        f"each table; means of single configurations with {means}."
    )


def _confirmed(evidence: Evidence) -> str:
    plan = evidence.plan
    if not plan.get("confirm"):
        return ""
    again = "were" if evidence.summary.confirmed else "were to be"
    best = f"The best {plan['confirm']['arms']} configurations and the default"
    return f"{best} {again} trained anew to their end on fresh seeds ({_listed(evidence.manifest['confirm_seeds'])})."


def _done(evidence: Evidence) -> str:
    runs = evidence.record.runs
    reused = sum(run.reused for run in runs)
    epochs = sum(run.epochs for run in runs if not run.reused)
    hours = "in a time that was not recorded"
    if evidence.hours:
        hours = f"in {_time(evidence.hours)} of run time" + (", summed over runs" if len(runs) > 1 else "")
    devices = sum(run.device_seconds for run in runs) / HOUR
    device = " and ".join(evidence.known("device"))
    origin = evidence.manifest.get("provenance") or {}
    hosts = len(evidence.known("host")) or 1
    machines = f"{hosts} machine{'s' if hosts > 1 else ''} ({origin.get('machine', 'of unknown kind')})"
    several = not isclose(devices, evidence.hours)  # devices a run
    used = f", {_time(devices)} of devices" if devices and several else ""
    used += f" ({device})" if device else ""
    workers = evidence.plan.get("workers_per_run", 1)
    split = f", each run on {workers} processes" if workers > 1 else ""
    taken = f"; {reused} of them were taken from another sweep, the others" if reused else ""
    who = f"{len(runs)} runs ({counted(evidence)}){taken}"
    return f"{who} trained {epochs:,} epochs {hours}{used} on {machines}{split}."


def range_of(domain: Mapping[str, Any]) -> str:
    """Describe the values of a domain."""
    if "low" in domain:
        log = domain.get("logarithmic") or domain.get("kind") == "log_uniform"
        return f"{shown(domain['low'])} to {shown(domain['high'])}{', logarithmic' if log else ''}"
    return f"one of {_listed([shown(value) for value in domain.get('values', ())])}"


def _called(part: Mapping[str, Any]) -> str:
    """Describe a part of a configuration by its name and its plain fields."""
    plain = [key for key in part if key != "name" and isinstance(part[key], int | float | str)]
    inner = ", ".join(f"{key.replace('_', ' ')} {shown(part[key])}" for key in plain)
    return f"{part['name']}{f' ({inner})' if inner else ''}"


def _time(hours: float) -> str:
    return f"{60 * hours:.3g} minutes" if hours < 1 else f"{hours:.3g} hours"


def _listed(values: Any) -> str:
    return ", ".join(value if isinstance(value, str) else json.dumps(value) for value in values)
