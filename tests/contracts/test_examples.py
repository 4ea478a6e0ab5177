"""Every loss and every method names its paper and shows an example; all examples in the packages run."""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contrastive import losses
from contrastive.methods import METHODS

ROOT = Path(__file__).parents[2]
PAPER = re.compile(r"https://(arxiv\.org/abs/\d{4}\.\d{5}|doi\.org/10\.\S+)")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef
PUBLIC = {
    **{f"losses.{name}": getattr(losses, name) for name in losses.__getattr__("__all__")},
    **{f"methods.{kind.__name__}": kind for kind in METHODS},
}


def examples() -> Iterator[doctest.DocTest]:
    """The examples of every docstring in the two packages."""
    parser = doctest.DocTestParser()
    for package in ("contrastive", "search_spaces"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
                    name = f"{path.relative_to(ROOT)}::{getattr(node, 'name', 'module')}"
                    found = parser.get_doctest(text, {}, name, str(path), getattr(node, "lineno", 0))
                    if found.examples:
                        yield found


def of_module(path: str) -> dict[str, object]:
    """What an example sees without importing it: the names of the file that it stands in."""
    names = Path(path).relative_to(ROOT).with_suffix("").parts
    return dict(vars(importlib.import_module(".".join(names).removesuffix(".__init__"))))


EXAMPLES = list(examples())


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_an_example_gives_what_it_says(example: doctest.DocTest) -> None:
    said: list[str] = []
    example.globs = of_module(str(example.filename))
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_loss_or_method_names_its_paper_and_shows_an_example(name: str) -> None:
    text = str(PUBLIC[name].__doc__)
    assert PAPER.search(text), f"{name} has no link to its paper"
    assert doctest.DocTestParser().get_examples(text), f"{name} has no example"
