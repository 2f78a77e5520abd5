"""`cdb verify` as people and programs call it."""

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connectomedb.demo.stage import Stage
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest

Cdb = Callable[..., "subprocess.CompletedProcess[str]"]
SUBJECT = "103515"
T1W = f"HCP_Q1/{SUBJECT}/T1w"
FILES = {f"T1w/{number:02}.txt": bytes([number]) * 1000 for number in range(20)}
VERIFY = (sys.executable, "-m", "connectomedb", "verify")


@pytest.fixture
def mirror(cdb: Cdb, tmp_path: Path) -> Path:
    """A mirror with one folder of a subject."""
    done = cdb("get", T1W, "--to", str(tmp_path / "m"))
    assert done.returncode == 0, done.stderr
    return tmp_path / "m"


@pytest.fixture
def folder(mirror: Path) -> Path:
    return mirror / "q1" / SUBJECT / "T1w"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A bare tree of small files, one of which, read late, is bad."""
    return plant(tmp_path / "disk", FILES, FILES)


def plant(tree: Path, files: Mapping[str, bytes], claimed: Mapping[str, bytes]) -> Path:
    entries = tuple(Entry(path, len(data), hashlib.md5(data).hexdigest()) for path, data in claimed.items())
    for path, content in {**files, ".xdlm/x.json": format_manifest(Manifest(SUBJECT, entries))}.items():
        (tree / SUBJECT / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / SUBJECT / path).write_bytes(content)
    return tree


def verdicts(done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    return {file["path"]: file["verdict"] for file in json.loads(done.stdout)["files"]}


def rot(file: Path) -> bytes:
    """Change a byte behind everybody's back."""
    content, facts = file.read_bytes(), file.stat()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return content


def test_repair_fetches_what_is_missing_or_wrong_and_says_from_where(
    cdb: Cdb, mirror: Path, folder: Path, stage: Stage
) -> None:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    right = {path: path.read_bytes() for path in files}
    rot(files[0])
    files[1].unlink()
    assert cdb("verify", str(mirror)).returncode == 8
    done = cdb("verify", str(mirror), "--repair", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(repair["path"], repair["was"], repair["is"]) for repair in told["repairs"]] == [
        (f"T1w/{files[0].name}", "checksum", "ok"),
        (f"T1w/{files[1].name}", "missing", "ok"),
    ]
    assert told["repairs"][0]["sources"] == [f"s3://{stage.bucket} at {stage.s3_endpoint}"]
    assert {path: path.read_bytes() for path in files} == right
    assert cdb("verify", str(mirror)).returncode == 0


def test_repair_tells_each_file_in_a_line(cdb: Cdb, mirror: Path, folder: Path) -> None:
    name = sorted(path.name for path in folder.iterdir() if path.is_file())[0]
    rot(folder / name)
    lines = cdb("verify", str(mirror), "--repair").stdout.splitlines()
    assert [line.split()[:2] for line in lines if "uncovered" not in line] == [
        ["checksum", f"{SUBJECT}/T1w/{name}"],
        ["repaired", f"{SUBJECT}/T1w/{name}"],
    ]


def test_repair_from_a_store_that_is_down_keeps_the_file_and_exits_with_8(cdb: Cdb, mirror: Path, folder: Path) -> None:
    file = min(path for path in folder.iterdir() if path.is_file())
    rot(file)
    wrong = file.read_bytes()
    nobody = {"AWS_ACCESS_KEY_ID": "nobody", "XNAT_HOST": None}
    done = cdb("verify", str(mirror), "--repair", env=nobody)
    assert done.returncode == 8
    assert f"still bad {SUBJECT}/T1w/{file.name}" in done.stdout
    assert "access key" in done.stdout
    assert file.read_bytes() == wrong


def test_repair_without_any_source_is_refused_before_anything_is_read(cdb: Cdb, mirror: Path) -> None:
    done = cdb("verify", str(mirror), "--repair", env={"CONNECTOMEDB_BUCKET": None, "XNAT_HOST": None})
    assert (done.returncode, done.stdout) == (2, "")
    assert "--bucket" in done.stderr


def test_a_bare_tree_is_repaired_when_its_release_is_named(cdb: Cdb, mirror: Path, folder: Path) -> None:
    (mirror / ".connectomedb").rename(mirror.parent / "state")
    file = min(path for path in folder.iterdir() if path.is_file())
    content = rot(file)
    tree = str(mirror / "q1")
    refused = cdb("verify", tree, "--repair")
    assert (refused.returncode, "--project" in refused.stderr or "project" in refused.stderr) == (2, True)
    done = cdb("verify", tree, "--repair", "--project", "HCP_Q1", "--path", f"T1w/{file.name}")
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == content
    (mirror / "q1").rename(mirror / "elsewhere")
    other = cdb("verify", str(mirror / "elsewhere"), "--repair", "--project", "HCP_Q1")
    assert (other.returncode, "must be named q1" in other.stderr) == (2, True)


def test_a_mirror_takes_project_prefix_and_subjects(cdb: Cdb, mirror: Path) -> None:
    assert cdb("verify", str(mirror), SUBJECT, "--project", "HCP_Q1", "--prefix", "q1").returncode == 0
    assert cdb("verify", str(mirror), "--project", "HCP_1200").returncode == 5
    assert cdb("verify", str(mirror), "999999").returncode == 5
    assert cdb("verify", str(mirror), "--path", "T2w").returncode == 5
    assert cdb("verify", str(mirror), "--path", "../q1").returncode == 2


def test_of_manifests_no_manifest_is_demanded(cdb: Cdb, tmp_path: Path) -> None:
    assert cdb("get", f"HCP_Q1/{SUBJECT}/T1w", "--to", str(tmp_path / "m")).returncode == 0
    assert cdb("verify", str(tmp_path / "m"), "--at-least", "manifest").returncode == 0


def test_a_folder_without_subjects_is_not_called_right(cdb: Cdb, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = cdb("verify", str(tmp_path / "empty"))
    assert (done.returncode, "holds no subject" in done.stderr) == (5, True)


def test_an_interrupted_run_exits_with_130_and_the_next_goes_on(tree: Path, clean_env: dict[str, str]) -> None:
    endless = tree / SUBJECT / "T1w/zz.dat"
    endless.touch()
    os.truncate(endless, 64 << 30)
    claimed = {**FILES, "T1w/19.txt": b"?" * 1000}
    entries = [Entry(path, len(data), hashlib.md5(data).hexdigest()) for path, data in claimed.items()]
    entries.append(Entry("T1w/zz.dat", 64 << 30, "0" * 32))
    (tree / SUBJECT / ".xdlm/x.json").write_bytes(format_manifest(Manifest(SUBJECT, tuple(entries))))
    with subprocess.Popen(
        [*VERIFY, str(tree)], env=clean_env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        assert b"checksum  103515/T1w/19.txt" in iter_until(running, b"19.txt")
        running.send_signal(signal.SIGINT)
        talk = running.stderr.read().decode()
        assert running.wait(30) == 130
    assert "run the same command to go on" in talk
    endless.unlink()
    again = subprocess.run([*VERIFY, str(tree)], env=clean_env, capture_output=True, text=True, check=False)
    assert again.returncode == 8
    assert "Going on where an earlier run stopped: 19 files (19.0 kB) are read already" in again.stderr
    anew = subprocess.run([*VERIFY, str(tree), "--restart"], env=clean_env, capture_output=True, text=True, check=False)
    assert (anew.returncode, "Going on" in anew.stderr) == (8, False)
    assert again.stdout == anew.stdout


def iter_until(running: "subprocess.Popen[bytes]", word: bytes) -> bytes:
    """Output up to the line with that word."""
    assert running.stdout is not None
    lines = b""
    while word not in lines:
        line = running.stdout.readline()
        assert line, "the command ended early"
        lines += line
    return lines


def test_with_progress_on_a_terminal_the_data_still_goes_where_it_was_sent(
    tree: Path, clean_env: dict[str, str]
) -> None:
    (tree / SUBJECT / "T1w/00.txt").write_bytes(b"short")
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run([*VERIFY, str(tree)], env=clean_env, stdout=subprocess.PIPE, stderr=theirs, check=False)
        os.close(theirs)
        shown = read_all(ours)
    finally:
        os.close(ours)
    assert done.returncode == 8
    assert done.stdout.decode().splitlines()[0].startswith(f"size      {SUBJECT}/T1w/00.txt")
    assert b"verifying" in shown
    assert b"00.txt" not in shown


def read_all(terminal: int) -> bytes:
    """What was written to a terminal whose other end is closed."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            return shown
        if not piece:
            return shown
        shown += piece
