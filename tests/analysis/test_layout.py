"""How the package is laid out: small modules, and public names that mean one thing."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import analysis

ROOT = Path(analysis.__file__).parent
NOTEBOOKS = ("sce_temperatures", "method_comparison", "ablation", "early_stopping_audit", "store_tour")
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.stem not in NOTEBOOKS)
SHARED = {"section"}  # what every section of a report is made by


def defined(path: Path) -> set[str]:
    """Public names that a module defines at its top level."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=targets):
                found |= {
                    one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)
                }
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case _:
                pass
    return {name for name in found if not name.startswith("_")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_longer_than_can_be_read_at_once(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 220


def test_a_public_name_means_one_thing() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for name in defined(path):
            where[name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in where.items() if len(paths) > 1 and name not in SHARED} == {}
