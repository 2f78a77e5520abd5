"""Repairing brings the right bytes, and never takes away what is there before they have come."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectomedb.errors import ChecksumMismatch, NotFound, ObjectMissing, StoreDenied, StoreError, WrongContent
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest
from connectomedb.mirror.checked import Checked
from connectomedb.mirror.finding import Verdict
from connectomedb.mirror.mirror import Mirror
from connectomedb.mirror.repair import Repair
from connectomedb.mirror.verify import verify
from connectomedb.stores.base import ObjectInfo
from connectomedb.stores.memory import MemoryStore

SUBJECT = "100307"
FILES = {"T1w/a.txt": b"aaaa", "T1w/b.txt": b"bbbb", "T1w/c.txt": b"cccc", "T2w/d.txt": b"dddd"}
MANIFEST = ".xdlm/100307_3T_x.json"
LATE = "T1w/late.txt"


def manifest_of(files: dict[str, bytes]) -> bytes:
    entries = tuple(Entry(path, len(data), hashlib.md5(data).hexdigest()) for path, data in files.items())
    return format_manifest(Manifest(SUBJECT, entries))


class Watched(MemoryStore):
    """A store that notes what is asked of it, and may refuse."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__({f"q1/{SUBJECT}/{path}": content for path, content in files.items()}, "watched")
        self.asked: list[str] = []
        self.fault: StoreError | None = None
        self.on_asked: Callable[[str], None] = lambda path: None

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        path = key.removeprefix(f"q1/{SUBJECT}/")
        self.asked.append(path)
        self.on_asked(path)
        if self.fault is not None:
            raise self.fault
        return super().open(key, offset, length)


class WithoutChecksums(Watched):
    """The same objects in a store that vouches for no checksum."""

    def __init__(self, other: Watched) -> None:
        super().__init__({})
        self._objects, self._modified = other._objects, other._modified

    def head(self, key: str) -> ObjectInfo:
        return replace(super().head(key), etag=None, md5=None)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notes on bare trees go here, not to the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def store() -> Watched:
    return Watched({**FILES, LATE: b"late", MANIFEST: manifest_of(FILES)})


@pytest.fixture
def mirror(tmp_path: Path, store: Watched) -> Mirror:
    """A mirror that has all files."""
    made = Mirror(tmp_path, [lambda release: store])
    made.files(SUBJECT, project="HCP_Q1")
    store.asked.clear()
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "q1" / SUBJECT


def rot(file: Path, content: bytes) -> None:
    """Other bytes, the same time: nothing but reading tells."""
    facts = file.stat()
    file.write_bytes(content)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def repaired(mirror: Mirror, path: str = "") -> dict[str, Repair]:
    return {repair.after.path: repair for repair in mirror.repair(project="HCP_Q1", path=path)}


def test_each_kind_of_damage_is_repaired_and_nothing_else_is_fetched(
    mirror: Mirror, folder: Path, store: Watched
) -> None:
    rot(folder / "T1w/a.txt", b"AAAA")
    (folder / "T1w/b.txt").write_bytes(b"bb")
    (folder / "T1w/c.txt").unlink()
    found = repaired(mirror)
    assert {path: (repair.before.verdict, repair.after.verdict) for path, repair in found.items()} == {
        "T1w/a.txt": (Verdict.CHECKSUM, Verdict.OK),
        "T1w/b.txt": (Verdict.SIZE, Verdict.OK),
        "T1w/c.txt": (Verdict.MISSING, Verdict.OK),
    }
    assert all(repair.is_repaired and repair.sources == ("watched",) for repair in found.values())
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    assert sorted(store.asked) == sorted(found)
    assert repaired(mirror) == {}


def test_wrong_bytes_stay_until_the_right_ones_have_come(mirror: Mirror, folder: Path, store: Watched) -> None:
    rot(folder / "T1w/a.txt", b"AAAA")
    seen: list[bytes] = []
    store.on_asked = lambda path: seen.append((folder / path).read_bytes())
    assert repaired(mirror)["T1w/a.txt"].is_repaired
    assert seen == [b"AAAA"]


@pytest.mark.parametrize(
    "fault", [StoreDenied("no right to it"), ObjectMissing("not there")], ids=["denied", "missing"]
)
def test_when_the_source_refuses_all_stays_as_it_was_and_the_reason_is_told(
    mirror: Mirror, folder: Path, store: Watched, fault: StoreError
) -> None:
    rot(folder / "T1w/a.txt", b"AAAA")
    store.fault = fault
    repair = repaired(mirror)["T1w/a.txt"]
    assert not repair.is_repaired
    assert str(fault) in str(repair.error)
    assert (folder / "T1w/a.txt").read_bytes() == b"AAAA"
    assert sorted(os.listdir(folder / "T1w")) == ["a.txt", "b.txt", "c.txt", "late.txt"]
    store.fault = None
    assert repaired(mirror)["T1w/a.txt"].is_repaired


def test_wrong_bytes_are_not_replaced_by_other_wrong_bytes(mirror: Mirror, folder: Path, store: Watched) -> None:
    rot(folder / "T1w/a.txt", b"AAAA")
    store.put(f"q1/{SUBJECT}/T1w/a.txt", b"!!!!")
    repair = repaired(mirror)["T1w/a.txt"]
    assert isinstance(repair.error, ChecksumMismatch)
    assert (repair.after.verdict, (folder / "T1w/a.txt").read_bytes()) == (Verdict.CHECKSUM, b"AAAA")


def test_a_bad_file_is_not_handed_out_as_proven_while_it_cannot_be_had(
    mirror: Mirror, folder: Path, store: Watched
) -> None:
    rot(folder / "T1w/a.txt", b"AAAA")
    store.fault = StoreDenied("no right to it")
    repaired(mirror)
    [report] = mirror.fetch(SUBJECT, "T1w/a.txt", project="HCP_Q1").files
    assert isinstance(report.error, StoreDenied)


def test_a_file_without_checksum_that_cannot_be_the_file_is_fetched_again(
    tmp_path: Path, folder: Path, store: Watched
) -> None:
    mirror = Mirror(tmp_path, [lambda release: WithoutChecksums(store)])
    mirror.files(SUBJECT, project="HCP_Q1")
    (folder / LATE).write_bytes(b"<htm")
    assert repaired(mirror) == {}
    page = b"<html></html>"
    store.put(f"q1/{SUBJECT}/{LATE}", b"x" * len(page))
    mirror.fetch(SUBJECT, LATE, project="HCP_Q1", refresh=True)
    rot(folder / LATE, page)
    assert repaired(mirror)[LATE].is_repaired
    assert (folder / LATE).read_bytes() == b"x" * len(page)


def test_a_page_is_not_replaced_by_a_page(tmp_path: Path, folder: Path, store: Watched) -> None:
    mirror = Mirror(tmp_path, [lambda release: WithoutChecksums(store)])
    page = b"<html></html>"
    store.put(f"q1/{SUBJECT}/{LATE}", b"x" * len(page))
    mirror.files(SUBJECT, project="HCP_Q1")
    rot(folder / LATE, page)
    store.put(f"q1/{SUBJECT}/{LATE}", page)
    assert isinstance(repaired(mirror)[LATE].error, WrongContent)


def test_a_page_that_was_there_before_us_is_not_taken_for_the_file(
    tmp_path: Path, folder: Path, store: Watched
) -> None:
    page = b"<html></html>"
    store.put(f"q1/{SUBJECT}/{LATE}", b"x" * len(page))
    (folder / LATE).parent.mkdir(parents=True)
    (folder / LATE).write_bytes(page)
    [path] = Mirror(tmp_path, [lambda release: WithoutChecksums(store)]).files(SUBJECT, LATE, project="HCP_Q1")
    assert path.read_bytes() == b"x" * len(page)


def test_files_on_which_manifests_disagree_are_left_alone(mirror: Mirror, folder: Path, store: Watched) -> None:
    (folder / ".xdlm/y.json").write_bytes(manifest_of({"T1w/a.txt": b"AAAA"}))
    repair = repaired(mirror, "T1w")["T1w/a.txt"]
    assert (repair.is_repaired, repair.after.verdict) == (False, Verdict.CONFLICT)
    assert store.asked == []


def test_a_manifest_comes_first_and_what_it_then_tells_is_repaired_too(
    tmp_path: Path, folder: Path, store: Watched
) -> None:
    for path, content in {**FILES, "T1w/b.txt": b"bb", MANIFEST: manifest_of(FILES)[:-9]}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    mirror = Mirror(tmp_path, [lambda release: store])
    found = repaired(mirror)
    assert {path: repair.is_repaired for path, repair in found.items()} == {MANIFEST: True, "T1w/b.txt": True}
    assert store.asked == [MANIFEST, "T1w/b.txt"]
    assert (folder / "T1w/b.txt").read_bytes() == b"bbbb"


def test_after_a_manifest_was_repaired_what_was_right_is_not_read_again(
    mirror: Mirror, folder: Path, store: Watched
) -> None:
    (folder / MANIFEST).write_bytes(b"{}")
    ledger = mirror.shelf("HCP_Q1").ledger
    checked = Checked.of(ledger.tree, ledger)
    findings = list(verify(ledger.tree, ledger=ledger, checked=checked, keep_notes=True))
    rot(folder / "T1w/a.txt", b"AAAA")  # reading it again would tell
    assert [repair.after.path for repair in mirror.repair(findings, project="HCP_Q1")] == [MANIFEST]


def test_a_bare_tree_stays_one(tmp_path: Path, folder: Path, store: Watched) -> None:
    for path, content in {**FILES, "T1w/b.txt": b"bb", MANIFEST: manifest_of(FILES)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    mirror = Mirror(tmp_path, [lambda release: store])
    assert repaired(mirror)["T1w/b.txt"].is_repaired
    (folder / "T1w/c.txt").unlink()
    [missing] = [found for found in mirror.verify(project="HCP_Q1") if found.verdict.is_bad]
    assert (missing.path, missing.verdict) == ("T1w/c.txt", Verdict.MISSING)
    assert list((tmp_path / ".connectomedb").glob("q1*")) == []


def test_findings_may_be_given_and_chosen(mirror: Mirror, folder: Path) -> None:
    rot(folder / "T1w/a.txt", b"AAAA")
    rot(folder / "T2w/d.txt", b"DDDD")
    findings = [found for found in mirror.verify(project="HCP_Q1") if found.path.startswith("T2w")]
    assert [repair.after.path for repair in mirror.repair(findings, project="HCP_Q1")] == ["T2w/d.txt"]
    assert (folder / "T1w/a.txt").read_bytes() == b"AAAA"


def test_only_what_was_asked_for_is_verified_and_repaired(mirror: Mirror, folder: Path) -> None:
    rot(folder / "T1w/a.txt", b"AAAA")
    rot(folder / "T2w/d.txt", b"DDDD")
    assert repaired(mirror, "/T2w/").keys() == {"T2w/d.txt"}
    assert {found.path for found in mirror.verify([SUBJECT], "T1w", project="HCP_Q1") if found.verdict.is_bad} == {
        "T1w/a.txt"
    }


def test_a_mirror_of_nothing_cannot_be_verified(tmp_path: Path, store: Watched) -> None:
    with pytest.raises(NotFound):
        list(Mirror(tmp_path / "none", [lambda release: store]).verify(project="HCP_Q1"))
