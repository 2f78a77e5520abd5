"""A file of middling size that was begun is gone on with, by the next call and by the next process."""

import hashlib
import os
import random
import threading
import time
from pathlib import Path

import pytest
from tests.transfer.test_fetch import Bytes, names

from connectomedb.errors import ChecksumMismatch, Interrupted, StoreDenied
from connectomedb.transfer.begun import LONG_SILENT_S
from connectomedb.transfer.checksum import LONG_BYTES, Expected, Proof
from connectomedb.transfer.fetch import Engine, fetch
from connectomedb.transfer.part import PartFile
from connectomedb.transfer.run import STALE_S, Run, now

CONTENT = random.Random(7).randbytes(2 * LONG_BYTES)
EXPECTED = Expected(len(CONTENT), hashlib.md5(CONTENT).hexdigest(), Proof.MANIFEST)
CAME = 1_500_000
PIECE = 10_000


def whole() -> Bytes:
    return Bytes(CONTENT, piece=PIECE)


def bring(target: Path, source: Bytes, expected: Expected = EXPECTED) -> int:
    """Fetch as another run of this process; the bytes that were there already."""
    with Engine() as engine:
        return fetch([source], target, expected, engine=engine).resumed


def plant(target: Path, run: Run, content: bytes) -> Path:
    part = target.with_name(f".{target.name}.{run}-{threading.get_ident() + 1:x}.part")
    part.write_bytes(content)
    return part


def ended() -> Run:
    """A run of this host that is over: nobody of that number began at that time."""
    return Run(Run.here().host, os.getpid(), "1")


def test_the_next_call_goes_on_at_the_byte(tmp_path: Path) -> None:
    dying = Bytes(CONTENT, cut=400_000, piece=PIECE)
    with pytest.raises(StoreDenied):
        bring(tmp_path / "a", dying)
    came = 400_000 * len(dying.offsets)
    assert came < len(CONTENT) and len(names(tmp_path)) == 1
    source = whole()
    assert bring(tmp_path / "a", source) == came
    assert (source.offsets, names(tmp_path)) == ([came], ["a"])
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_the_longest_part_of_the_runs_that_ended_is_taken_over(tmp_path: Path) -> None:
    for number, count in enumerate((1_000_000, CAME, 0)):
        plant(tmp_path / "a", Run(Run.here().host, os.getpid(), f"{number + 1}"), CONTENT[:count])
    source = whole()
    assert bring(tmp_path / "a", source) == CAME
    assert (source.offsets, names(tmp_path)) == ([CAME], ["a"])
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_all_of_it_may_have_come(tmp_path: Path) -> None:
    plant(tmp_path / "a", ended(), CONTENT)
    source = whole()
    assert bring(tmp_path / "a", source) == len(CONTENT)
    assert source.offsets == [] and (tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"x" * CAME, CONTENT[:1000] + b"\0" * 1000, CONTENT + b"more"])
def test_a_wrong_part_costs_time_and_nothing_else(tmp_path: Path, left: bytes) -> None:
    plant(tmp_path / "a", ended(), left)
    assert bring(tmp_path / "a", whole()) == 0
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == CONTENT


def test_what_a_living_run_or_another_host_writes_is_left_alone(tmp_path: Path) -> None:
    here = Run.here()
    parts = [
        plant(tmp_path / "a", Run("elsewhere", 1, "1"), CONTENT[:CAME]),
        plant(tmp_path / "a", Run(here.host, 1, ""), CONTENT[:CAME]),
        plant(tmp_path / "a.b", ended(), CONTENT[:CAME]),
    ]
    assert bring(tmp_path / "a", whole()) == 0
    assert all(part.exists() for part in parts)


def test_without_a_checksum_a_file_is_begun_anew(tmp_path: Path) -> None:
    part = plant(tmp_path / "a", ended(), b"x" * CAME)
    assert bring(tmp_path / "a", whole(), Expected(len(CONTENT), None, Proof.SIZE)) == 0
    assert part.exists() and (tmp_path / "a").read_bytes() == CONTENT


def test_wrong_bytes_leave_nothing(tmp_path: Path) -> None:
    plant(tmp_path / "a", ended(), CONTENT[:CAME])
    with pytest.raises(ChecksumMismatch):
        bring(tmp_path / "a", Bytes(CONTENT[:-1] + b"x", piece=PIECE))
    assert names(tmp_path) == []


def test_what_another_host_left_long_ago_is_gone_on_with_and_its_owner_cannot_write_into_it(tmp_path: Path) -> None:
    left = plant(tmp_path / "a", Run("elsewhere", 1, "1"), CONTENT[:CAME])
    os.utime(left, (time.time() - 2 * LONG_SILENT_S,) * 2)
    with left.open("ab") as still_open:
        assert bring(tmp_path / "a", whole()) == CAME
        still_open.write(b"woke up")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert names(tmp_path) == ["a"]


def test_whoever_lost_a_large_file_while_it_stood_still_writes_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = PartFile.open(tmp_path / "a", Expected(4, None, Proof.SIZE), Run.here())
    os.rename(part.path, tmp_path / "a")  # as another run does that took it over and completed it
    monkeypatch.setattr("connectomedb.transfer.part.now", lambda: now() + STALE_S)
    with pytest.raises(Interrupted):
        part.write(memoryview(b"late"), 0)
    part.discard()
    assert (tmp_path / "a").read_bytes() == bytes(4)
