"""A machine that goes down may lose what it kept in memory: such files are read again before they are believed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from connectomedb.mirror import unsynced
from connectomedb.mirror.actions import Act
from connectomedb.mirror.mirror import Mirror, OneStore
from connectomedb.mirror.report import Report
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.boot import boot_id
from connectomedb.transfer.checksum import Proof
from connectomedb.transfer.large import RANGE_BYTES

PROJECT, SUBJECT = "HCP_Q1", "100307"
LARGE, SMALL = "T1w/large.bin", "T1w/small.txt"
CONTENT = os.urandom(RANGE_BYTES + 1000)

Start = Callable[[], Mirror]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Open the mirror as a new process would."""
    store = MemoryStore({f"q1/{SUBJECT}/{LARGE}": CONTENT, f"q1/{SUBJECT}/{SMALL}": b"small"})
    return lambda: Mirror(tmp_path, [OneStore(store)])


def fetch(mirror: Mirror) -> Report:
    report = mirror.fetch(SUBJECT, project=PROJECT)
    report.raise_for_failures()
    return report


def ledger(mirror: Mirror) -> Path:
    return mirror.root / ".connectomedb" / "q1" / f"{SUBJECT}.json"


def account(mirror: Mirror) -> dict[str, object]:
    """What the ledger says of files that are not on the disk itself."""
    found: dict[str, object] = json.loads(ledger(mirror).read_bytes().splitlines()[0])["unsynced"]
    return found


def go_down(mirror: Mirror) -> None:
    """As the ledger is found after the machine was started anew."""
    content = ledger(mirror).read_bytes()
    assert boot_id()
    ledger(mirror).write_bytes(content.replace(str(boot_id()).encode(), b"another-start-of-the-machine"))


def lose_bytes(file: Path) -> None:
    """A preallocated file whose bytes never left memory: same size, same time, all zeros."""
    facts = file.stat()
    file.write_bytes(bytes(facts.st_size))
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def test_large_files_are_noted_with_the_start_of_the_machine(start: Start) -> None:
    mirror = start()
    fetch(mirror)
    assert account(mirror) == {"boot": boot_id(), "paths": [LARGE]}


def test_a_file_that_was_lost_with_the_machine_comes_again(start: Start) -> None:
    mirror = start()
    [local, _] = fetch(mirror).paths
    go_down(mirror)
    lose_bytes(local)
    plan = start().plan(SUBJECT, project=PROJECT)
    assert {action.path: action.act for action in plan.actions} == {LARGE: Act.CHECK, SMALL: Act.KEEP}
    report = fetch(start())
    assert [(file.path, file.fetched) for file in report.files] == [(LARGE, True), (SMALL, False)]
    assert local.read_bytes() == CONTENT


def test_a_file_that_was_not_lost_is_read_once_and_believed(start: Start) -> None:
    mirror = start()
    fetch(mirror)
    go_down(mirror)
    report = fetch(start())
    assert [(file.path, file.fetched, file.proof) for file in report.files] == [
        (LARGE, False, Proof.ETAG),
        (SMALL, False, Proof.ETAG),
    ]
    assert account(mirror)["paths"] == []
    assert start().plan(SUBJECT, project=PROJECT).is_done


def test_other_files_of_the_subject_are_answered_at_once(start: Start) -> None:
    mirror = start()
    fetch(mirror)
    go_down(mirror)
    written = ledger(mirror).read_bytes()
    assert [path.name for path in start().files(SUBJECT, SMALL, project=PROJECT)] == ["small.txt"]
    assert ledger(mirror).read_bytes() == written


def test_what_was_written_a_while_ago_is_settled_when_the_ledger_is_written_next(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = start()
    [_, small] = fetch(mirror).paths
    monkeypatch.setattr(unsynced, "SETTLED_S", 0.0)
    small.unlink()
    fetch(start())
    assert account(mirror) == {"boot": boot_id(), "paths": []}


def test_verify_finds_what_was_lost(start: Start) -> None:
    mirror = start()
    [local, _] = fetch(mirror).paths
    go_down(mirror)
    lose_bytes(local)
    wrong = [found.path for found in start().verify(project=PROJECT) if not found.holds(Proof.ETAG)]
    assert wrong == [LARGE]
