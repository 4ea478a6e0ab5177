"""Provenance of a sweep, and results that others have reported."""

import json
from datetime import UTC, datetime
from typing import Any

from analysis.naming import shown
from analysis.report.blocks import Section
from analysis.report.evidence import Evidence
from analysis.report.markup import folded, items, pairs, tag
from analysis.tables import Table


def origin_section(evidence: Evidence) -> Section:
    """List commits, packages, hosts, command line, data and dates; several where the sweep went on elsewhere."""
    manifest, told = evidence.manifest, evidence.manifest.get("provenance") or {}
    commits = evidence.known("commit") or [told.get("commit") or "outside a checkout"]
    changed = evidence.known("diff") or [told.get("diff") or ("unknown" if told.get("changed") else "none")]
    rows = {
        "Sweep": manifest.get("id") or evidence.directory.name,
        "Question": evidence.space.get("question", ""),
        "Campaign": ", ".join(evidence.known("campaign")),
        "Command": manifest.get("command", ""),
        "Commit": ", ".join(commits),
        "Code that trained": ", ".join(evidence.known("code")) or "not recorded",
        "Changes since then": ", ".join(changed),
        "Data fingerprint": ", ".join(evidence.known("data")) or manifest.get("data", ""),
        "Host": ", ".join(evidence.known("host")) or told.get("host", ""),
        "Machine": told.get("machine", ""),
        "Device": ", ".join(evidence.known("device")),
        "Python": told.get("python", ""),
        "Begun": manifest.get("created", "")[:19].replace("T", " "),
        "Last recorded": written(evidence),
    }
    versions = [json.loads(one) for one in evidence.known("packages")] or [told.get("packages") or {}]
    packages = [items(*(f"{name} {version}" for name, version in one.items())) for one in versions]
    plan = tag("pre", json.dumps(evidence.plan, indent=1, ensure_ascii=False), tabindex="0")
    return Section("Provenance", (pairs(rows), folded("Packages", *packages), folded("The whole plan", plan)))


def written(evidence: Evidence) -> str:
    """Return the time of the last record, in UTC."""
    times = [row["time"] for row in (*evidence.origins, *evidence.events)]
    return f"{datetime.fromtimestamp(max(times), UTC):%Y-%m-%d %H:%M:%S}" if times else "nothing yet"


def reported_by_others(evidence: Evidence) -> Section:
    """Tabulate results of others, each with its source."""
    found: list[dict[str, Any]] = evidence.space.get("reported") or []
    title = "Reported by others"
    if not found:
        return Section(title, (tag("p", "The space of this sweep holds no figures of others."),))
    settings = [", ".join(f"{path} {shown(v)}" for path, v in one["values"].items()) for one in found]
    rows = [(s, f"{o['score']:g}", o["what"], o["source"]) for s, o in zip(settings, found, strict=True)]
    note = "Of other data, encoders and budgets: to be compared in their course, not in their height."
    head = ("setting", "value", "what was measured", "source")
    values = {name: [one[name] for one in found] for name in ("values", "score", "what", "source")}
    says = "What others have reported of settings of this space."
    table = Table("reported", says, head, tuple(rows), "lrll", values)
    return Section(title, (tag("p", note), table))
