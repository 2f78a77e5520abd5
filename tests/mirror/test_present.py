"""Files that are all there: no request, little time, and never a wrong answer."""

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectomedb.errors import StoreUnreachable
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.mirror import Mirror, OneStore
from connectomedb.mirror.options import Options
from connectomedb.mirror.plan import Existing
from connectomedb.stores.base import ObjectInfo
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.memory import MemoryStore

SUBJECT = "100307"
FILES = {"T1w/a.txt": b"aaaa", "T1w/Native/b.txt": b"bbbb", "T1w/c.txt": b"cccc", "notes.txt": b"n"}


class Nowhere(MemoryStore):
    """A store that nobody may ask."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        raise StoreUnreachable("this store was asked")


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A mirror that is filled, and whose store is gone."""
    store = MemoryStore({f"q1/{SUBJECT}/{path}": content for path, content in FILES.items()})
    Mirror(tmp_path, [OneStore(store)]).files(SUBJECT, project="HCP_Q1")
    return Mirror(tmp_path, [OneStore(Nowhere())])


def names(paths: list[Path], mirror: Mirror) -> list[str]:
    return [path.relative_to(mirror.root / "q1" / SUBJECT).as_posix() for path in paths]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("", ["T1w/Native/b.txt", "T1w/a.txt", "T1w/c.txt", "notes.txt"]),
        ("T1w", ["T1w/Native/b.txt", "T1w/a.txt", "T1w/c.txt"]),
        ("T1w/a.txt", ["T1w/a.txt"]),
        (Choice(include=("T1w/*",)), ["T1w/a.txt", "T1w/c.txt"]),
    ],
)
def test_what_is_all_there_is_answered_in_pathlibs_order_without_a_request(
    mirror: Mirror, choice: str | Choice, expected: list[str]
) -> None:
    for _ in range(2):
        paths = mirror.files(SUBJECT, choice, project="HCP_Q1")
        assert names(paths, mirror) == expected
        assert paths == sorted(paths)
    report = mirror.fetch(SUBJECT, choice, project="HCP_Q1")
    assert [file.path for file in report.files] == sorted(expected)
    assert report.paths == paths
    assert not any(file.fetched for file in report.files)


def test_a_list_that_was_given_away_may_be_changed(mirror: Mirror) -> None:
    mirror.files(SUBJECT, project="HCP_Q1").clear()
    assert len(mirror.files(SUBJECT, project="HCP_Q1")) == len(FILES)


def damage(kind: str, file: Path) -> None:
    match kind:
        case "gone":
            file.unlink()
        case "longer":
            file.write_bytes(b"aaaaa")
        case "same size":
            file.write_bytes(b"AAAA")
        case "same size and seconds":
            facts = file.stat()
            file.write_bytes(b"AAAA")
            os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
        case "its folder gone":
            shutil.rmtree(file.parent)


@pytest.mark.parametrize("kind", ["gone", "longer", "same size", "same size and seconds", "its folder gone"])
@pytest.mark.parametrize("choice", ["", "T1w", Choice(include=("T1w/a.*",))], ids=["all", "folder", "glob"])
def test_a_file_that_is_not_as_it_was_is_never_given_as_it_is(mirror: Mirror, kind: str, choice: str | Choice) -> None:
    mirror.files(SUBJECT, choice, project="HCP_Q1")
    damage(kind, mirror.root / "q1" / SUBJECT / "T1w/a.txt")
    store = MemoryStore({f"q1/{SUBJECT}/{path}": content for path, content in FILES.items()})
    whole = Mirror(mirror.root, [OneStore(store)])
    paths = whole.files(SUBJECT, choice, project="HCP_Q1")
    assert {path.read_bytes() for path in paths if path.name == "a.txt"} == {b"aaaa"}


def test_asked_to_fetch_again_or_to_list_again_it_does(mirror: Mirror) -> None:
    store = MemoryStore({f"q1/{SUBJECT}/{path}": content for path, content in FILES.items()})
    whole = Mirror(mirror.root, [OneStore(store)])
    again = whole.fetch(SUBJECT, project="HCP_Q1", options=Options(existing=Existing.REFETCH))
    assert all(file.fetched for file in again.files)
    with pytest.raises(StoreUnreachable):
        mirror.fetch(SUBJECT, project="HCP_Q1", options=Options(refresh=True))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b'"by":[[0', b'"by":[[9'),
        lambda text: text.replace(b'"by":[[0,', b'"by":[[0,1'),
        lambda text: text.replace(b'"proof":[["', b'"proof":[["no '),
        lambda text: text.replace(b'"folder":[[', b'"folder":[["T1w",2],['),
        lambda text: text.replace(b'"name":[', b'"name":[1,'),
        lambda text: text.replace(b'"size":[', b'"size":[1,'),
        lambda text: text.replace(b'"served":', b'"server":'),
        lambda text: text[: len(text) // 2],
        lambda text: b"[" * 100_000,
        lambda text: b"",
    ],
)
def test_a_damaged_ledger_is_no_answer(mirror: Mirror, spoil: object) -> None:
    assert callable(spoil)
    ledger = mirror.root / ".connectomedb/q1/100307.json"
    text = ledger.read_bytes()
    assert spoil(text) != text
    ledger.write_bytes(spoil(text))
    with pytest.raises(StoreUnreachable):
        mirror.files(SUBJECT, project="HCP_Q1")


def test_thousands_of_files_that_are_there_cost_little_time(tmp_path: Path) -> None:
    """The promise is 50 ms for 12,000 (benchmarks/presence.py); here, beside other tests, its order is kept."""
    source = tmp_path / "source"
    for folder in range(15):
        place = source / f"q1/{SUBJECT}/MNINonLinear/Results/run{folder}"
        place.mkdir(parents=True)
        for number in range(200):
            (place / f"{number}.txt").write_bytes(b"x")
    mirror = Mirror(tmp_path / "m", [OneStore(FolderStore(source))])
    assert len(mirror.files(SUBJECT, project="HCP_Q1")) == 3_000
    spent = []
    for _ in range(5):
        started = time.thread_time()
        mirror.files(SUBJECT, project="HCP_Q1")
        spent.append(time.thread_time() - started)
    assert statistics.median(spent) < 0.05
