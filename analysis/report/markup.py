"""HTML with escaping: every string that is not `Html` is escaped."""

from html import escape


class Html(str):
    """Markup; any other string is text."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str) -> Html:
    """Build an element with escaped text and attributes. `class_` gives class, `aria_label` aria-label."""
    given = (f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{''.join(given)}>{join(*content)}</{name}>")


def join(*content: str) -> Html:
    """Concatenate; text is escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in content))


def items(*content: str) -> Html:
    """Build a list, or a paragraph of a single item."""
    if len(content) == 1:
        return tag("p", *content)
    return tag("ul", *(tag("li", part) for part in content))


def pairs(rows: dict[str, str]) -> Html:
    """Build a definition list; names without a value are left out."""
    return tag("dl", *(join(tag("dt", name), tag("dd", value)) for name, value in rows.items() if value))


def folded(summary: str, *content: str) -> Html:
    """Build a collapsed block."""
    return tag("details", tag("summary", summary), *content)
