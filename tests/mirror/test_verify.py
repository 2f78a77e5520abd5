"""Verifying tells good files from bad ones, on a mirror and on a bare tree, and goes on after an interruption."""

import gzip
import hashlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectomedb.errors import AddressError, ConfigError, NotFound
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest
from connectomedb.hcp.release import release_of
from connectomedb.mirror.checked import KEPT_S, SAVE_EVERY_S, SUFFIX, Checked
from connectomedb.mirror.finding import Finding, Verdict
from connectomedb.mirror.inspection import inspect
from connectomedb.mirror.ledger import Ledger, SubjectLedger
from connectomedb.mirror.mirror import Mirror
from connectomedb.mirror.record import Held, Record, Records
from connectomedb.mirror.trees import Tree, trees_in
from connectomedb.mirror.verify import Looked, Read, VerifyEvent, verify, verify_files
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.checksum import Expected, Proof

SUBJECT = "100307"
FILES = {"T1w/a.txt": b"aaaa", "T1w/b.txt": b"bbbb", "T1w/c.txt": b"cccc"}
MANIFEST = ".xdlm/100307_3T_x.json"


def manifest_of(files: dict[str, bytes], subject: str = SUBJECT) -> bytes:
    entries = tuple(Entry(path, len(data), hashlib.md5(data).hexdigest()) for path, data in files.items())
    return format_manifest(Manifest(subject, entries))


def plant(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notes on bare trees go here, not to the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A bare tree, as on a shipped disk."""
    plant(tmp_path / "q1" / SUBJECT, {**FILES, MANIFEST: manifest_of(FILES)})
    return tmp_path / "q1"


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A mirror whose source has the same files."""
    objects = {f"q1/{SUBJECT}/{path}": data for path, data in FILES.items()}
    objects[f"q1/{SUBJECT}/{MANIFEST}"] = manifest_of(FILES)
    return Mirror(tmp_path, [lambda release: MemoryStore(objects)])


def by_path(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.path: finding for finding in findings}


def verdicts(tree: Path, path: str = "", ledger: Ledger | None = None) -> dict[str, Verdict]:
    return {finding.path: finding.verdict for finding in verify(tree, path=path, ledger=ledger)}


def test_a_whole_tree_is_ok_and_its_manifest_readable(tree: Path) -> None:
    assert verdicts(tree) == {MANIFEST: Verdict.UNCOVERED, **dict.fromkeys(FILES, Verdict.OK)}


def test_each_kind_of_damage_has_its_word(tree: Path) -> None:
    plant(tree / SUBJECT, {"T1w/a.txt": b"AAAA", "T1w/b.txt": b"bb", "T1w/d.txt": b"stray"})
    (tree / SUBJECT / "T1w/c.txt").unlink()
    assert verdicts(tree, "T1w") == {
        "T1w/a.txt": Verdict.CHECKSUM,
        "T1w/b.txt": Verdict.SIZE,
        "T1w/c.txt": Verdict.MISSING,
        "T1w/d.txt": Verdict.EXTRA,
    }


def test_what_a_look_settles_is_told_before_the_first_byte_is_read(tree: Path) -> None:
    plant(tree / "103515", {"T1w/b.txt": b"bb", ".xdlm/x.json": manifest_of(FILES, "103515")})
    told: list[Finding | VerifyEvent] = []
    for finding in verify(tree, path="T1w", on_event=told.append):
        told.append(finding)
    looked = next(index for index, event in enumerate(told) if isinstance(event, Looked))
    assert [(event.subject, event.verdict) for event in told[:looked] if isinstance(event, Finding)] == [
        ("103515", Verdict.MISSING),
        ("103515", Verdict.SIZE),
        ("103515", Verdict.MISSING),
    ]
    assert told[looked] == Looked(files=3, size=12, files_before=0, size_before=0)
    assert sum(event.size for event in told if isinstance(event, Read)) == 12


def test_manifests_that_disagree_are_a_conflict_and_named(tree: Path) -> None:
    plant(tree / SUBJECT, {".xdlm/100307_3T_y.json": manifest_of({"T1w/a.txt": b"zzzz"})})
    found = by_path(verify(tree, path="T1w"))["T1w/a.txt"]
    assert found.verdict is Verdict.CONFLICT
    assert "100307_3T_x.json and 100307_3T_y.json" in found.detail


@pytest.mark.parametrize(
    ("content", "word"),
    [(b'{"DownloadManifest":', "not a download manifest"), (manifest_of(FILES, "103515"), "103515")],
    ids=["cut", "of another subject"],
)
def test_a_manifest_that_cannot_be_believed_is_bad_and_the_rest_goes_on(tree: Path, content: bytes, word: str) -> None:
    plant(tree / SUBJECT, {".xdlm/100307_3T_y.json": content})
    found = by_path(verify(tree))
    assert found[".xdlm/100307_3T_y.json"].verdict is Verdict.CHECKSUM
    assert word in found[".xdlm/100307_3T_y.json"].detail
    assert found["T1w/a.txt"].verdict is Verdict.OK


PAGE = b"<html><body>Sign in</body></html>"
POINTER = b"/annex/objects/MD5E-s4096--0123456789abcdef0123456789abcdef.nii.gz\n"


@pytest.mark.parametrize(
    ("name", "content", "is_bad"),
    [
        ("T1w/late.nii.gz", POINTER, True),
        ("T1w/late.nii.gz", gzip.compress(b"x" * 500)[:-4], True),
        ("T1w/late.txt", PAGE, True),
        ("T1w/late.html", b"<html><body>Report</body></html>", False),
    ],
    ids=["pointer", "cut", "page", "right"],
)
@pytest.mark.parametrize("known", ["to the ledger", "to nobody", "no manifest at all"])
def test_a_file_without_checksum_is_bad_when_it_cannot_be_the_file(
    tree: Path, name: str, content: bytes, is_bad: bool, known: str
) -> None:
    plant(tree / SUBJECT, {name: content})
    ledger = Ledger(tree.parent, "q1", "HCP_Q1")
    if known == "to the ledger":
        record = Record(Expected(len(content), None, Proof.SIZE), Held(0, Proof.SIZE, ()))
        ledger.save(SUBJECT, SubjectLedger({"T1w"}, Records.of([(name, record)])))
    elif known == "no manifest at all":
        (tree / SUBJECT / MANIFEST).unlink()
    found = verdicts(tree, name, ledger)[name]
    kind = Verdict.EXTRA if known == "to nobody" else Verdict.UNCOVERED
    assert found is (Verdict.CHECKSUM if is_bad else kind)


def test_in_a_mirror_what_was_never_wanted_is_not_missing(tmp_path: Path, mirror: Mirror) -> None:
    mirror.files(SUBJECT, "T1w/a.txt", project="HCP_Q1")
    ledger = mirror.shelf("HCP_Q1").ledger
    found = by_path(verify(tmp_path / "q1", ledger=ledger))
    assert {path: finding.verdict for path, finding in found.items()} == {MANIFEST: Verdict.OK, "T1w/a.txt": Verdict.OK}
    assert found["T1w/a.txt"].holds(Proof.MANIFEST)
    assert not found[MANIFEST].holds(Proof.MANIFEST)
    (tmp_path / "q1" / SUBJECT / "T1w/a.txt").unlink()
    assert verdicts(tmp_path / "q1", ledger=ledger)["T1w/a.txt"] is Verdict.MISSING


def test_a_subject_whose_folder_is_gone_is_missing_file_by_file(tmp_path: Path, mirror: Mirror) -> None:
    mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    (tmp_path / "q1").rename(tmp_path / "elsewhere")
    found = verdicts(tmp_path / "q1", ledger=mirror.shelf("HCP_Q1").ledger)
    assert set(found.values()) == {Verdict.MISSING}
    assert found.keys() == {MANIFEST, *FILES}


def test_a_file_that_rotted_is_fetched_again_when_the_mirror_is_next_asked(tmp_path: Path, mirror: Mirror) -> None:
    [path] = mirror.files(SUBJECT, "T1w/a.txt", project="HCP_Q1")
    facts = path.stat()
    path.write_bytes(b"AAAA")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert mirror.files(SUBJECT, "T1w/a.txt", project="HCP_Q1")[0].read_bytes() == b"AAAA"
    assert verdicts(tmp_path / "q1", ledger=mirror.shelf("HCP_Q1").ledger)["T1w/a.txt"] is Verdict.CHECKSUM
    assert mirror.files(SUBJECT, "T1w/a.txt", project="HCP_Q1")[0].read_bytes() == b"aaaa"


def test_a_manifest_that_rotted_is_fetched_again_too(tmp_path: Path, mirror: Mirror) -> None:
    [path] = mirror.files(SUBJECT, MANIFEST, project="HCP_Q1")
    facts = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert verdicts(tmp_path / "q1", ledger=mirror.shelf("HCP_Q1").ledger)[MANIFEST] is Verdict.CHECKSUM
    assert mirror.files(SUBJECT, MANIFEST, project="HCP_Q1")[0].read_bytes() == manifest_of(FILES)


@pytest.mark.parametrize("name", [".a.nii.gz.host-1-2.part", ".a.txt.x.part/bytes"], ids=["small", "large"])
def test_an_unfinished_download_is_no_stray_file(tree: Path, name: str) -> None:
    plant(tree / SUBJECT / "T1w", {name: b"so far"})
    assert verdicts(tree, "T1w").keys() == FILES.keys()


def test_files_and_folders_may_be_links(tree: Path, tmp_path: Path) -> None:
    folder = tree / SUBJECT / "T1w"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert set(verdicts(tree, "T1w").values()) == {Verdict.OK}
    (tmp_path / "elsewhere/a.txt").rename(tmp_path / "a")
    (folder / "a.txt").symlink_to(tmp_path / "a")
    assert verdicts(tree, "T1w")["T1w/a.txt"] is Verdict.OK
    (tmp_path / "a").unlink()
    assert verdicts(tree, "T1w")["T1w/a.txt"] is Verdict.MISSING


def test_what_stands_in_the_place_of_a_file_is_no_file(tree: Path) -> None:
    (tree / SUBJECT / "T1w/a.txt").unlink()
    (tree / SUBJECT / "T1w/a.txt").mkdir()
    os.mkfifo(tree / SUBJECT / "T1w/pipe")
    found = verdicts(tree, "T1w")
    assert found["T1w/a.txt"] is Verdict.MISSING
    assert "T1w/pipe" not in found


@pytest.mark.parametrize(
    ("subjects", "path", "word"),
    [(["103515"], "", "103515"), ([], "T2w", "T2w"), ([SUBJECT], "T1w/z.txt", "z.txt")],
    ids=["subject", "folder", "file"],
)
def test_what_is_not_there_at_all_is_named(tree: Path, subjects: list[str], path: str, word: str) -> None:
    with pytest.raises(NotFound, match=word):
        list(verify(tree, subjects, path))


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_folder_without_subjects_is_no_success(tree: Path, folder: str) -> None:
    with pytest.raises(NotFound):
        list(verify(tree / SUBJECT / folder))


@pytest.mark.parametrize("path", ["../100307", "T1w/../../x"])
def test_a_path_that_climbs_is_refused(tree: Path, path: str) -> None:
    with pytest.raises(AddressError):
        verify(tree, path=path)


def test_chosen_files_are_checked_alone(tree: Path) -> None:
    plant(tree / SUBJECT, {"T1w/a.txt": b"AAAA"})
    found = verify_files(tree, SUBJECT, ["T1w/a.txt", "T1w/b.txt", "T1w/nobody-knows.txt"])
    assert {path: finding.verdict for path, finding in found.items()} == {
        "T1w/a.txt": Verdict.CHECKSUM,
        "T1w/b.txt": Verdict.OK,
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(bad=st.sets(st.integers(0, 399)), workers=st.integers(1, 6))
def test_many_files_read_at_once_are_told_in_order_and_only_the_bad_are_bad(
    big: Path, bad: set[int], workers: int
) -> None:
    names = sorted(path.relative_to(big / SUBJECT).as_posix() for path in (big / SUBJECT / "T1w").iterdir())
    spoilt = {names[index] for index in bad}
    kept = {name: (big / SUBJECT / name).read_bytes() for name in spoilt}
    try:
        plant(big / SUBJECT, {name: content[:-1] + b"\xff" for name, content in kept.items()})
        found = list(verify(big, path="T1w", workers=workers))
    finally:
        plant(big / SUBJECT, kept)
    assert [finding.path for finding in found] == names
    assert {finding.path for finding in found if finding.verdict is not Verdict.OK} == spoilt


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 files, a few of them long."""
    files = {f"T1w/{number:03}.txt": bytes([number % 251]) * (1 + number * 7) for number in range(400)}
    files["T1w/000.txt"] = b"long" * 2_000_000
    tree = tmp_path_factory.mktemp("big") / "q1"
    plant(tree / SUBJECT, {**files, MANIFEST: manifest_of(files)})
    return tree


class Listener:
    """Adds up what it hears."""

    def __init__(self) -> None:
        self.size = 0
        self.looked: Looked | None = None
        self._lock = threading.Lock()

    def hear(self, event: VerifyEvent) -> None:
        with self._lock:
            if isinstance(event, Read):
                self.size += event.size
            else:
                self.looked = event


def run_until(tree: Path, journal: Path, stop_after: int) -> None:
    """A verification that is interrupted after so many findings."""
    findings = verify(tree, path="T1w", checked=Checked(journal), workers=1)
    with pytest.raises(KeyboardInterrupt):
        for count, _ in enumerate(findings):
            if count >= stop_after:
                findings.throw(KeyboardInterrupt)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(stop_after=st.integers(1, 398))
def test_an_interrupted_run_goes_on_and_reads_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, big: Path, stop_after: int
) -> None:
    journal = tmp_path_factory.mktemp("journal")
    run_until(big, journal, stop_after)
    heard = Listener()
    found = list(verify(big, path="T1w", checked=Checked(journal), on_event=heard.hear))
    total = sum(path.stat().st_size for path in (big / SUBJECT / "T1w").iterdir())
    assert heard.looked is not None
    assert heard.looked.files_before >= stop_after
    assert heard.size == heard.looked.size == total - heard.looked.size_before
    assert [finding.verdict for finding in found] == [Verdict.OK] * 400
    assert sum(finding.detail.startswith("read at") for finding in found) == heard.looked.files_before
    assert not list(journal.glob("*"))


def test_a_file_that_changed_since_it_was_read_is_read_again(big: Path, tmp_path: Path) -> None:
    run_until(big, tmp_path, 10)
    first = big / SUBJECT / "T1w/001.txt"
    kept = first.read_bytes()
    try:
        first.write_bytes(b"!" * len(kept))
        found = by_path(verify(big, path="T1w", checked=Checked(tmp_path)))
    finally:
        first.write_bytes(kept)
    assert found["T1w/001.txt"].verdict is Verdict.CHECKSUM
    assert found["T1w/002.txt"].detail.startswith("read at")


def test_a_new_claim_is_held_against_the_bytes_again(tree: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    findings = verify(tree, path="T1w", checked=Checked(journal), workers=1)
    assert next(findings).verdict is Verdict.OK
    findings.close()
    plant(tree / SUBJECT, {MANIFEST: manifest_of({**FILES, "T1w/a.txt": b"zzzz"})})
    assert by_path(verify(tree, path="T1w", checked=Checked(journal)))["T1w/a.txt"].verdict is Verdict.CHECKSUM


def test_what_was_read_long_ago_counts_no_more(big: Path, tmp_path: Path) -> None:
    run_until(big, tmp_path, 10)
    assert Checked(tmp_path).load(SUBJECT)
    later = next(iter(Checked(tmp_path).load(SUBJECT).values())).when + KEPT_S + 60
    assert Checked(tmp_path, clock=lambda: later).load(SUBJECT) == {}


def test_notes_are_saved_now_and_then_so_that_a_killed_run_loses_little(tree: Path, tmp_path: Path) -> None:
    now = [1_000_000.0]
    checked = Checked(tmp_path / "journal", clock=lambda: now[0])
    findings = verify(tree, path="T1w", checked=checked, workers=1)
    next(findings)
    readings = inspect(tree / SUBJECT, SUBJECT, "T1w", SubjectLedger()).readings
    checked.note(readings[1], "b" * 32)
    assert Checked(tmp_path / "journal", clock=lambda: now[0]).load(SUBJECT) == {}
    now[0] += SAVE_EVERY_S + 1
    checked.note(readings[2], "c" * 32)
    assert Checked(tmp_path / "journal", clock=lambda: now[0]).load(SUBJECT).keys() == FILES.keys()
    findings.close()


def test_a_run_on_one_folder_forgets_only_that(tree: Path, tmp_path: Path) -> None:
    plant(tree / SUBJECT, {"T2w/e.txt": b"e", ".xdlm/y.json": manifest_of({"T2w/e.txt": b"e"})})
    journal = tmp_path / "journal"
    findings = verify(tree, checked=Checked(journal), workers=1)
    list(zip(range(6), findings, strict=False))
    findings.close()
    assert "T2w/e.txt" in Checked(journal).load(SUBJECT)
    list(verify(tree, path="T1w", checked=Checked(journal)))
    assert Checked(journal).load(SUBJECT).keys() == {"T2w/e.txt"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 2, "files": {}}',
        b'{"format": 1, "files": {"a": [1, "x", null, 3]}}',
        b"[" * 99999,
    ],
)
def test_a_damaged_journal_costs_reading_again_and_nothing_else(tree: Path, tmp_path: Path, content: bytes) -> None:
    journal = tmp_path / f"{SUBJECT}{SUFFIX}"
    journal.write_bytes(content)
    assert set(by_path(verify(tree, path="T1w", checked=Checked(tmp_path)))) == FILES.keys()


def test_a_journal_that_cannot_be_written_stops_nothing(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    found = list(verify(tree, path="T1w", checked=Checked(tmp_path / "file" / "below")))
    assert [finding.verdict for finding in found] == [Verdict.OK] * 3


def test_the_journal_of_a_mirror_lies_beside_its_ledger_and_is_no_ledger(tmp_path: Path, mirror: Mirror) -> None:
    mirror.files(SUBJECT, "T1w", project="HCP_Q1")
    ledger = mirror.shelf("HCP_Q1").ledger
    findings = verify(ledger.tree, ledger=ledger, checked=Checked.of(ledger.tree, ledger), workers=1)
    next(findings)
    findings.close()
    assert (tmp_path / ".connectomedb/q1" / f"{SUBJECT}{SUFFIX}").is_file()
    assert list(ledger.subjects()) == [SUBJECT]
    assert [found.prefix for found in Ledger.all_in(tmp_path)] == ["q1"]


def test_the_journal_of_a_bare_tree_lies_in_the_users_cache(tree: Path, cache: Path) -> None:
    findings = verify(tree, checked=Checked.of(tree), workers=1)
    next(findings), next(findings)
    findings.close()
    [journal] = cache.rglob(f"*{SUFFIX}")
    assert journal.name == f"{SUBJECT}{SUFFIX}"
    assert sorted(path.name for path in tree.iterdir()) == [SUBJECT]
    list(verify(tree, checked=Checked.of(tree)))
    assert list((cache / "connectomedb/verify").iterdir()) == []


def test_a_mirror_has_a_tree_per_release_and_any_other_folder_is_one(tmp_path: Path, mirror: Mirror) -> None:
    mirror.files(SUBJECT, "T1w/a.txt", project="HCP_Q1")
    other = Mirror(tmp_path, [lambda release: MemoryStore({f"HCP_1200/103515/{path}": b"x" for path in FILES})])
    other.files("103515", "T1w/a.txt", project="HCP_1200")
    assert [(tree.folder.name, tree.project) for tree in trees_in(tmp_path)] == [
        ("HCP_1200", "HCP_1200"),
        ("q1", "HCP_Q1"),
    ]
    [only] = trees_in(tmp_path, [SUBJECT])
    assert (only.folder.name, only.subjects) == ("q1", (SUBJECT,))
    assert [tree.folder.name for tree in trees_in(tmp_path, project="HCP_1200")] == ["HCP_1200"]
    with pytest.raises(NotFound, match="999999"):
        trees_in(tmp_path, [SUBJECT, "999999"])
    [bare] = trees_in(tmp_path / "q1", [SUBJECT], project="HCP_Q1")
    assert bare.place() == (tmp_path, release_of("HCP_Q1"))
    (tmp_path / "q1").rename(tmp_path / "disk")
    (tmp_path / "q1").symlink_to(tmp_path / "disk")
    assert trees_in(tmp_path, [SUBJECT])[0].place() == (tmp_path, release_of("HCP_Q1", "q1"))
    for wrong in (Tree(tmp_path / "disk", project="HCP_Q1"), Tree(tmp_path / "q1")):
        with pytest.raises(ConfigError):
            wrong.place()
