"""What a subject has, where the first source is somebody's copy of a part: a folder."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectomedb.errors import StoreUnreachable
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest
from connectomedb.mirror.mirror import Mirror, OneStore
from connectomedb.stores.base import ObjectInfo
from connectomedb.stores.folder import FolderSource
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.checksum import Proof

SUBJECT = "100307"
MANIFEST = ".xdlm/100307_3T_all.json"
COVERED = {"T1w/brain.txt": b"a brain" * 1000, "T1w/mask.txt": b"a mask" * 100, "MNINonLinear/atlas.txt": b"an atlas"}
UNCOVERED = {"T1w/late.txt": b"late", "T1w/later.txt": b"later"}


class Bucket(MemoryStore):
    """The published release, which can be out of reach."""

    is_down = False

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        if self.is_down:
            raise StoreUnreachable("the bucket is down")
        return super().list(prefix)


@pytest.fixture
def bucket() -> Bucket:
    entries = (Entry(path, len(text), hashlib.md5(text).hexdigest()) for path, text in COVERED.items())
    manifest = format_manifest(Manifest(SUBJECT, tuple(entries)))
    files = {**COVERED, **UNCOVERED, MANIFEST: manifest}
    return Bucket({f"q1/{SUBJECT}/{path}": text for path, text in files.items()}, "bucket")


@pytest.fixture
def mirror(tmp_path: Path, bucket: Bucket) -> Mirror:
    """A bucket behind a folder with one file as published, two damaged, and no manifest."""
    copied = {
        "T1w/brain.txt": COVERED["T1w/brain.txt"],
        "T1w/mask.txt": b"A" + COVERED["T1w/mask.txt"][1:],
        "T1w/late.txt": b"lat",
    }
    for path, text in copied.items():
        local = tmp_path / "copy/q1" / SUBJECT / path
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(text)
    return Mirror(tmp_path / "mirror", [FolderSource(tmp_path / "copy"), OneStore(bucket)])


@pytest.mark.parametrize("path", ["", "T1w"])
def test_a_copy_of_a_part_gives_what_proves_right_and_the_next_source_the_rest(mirror: Mirror, path: str) -> None:
    report = mirror.fetch(SUBJECT, path, project="HCP_Q1")
    wanted = {**COVERED, **UNCOVERED}
    found = {file.path: file for file in report.files if file.path != MANIFEST}
    assert set(found) == {name for name in wanted if name.startswith(path)}
    assert all(file.local.read_bytes() == wanted[file.path] for file in found.values())
    copy = mirror.shelf("HCP_Q1").stores[0].name
    assert found["T1w/brain.txt"].sources == (copy,)
    assert found["T1w/mask.txt"].sources == found["T1w/late.txt"].sources == ("bucket",)
    assert (found["T1w/brain.txt"].proof, found["T1w/late.txt"].proof) == (Proof.MANIFEST, Proof.ETAG)


def test_where_the_next_source_is_silent_the_copy_serves_and_it_is_asked_again(mirror: Mirror, bucket: Bucket) -> None:
    bucket.is_down = True
    plan = mirror.plan(SUBJECT, project="HCP_Q1")
    assert plan.notes == ("the bucket is down",)
    assert len(mirror.files(SUBJECT, project="HCP_Q1")) == 3
    bucket.is_down = False
    paths = mirror.files(SUBJECT, project="HCP_Q1")
    assert len(paths) == 1 + len(COVERED) + len(UNCOVERED)
    assert (mirror.root / "q1" / SUBJECT / "T1w/mask.txt").read_bytes() == COVERED["T1w/mask.txt"]


def test_a_bucket_that_comes_first_is_believed_alone(tmp_path: Path, bucket: Bucket) -> None:
    other = Bucket({f"q1/{SUBJECT}/T1w/other.txt": b"not of this release"}, "other")
    mirror = Mirror(tmp_path, [OneStore(bucket), OneStore(other)])
    assert len(mirror.files(SUBJECT, project="HCP_Q1")) == 1 + len(COVERED) + len(UNCOVERED)
