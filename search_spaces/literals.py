"""Detection of duplicate keys in a dict: Python keeps the last and silently drops the others."""

import ast
from collections import Counter
from pathlib import Path


def check_keys(file: Path) -> None:
    """See that no key stands twice in any dict that a file spells out.

    Raises:
        ValueError: one does; says which, and where.
        SyntaxError: the file is no Python.
    """
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Dict):
            keys = Counter(key.value for key in node.keys if isinstance(key, ast.Constant))
            for key in (key for key, count in keys.items() if count > 1):
                raise ValueError(
                    f"{file.absolute()}, line {node.lineno}: {key!r} stands {keys[key]} times in one dict, of which "
                    "Python keeps the last; leave out the others, or tell two domains of one path apart by labels "
                    f"and conditions: '{key} (one)', '{key} (other)'"
                )
