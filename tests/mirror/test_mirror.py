"""The mirror over stores in memory: what is fetched, from where, with which proof, and what is refused."""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectomedb.errors import (
    AddressError,
    ChecksumMismatch,
    ConfigError,
    DiskRefused,
    ManifestError,
    MirrorIncomplete,
    NotFound,
    StoreUnreachable,
)
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest
from connectomedb.mirror.actions import Act
from connectomedb.mirror.events import Arrived, Event, Planned
from connectomedb.mirror.mirror import Mirror, OneStore
from connectomedb.mirror.options import Options
from connectomedb.stores.base import Level, ObjectInfo
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.checksum import Proof
from connectomedb.transfer.rate import BURST_S

SUBJECT = "100307"
T1W = b"a brain" * 1000
EV = b"11.0\t12.0\t1\n"


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def objects(**changes: bytes | None) -> dict[str, bytes]:
    """A small subject: two covered files, one uncovered, one manifest."""
    covered = {"T1w/brain.nii.gz": T1W, "MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt": EV}
    entries = tuple(Entry(path, len(content), md5(content)) for path, content in covered.items())
    files = {
        **covered,
        "T1w/uncovered.txt": b"late",
        ".xdlm/100307_3T_all.json": format_manifest(Manifest(SUBJECT, entries)),
    }
    return {f"q1/{SUBJECT}/{path}": content for path, content in files.items()}


class Counting(MemoryStore):
    """A store that counts the requests it answers, and can be cut off."""

    def __init__(self, objects: dict[str, bytes], name: str = "counting") -> None:
        super().__init__(objects, name)
        self.requests = 0
        self.is_down = False

    def _ask(self) -> None:
        self.requests += 1
        if self.is_down:
            raise StoreUnreachable("the store is down")

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self._ask()
        return super().list(prefix)

    def list_level(self, prefix: str = "") -> Level:
        self._ask()
        return super().list_level(prefix)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        self._ask()
        return super().open(key, offset, length)


@pytest.fixture
def store() -> Counting:
    return Counting(objects())


@pytest.fixture
def mirror(tmp_path: Path, store: Counting) -> Mirror:
    return Mirror(tmp_path, [lambda release: store])


def relative(paths: list[Path], root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_a_folder_comes_as_sorted_local_paths_in_the_buckets_own_tree(mirror: Mirror, tmp_path: Path) -> None:
    paths = mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    assert relative(paths, tmp_path) == ["q1/100307/T1w/brain.nii.gz", "q1/100307/T1w/uncovered.txt"]
    assert paths[0].read_bytes() == T1W


def test_the_whole_subject_has_hidden_files_too(mirror: Mirror, tmp_path: Path) -> None:
    assert relative(mirror.files(SUBJECT, project="HCP_Q1"), tmp_path) == sorted(objects())


@pytest.mark.parametrize("path", ["T1w/brain.nii.gz", "T1w/", "/T1w", "MNINonLinear/Results"])
def test_a_path_may_be_a_file_or_a_folder_with_slashes_at_its_ends(mirror: Mirror, path: str) -> None:
    inside = path.strip("/")
    expected = [key for key in sorted(objects()) if key.startswith(f"q1/100307/{inside}")]
    assert relative(mirror.files(SUBJECT, path, project="HCP_Q1"), mirror.root) == expected


def test_each_file_carries_the_strongest_proof(mirror: Mirror) -> None:
    report = mirror.fetch(SUBJECT, project="HCP_Q1")
    assert {file.path: file.proof for file in report.files} == {
        ".xdlm/100307_3T_all.json": Proof.ETAG,
        "MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt": Proof.MANIFEST,
        "T1w/brain.nii.gz": Proof.MANIFEST,
        "T1w/uncovered.txt": Proof.ETAG,
    }


def test_when_all_is_there_no_request_is_made(mirror: Mirror, store: Counting) -> None:
    first = mirror.files(SUBJECT, project="HCP_Q1")
    before = store.requests
    again = Mirror(mirror.root, [lambda release: store])
    assert again.files(SUBJECT, project="HCP_Q1") == first
    assert again.files(SUBJECT, "T1w", project="HCP_Q1") == first[2:]
    assert store.requests == before


def test_a_lost_or_changed_file_is_fetched_again(mirror: Mirror) -> None:
    brain, late = mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    brain.write_bytes(b"x" * len(T1W))
    late.unlink()
    report = mirror.fetch(SUBJECT, "T1w", project="HCP_Q1")
    assert [file.fetched for file in report.files] == [True, True]
    assert brain.read_bytes() == T1W


def test_a_copy_that_was_there_before_us_is_read_not_fetched(mirror: Mirror) -> None:
    local = mirror.root / "q1/100307/T1w/brain.nii.gz"
    local.parent.mkdir(parents=True)
    local.write_bytes(T1W)
    plans: list[Event] = []
    report = mirror.fetch(SUBJECT, "T1w/brain.nii.gz", project="HCP_Q1", on_event=plans.append)
    assert [(file.fetched, file.proof) for file in report.files] == [(False, Proof.MANIFEST)]
    [planned] = [event for event in plans if isinstance(event, Planned)]
    assert [action.act for action in planned.plan.actions] == [Act.CHECK]


def test_a_file_that_the_first_store_lacks_comes_from_the_next(tmp_path: Path) -> None:
    lacking = objects()
    del lacking["q1/100307/T1w/brain.nii.gz"]
    first, second = MemoryStore(lacking, "bucket"), MemoryStore(objects(), "archive")
    mirror = Mirror(tmp_path, [lambda release: first]).with_fallback(lambda release: second)
    report = mirror.fetch(SUBJECT, "T1w", project="HCP_Q1")
    assert {file.path: file.sources for file in report.files} == {
        "T1w/brain.nii.gz": ("archive",),
        "T1w/uncovered.txt": ("bucket",),
    }


def test_a_file_that_no_store_has_is_named_and_the_others_stay(tmp_path: Path) -> None:
    lacking = objects()
    del lacking["q1/100307/T1w/brain.nii.gz"]
    mirror = Mirror(tmp_path, [lambda release: MemoryStore(lacking)])
    with pytest.raises(MirrorIncomplete, match=r"T1w/brain\.nii\.gz") as caught:
        mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    assert list(caught.value.failures) == ["T1w/brain.nii.gz"]
    assert (tmp_path / "q1/100307/T1w/uncovered.txt").read_bytes() == b"late"
    assert not (tmp_path / "q1/100307/T1w/brain.nii.gz").exists()


def test_bytes_that_are_not_what_the_manifest_says_never_land(tmp_path: Path) -> None:
    wrong = {**objects(), "q1/100307/T1w/brain.nii.gz": b"X" + T1W[1:]}
    report = Mirror(tmp_path, [lambda release: MemoryStore(wrong)]).fetch(SUBJECT, "T1w", project="HCP_Q1")
    assert isinstance(report.failures["T1w/brain.nii.gz"].error, ChecksumMismatch)
    assert os.listdir(tmp_path / "q1/100307/T1w") == ["uncovered.txt"]


def test_a_store_that_is_down_is_told_as_such(mirror: Mirror, store: Counting) -> None:
    store.is_down = True
    with pytest.raises(StoreUnreachable, match="down"):
        mirror.files(SUBJECT, "T1w", project="HCP_Q1")


def test_a_fallback_lists_when_the_first_store_is_down(mirror: Mirror, store: Counting) -> None:
    store.is_down = True
    backed = mirror.with_fallback(lambda release: MemoryStore(objects(), "archive"))
    assert len(backed.files(SUBJECT, "T1w", project="HCP_Q1")) == 2


def test_a_path_that_names_nothing_says_what_is_there(mirror: Mirror) -> None:
    with pytest.raises(NotFound, match=r"100307/T1w holds: brain\.nii\.gz, uncovered\.txt"):
        mirror.files(SUBJECT, "T1w/typo.nii.gz", project="HCP_Q1")
    with pytest.raises(NotFound, match=r"100307 holds: \.xdlm/, MNINonLinear/, T1w/"):
        mirror.files(SUBJECT, "T2w/x", project="HCP_Q1")


def test_an_unknown_subject_says_which_there_are(mirror: Mirror) -> None:
    with pytest.raises(NotFound, match=r"HCP_Q1 holds: 100307/"):
        mirror.files("999999", project="HCP_Q1")


@pytest.mark.parametrize("path", ["..", "../x", "T1w/../../x", "T1w//x", "T1w\\x", "T1w/\x00"])
def test_paths_that_climb_are_refused_before_any_request(mirror: Mirror, store: Counting, path: str) -> None:
    with pytest.raises(AddressError):
        mirror.files(SUBJECT, path, project="HCP_Q1")
    assert store.requests == 0


@pytest.mark.parametrize("subject", ["", "10030", "../100307", "100307/x", "abcdef"])
def test_a_label_that_is_not_six_digits_is_refused(mirror: Mirror, subject: str) -> None:
    with pytest.raises(AddressError):
        mirror.files(subject, project="HCP_Q1")


def test_two_releases_never_mix_in_one_folder(mirror: Mirror, store: Counting) -> None:
    mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    other = Mirror(mirror.root, [lambda release: store], prefix="q1")
    with pytest.raises(ConfigError, match=r"HCP_Q1.*never mix"):
        other.files(SUBJECT, "T1w", project="HCP_1200")


def test_a_project_without_a_known_prefix_is_its_own(tmp_path: Path) -> None:
    store = MemoryStore({"MY_LAB/100307/T1w/x": b"x"})
    paths = Mirror(tmp_path, [lambda release: store]).files(SUBJECT, project="MY_LAB")
    assert relative(paths, tmp_path) == ["MY_LAB/100307/T1w/x"]


def test_a_listing_is_renewed_on_request_only(mirror: Mirror, store: Counting) -> None:
    mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    store.put("q1/100307/T1w/new.txt", b"new")
    assert len(mirror.files(SUBJECT, "T1w", project="HCP_Q1")) == 2
    assert len(mirror.fetch(SUBJECT, "T1w", project="HCP_Q1", refresh=True).paths) == 3


@pytest.mark.parametrize("damage", [b"", b"{", b'{"format": 99}', b"[]", b'{"format": 1, "files": {"a": 1}}'])
def test_a_damaged_ledger_costs_reading_never_the_files(mirror: Mirror, damage: bytes) -> None:
    first = mirror.files(SUBJECT, project="HCP_Q1")
    (mirror.root / ".connectomedb/q1/100307.json").write_bytes(damage)
    report = mirror.fetch(SUBJECT, project="HCP_Q1")
    assert report.paths == first
    assert not any(file.fetched for file in report.files)


def test_manifests_that_disagree_are_refused(tmp_path: Path) -> None:
    twice = objects()
    other = Manifest(SUBJECT, (Entry("T1w/brain.nii.gz", len(T1W), "0" * 32),))
    twice["q1/100307/.xdlm/100307_3T_other.json"] = format_manifest(other)
    with pytest.raises(ManifestError, match=r"T1w/brain\.nii\.gz is listed twice"):
        Mirror(tmp_path, [lambda release: MemoryStore(twice)]).files(SUBJECT, "T1w", project="HCP_Q1")


def test_a_manifest_of_another_subject_is_refused(tmp_path: Path) -> None:
    foreign = {**objects(), "q1/100307/.xdlm/100307_3T_all.json": format_manifest(Manifest("103515", ()))}
    with pytest.raises(ManifestError, match="103515"):
        Mirror(tmp_path, [lambda release: MemoryStore(foreign)]).files(SUBJECT, "T1w", project="HCP_Q1")


def test_a_mirror_folder_that_cannot_be_written_is_told(store: Counting) -> None:
    mirror = Mirror("/sys/none", [lambda release: store])
    with pytest.raises(DiskRefused, match="can be written"):
        mirror.files(SUBJECT, "T1w/uncovered.txt", project="HCP_Q1")


def test_a_limited_rate_holds_over_many_small_subjects(tmp_path: Path) -> None:
    subjects = [str(number) for number in range(100_001, 100_013)]
    store = MemoryStore({f"q1/{subject}/T1w/a.bin": bytes(100_000) for subject in subjects}, "m")
    started = time.monotonic()
    reports = list(
        Mirror(tmp_path, [OneStore(store)]).fetch_many(
            subjects, "T1w", project="HCP_Q1", options=Options(bytes_per_s=1_600_000)
        )
    )
    assert all(not report.failures for report in reports)
    assert time.monotonic() - started >= 12 * 100_000 / 1_600_000 - BURST_S


def test_a_folder_that_is_removed_while_it_fills_is_told_file_by_file(tmp_path: Path) -> None:
    def remove(event: Event) -> None:
        if isinstance(event, Arrived):
            shutil.rmtree(tmp_path / "mirror" / "q1" / SUBJECT / "T1w", ignore_errors=True)

    store = MemoryStore({f"q1/{SUBJECT}/T1w/{number}.bin": bytes(1000) for number in range(50)}, "m")
    mirror = Mirror(tmp_path / "mirror", [OneStore(store)])
    report = mirror.fetch(SUBJECT, "T1w", project="HCP_Q1", on_event=remove)
    assert report.failures
    mirror.fetch(SUBJECT, "T1w", project="HCP_Q1").raise_for_failures()


def test_a_name_that_the_disk_cannot_hold_fails_alone(tmp_path: Path) -> None:
    store = MemoryStore({f"q1/{SUBJECT}/T1w/{'x' * 300}": b"long", f"q1/{SUBJECT}/T1w/a.txt": b"a"}, "bucket")
    report = Mirror(tmp_path, [OneStore(store)]).fetch(SUBJECT, project="HCP_Q1")
    assert [path.name for path in report.paths] == ["a.txt"]
    assert [str(file.error) for file in report.failures.values() if "name too long" in str(file.error)]
