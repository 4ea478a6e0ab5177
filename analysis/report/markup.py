"""HTML that cannot be broken by what it shows: only what is `Html` already is taken as markup."""

from html import escape


class Html(str):
    """Markup; any other string is text."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str) -> Html:
    """An element; text in it, and values of attributes, are escaped. `class_` gives class, `aria_label` aria-label."""
    given = (f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{''.join(given)}>{join(*content)}</{name}>")


def join(*content: str) -> Html:
    """One after the other, text escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in content))


def items(*content: str) -> Html:
    """A list, or a paragraph where there is one thing to say."""
    if len(content) == 1:
        return tag("p", *content)
    return tag("ul", *(tag("li", part) for part in content))


def pairs(rows: dict[str, str]) -> Html:
    """Format names with their values; those without are left out."""
    return tag("dl", *(join(tag("dt", name), tag("dd", value)) for name, value in rows.items() if value))


def folded(summary: str, *content: str) -> Html:
    """What is shown only to those who ask."""
    return tag("details", tag("summary", summary), *content)
