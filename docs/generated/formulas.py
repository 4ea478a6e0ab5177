"""Shows the formulas of docstrings as they are written: the loop that a tensor expression replaces, line by line."""

import re
from typing import Any

import griffe

FORMULA = re.compile(r"(for \w+ (\w+, \w+ )*in |(?!with )[^.`]*? = )")


class Formulas(griffe.Extension):
    """Fences each paragraph of a loss's docstring that is a formula."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Changes the docstring of a loss."""
        if func.docstring and func.path.startswith("contrastive.losses."):
            func.docstring.value = fenced(func.docstring.value)


def fenced(docstring: str) -> str:
    """The docstring with its formulas, which stand before its sections, as blocks of text."""
    head, *sections = re.split(r"(?m)^(?=(?:Args|Returns|Raises|Examples?):$)", docstring)
    paragraphs = [
        f"```text\n{part}\n```" if FORMULA.match(part) and not part.startswith(("`", " ")) else part
        for part in head.strip().split("\n\n")
    ]
    return "\n\n".join(paragraphs) + "\n\n" + "".join(sections)
