"""What is kept in columns comes out as it went in, and takes little memory."""

import pickle
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from connectomedb.errors import StoreUnreachable
from connectomedb.mirror.actions import Act, Action, Actions
from connectomedb.mirror.file_reports import FileReport, FileReports
from connectomedb.mirror.ledger import Ledger, SubjectLedger
from connectomedb.mirror.present import _below
from connectomedb.mirror.record import Held, Record, Records
from connectomedb.transfer.checksum import Expected, Proof

MD5 = "0123456789abcdef" * 2

RECORDS = {
    "T1w/a.nii.gz": Record(Expected(7, MD5, Proof.MANIFEST), Held(1, Proof.MANIFEST, ("one",)), 1360800000.0, "one"),
    "T1w/b": Record(Expected(None, None, Proof.SIZE), None, None, None),
    "T1w/c d": Record(Expected(0, None, Proof.SIZE), Held(0, Proof.SIZE, ()), 1.25, "two"),
    "a": Record(Expected(1 << 40, MD5[::-1], Proof.ETAG), Held(2**62, Proof.TWO_SOURCE, ("two", "one")), 0.0, "one"),
    "T1w-x/é\u2028": Record(Expected(3, MD5, Proof.CATALOG), None, None, "two"),
}

ACTIONS = [
    Action(path, act, f"for {act}", record.expected, record.source, record.modified)
    for (path, record), act in zip(RECORDS.items(), [*Act, *Act], strict=False)
]

REPORTS = [
    FileReport("a", "/m/q1/1", 7, True, Proof.ETAG, ("one", "two")),
    FileReport("b", "/m/q1/1", None, False, Proof.SIZE, ()),
    FileReport("c", "/m/q1/2", 0, False, error=StoreUnreachable("Asked for c.")),
]


def test_records_are_what_was_put_in() -> None:
    records = Records.of(RECORDS.items())
    assert dict(records) == RECORDS
    assert not records.are_all_held()
    records["T1w/b"] = RECORDS["a"]
    del records["T1w-x/é\u2028"]
    assert records == {"T1w/a.nii.gz": RECORDS["T1w/a.nii.gz"], "T1w/b": RECORDS["a"]} | {
        name: RECORDS[name] for name in ("T1w/c d", "a")
    }
    assert records.are_all_held()
    records.hold("a", None)
    assert records["a"].held is None


@pytest.mark.parametrize("md5", ["0" * 64, "no checksum", "0" * 31])
def test_what_is_no_md5_is_refused(md5: str) -> None:
    with pytest.raises(ValueError):
        Records()["a"] = Record(Expected(7, md5, Proof.CATALOG))


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "q1", "HCP_Q1")
    ledger.save("100307", SubjectLedger({"T1w", "a"}, Records.of(RECORDS.items()), ("one", "two")))
    read = ledger.load("100307")
    assert (read.complete, dict(read.records), read.asked) == ({"T1w", "a"}, RECORDS, ("one", "two"))
    assert read.stamp == ledger.stamp("100307")


@pytest.mark.parametrize(("kind", "values"), [(Actions, ACTIONS), (FileReports, REPORTS)], ids=["actions", "reports"])
def test_a_compact_sequence_is_a_sequence(
    kind: Callable[[list[object]], Sequence[object]], values: list[object]
) -> None:
    found = kind(values)
    assert list(found) == values
    assert [found[-1], found[0], len(found)] == [values[-1], values[0], len(values)]
    assert list(found[1:]) == values[1:] and values[1] in found
    same = kind(values)
    assert found == same and hash(found) == hash(same) and found != found[1:]
    if kind is Actions:
        assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(IndexError):
        found[len(values)]


def test_a_file_takes_little_memory() -> None:
    """Path, record, action and report together; the promise is flat memory up to 100,000 files (design.md 7)."""
    count = 2_000
    tracemalloc.start()
    records = Records.of(
        (f"MNINonLinear/{number:06}.dat", Record(Expected(number, MD5, Proof.ETAG), None, 1.5, "one"))
        for number in range(count)
    )
    actions = Actions(
        Action(path, Act.FETCH, "not on disk", records[path].expected, "one", 1.5) for path in sorted(records)
    )
    for path in records:
        records.hold(path, Held(1, Proof.ETAG, ("one",)))
    reports = FileReports(
        FileReport(action.path, "/m", action.expected.size, True, Proof.ETAG, ("one",)) for action in actions
    )
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(reports) == count
    assert used / count < 500


def test_paths_are_made_as_pathlib_makes_them(tmp_path: Path) -> None:
    names = ["a", "b c.nii.gz", ".hidden", "é", "x..y"]
    for folder in (tmp_path, Path("relative")):
        found = _below(folder, names)
        assert found == [folder / name for name in names]
        for path, name in zip(found, names, strict=True):
            joined = folder / name
            assert (str(path), hash(path), path.parts, path.name) == (str(joined), hash(joined), joined.parts, name)
            assert path.parent == folder and type(path) is type(joined)
