"""What surrounds the program says the same as the program: versions, Pythons, pins, citation."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?(?:>=(?P<lowest>[\d.]+))?")


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def pins(path: str) -> dict[str, str]:
    lines = (ROOT / path).read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def test_the_citation_is_of_this_version():
    citation = read("CITATION.cff")
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_change_log_has_this_version():
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_minimum_pins_are_the_lowest_versions_that_the_program_allows():
    found = [REQUIREMENT.match(line) for line in PROJECT["dependencies"]]
    lowest = {one["name"]: one["lowest"] for one in found if one}
    assert None not in lowest.values(), "each dependency needs a lowest version"
    assert pins("constraints-minimum.txt") == lowest


def test_every_pinned_dependency_is_as_new_as_the_program_wants_it():
    pinned = pins("constraints.txt")
    wanted = [
        *PROJECT["dependencies"],
        *(line for extra in PROJECT["optional-dependencies"].values() for line in extra),
    ]
    found = {
        one["name"]: one["lowest"]
        for one in map(REQUIREMENT.match, wanted)
        if one and one["name"] != PROJECT["name"]
    }
    assert sorted(name for name in found if name not in pinned) == []
    assert [name for name, low in found.items() if low and number(pinned[name]) < number(low)] == []


def test_the_workflow_tests_every_python_that_the_classifiers_name():
    jobs = read(".github/workflows/test.yml")["jobs"]
    named = [one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)]
    assert jobs["test"]["strategy"]["matrix"]["python"] == named
    assert PROJECT["requires-python"] == f">={named[0]}"
    versions = {one["versions"] for one in jobs["versions"]["strategy"]["matrix"]["include"]}
    assert versions == {"minimum", "newest"}


def test_hooks_before_a_commit_are_the_checks_of_make_test():
    hooks = [
        hook["entry"]
        for repository in read(".pre-commit-config.yaml")["repos"]
        for hook in repository["hooks"]
    ]
    made = (ROOT / "Makefile").read_text("utf-8").replace("$(BIN)", ".venv/bin")
    for tool in ("ruff format", "ruff check", "lint-imports", "pyright --pythonpath .venv/bin/python"):
        assert any(f".venv/bin/{tool}" in entry for entry in hooks), tool
        assert f".venv/bin/{tool}" in made, tool


def test_forms_for_issues_ask_at_least_one_thing():
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text("utf-8"))
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= form.keys(), path
            assert any(field.get("validations", {}).get("required") for field in form["body"]), path


def test_contributing_says_where_every_folder_lies():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    folders = [
        path.parent.name
        for package in ("sweeps", "contrastive")
        for path in (ROOT / package).glob("*/__init__.py")
    ]
    assert [name for name in folders if not re.search(rf"`(?:\w+/)?{name}`", text)] == []
