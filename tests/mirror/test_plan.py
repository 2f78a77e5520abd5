"""Plans: what would happen is a value, made without touching anything, kept as text, carried out later."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import ChecksumMismatch, ConfigError, ManifestError, NotFound, StoreUnreachable
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest
from connectomedb.mirror.actions import Act, Action, Actions
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.mirror import Mirror, OneStore
from connectomedb.mirror.options import Options
from connectomedb.mirror.plan import Existing, Plan, make_actions
from connectomedb.mirror.plan_file import format_plan, parse_plans
from connectomedb.mirror.record import Held, Record
from connectomedb.stores.base import ObjectInfo
from connectomedb.stores.folder import FolderSource, FolderStore
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.checksum import Expected, Proof

SUBJECT, OTHER = "100307", "103515"
MANIFEST = ".xdlm/100307_3T_all.json"
BRAIN, EV, LATE = b"a brain" * 1000, b"11.0\t12.0\t1\n", b"late"


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def objects(subject: str = SUBJECT) -> dict[str, bytes]:
    """A small subject: two covered files, one uncovered, one manifest."""
    covered = {"T1w/brain.nii.gz": BRAIN, "MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt": EV}
    entries = tuple(Entry(path, len(content), md5(content)) for path, content in covered.items())
    manifest = format_manifest(Manifest(subject, entries))
    files = {**covered, "T1w/uncovered.txt": LATE, f".xdlm/{subject}_3T_all.json": manifest}
    return {f"q1/{subject}/{path}": content for path, content in files.items()}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore({**objects(), **objects(OTHER)}, "bucket")


@pytest.fixture
def mirror(tmp_path: Path, store: MemoryStore) -> Mirror:
    return Mirror(tmp_path / "m", [OneStore(store)])


def on_disk(folder: Path) -> dict[str, int]:
    return {path.as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*")}


# What is decided


HELD = Held(5 * 10**9, Proof.MANIFEST, ("bucket",))
THERE, TOUCHED, LONGER = (7, 5), (7, 6), (8, 5)
"""Size in bytes and time in seconds of a file that ought to have 7 bytes."""

DECISIONS: dict[str, tuple[tuple[int, int] | None, Held | None, Existing, Act]] = {
    "nothing there": (None, None, Existing.CHECK, Act.FETCH),
    "nothing there, though proven once": (None, HELD, Existing.CHECK, Act.FETCH),
    "nothing there, and what is there is kept": (None, None, Existing.KEEP, Act.FETCH),
    "proven": (THERE, HELD, Existing.CHECK, Act.KEEP),
    "proven, touched since": (TOUCHED, HELD, Existing.CHECK, Act.CHECK),
    "never proven": (THERE, None, Existing.CHECK, Act.CHECK),
    "wrong size": (LONGER, None, Existing.CHECK, Act.FETCH),
    "wrong size, though proven once": (LONGER, HELD, Existing.CHECK, Act.FETCH),
    "right size is trusted": (TOUCHED, HELD, Existing.KEEP, Act.KEEP),
    "right size is trusted, never proven": (TOUCHED, None, Existing.KEEP, Act.KEEP),
    "wrong size is never trusted": (LONGER, None, Existing.KEEP, Act.FETCH),
    "all again": (THERE, HELD, Existing.REFETCH, Act.FETCH),
}


@pytest.mark.parametrize(("there", "held", "existing", "act"), DECISIONS.values(), ids=DECISIONS)
def test_each_file_is_kept_checked_or_fetched(
    tmp_path: Path, there: tuple[int, int] | None, held: Held | None, existing: Existing, act: Act
) -> None:
    record = Record(Expected(7, "0" * 32, Proof.MANIFEST), held)
    file = tmp_path / "a"
    if there:
        file.write_bytes(b"x" * there[0])
        os.utime(file, (there[1], there[1]))
    [action] = make_actions(["a"], {"a": record}.__getitem__, lambda path: file.stat() if there else None, existing)
    assert action.act is act
    assert action.reason


# A plan from stores


def test_a_plan_changes_nothing_on_disk_and_in_the_store(mirror: Mirror, store: MemoryStore) -> None:
    plan = mirror.plan(SUBJECT, project="HCP_Q1")
    assert not mirror.root.exists()
    assert [action.act for action in plan.actions] == [Act.FETCH] * 4
    mirror.files(SUBJECT, "T1w/uncovered.txt", project="HCP_Q1")
    before = on_disk(mirror.root)
    again = mirror.plan(SUBJECT, project="HCP_Q1")
    assert on_disk(mirror.root) == before
    assert {action.path: action.act for action in again.actions if action.act is not Act.FETCH} == {
        MANIFEST: Act.KEEP,
        "T1w/uncovered.txt": Act.KEEP,
    }


def test_a_plan_knows_what_each_file_ought_to_be_from_manifests_read_in_memory(mirror: Mirror) -> None:
    plan = mirror.plan(SUBJECT, "T1w", project="HCP_Q1")
    assert {action.path: (action.expected.md5, action.expected.proof) for action in plan.actions} == {
        "T1w/brain.nii.gz": (md5(BRAIN), Proof.MANIFEST),
        "T1w/uncovered.txt": (md5(LATE), Proof.ETAG),
    }
    assert [action.path for action in plan.manifests] == [MANIFEST]


def test_a_plan_comes_true(mirror: Mirror) -> None:
    plan = mirror.plan(SUBJECT, "T1w", project="HCP_Q1")
    report = mirror.fetch(SUBJECT, "T1w", project="HCP_Q1")
    assert [(file.path, file.size, file.proof, file.fetched) for file in report.files] == [
        (action.path, action.expected.size, action.expected.proof, True) for action in plan.actions
    ]
    assert mirror.plan(SUBJECT, "T1w", project="HCP_Q1").is_done


def test_the_source_is_the_first_store_that_lists_the_file(tmp_path: Path) -> None:
    lacking = {key: content for key, content in objects().items() if not key.endswith((".nii.gz", "lf.txt"))}
    second = {key: content for key, content in objects().items() if not key.endswith("lf.txt")}
    mirror = Mirror(tmp_path, [OneStore(MemoryStore(lacking, "bucket")), OneStore(MemoryStore(second, "server"))])
    plan = mirror.plan(SUBJECT, project="HCP_Q1")
    assert {action.path: action.source for action in plan.actions} == {
        MANIFEST: "bucket",
        "MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt": None,
        "T1w/brain.nii.gz": "server",
        "T1w/uncovered.txt": "bucket",
    }
    outlook = mirror.outlook([plan])
    assert {name: amount.files for name, amount in outlook.sources.items()} == {"bucket": 2, "server": 1, None: 1}


def test_a_store_that_is_silent_when_asked_for_the_rest_is_a_note(tmp_path: Path) -> None:
    class Down(MemoryStore):
        def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
            raise StoreUnreachable("the server is down")

    lacking = {key: content for key, content in objects().items() if not key.endswith(".nii.gz")}
    mirror = Mirror(tmp_path, [OneStore(MemoryStore(lacking, "bucket")), OneStore(Down({}, "server"))])
    plan = mirror.plan(SUBJECT, "T1w", project="HCP_Q1")
    assert plan.notes == ("the server is down",)
    assert plan.actions[0].source is None


def test_a_source_that_was_added_later_is_asked_for_what_is_missing(tmp_path: Path) -> None:
    lacking = {key: content for key, content in objects().items() if not key.endswith(".nii.gz")}
    first = Mirror(tmp_path, [OneStore(MemoryStore(lacking, "bucket"))])
    assert len(first.fetch(SUBJECT, "T1w", project="HCP_Q1").failures) == 1
    second = first.with_fallback(OneStore(MemoryStore(objects(), "server")))
    assert [action.source for action in second.plan(SUBJECT, "T1w", project="HCP_Q1").of(Act.FETCH)] == ["server"]


def test_a_manifest_that_comes_wrong_is_refused(tmp_path: Path) -> None:
    class Flipping(MemoryStore):
        def open(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
            return (b"x" + piece[1:] for piece in super().open(key, offset, length))

    mirror = Mirror(tmp_path, [OneStore(Flipping(objects(), "bucket"))])
    with pytest.raises(ChecksumMismatch, match=r"100307_3T_all\.json"):
        mirror.plan(SUBJECT, project="HCP_Q1")


def test_a_choice_that_means_nothing_says_so(mirror: Mirror) -> None:
    with pytest.raises(NotFound, match=r"None of its 4 files is meant"):
        mirror.plan(SUBJECT, Choice(include=("**/*.dtseries.nii",)), project="HCP_Q1")
    with pytest.raises(NotFound, match=r"write 'T1w/\*\*'"):
        mirror.plan(SUBJECT, Choice(include=("T1w",)), project="HCP_Q1")


def test_a_package_is_planned_and_fetched_by_its_name(mirror: Mirror) -> None:
    choice = Choice(packages=("3T_tfMRI_MOTOR_preproc",))
    assert [action.path for action in mirror.plan(SUBJECT, choice, project="HCP_Q1").actions] == [
        "MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt"
    ]
    assert [path.name for path in mirror.files(SUBJECT, choice, project="HCP_Q1")] == ["lf.txt"]
    assert not (mirror.root / "q1/100307/T1w").exists()


def test_after_a_narrow_choice_a_wider_one_lists_nothing_and_brings_the_rest(mirror: Mirror) -> None:
    mirror.files(SUBJECT, Choice(include=("T1w/*.txt",)), project="HCP_Q1")
    report = mirror.fetch(SUBJECT, project="HCP_Q1")
    assert sorted(file.path for file in report.files if file.fetched) == [
        "MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt",
        "T1w/brain.nii.gz",
    ]


def test_what_was_replaced_since_its_listing_comes_in_one_call(mirror: Mirror, store: MemoryStore) -> None:
    list(mirror.prepare([SUBJECT], project="HCP_Q1"))
    store.put(f"q1/{SUBJECT}/T1w/uncovered.txt", b"another content, and longer")
    report = mirror.fetch(SUBJECT, project="HCP_Q1")
    assert not report.failures
    assert (mirror.root / f"q1/{SUBJECT}/T1w/uncovered.txt").read_bytes() == b"another content, and longer"
    assert all(file.fetched for file in report.files)


def test_plans_of_several_subjects_come_one_by_one(mirror: Mirror) -> None:
    plans = mirror.plans([SUBJECT, "999999", OTHER, SUBJECT], "T1w", project="HCP_Q1")
    assert [(plan.subject, len(plan.actions)) for plan in plans] == [(SUBJECT, 2), ("999999", 0), (OTHER, 2)]


def test_a_subject_without_the_files_has_an_empty_plan_that_says_why(mirror: Mirror) -> None:
    [plan] = mirror.plans(["999999"], "T1w", project="HCP_Q1")
    assert "999999" in plan.notes[0]


def test_preparing_lists_once_and_brings_nothing(mirror: Mirror, store: MemoryStore) -> None:
    [plan] = mirror.prepare([SUBJECT], "T1w", project="HCP_Q1")
    assert len(plan.of(Act.FETCH)) == 2
    assert not (mirror.root / "q1/100307").exists()
    store.put("q1/100307/T1w/new.txt", b"new")
    assert len(mirror.fetch(SUBJECT, "T1w", project="HCP_Q1").files) == 2


# What is on disk


@pytest.mark.parametrize(
    ("existing", "fetched", "proof"),
    [
        (Existing.KEEP, [False, False], [Proof.SIZE, Proof.SIZE]),
        (Existing.CHECK, [True, False], [Proof.MANIFEST, Proof.ETAG]),
        (Existing.REFETCH, [True, True], [Proof.MANIFEST, Proof.ETAG]),
    ],
)
def test_what_is_on_disk_is_kept_checked_or_fetched_again(
    mirror: Mirror, existing: Existing, fetched: list[bool], proof: list[Proof]
) -> None:
    folder = mirror.root / "q1/100307/T1w"
    folder.mkdir(parents=True)
    (folder / "brain.nii.gz").write_bytes(b"x" * len(BRAIN))
    (folder / "uncovered.txt").write_bytes(LATE)
    report = mirror.fetch(SUBJECT, "T1w", project="HCP_Q1", options=Options(existing=existing))
    assert [file.fetched for file in report.files] == fetched
    assert [file.proof for file in report.files] == proof


def test_what_was_only_trusted_is_checked_when_that_is_asked(mirror: Mirror) -> None:
    folder = mirror.root / "q1/100307/T1w"
    folder.mkdir(parents=True)
    (folder / "brain.nii.gz").write_bytes(b"x" * len(BRAIN))
    mirror.fetch(SUBJECT, "T1w", project="HCP_Q1", options=Options(existing=Existing.KEEP))
    mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    assert (folder / "brain.nii.gz").read_bytes() == BRAIN


# Kept and carried out


def test_a_plan_is_carried_out_without_listing(mirror: Mirror, store: MemoryStore) -> None:
    plan = mirror.plan(SUBJECT, "T1w", project="HCP_Q1")
    [kept] = parse_plans(list(format_plan(plan)))
    store.put("q1/100307/T1w/new.txt", b"new")
    report = mirror.fetch(kept)
    assert [(file.path, file.fetched, file.proof) for file in report.files] == [
        ("T1w/brain.nii.gz", True, Proof.MANIFEST),
        ("T1w/uncovered.txt", True, Proof.ETAG),
    ]
    assert (mirror.root / "q1/100307" / MANIFEST).is_file()
    assert not any(file.fetched for file in mirror.fetch(kept).files)


def test_an_old_plan_looks_at_the_disk_again(mirror: Mirror) -> None:
    plan = mirror.plan(SUBJECT, "T1w", project="HCP_Q1")
    mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    assert len(plan.of(Act.FETCH)) == 2
    assert mirror.renew(plan).of(Act.FETCH) == Actions()
    shutil.rmtree(mirror.root / "q1")
    assert len(mirror.renew(plan).of(Act.FETCH)) == 2


def test_a_plan_of_bytes_that_changed_since_fetches_nothing_wrong(mirror: Mirror, store: MemoryStore) -> None:
    plan = mirror.plan(SUBJECT, "T1w", project="HCP_Q1")
    store.put("q1/100307/T1w/brain.nii.gz", b"X" + BRAIN[1:])
    report = mirror.fetch(plan)
    assert isinstance(report.failures["T1w/brain.nii.gz"].error, ChecksumMismatch)
    assert not (mirror.root / "q1/100307/T1w/brain.nii.gz").exists()


def test_several_plans_are_carried_out_one_by_one(mirror: Mirror) -> None:
    plans = list(mirror.plans([SUBJECT, OTHER], "T1w", project="HCP_Q1"))
    lines = [line for plan in plans for line in format_plan(plan)]
    reports = list(mirror.fetch_many(parse_plans(lines)))
    assert [(report.subject, len(report.paths)) for report in reports] == [(SUBJECT, 2), (OTHER, 2)]


words = st.text("ab.1_-", min_size=1, max_size=6).filter(lambda word: set(word) != {"."})
expected = st.builds(
    Expected,
    st.none() | st.integers(0, 2**60),
    st.none() | st.text("0123456789abcdef", min_size=32, max_size=32),
    st.sampled_from(Proof),
)
actions = st.builds(
    Action,
    st.lists(words, min_size=1, max_size=3).map("/".join),
    st.sampled_from(Act),
    st.text(max_size=10),
    expected,
    st.none() | st.text(max_size=10),
    st.none() | st.floats(0, 1e10),
)


def by_path(found: list[Action]) -> tuple[Action, ...]:
    return tuple(sorted(found, key=lambda action: action.path))


plans = st.builds(
    Plan,
    st.just("HCP_Q1"),
    st.sampled_from([SUBJECT, OTHER]),
    st.sampled_from([Choice(), Choice("T1w", ("**/*.txt",), ("a*",), ("bedpostx",))]),
    st.lists(actions, max_size=4, unique_by=lambda action: action.path).map(by_path),
    st.lists(actions, max_size=2, unique_by=lambda action: action.path).map(by_path),
    st.sampled_from(Existing),
    st.lists(st.text(max_size=5), max_size=2).map(tuple),
)


@given(st.lists(plans, max_size=3))
def test_plans_come_back_equal_from_their_lines(made: list[Plan]) -> None:
    lines = [line for plan in made for line in format_plan(plan)]
    assert list(parse_plans(lines)) == made
    assert all("\n" not in line for line in lines)


HEAD = json.dumps({"plan": 1, "project": "HCP_Q1", "subject": SUBJECT, "choice": {}, "existing": "check", "notes": []})
FILE = {"path": "a", "act": "fetch", "reason": "", "size": 1, "md5": None, "proof": "size", "source": None}
ROW = {**FILE, "modified": None}


def test_the_lines_that_are_spoilt_below_are_right_as_they_are() -> None:
    [plan] = parse_plans([HEAD.replace("{}", json.dumps(Choice().format())), json.dumps(ROW)])
    assert [action.path for action in plan.actions] == ["a"]


@pytest.mark.parametrize(
    "lines",
    [
        ["{"],
        ["[]"],
        ["1"],
        [json.dumps(ROW)],
        [HEAD.replace('"plan": 1', '"plan": 2')],
        [HEAD.replace(SUBJECT, "../etc")],
        [HEAD.replace("{}", '{"path": "../x"}')],
        *(
            [HEAD.replace("{}", json.dumps(Choice().format())), json.dumps({**ROW, **spoilt})]
            for spoilt in (
                {"path": "../../etc/passwd"},
                {"path": "/etc/passwd"},
                {"path": "103515.txt"},
                {"path": 5},
                {"act": "delete"},
                {"size": -1},
                {"size": "1"},
                {"size": True},
                {"md5": "abc"},
                {"proof": "sworn"},
                {"source": 1},
                {"modified": "yesterday"},
                {"modified": 1e300},
            )
        ),
        [HEAD.replace("{}", json.dumps(Choice().format())), "[" * 100_000],
    ],
)
def test_a_line_that_is_no_plan_is_refused_with_its_number(lines: list[str]) -> None:
    with pytest.raises(ConfigError, match=rf"plan\.jsonl, line {len(lines)}:"):
        list(parse_plans(lines, "plan.jsonl"))


def test_a_manifest_of_another_subject_ends_a_plan(tmp_path: Path) -> None:
    foreign = {**objects(), f"q1/{SUBJECT}/{MANIFEST}": format_manifest(Manifest(OTHER, ()))}
    with pytest.raises(ManifestError, match=OTHER):
        Mirror(tmp_path, [OneStore(MemoryStore(foreign))]).plan(SUBJECT, project="HCP_Q1")


def test_a_folder_serves_as_a_source(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "disk")
    for key, content in objects().items():
        store.put(key, content)
    plan = Mirror(tmp_path / "m", [OneStore(store)]).plan(SUBJECT, "T1w", project="HCP_Q1")
    assert {action.source for action in plan.actions} == {str(tmp_path / "disk")}


def test_links_that_lead_in_circles_keep_no_file_away(tmp_path: Path) -> None:
    folder = tmp_path / "disk" / "q1" / SUBJECT / "T1w"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"a")
    (folder / "itself").symlink_to("itself")
    (folder / "above").symlink_to("..")
    (folder / "nowhere").symlink_to("nothing")
    mirror = Mirror(tmp_path / "m", [FolderSource(tmp_path / "disk")])
    assert [path.name for path in mirror.files(SUBJECT, project="HCP_Q1")] == ["a.txt"]
