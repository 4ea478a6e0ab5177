"""The manifest of a sweep: its plan, and the code and the machine that carried it out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sweeps.engine.provenance import code, provenance
from sweeps.engine.sweep import Sweep
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan


def content(sweep: Sweep, now: datetime) -> dict[str, Any]:
    """Return the manifest of a new sweep."""
    plan, written, reference = sweep.plan, plans.to_dict(sweep.plan), sweep.plan.space.reference
    return {
        "id": sweep.directory.name,
        "created": now.isoformat(),
        "plan": written,
        "space": _space(plan, written["space"]),
        "metric": "knn_top1",
        "metric_label": "online kNN top-1 (%)",
        "epochs": plan.epochs,
        "seeds": list(plan.seeds),
        "confirm_seeds": list(plan.confirm_seeds),
        "runs": plan.runs + plan.confirm_runs,
        "epochs_expected": plans.expected_epochs_of(plan)[1],
        "objectives": written["objectives"],
        "data": sweep.dataset.fingerprint,
        "default_arm": sweep.default_arm,
        "seed_deviation": reference.seed_deviation if reference else None,
        "seed_deviation_seeds": reference.seeds if reference else None,
        **carried_out({}),
    }


def _space(plan: Plan, written: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tables and figures need of the space; `written`: as the plan has it."""
    conditions = {path: {"when": condition} for path, condition in written["conditions"].items()}
    return {
        "name": plan.space.name,
        "question": plan.space.question,
        "domains": {path: domain | conditions.get(path, {}) for path, domain in written["domains"].items()},
        "alternatives": _named_arms(plan),
        "base_name": plan.space.base_name,
        "reported": written["reported"],
        "constraints": [{"less": [c.smaller, c.larger]} for c in plan.space.constraints],
    }


def carried_out(before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest's entries on code and machine: the last session's, and earlier ones that differ."""
    found: dict[str, Any] = {"code": asdict(code()), "provenance": provenance()}
    earlier = list(before.get("carried_out_before", []))
    if before and code_changed(before):
        earlier.append({name: before.get(name) for name in found})
    return {**found, "carried_out_before": earlier}


def origin(begun: Sweep, campaign: str = "") -> dict[str, str]:
    """Return the origin of this session's runs: columns of each of their rows in the store."""
    found = provenance()
    return {
        "space": begun.plan.space.name,
        "campaign": campaign,
        "data": begun.dataset.fingerprint,
        "commit": str(found["commit"] or ""),
        "diff": str(found["diff"] or ""),
        "code": code().digest,
        "packages": json.dumps(found["packages"], sort_keys=True),
        "host": str(found["host"]),
        "device": begun.plan.device,
    }


def code_changed(manifest: Mapping[str, Any]) -> bool:
    """Return whether the present code differs from that of the sweep's last session."""
    return (manifest.get("code") or {}).get("digest") != code().digest


def next_commands(sweep: Sweep, program: Callable[[str], str]) -> dict[str, str]:
    """Return what to type to go further: fresh seeds for the best arm and the default, all to their end."""
    fresh = max((*sweep.plan.seeds, *sweep.plan.confirm_seeds)) + 1
    seeds = f"{fresh}-{fresh + 4}"
    rerun = f"run --design rerun:{sweep.directory.name} --arms 2 --seeds {seeds} --stopper none"
    return {"settle_command": program(rerun)}


def _named_arms(plan: Plan) -> dict[str, Any]:
    """Return the arms of a space that lists them, by name; some designs combine several of them."""
    if not plan.space.alternatives:
        return {}
    joined = {plan.space.named_arms.name_of(arm): arm for arm in plans.fixed_arms(plan)[1:]}
    return {**plan.space.arms(), **joined}
