"""Docstrings as pages show them: formulas line by line, examples as sessions, addresses as links."""

import re
import textwrap
from typing import Any

import griffe

FORMULA = re.compile(r"(for \w+ (\w+, \w+ )*in |(?!with )[^.`]*? = )")
ADDRESS = re.compile(r"(?<![<(\"`])(https?://[^\s)>\"`]*[^\s)>\"`.,;:])")
SECTION = re.compile(r"(?m)^(?=(?:Args|Returns|Raises|Examples?):$)")
EXAMPLE = re.compile(r"(?m)^Examples?:\n((?:(?: {4}.*)?\n?)+)")


class Docstrings(griffe.Extension):
    """Prepares each docstring for the parser of Google's style."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Changes the docstring."""
        if obj.docstring:
            text = ADDRESS.sub(r"<\1>", obj.docstring.value)
            text = re.sub(r"(?m)^Example:$", "Examples:", text)
            obj.docstring.value = fenced(text) if obj.path.startswith("contrastive.losses.") else text


def fenced(docstring: str) -> str:
    """The docstring of a loss with its formulas, which stand before its sections, as blocks of text."""
    head, *sections = SECTION.split(docstring)
    paragraphs = [
        f"```text\n{part}\n```" if FORMULA.match(part) and not part.startswith(("`", " ")) else part
        for part in head.strip().split("\n\n")
    ]
    return "\n\n".join(paragraphs) + "\n\n" + "".join(sections)


def markdown(docstring: str) -> str:
    """The same for a page that is written without the parser: examples in fences."""
    return EXAMPLE.sub(_session, ADDRESS.sub(r"<\1>", docstring) + "\n").strip()


def _session(found: re.Match[str]) -> str:
    return f"```pycon\n{textwrap.dedent(found[1]).strip()}\n```\n"
