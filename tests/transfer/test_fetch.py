"""One file to disk: whole and proven, or nothing under its name."""

import hashlib
import os
import resource
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import (
    ChecksumMismatch,
    DiskRefused,
    Interrupted,
    ObjectMissing,
    SizeMismatch,
    StoreDenied,
    TransferError,
)
from connectomedb.transfer.checksum import Expected, Proof, md5_of_etag
from connectomedb.transfer.fetch import Engine, fetch
from connectomedb.transfer.large import RANGE_BYTES
from connectomedb.transfer.source import OnVersion, Sink, Span, Streams

CONTENT = bytes(range(256)) * 64
MD5 = hashlib.md5(CONTENT).hexdigest()
EXPECTED = Expected(len(CONTENT), MD5, Proof.MANIFEST)


@dataclass
class Bytes:
    """A source of given bytes, which breaks off after `cut` bytes of each opening."""

    content: bytes
    cut: int | None = None
    name: str = "bytes"
    piece: int = 1000
    offsets: list[int] = field(default_factory=list)

    streams: Streams = Streams.ONE

    def pour(self, sink: Sink, span: Span, on_version: OnVersion) -> None:
        self.offsets.append(span.offset)
        rest = self.content[span.offset :][: span.length]
        for start in range(0, len(rest), self.piece):
            if self.cut is not None and start >= self.cut:
                raise StoreDenied("broke off")
            sink(memoryview(rest[start : start + self.piece]))


class Nothing:
    """A source that does not have the file."""

    name = "nothing"
    streams = Streams.ONE

    def pour(self, sink: Sink, span: Span, on_version: OnVersion) -> None:
        raise ObjectMissing("not here")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as opened:
        yield opened


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def test_a_file_arrives_whole_with_its_proof_and_time(engine: Engine, tmp_path: Path) -> None:
    when = datetime(2013, 3, 1, tzinfo=UTC)
    done = fetch([Bytes(CONTENT)], tmp_path / "a" / "b.nii.gz", EXPECTED, engine=engine, modified=when)
    target = tmp_path / "a" / "b.nii.gz"
    assert (target.read_bytes(), done.md5, done.proof, done.sources) == (CONTENT, MD5, Proof.MANIFEST, ("bytes",))
    assert target.stat().st_mtime == when.timestamp()
    assert names(tmp_path / "a") == ["b.nii.gz"]


def test_without_a_checksum_only_the_size_is_proven(engine: Engine, tmp_path: Path) -> None:
    done = fetch([Bytes(CONTENT)], tmp_path / "b", Expected(len(CONTENT), None, Proof.MANIFEST), engine=engine)
    assert done.proof is Proof.SIZE


@pytest.mark.parametrize(
    ("content", "fault"),
    [(CONTENT[:-1], SizeMismatch), (CONTENT + b"x", SizeMismatch), (b"x" + CONTENT[1:], ChecksumMismatch)],
    ids=["too short", "too long", "other bytes"],
)
def test_wrong_bytes_leave_nothing(engine: Engine, tmp_path: Path, content: bytes, fault: type[TransferError]) -> None:
    with pytest.raises(fault):
        fetch([Bytes(content)], tmp_path / "b", EXPECTED, engine=engine)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["n" * 251 + ".nii", "\N{BRAIN}" * 63], ids=["letters", "four bytes each"])
def test_the_longest_names_that_a_disk_takes_are_no_hindrance(engine: Engine, tmp_path: Path, name: str) -> None:
    fetch([Bytes(CONTENT)], tmp_path / name, EXPECTED, engine=engine)
    large = bytes(RANGE_BYTES + 1)
    expected = Expected(len(large), hashlib.md5(large).hexdigest(), Proof.MANIFEST)
    fetch([Bytes(large, piece=1 << 20)], tmp_path / "large" / name, expected, engine=engine)
    assert names(tmp_path / "large") == [name]


def test_an_older_file_stays_when_the_new_one_is_wrong(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"older")
    with pytest.raises(ChecksumMismatch):
        fetch([Bytes(b"x" + CONTENT[1:])], tmp_path / "b", EXPECTED, engine=engine)
    assert (tmp_path / "b").read_bytes() == b"older"


def test_the_next_source_goes_on_at_the_byte_where_the_first_broke_off(engine: Engine, tmp_path: Path) -> None:
    second = Bytes(CONTENT, name="second")
    done = fetch([Bytes(CONTENT, cut=5000, name="first"), second], tmp_path / "b", EXPECTED, engine=engine)
    assert second.offsets == [5000]
    assert done.sources == ("first", "second")


def test_a_source_without_the_file_is_passed_over(engine: Engine, tmp_path: Path) -> None:
    assert fetch([Nothing(), Bytes(CONTENT)], tmp_path / "b", EXPECTED, engine=engine).sources == ("bytes",)


def test_a_source_with_wrong_bytes_is_replaced_from_zero(engine: Engine, tmp_path: Path) -> None:
    good = Bytes(CONTENT, name="good")
    done = fetch([Bytes(b"x" + CONTENT[1:], name="bad"), good], tmp_path / "b", EXPECTED, engine=engine)
    assert good.offsets == [0]
    assert done.sources == ("good",)


def test_the_gravest_fault_is_told(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(StoreDenied):
        fetch([Bytes(CONTENT, cut=10), Nothing()], tmp_path / "b", EXPECTED, engine=engine)
    assert names(tmp_path) == []


def test_an_interrupt_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    seen = threading.Event()

    def stop_after_first(size: int) -> None:
        if seen.is_set():
            raise Interrupted("stopped")
        seen.set()

    with pytest.raises(Interrupted):
        fetch([Bytes(CONTENT), Bytes(CONTENT)], tmp_path / "b", EXPECTED, engine=engine, on_bytes=stop_after_first)
    assert names(tmp_path) == []


def test_a_target_below_a_file_is_refused_by_the_disk(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DiskRefused, match="can be written"):
        fetch([Bytes(CONTENT)], tmp_path / "file" / "b", EXPECTED, engine=engine)


def test_a_folder_that_the_system_protects_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(DiskRefused, match="Choose a folder"):
        fetch([Bytes(CONTENT)], Path("/sys/none/b"), EXPECTED, engine=engine)


def test_a_file_past_the_allowed_size_counts_as_a_full_disk(engine: Engine, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(TransferError, match="disk is full"):
            fetch([Bytes(CONTENT)], tmp_path / "b", EXPECTED, engine=engine)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert names(tmp_path) == []


@given(cuts=st.lists(st.integers(0, len(CONTENT)), max_size=6))
def test_any_chain_of_broken_sources_gives_the_file(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    sources = [*(Bytes(CONTENT, cut=cut) for cut in cuts), Bytes(CONTENT)]
    target = tmp_path_factory.mktemp("chain") / "b"
    with Engine() as own:
        assert fetch(sources, target, EXPECTED, engine=own).md5 == MD5
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("etag", "md5"),
    [
        (f'"{MD5}"', MD5),
        (f'W/"{MD5.upper()}"', MD5),
        (f'"{MD5}-3"', None),
        ('"abc"', None),
        (None, None),
    ],
)
def test_only_single_part_etags_are_md5(etag: str | None, md5: str | None) -> None:
    assert md5_of_etag(etag) == md5


def test_a_second_source_proves_what_nothing_covers(tmp_path: Path) -> None:
    unknown = Expected(len(CONTENT), None, Proof.SIZE)
    same, other = Bytes(CONTENT, name="second"), Bytes(CONTENT[::-1], name="third")
    with Engine(is_confirming=True) as engine:
        assert fetch([Bytes(CONTENT), same], tmp_path / "a", unknown, engine=engine).proof is Proof.TWO_SOURCE
        assert fetch([Bytes(CONTENT)], tmp_path / "b", unknown, engine=engine).proof is Proof.SIZE
        broken = Bytes(CONTENT, cut=10, name="broken")
        assert fetch([Bytes(CONTENT), broken], tmp_path / "c", unknown, engine=engine).proof is Proof.SIZE
        assert fetch([Bytes(CONTENT), other], tmp_path / "d", EXPECTED, engine=engine).proof is Proof.MANIFEST
        with pytest.raises(ChecksumMismatch, match="other bytes"):
            fetch([Bytes(CONTENT), other], tmp_path / "e", unknown, engine=engine)
    assert not (tmp_path / "e").exists()
