"""Bad input gets one clear sentence and the right exit code, and loses nothing."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectomedb.cli._errors import EXIT_CODES, exit_code
from connectomedb.errors import ConnectomeDBError
from connectomedb.stores.folder import FolderStore

Cdb = Callable[..., "subprocess.CompletedProcess[str]"]
GET = ("get", "--to", "m")

CASES = {
    "wrong password": (("ls",), {"XNAT_PASS": "wrong"}, 3, "password"),
    "unknown user": (("ls",), {"XNAT_USER": "nobody"}, 3, "password"),
    "unknown project": (("ls", "NO_SUCH"), {}, 5, "NO_SUCH"),
    "unknown subject": (("ls", "HCP_Q1/999999"), {}, 5, "999999"),
    "unknown subject to get": ((*GET, "HCP_Q1/999999/T1w"), {}, 5, "999999"),
    "unknown project to get": ((*GET, "NO_SUCH/100307/T1w"), {}, 5, "NO_SUCH"),
    "a path that names nothing": ((*GET, "HCP_Q1/100307/T1w/typo.nii.gz"), {}, 5, "T1w_acpc_dc_restore.nii.gz"),
    "a path that climbs": ((*GET, "HCP_Q1/100307/../103515/T1w"), {}, 2, "dots"),
    "a label that is none": ((*GET, "HCP_Q1/10030/T1w"), {}, 2, "six digits"),
    "a place without subject": ((*GET, "HCP_Q1"), {}, 2, "PROJECT/SUBJECT/PATH"),
    "a bucket that denies the key": (
        (*GET, "HCP_Q1/100307/T1w"),
        {"AWS_ACCESS_KEY_ID": "nobody", "XNAT_HOST": None},
        6,
        "access key",
    ),
    "a bucket that denies the secret": (
        ("ls", "s3://hcp.aws.amazon.com/q1/"),
        {"AWS_SECRET_ACCESS_KEY": "wrong"},
        6,
        "enter both again",
    ),
    "a bucket that is not there": (("ls", "s3://no-such-bucket/q1/"), {}, 5, "no such bucket"),
    "a prefix that names nothing": (
        ("ls", "s3://hcp.aws.amazon.com/q1/999999/"),
        {},
        5,
        "cdb ls s3://hcp.aws.amazon.com/q1/",
    ),
    "a folder that is not there": (("ls", "HCP_Q1/100307/T1w/typo/x"), {}, 5, "T1w/ holds: "),
    "half a key pair": (("ls", "s3://b/q1/"), {"AWS_SECRET_ACCESS_KEY": None}, 2, "Give the access key and the secret"),
    "no source at all": ((*GET, "HCP_Q1/100307"), {"XNAT_HOST": None, "CONNECTOMEDB_BUCKET": None}, 2, "--server"),
    "no server": (("ls",), {"XNAT_HOST": None}, 2, "XNAT_HOST"),
    "a server's address with a password in it": (("ls", "--server", "http://me:hush@localhost"), {}, 2, "address"),
    "an unknown field": (("search", "hcp:nontoolboxdata", "MMSE_Skore"), {}, 2, "MMSE_SCORE"),
    "an unknown comparison": (
        ("search", "hcp:nontoolboxdata", "MMSE_Score", "--where", "MMSE_Score ~ 29"),
        {},
        2,
        "MMSE_Score ~ 29",
    ),
    "an unknown data type": (("search", "hcp:none", "X"), {}, 2, "hcp:none"),
    "nothing to verify": (("verify", "nowhere"), {}, 5, "nowhere"),
    "an unknown command": (("nonsense",), {}, 2, "nonsense"),
}


@pytest.mark.parametrize(("words", "env", "code", "hint"), CASES.values(), ids=CASES)
def test_one_sentence_and_the_right_code(
    cdb: Cdb, words: tuple[str, ...], env: dict[str, str | None], code: int, hint: str
) -> None:
    done = cdb(*words, env=env)
    assert (done.returncode, hint in done.stderr) == (code, True), done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "hush" not in done.stderr


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, held so that nobody will."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_an_unreachable_server_is_a_network_fault(cdb: Cdb, closed_port: int) -> None:
    done = cdb("ls", env={"XNAT_HOST": f"http://127.0.0.1:{closed_port}"})
    assert done.returncode == 4
    assert f"127.0.0.1:{closed_port}" in done.stderr


def test_an_unreachable_bucket_is_a_network_fault(cdb: Cdb, closed_port: int) -> None:
    done = cdb("ls", "s3://b/q1/", env={"AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed_port}"})
    assert done.returncode == 4


def in_small_disk(folder: Path, options: str) -> tuple[str, ...]:
    """Words before a command that give it a disk of its own in `folder`; no rights are needed."""
    script = (
        f'mount -t tmpfs -o {options} tmpfs "$0" && "$@"; code=$?; '
        'find "$0" -type f -printf "left %P %s\\n"; exit $code'
    )
    return ("unshare", "--mount", "--map-root-user", "sh", "-c", script, str(folder))


def test_what_cannot_fit_is_refused_before_the_first_byte(cdb: Cdb, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = cdb("get", "HCP_Q1/100307/T1w", "--to", str(disk), wrapper=in_small_disk(disk, "size=1200k"))
    assert (done.returncode, "Nothing was fetched" in done.stderr) == (10, True), done.stderr
    assert done.stdout == ""


def test_a_disk_that_fills_up_meanwhile_has_its_own_code_and_leaves_no_half_file(cdb: Cdb, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    wrapper = in_small_disk(disk, "size=100m,nr_inodes=40")  # the room is there, until the last name is taken
    place = "HCP_Q1/100307/T1w"
    done = cdb("get", place, "--to", str(disk), wrapper=wrapper)
    assert (done.returncode, "disk is full" in done.stderr) == (10, True), done.stderr
    left = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("left ")]
    whole = {file["path"]: file["size"] for file in json.loads(cdb("get", place, "--to", "m", "--json").stdout)}
    landed = {name.removeprefix("q1/100307/"): int(size) for name, size in left if not name.startswith(".connectomedb")}
    assert landed
    assert {name: size for name, size in landed.items() if name in whole and whole[name] != size} == {}
    assert [name for name in landed if name not in whole and not name.startswith(".xdlm/")] == []


def test_a_read_only_disk_says_so(cdb: Cdb, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = cdb("get", "HCP_Q1/100307/T1w", "--to", str(disk), wrapper=in_small_disk(disk, "size=1m,ro"))
    assert (done.returncode, "can be written" in done.stderr) == (1, True), done.stderr


def test_the_demo_on_a_read_only_disk_says_so(cdb: Cdb, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = cdb("demo", "--folder", str(disk / "demo"), wrapper=in_small_disk(disk, "size=1m,ro"))
    assert (done.returncode, "can be written" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


def test_every_error_has_an_exit_code() -> None:
    def kinds(root: type[ConnectomeDBError]) -> Iterator[type[ConnectomeDBError]]:
        yield root
        for kind in root.__subclasses__():
            yield from kinds(kind)

    named = [kind for kind, _ in EXIT_CODES]
    assert all(any(issubclass(kind, row) for row in named) for kind in kinds(ConnectomeDBError))
    assert exit_code(RuntimeError()) == 1


def test_a_store_folder_keeps_nothing_of_a_failed_put(tmp_path: Path) -> None:
    with pytest.raises(ConnectomeDBError):
        FolderStore(tmp_path).put("a/b", tmp_path / "none")
    assert [name for _, _, names in os.walk(tmp_path) for name in names] == []
