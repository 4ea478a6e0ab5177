import json
import math
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps import store
from sweeps.store import check
from sweeps.store.mirror import mirror

OLD = Path(__file__).parents[2] / "fixtures" / "store_version_1"

Facts = set[tuple[object, ...]]


@pytest.fixture
def memory() -> Iterator[str]:
    """The URL of an empty object storage."""
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    yield "memory://bucket/results"
    MemoryFileSystem.store.clear()


def facts(root: Path) -> Facts:
    """All that a reader sees of a store's sweeps."""
    found: Facts = set()
    for directory in store.sweep_directories(root):
        for read in (store.reports, store.runs):
            for row in read(directory).to_pylist():
                values = ("nan" if isinstance(v, float) and math.isnan(v) else v for v in row.values())
                found.add((directory.name, *zip(row, values, strict=True)))
        # An event has no key that would hide one that is read twice.
        for place, row in enumerate(store.events(directory).to_pylist()):
            if row["kind"] != "compacted":
                found.add((directory.name, place, *row.items()))
    return found


def fetched(url: str, folder: Path) -> Path:
    """A plain copy of all that lies at a URL."""
    shutil.rmtree(folder, ignore_errors=True)
    files = fsspec.filesystem("memory").find(url.removeprefix("memory:/"))
    for name in files:
        path = folder / name.removeprefix(url.removeprefix("memory:/")).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fsspec.filesystem("memory").cat_file(name))
    return folder


class Sweep:
    """A sweep that is being recorded: a driver and two runs."""

    def __init__(self, root: Path, name: str = "sweep-1"):
        self.directory = store.sweep_directory(store.open_store(root), name)
        store.write_manifest(self.directory, {"id": name})
        clock = count(1_700_000_000).__next__
        self.driver = store.Writer(self.directory, "driver", clock)
        self.runs = [store.Writer(self.directory, f"a{number}-0", clock) for number in range(2)]
        self.epochs = [0, 0]

    def record(self, number: int, *, epochs: int = 1) -> None:
        for _ in range(epochs):
            self.epochs[number] += 1
            epoch = self.epochs[number]
            self.driver.event("asked", f"a{number}", epoch)
            self.runs[number].report(f"a{number}", 0, epoch, {"loss": math.nan if epoch == 2 else 1 / epoch})
            row = {"run": f"a{number}", "number": number, "arm": "arm", "seed": number, "attempt": 0}
            self.driver.run(**row, config={"x": 1}, state="running", epochs=epoch)

    def rotate(self) -> None:
        for writer in [self.driver, *self.runs]:
            writer.close()

    def end(self) -> None:
        self.rotate()
        store.compact(self.directory, ended=True)


@pytest.fixture
def begin() -> Iterator[Callable[..., Sweep]]:
    """Begins sweeps, whose files are closed at the end."""
    begun = list[Sweep]()

    def begin(root: Path, name: str = "sweep-1") -> Sweep:
        begun.append(Sweep(root, name))
        return begun[-1]

    yield begin
    for sweep in begun:
        sweep.rotate()


def test_a_store_is_mirrored_to_object_storage_and_back(tmp_path, begin, memory):
    root = tmp_path / "results"
    first, second = begin(root), begin(root, "sweep-2")
    first.record(0, epochs=3)
    first.end()
    second.record(1, epochs=2)
    (second.directory / "figures").mkdir()
    (second.directory / "figures" / "curves.svg").write_text("<svg/>")
    (root / "campaigns" / "c").mkdir(parents=True)
    (root / "campaigns" / "c" / "campaign.json").write_text("{}")
    (root / "sweeps" / "unfinished").mkdir()
    mirror(str(root), memory)
    mirror(memory, str(tmp_path / "back"))
    back = tmp_path / "back"
    assert facts(back) == facts(root)
    assert len(facts(back)) == 2 * 3 + 2 * 2 + 2  # reports and events, and a row for each run
    assert (back / "sweeps" / "sweep-2" / "figures" / "curves.svg").read_text() == "<svg/>"
    assert (back / "campaigns" / "c" / "campaign.json").is_file()
    assert not [note for directory in store.sweep_directories(back) for note in check.check(directory).errors]


def test_only_what_is_new_is_copied(tmp_path, begin, memory):
    root = tmp_path / "results"
    sweep = begin(root)
    sweep.record(0, epochs=2)
    sweep.record(1)
    assert (
        mirror(str(root), memory).copied == 6
    )  # store.json, sweep.json, and four segments: the driver has two
    assert mirror(str(root), memory).copied == 1 - 1
    sweep.record(1)
    assert mirror(str(root), memory).copied == 3  # where run 1 and the driver have written
    sweep.rotate()
    store.compact(sweep.directory)
    counts = mirror(str(root), memory)
    assert counts.copied == 4  # three parts and their list
    assert str(counts).startswith("4 files copied (0.0 MB)")
    assert mirror(str(root), memory).copied == 0


@pytest.mark.parametrize("prune", [False, True])
def test_what_was_folded_between_two_mirrorings_is_not_read_twice(tmp_path, begin, memory, prune):
    root = tmp_path / "results"
    sweep, clock = begin(root), count(1_700_000_000, 1000).__next__  # nobody has a former part open any more
    for _ in range(3):
        sweep.record(0)
        mirror(str(root), memory, prune=prune)
        sweep.rotate()
        store.compact(sweep.directory, clock=clock)
        sweep.record(1)
        counts = mirror(str(root), memory, prune=prune)
        assert bool(counts.removed) == prune
        copied = fetched(memory, tmp_path / "copied")
        assert facts(copied) == facts(root)
        checked = check.check(copied / "sweeps" / "sweep-1")
        assert checked.errors == checked.notes == []
    left = len(list(copied.glob("sweeps/*/segments/*"))) - len(list(root.glob("sweeps/*/segments/*")))
    assert (left == 0) == prune


class CutOff(Exception):
    """The machine went down."""


def cut_off_at(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    """From the n-th file on, nothing arrives whole."""
    from sweeps.store.mirror import place

    left = deque(range(n))
    write = place.Place._write

    def broken(self: place.Place, name: str, fill: Callable[..., object]) -> None:
        if left:
            left.popleft()
            write(self, name, fill)
            return

        def half(file) -> None:
            file.write(b"half")
            raise CutOff

        write(self, name, half)

    monkeypatch.setattr(place.Place, "_write", broken)


def holes(found: Facts) -> bool:
    """Whether a run has an epoch without one before it."""
    epochs = {(row[0], dict(row[1:])["run"], dict(row[1:])["epoch"]) for row in found if is_report(row)}
    return any(epoch > 1 and (sweep, run, epoch - 1) not in epochs for sweep, run, epoch in epochs)


def reports(found: Facts) -> Facts:
    """Of the facts those that are reports."""
    return {row for row in found if is_report(row)}


def is_report(row: tuple[object, ...]) -> bool:
    return not isinstance(row[1], int) and "metric" in dict(row[1:])


@pytest.mark.parametrize("kind", ["memory", "folder"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_copy_that_is_cut_off_at_any_file_is_an_earlier_state_and_can_be_gone_on_with(
    tmp_path, begin, memory, kind, begun
):
    root, targets = tmp_path / "results", range(14)
    sweep = begin(root)
    sweep.record(0, epochs=2)
    sweep.record(1)

    def target(n: int) -> str:
        return f"{memory}-{n}" if kind == "memory" else str(tmp_path / f"copy-{n}")

    def seen(n: int) -> Facts:
        copied = fetched(target(n), tmp_path / "seen") if kind == "memory" else Path(target(n))
        return facts(copied) if copied.is_dir() else set()

    for n in targets if begun else ():
        mirror(str(root), target(n))
    early = facts(root)
    sweep.rotate()
    sweep.record(0)
    sweep.rotate()
    store.compact(sweep.directory)
    for _ in range(3):  # of one writer, three segments that are not folded
        sweep.record(0)
        sweep.rotate()
    sweep.record(1)
    late, known, cut = facts(root), list[Facts](), 0
    for n in targets:
        with pytest.MonkeyPatch.context() as patch:
            cut_off_at(patch, n)
            try:
                mirror(str(root), target(n))
            except CutOff:
                cut += 1
        known.append(seen(n))
        assert (reports(early) if begun else set()) <= reports(known[-1]) <= reports(late)
        assert not holes(known[-1])
        mirror(str(root), target(n))
        assert seen(n) == late
    assert cut == len(targets)
    assert (early if begun else set()) in known
    assert len({len(reports(one)) for one in known}) > 3


def test_a_copy_is_of_one_moment_whatever_is_recorded_while_it_is_made(tmp_path, begin, memory, monkeypatch):
    from sweeps.store.mirror import place

    sweep = begin(tmp_path / "results")
    for number in (0, 1):
        sweep.record(number, epochs=2)
    before, write = repr(store.reports(sweep.directory).to_pylist()), place.Place._write

    def recording(self: place.Place, name: str, fill: Callable[..., object]) -> None:
        sweep.record(0)
        sweep.record(1)
        write(self, name, fill)

    monkeypatch.setattr(place.Place, "_write", recording)
    mirror(str(sweep.directory), memory)
    seen = fetched(memory, tmp_path / "seen")
    assert repr(store.reports(seen).to_pylist()) == before
    assert store.runs(seen)["epochs"].to_pylist() == [2, 2]
    assert len(store.events(seen)) == 4


def test_a_compaction_while_files_are_listed_is_seen(tmp_path, begin, memory, monkeypatch):
    from sweeps.store.mirror import place

    sweep = begin(tmp_path / "results")
    sweep.record(0, epochs=2)
    sweep.rotate()
    files = place.Place.files

    def compacting(self: place.Place, *skip: Callable[[str], bool]) -> dict[str, int]:
        store.compact(sweep.directory)
        return files(self, *skip)

    monkeypatch.setattr(place.Place, "files", compacting)
    mirror(str(sweep.directory), memory)
    assert store.last_epoch(fetched(memory, tmp_path / "seen"), "a0") == 2


def test_what_a_compaction_has_folded_and_not_removed_yet_is_left_out(tmp_path, begin, memory):
    sweep = begin(tmp_path / "results")
    sweep.record(0, epochs=2)
    sweep.rotate()
    contents = {path: path.read_bytes() for path in sweep.directory.glob("segments/*")}
    store.compact(sweep.directory)
    for path, content in contents.items():  # as if it had been killed in time
        path.write_bytes(content)
    mirror(str(sweep.directory), memory)
    seen = fetched(memory, tmp_path / "seen")
    assert store.last_epoch(seen, "a0") == 2
    assert not list(seen.glob("segments/*"))


def test_a_source_that_misses_a_part_is_not_taken_for_one_that_is_being_compacted(tmp_path, begin, memory):
    sweep = begin(tmp_path / "results")
    sweep.record(0)
    sweep.end()
    (part,) = sweep.directory.glob("parts/reports-*")
    part.unlink()
    with pytest.raises(FileNotFoundError, match=part.name):
        mirror(str(sweep.directory), memory)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(["0", "1", "rotate", "compact", "mirror", "prune"]), max_size=18))
def test_whatever_happens_between_mirrorings_the_copy_is_as_the_source_is(steps):
    MemoryFileSystem.store.clear()
    with TemporaryDirectory() as folder:
        root, url = Path(folder) / "results", "memory://bucket/any"
        sweep = Sweep(root)
        for step in [*steps, "mirror"]:
            if step in ("0", "1"):
                sweep.record(int(step))
            elif step == "rotate":
                sweep.rotate()
            elif step == "compact":
                store.compact(sweep.directory)
            else:
                mirror(str(root), url, prune=step == "prune")
                assert facts(fetched(url, Path(folder) / "seen")) == facts(root)
        sweep.rotate()
    MemoryFileSystem.store.clear()


def test_a_compaction_while_files_are_copied_is_waited_for(tmp_path, begin, memory, monkeypatch):
    from sweeps.store.mirror import place

    root = tmp_path / "results"
    sweep = begin(root)
    sweep.record(0, epochs=2)
    sweep.rotate()
    write, pending = place.Place._write, [1, 3]

    def compacting(self: place.Place, name: str, fill: Callable[..., object]) -> None:
        write(self, name, fill)
        if pending and name.startswith(("sweep", "parts/")):
            sweep.record(0, epochs=pending.pop())
            sweep.rotate()
            store.compact(sweep.directory)

    monkeypatch.setattr(place.Place, "_write", compacting)
    mirror(str(root), memory)
    assert not pending
    found = facts(fetched(memory, tmp_path / "seen"))
    assert not holes(found)
    assert reports(found) <= facts(root)
    mirror(str(root), memory)
    assert facts(fetched(memory, tmp_path / "seen")) == facts(root)


def test_a_file_that_was_changed_in_place_is_copied_again(tmp_path, begin, memory):
    root = tmp_path / "results"
    sweep = begin(root)
    summary = sweep.directory / "summary.json"
    for text in ("[1]", "[2]"):
        summary.write_text(text)
        mirror(str(sweep.directory), memory)
        assert fsspec.filesystem("memory").cat_file("/bucket/results/summary.json") == text.encode()
    assert mirror(str(sweep.directory), memory).copied == 0


def test_checkpoints_are_copied_when_asked_and_again_when_they_were_written_anew(tmp_path, begin, memory):
    sweep = begin(tmp_path / "results")
    checkpoint = sweep.directory / "checkpoints" / "a0" / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"epoch 1")
    mirror(str(sweep.directory), memory)
    assert not list(fetched(memory, tmp_path / "seen").glob("checkpoints/*"))
    for content in (b"epoch 1", b"epoch 2"):
        checkpoint.write_bytes(content)
        mirror(str(sweep.directory), memory, checkpoints=True)
        copied = fetched(memory, tmp_path / "seen") / "checkpoints" / "a0" / "checkpoint.pt"
        assert copied.read_bytes() == content
    mirror(str(sweep.directory), memory, prune=True)
    assert copied.is_file()


def test_what_means_something_only_where_it_is_stays_there(tmp_path, begin, memory):
    sweep = begin(tmp_path / "results")
    for name in ("lock", "compact.lease", "compact.lease.abc", "sweep.json.12.partial"):
        (sweep.directory / name).write_text("{}")
    mirror(str(sweep.directory), memory)
    assert [path.name for path in fetched(memory, tmp_path / "seen").iterdir()] == ["sweep.json"]


def test_a_torn_segment_and_what_was_put_aside_are_copied_as_they_are(tmp_path, begin, memory):
    sweep = begin(tmp_path / "results")
    sweep.record(0, epochs=3)
    (segment,) = sweep.directory.glob("segments/reports-*")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-20])
    mirror(str(sweep.directory), memory)
    assert store.last_epoch(fetched(memory, tmp_path / "seen"), "a0") == 2
    store.compact(sweep.directory, ended=True)
    mirror(str(sweep.directory), memory, prune=True)
    seen = fetched(memory, tmp_path / "seen")
    assert store.last_epoch(seen, "a0") == 2
    assert [one.path.relative_to(seen) for one in store.torn(seen)] == [Path("quarantine") / segment.name]


def test_a_store_of_version_1_is_mirrored_and_so_is_what_becomes_of_it(tmp_path, memory):
    root = tmp_path / "old"
    shutil.copytree(OLD, root)
    mirror(str(root), memory)
    assert facts(fetched(memory, tmp_path / "seen")) == facts(root) == facts(OLD)
    for directory in store.sweep_directories(root):
        store.compact(directory, ended=True)
    mirror(str(root), memory)
    assert facts(fetched(memory, tmp_path / "seen")) == facts(root)


@pytest.mark.parametrize("behind", ["segments", "parts"])
def test_a_copy_never_replaces_what_has_more_rows(tmp_path, begin, memory, behind):
    root = tmp_path / "results"
    sweep = begin(root)
    sweep.record(0)
    mirror(str(root), memory)
    sweep.record(0)
    if behind == "parts":
        sweep.end()
    before = facts(root)
    with pytest.raises(
        store.StoreError, match="has more than memory:/+bucket/results/sweeps/sweep-1, which would be"
    ):
        mirror(memory, str(root))
    assert facts(root) == before


def test_a_sweep_of_the_same_name_from_elsewhere_is_not_mixed_with_a_copy(tmp_path, begin, memory):
    for name in ("here", "there"):
        begin(tmp_path / name).record(0)
    mirror(str(tmp_path / "here"), memory)
    with pytest.raises(store.StoreError, match="copy the other way round, or name a new folder"):
        mirror(str(tmp_path / "there"), memory)
    assert facts(fetched(memory, tmp_path / "seen")) == facts(tmp_path / "here")


def test_what_cannot_be_a_source_or_a_target_is_refused(tmp_path, begin, memory):
    root = tmp_path / "results"
    one, other = begin(root), begin(root, "sweep-2")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    with pytest.raises(store.StoreError, match=r"mine holds other files \(notes.txt\)"):
        mirror(str(root), str(tmp_path / "mine"))
    with pytest.raises(
        store.StoreError, match="mine is no result store and no sweep: it has no store.json and no"
    ):
        mirror(str(tmp_path / "mine"), memory)
    mirror(str(one.directory), memory)
    with pytest.raises(store.StoreError, match="holds another sweep; name an empty or a new folder"):
        mirror(str(other.directory), memory)
    with pytest.raises(store.StoreError, match="lie one within the other"):
        mirror(str(root), str(root / "sweeps" / "backup"))
    with pytest.raises(ValueError, match="nowhere://x cannot be reached: .*nowhere"):
        mirror(str(root), "nowhere://x")
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "store.json").write_text(json.dumps({"format": "contrastive-sweeps", "version": 99}))
    with pytest.raises(store.StoreError, match="newer was written by a newer program"):
        mirror(str(root), str(newer))
    assert [path.name for path in newer.iterdir()] == ["store.json"]


def test_several_stores_can_be_mirrored_to_one_place(tmp_path, begin, memory):
    for name in ("here", "there"):
        begin(tmp_path / name, f"sweep-{name}").record(0)
        mirror(str(tmp_path / name), memory, prune=True)
    assert facts(fetched(memory, tmp_path / "seen")) == facts(tmp_path / "here") | facts(tmp_path / "there")
