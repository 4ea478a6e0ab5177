from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("contrastive", "search_spaces", "sweeps", "analysis")


def test_tests_lie_where_what_they_test_lies() -> None:
    files = [file for package in PACKAGES for file in (ROOT / "tests" / package).rglob("test_*.py")]
    folders = {file.parent.relative_to(ROOT / "tests") for file in files}
    assert folders >= {Path(package) for package in PACKAGES if package != "sweeps"}
    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []


def test_every_room_of_sweeps_has_tests() -> None:
    rooms = {path.parent.name for path in (ROOT / "sweeps").glob("*/__init__.py")}
    assert rooms == {
        path.name for path in (ROOT / "tests" / "sweeps").iterdir() if any(path.rglob("test_*.py"))
    }
