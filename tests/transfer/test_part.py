"""What is believed of a large file that another run began: ranges that no loss of power can have taken away."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from connectomedb.errors import Interrupted
from connectomedb.transfer import part
from connectomedb.transfer.boot import boot_id
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.part import FORMAT, PartFile
from connectomedb.transfer.run import STALE_S, Run, now

SIZE = 40
EXPECTED = Expected(SIZE, None, Proof.SIZE)
HEAD = {"format": FORMAT, "size": SIZE, "md5": None}
HERE, ELSEWHERE = {"boot": boot_id()}, {"boot": "another start of the machine"}
A, B, C = [0, 10], [10, 10], [20, 10]

JOURNALS: dict[str, tuple[list[Any], set[int]]] = {
    "this start": ([HERE, A, B], {0, 10}),
    "another start": ([ELSEWHERE, A, B], set()),
    "another start, partly synced": ([ELSEWHERE, A, {"synced": [0]}, B], {0}),
    "another start, then this one": ([ELSEWHERE, A, HERE, B], {10}),
    "this start, then another": ([HERE, A, ELSEWHERE, B], set()),
    "synced by who never believed it": ([ELSEWHERE, A, HERE, B, {"synced": [0, 10]}], {10}),
    "fetched again by this start": ([ELSEWHERE, A, HERE, A, B], {0, 10}),
    "two runs of this start": ([HERE, A, HERE, B], {0, 10}),
    "synced, then two other starts": ([HERE, A, {"synced": [0]}, ELSEWHERE, HERE, C], {0, 20}),
    "no account of the start": ([A, B], set()),
    "a torn line": ([HERE, A, "torn"], {0}),
    "rubbish": ([HERE, A, {"synced": "x"}, {"synced": [[0], None]}, [1], {"boot": HERE["boot"]}], {0}),
}


@pytest.mark.parametrize(("notes", "believed"), JOURNALS.values(), ids=JOURNALS)
def test_ranges_of_another_start_are_believed_once_they_were_synced(
    tmp_path: Path, notes: list[Any], believed: set[int]
) -> None:
    assert boot_id()
    run = Run.here()
    folder = tmp_path / f".a.{run}.part"
    folder.mkdir()
    (folder / "bytes").write_bytes(bytes(SIZE))
    lines = [json.dumps(note) if note != "torn" else "[10, 1" for note in [HEAD, *notes]]
    (folder / "journal").write_text("\n".join(lines) + "\n")
    left = PartFile.open(tmp_path / "a", EXPECTED, run)
    assert set(left.ranges) == believed
    left.discard()


def test_what_was_written_long_enough_ago_is_synced_and_outlasts_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fdatasync

    def note(handle: int) -> None:
        synced.append(handle)
        sync(handle)

    monkeypatch.setattr(os, "fdatasync", note)
    run = Run.here()
    begun = PartFile.open(tmp_path / "a", EXPECTED, run)
    begun.written(*A)
    assert not synced
    monkeypatch.setattr(part, "SYNC_EVERY_S", -1.0)
    begun.written(*B)
    assert len(synced) == 2, "the bytes, then what is said of them"
    monkeypatch.setattr(part, "SYNC_EVERY_S", 1e9)
    begun.written(*C)
    begun.keep()
    monkeypatch.setattr(part, "boot_id", lambda: "the next start")
    left = PartFile.open(tmp_path / "a", EXPECTED, run)
    assert set(left.ranges) == {0, 10}
    left.discard()


def test_all_threads_of_whoever_lost_a_file_hear_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = PartFile.open(tmp_path / "a", EXPECTED, Run.here())
    os.rename(lost.path, tmp_path / "a")
    later = now() + STALE_S
    monkeypatch.setattr(part, "now", lambda: later)
    with pytest.raises(Interrupted):
        lost.write(memoryview(b"late"), 0)
    with pytest.raises(Interrupted):
        lost.written(0, 4)
    lost.discard()
    assert (tmp_path / "a").read_bytes() == bytes(SIZE)
