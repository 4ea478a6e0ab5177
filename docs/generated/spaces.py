"""A page for each named space: the question, what varies after whom, and what others have reported."""

from collections.abc import Mapping
from typing import Any

from generated.kinds import code, table
from search_spaces import SPACES
from search_spaces.space import Space
from sweeps.sessions.describe import in_short


def pages() -> dict[str, str]:
    """The Markdown of each page, by its path."""
    return {
        "spaces/index.md": _index(),
        **{f"spaces/{name}.md": _page(space) for name, space in SPACES.items()},
    }


def _index() -> str:
    rows = ([f"[`{name}`]({name}.md)", space.question, _varies(space)] for name, space in SPACES.items())
    start = (
        "A space is a question: a base configuration, what may vary around it, and who has studied which range. "
        "`sweeps run NAME` asks it. [How to write your own](../how-to/space.md)."
    )
    return "\n\n".join(["# Spaces", start, table(["space", "question", "what varies"], rows)])


def _varies(space: Space) -> str:
    if space.alternatives:
        return f"{len(space.alternatives)} listed arms beside the {space.base_name}"
    return ", ".join(f"`{path}`" for path in space.paths)


def _page(space: Space) -> str:
    method = space.base.method.name
    parts = [
        f"# {space.name}",
        f"**{space.question}**",
        f"Around [{method}](../methods/{method}.md), {space.base.epochs} epochs, batch {space.base.batch}, "
        f"encoder `{space.base.encoder.name}`, optimiser `{space.base.optimiser.name}`, data `{space.base.data.name}`.",
        f"```bash\nsweeps run {space.name}\n```",
    ]
    parts += ["## Arms", _arms(space)] if space.alternatives else ["## What varies", _domains(space)]
    if space.constraints:
        parts += [
            "## Constraints",
            *(f"- `{c.smaller}` < `{c.larger}`: {c.reason}." for c in space.constraints),
        ]
    if space.first:
        rows = ([a.name, _values(a.values), a.source] for a in space.first)
        parts += ["## Tried first, after the default", table(["name", "values", "source"], rows)]
    if space.reported:
        rows = ([_values(r.values), str(r.score), r.what, r.source] for r in space.reported)
        parts += ["## What others have reported", table(["values", "score", "what", "source"], rows)]
    if space.reference:
        known = space.reference
        parts += [
            "## Known noise",
            f"Standard deviation over {known.seeds} seeds of the default's score: {known.seed_deviation} points "
            f"({known.source}).",
        ]
    return "\n\n".join(parts)


def _arms(space: Space) -> str:
    rows = [[space.base_name, "the base", ""]]
    rows += [[a.name, _values(a.values), a.source] for a in space.alternatives]
    return table(["arm", "changes", "source"], rows)


def _domains(space: Space) -> str:
    default = space.default()
    rows: list[list[str]] = []
    for key, domain in space.domains.items():
        when = space.conditions.get(key)
        where = f"`{when.path}` is {' or '.join(map(_value, when.values))}" if when else "always"
        start = ", ".join(_value(default[path]) for path in key.split(", ") if path in default)
        rows.append([f"`{key}`", in_short(domain, _value), start, where, domain.source])
    return table(["parameter", "range", "default", "exists where", "source"], rows)


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"`{path}` = {_value(value)}" for path, value in values.items())


def _value(value: Any) -> str:
    """A value, a whole sub-configuration by its name."""
    return code(value["name"] if isinstance(value, dict) and "name" in value else value)
