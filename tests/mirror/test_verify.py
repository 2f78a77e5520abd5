"""Verifying says of every file what it is, on a mirror and on a bare tree."""

import hashlib
from pathlib import Path

import pytest

from connectomedb.errors import NotFound
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest
from connectomedb.mirror.ledger import Ledger
from connectomedb.mirror.mirror import Mirror
from connectomedb.mirror.verify import Verdict, verify
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.checksum import Proof

SUBJECT = "100307"
FILES = {"T1w/a.txt": b"aaaa", "T1w/b.txt": b"bbbb", "T1w/c.txt": b"cccc"}


def manifest_of(files: dict[str, bytes]) -> bytes:
    entries = tuple(Entry(path, len(data), hashlib.md5(data).hexdigest()) for path, data in files.items())
    return format_manifest(Manifest(SUBJECT, entries))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A bare tree, as on a shipped disk."""
    for path, content in {**FILES, ".xdlm/100307_3T_x.json": manifest_of(FILES)}.items():
        file = tmp_path / "q1" / SUBJECT / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "q1"


def verdicts(tree: Path, path: str = "", ledger: Ledger | None = None) -> dict[str, Verdict]:
    return {finding.path: finding.verdict for finding in verify(tree, path=path, ledger=ledger)}


def test_a_whole_tree_is_ok_and_its_manifest_readable(tree: Path) -> None:
    assert verdicts(tree) == {
        ".xdlm/100307_3T_x.json": Verdict.UNCOVERED,
        **dict.fromkeys(FILES, Verdict.OK),
    }


def test_each_kind_of_damage_has_its_word(tree: Path) -> None:
    folder = tree / SUBJECT
    (folder / "T1w/a.txt").write_bytes(b"AAAA")
    (folder / "T1w/b.txt").write_bytes(b"bb")
    (folder / "T1w/c.txt").unlink()
    (folder / "T1w/d.txt").write_bytes(b"stray")
    assert verdicts(tree, "T1w") == {
        "T1w/a.txt": Verdict.CHECKSUM,
        "T1w/b.txt": Verdict.SIZE,
        "T1w/c.txt": Verdict.MISSING,
        "T1w/d.txt": Verdict.EXTRA,
    }


def test_manifests_that_disagree_are_a_conflict(tree: Path) -> None:
    (tree / SUBJECT / ".xdlm/100307_3T_y.json").write_bytes(manifest_of({"T1w/a.txt": b"zzzz"}))
    assert verdicts(tree, "T1w")["T1w/a.txt"] is Verdict.CONFLICT


def test_in_a_mirror_what_was_never_wanted_is_not_missing(tmp_path: Path) -> None:
    objects = {f"q1/{SUBJECT}/{path}": data for path, data in FILES.items()}
    objects[f"q1/{SUBJECT}/.xdlm/100307_3T_x.json"] = manifest_of(FILES)
    mirror = Mirror(tmp_path, [lambda release: MemoryStore(objects)])
    mirror.files(SUBJECT, "T1w/a.txt", project="HCP_Q1")
    ledger = mirror.shelf("HCP_Q1").ledger
    found = {finding.path: finding for finding in verify(tmp_path / "q1", ledger=ledger)}
    assert {path: finding.verdict for path, finding in found.items()} == {
        ".xdlm/100307_3T_x.json": Verdict.OK,
        "T1w/a.txt": Verdict.OK,
    }
    assert found["T1w/a.txt"].holds(Proof.MANIFEST)
    assert not found[".xdlm/100307_3T_x.json"].holds(Proof.MANIFEST)
    (tmp_path / "q1" / SUBJECT / "T1w/a.txt").unlink()
    assert verdicts(tmp_path / "q1", ledger=ledger)["T1w/a.txt"] is Verdict.MISSING


def test_a_subject_that_is_not_there_is_named(tree: Path) -> None:
    with pytest.raises(NotFound, match="103515"):
        list(verify(tree, ["103515"]))
