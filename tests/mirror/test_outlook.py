"""Whether it fits, how long it takes, and what plans come to."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import DiskFull
from connectomedb.mirror.actions import Act, Action
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.file_reports import FileReport
from connectomedb.mirror.mirror import Mirror, OneStore
from connectomedb.mirror.options import Options
from connectomedb.mirror.outlook import look_out
from connectomedb.mirror.plan import Plan
from connectomedb.mirror.space import BLOCK_BYTES, Disk, Room, room_for
from connectomedb.mirror.speed import MOST_RUNS, Speeds
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.large import RANGE_BYTES

MB, GB, TB = 10**6, 10**9, 10**12
SUBJECT = "100307"


def action(path: str, act: Act, size: int | None, source: str | None = "bucket") -> Action:
    return Action(path, act, "", Expected(size, None, Proof.SIZE), source)


def plan(*actions: Action, manifests: tuple[Action, ...] = (), notes: tuple[str, ...] = ()) -> Plan:
    return Plan("HCP_Q1", SUBJECT, Choice(), actions, manifests, notes=notes)


# Room


@pytest.mark.parametrize(
    ("total", "reserve"),
    [(20 * MB, 2 * MB), (8 * GB, 800 * MB), (50 * GB, GB), (250 * GB, 2.5 * GB), (80 * TB, 100 * GB)],
    ids=["a tiny disk", "a small one", "an ordinary one", "a large one", "a file server"],
)
def test_the_reserve_suits_the_disk(total: int, reserve: float) -> None:
    assert Disk(total, total).reserve() == reserve


@given(st.integers(0, 10**15))
def test_the_reserve_never_takes_more_than_a_tenth(total: int) -> None:
    assert 0 <= Disk(total, total).reserve() <= total / 10 + 1


@pytest.mark.parametrize(
    ("needed", "free", "reserve", "fits"),
    [
        (0, 0, GB, True),
        (1, GB, GB, False),
        (1, GB + 1, GB, True),
        (GB, GB, 0, True),
        (GB + 1, GB, 0, False),
        (GB, None, GB, True),
    ],
    ids=["nothing to fetch", "only the reserve is left", "one byte more", "to the brim", "over it", "unknown"],
)
def test_what_fits_and_what_does_not(tmp_path: Path, needed: int, free: int | None, reserve: int, fits: bool) -> None:
    room = Room(tmp_path, needed, free, reserve)
    assert room.fits is fits
    if fits:
        room.check()
    else:
        with pytest.raises(DiskFull, match="Nothing was fetched"):
            room.check()


def test_a_folder_that_is_not_there_yet_lies_on_the_disk_of_its_parents(tmp_path: Path) -> None:
    assert Disk.of(tmp_path / "a/b/c").total == Disk.of(tmp_path).total > 0


def test_room_is_counted_in_blocks_and_only_for_what_is_fetched(tmp_path: Path) -> None:
    actions = (
        action("a", Act.FETCH, 1),
        action("b", Act.FETCH, BLOCK_BYTES + 1),
        action("c", Act.FETCH, 0),
        action("d", Act.FETCH, None),
        action("e", Act.KEEP, GB),
        action("f", Act.CHECK, GB),
    )
    assert room_for(actions, tmp_path) == 3 * BLOCK_BYTES


def test_a_large_file_that_was_begun_has_its_room_already(tmp_path: Path) -> None:
    size = RANGE_BYTES + 1
    begun = tmp_path / ".large.bin.host-1-a.part"
    begun.mkdir()
    actions = (action("large.bin", Act.FETCH, size),)
    with (begun / "bytes").open("wb") as file:
        file.truncate(size)
        assert room_for(actions, tmp_path) > size  # promised, not given
        os.posix_fallocate(file.fileno(), 0, size)
    assert room_for(actions, tmp_path) == 0
    assert room_for((action("other.bin", Act.FETCH, size),), tmp_path) > size


def test_what_cannot_fit_is_refused_before_the_first_byte(tmp_path: Path) -> None:
    store = MemoryStore({f"q1/{SUBJECT}/T1w/a.txt": b"a"}, "bucket")
    mirror = Mirror(tmp_path / "m", [OneStore(store)])
    free = Disk.of(tmp_path).free
    assert free is not None
    with pytest.raises(DiskFull, match="Nothing was fetched"):
        mirror.fetch(SUBJECT, project="HCP_Q1", options=Options(reserve=2 * free))
    assert [path for path in (tmp_path / "m").rglob("*") if path.is_file()] == []
    assert mirror.files(SUBJECT, project="HCP_Q1")
    assert mirror.fetch(SUBJECT, project="HCP_Q1", options=Options(reserve=2 * free)).paths, "what is there needs none"


# Speed


def report(size: int, *sources: str, fetched: bool = True) -> FileReport:
    return FileReport("a", ".", size, fetched, Proof.SIZE, sources)


@pytest.fixture
def speeds(tmp_path: Path) -> Speeds:
    (tmp_path / ".connectomedb").mkdir()
    return Speeds(tmp_path)


def test_speed_is_what_the_last_runs_came_to_together(speeds: Speeds) -> None:
    assert speeds.bytes_per_s() == {}
    speeds.measured([report(30 * MB, "bucket")], 1.0)
    speeds.measured([report(60 * MB, "bucket"), report(9 * MB, "bucket", fetched=False)], 2.0)
    assert speeds.bytes_per_s() == {"bucket": 30 * MB}
    for _ in range(MOST_RUNS):
        speeds.measured([report(5 * MB, "bucket")], 1.0)
    assert speeds.bytes_per_s() == {"bucket": 5 * MB}


@pytest.mark.parametrize(
    "files",
    [
        [],
        [report(10, "bucket")],
        [report(5 * MB, "bucket"), report(5 * MB, "server")],
        [report(9 * MB, "bucket", fetched=False)],
    ],
    ids=["nothing", "too little", "two sources", "all there"],
)
def test_runs_that_tell_no_speed_are_not_noted(speeds: Speeds, files: list[FileReport]) -> None:
    speeds.measured(files, 1.0)
    assert speeds.bytes_per_s() == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": 9}',
        '{"format": 1, "sources": {"a": [[1, 0]]}}',
        '{"format": 1, "sources": {"a": [3]}}',
        '{"format": 1, "sources": {"a": [[NaN, 1]]}}',
        '{"format": 1, "sources": []}',
        "[" * 100_000,
    ],
)
def test_a_damaged_record_is_no_record(speeds: Speeds, tmp_path: Path, text: str) -> None:
    (tmp_path / ".connectomedb/speed.json").write_text(text)
    assert speeds.bytes_per_s() == {}
    speeds.measured([report(30 * MB, "bucket")], 1.0)
    assert speeds.bytes_per_s() == {"bucket": 30 * MB}


def test_a_folder_that_cannot_be_written_costs_only_the_record(tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    Speeds(tmp_path / "none").measured([report(30 * MB, "bucket")], 1.0)
    assert Speeds(tmp_path / "none").bytes_per_s() == {}


def test_a_run_is_measured_and_its_ledger_stays_one_of_subjects(tmp_path: Path) -> None:
    store = MemoryStore({f"q1/{SUBJECT}/T1w/a.bin": bytes(2 * MB)}, "bucket")
    mirror = Mirror(tmp_path, [OneStore(store)])
    mirror.files(SUBJECT, project="HCP_Q1")
    assert Speeds(tmp_path).bytes_per_s()["bucket"] > 0
    assert json.loads((tmp_path / ".connectomedb/speed.json").read_text())["format"] == 1
    assert list(mirror.shelf("HCP_Q1").ledger.subjects()) == [SUBJECT]


# Totals


def test_totals_are_added_up_over_plans(tmp_path: Path) -> None:
    plans = [
        plan(
            action("a", Act.FETCH, 10), action("b", Act.KEEP, 5), manifests=(action("c", Act.FETCH, 1),), notes=("x",)
        ),
        plan(action("a", Act.FETCH, 30, "server"), action("b", Act.FETCH, None, None), notes=("x", "y")),
        plan(),
    ]
    found = look_out(iter(plans), Room(tmp_path, 0, GB, 0), lambda plan: 7, {"bucket": 11.0, "server": 10.0})
    assert found.subjects == 3
    assert (found.total.files, found.total.size) == (5, 46)
    assert (found.to_fetch.files, found.to_fetch.size) == (4, 41)
    assert {name: (one.files, one.size) for name, one in found.sources.items()} == {
        "bucket": (2, 11),
        "server": (1, 30),
        None: (1, 0),
    }
    assert found.room == Room(tmp_path, 21, GB, 0)
    assert found.seconds == 4.0
    assert found.notes == ("x", "y")


@pytest.mark.parametrize(
    ("bytes_per_s", "limit", "seconds"),
    [({}, None, None), ({"bucket": 10.0}, None, 4.0), ({"bucket": 10.0}, 5.0, 8.0), ({"bucket": 10.0}, 99.0, 4.0)],
    ids=["never measured", "as measured", "held back", "a limit that is none"],
)
def test_the_expected_time_follows_from_speed_and_limit(
    tmp_path: Path, bytes_per_s: dict[str, float], limit: float | None, seconds: float | None
) -> None:
    plans = [plan(action("a", Act.FETCH, 40))]
    assert look_out(plans, Room(tmp_path, 0, GB, 0), lambda plan: 0, bytes_per_s, limit).seconds == seconds


def test_nothing_to_fetch_takes_no_time(tmp_path: Path) -> None:
    plans = [plan(action("a", Act.KEEP, 40), action("b", Act.FETCH, 5, None))]
    assert look_out(plans, Room(tmp_path, 0, GB, 0), lambda plan: 0, {}).seconds == 0.0
