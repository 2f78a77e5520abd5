"""The object store as a child: it answers before we go on, keeps its secrets, and never outlives us."""

import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from connectomedb.config.s3 import S3Settings, s3_settings
from connectomedb.demo.release import DemoRelease
from connectomedb.demo.services.child import Child
from connectomedb.demo.services.leftovers import remove_dead_folders, remove_dead_sockets
from connectomedb.demo.services.seaweed import HOST, SeaweedFS
from connectomedb.demo.services.upload import upload_release
from connectomedb.errors import ConfigError, DiskRefused, ServiceFailed
from connectomedb.mirror.bucket import S3Bucket
from connectomedb.stores.s3 import S3Store
from connectomedb.transfer.checksum import md5_of_file

ACCESS, SECRET = "demo-access-key", "demo-secret-key-0123456789"
BUCKET = "hcp.aws.amazon.com"


def processes(folder: Path) -> list[int]:
    """Numbers of the store's processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = entry.read_bytes().split(b"\0")
            if words[0].endswith(b"weed") and any(os.fsencode(folder) in word for word in words):
                found.append(int(entry.parent.name))
    return found


def socket_files() -> set[Path]:
    return set(Path("/tmp").glob("seaweedfs-*.sock"))


def store_of(running: SeaweedFS) -> S3Store:
    return S3Store(BUCKET, s3_settings(ACCESS, SECRET, endpoint_url=running.endpoint_url))


def wait_for_end(pid: int) -> None:
    """Come back when a process that is not our child has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with open(handle):
        assert select.select([handle], [], [], 20)[0], f"process {pid} still runs"


def script(folder: Path, last: str) -> list[str]:
    """A program that starts a store, says that it runs, and then does one more thing."""
    lines = (
        "import signal, sys; from pathlib import Path; from connectomedb.demo.services.seaweed import SeaweedFS",
        f"with SeaweedFS.start(Path({str(folder)!r}), access_key={ACCESS!r}, secret_key={SECRET!r}):",
        f"    print('running', flush=True); {last}",
    )
    return [sys.executable, "-c", "\n".join(lines)]


def test_a_store_keeps_its_objects_over_a_stop_and_leaves_nothing_running(tmp_path: Path) -> None:
    with SeaweedFS.start(tmp_path / "store", access_key=ACCESS, secret_key=SECRET) as running:
        running.create_bucket(BUCKET)
        store_of(running).put("q1/100307/T1w/aparc+aseg.nii.gz", b"bytes")
        (pid,) = processes(tmp_path)
        ours = {path for path in socket_files() if path.stem.rsplit("-", 1)[1] in map(str, running._ports.values())}
    assert processes(tmp_path) == []
    assert ours & socket_files() == set()
    assert not list(Path(tempfile.gettempdir()).glob(f"weed.*.{pid}")), "its log is ours, beside its data"
    with SeaweedFS.start(tmp_path / "store", access_key=ACCESS, secret_key=SECRET) as again:
        assert [info.key for info in store_of(again).list()] == ["q1/100307/T1w/aparc+aseg.nii.gz"]
        again.create_bucket(BUCKET)
        # Old volumes come back a little after the rest, so it takes a reader with patience.
        key = S3Bucket(store_of(again)).get("q1/100307/T1w/aparc+aseg.nii.gz")
        assert key.get_contents_to_filename(tmp_path / "copy").read_bytes() == b"bytes"


def test_the_secret_stands_in_a_private_file_only(seaweed: SeaweedFS) -> None:
    folder = seaweed._child.log.parent
    (pid,) = processes(folder)
    secret = seaweed._settings.secret_key
    assert secret
    assert stat.S_IMODE((folder / "s3.json").stat().st_mode) == 0o600
    assert secret in (folder / "s3.json").read_text()
    for public in (Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ"), folder / "weed.log"):
        assert secret.encode() not in public.read_bytes()


def test_it_listens_on_this_machine_only(seaweed: SeaweedFS) -> None:
    (pid,) = processes(seaweed._child.log.parent)
    own = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    addresses = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            local, state, inode = (line.split()[field] for field in (1, 3, 9))
            if state == "0A" and f"socket:[{inode}]" in own:
                addresses.add(local.split(":")[0])
    assert addresses == {"0100007F"}


def test_a_taken_port_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(ServiceFailed, match=f"Port {port} of 127.0.0.1.*is taken"),
            SeaweedFS.start(tmp_path, access_key=ACCESS, secret_key=SECRET, port=port),
        ):
            pass
    assert processes(tmp_path) == []


def test_a_named_port_is_the_one_that_answers(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with SeaweedFS.start(tmp_path, access_key=ACCESS, secret_key=SECRET, port=port) as running:
        assert running.endpoint_url == f"http://127.0.0.1:{port}"


def test_a_store_that_dies_at_its_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "filerldb2").write_text("a file where it wants a folder")
    with (
        pytest.raises(ServiceFailed, match=r"ended with code \d+.*Not a valid folder"),
        SeaweedFS.start(tmp_path, access_key=ACCESS, secret_key=SECRET),
    ):
        pass
    assert processes(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with (
        pytest.raises(DiskRefused, match="Name a folder"),
        SeaweedFS.start(tmp_path / "store", access_key=ACCESS, secret_key=SECRET),
    ):
        pass


@pytest.mark.parametrize("name", ["", "ab", "Upper.Case", "with_underscore", "../x", "a" * 64, "-x-"])
def test_a_name_that_no_bucket_may_have_is_refused_at_once(seaweed: SeaweedFS, name: str) -> None:
    with pytest.raises(ConfigError, match="Use 3 to 63"):
        seaweed.create_bucket(name)


@pytest.mark.parametrize(
    ("last", "blow"),
    [
        ("signal.pause()", lambda pid: os.kill(pid, signal.SIGKILL)),
        ("signal.pause()", lambda pid: os.killpg(pid, signal.SIGINT)),
        ("sys.exit(3)", lambda pid: None),
    ],
    ids=["killed", "interrupted", "exits"],
)
def test_the_store_ends_with_the_program_that_started_it(
    tmp_path: Path, last: str, blow: Callable[[int], None]
) -> None:
    program = subprocess.Popen(
        script(tmp_path, last), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    with program:
        assert program.stdout
        assert program.stdout.readline() == b"running\n"
        stores = processes(tmp_path)
        assert len(stores) == 1 or last == "sys.exit(3)"
        blow(program.pid)
        program.wait()
    for pid in stores:
        wait_for_end(pid)
    assert processes(tmp_path) == []


def test_a_program_that_never_answers_is_stopped(tmp_path: Path) -> None:
    child = Child("The sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], os.environ, tmp_path / "log")
    with pytest.raises(ServiceFailed, match=r"The sleeper did not answer within 0\.2 s\. Its log, .*, is empty\."):
        child.wait_until(lambda: False, timeout_s=0.2)
    assert not child.is_running


def test_the_reason_of_an_end_is_found_above_a_long_trace(tmp_path: Path) -> None:
    words = "print('F1123 07:01 the reason'); print(*range(50), sep=chr(10)); raise SystemExit(4)"
    child = Child("The talker", [sys.executable, "-c", words], os.environ, tmp_path / "log")
    with pytest.raises(
        ServiceFailed, match=r"The talker ended with code 4\. Its log, .*, says: F1123 07:01 the reason"
    ):
        child.wait_until(lambda: False, timeout_s=20)


def test_the_release_is_stored_but_for_what_the_bucket_lacks(
    release: DemoRelease, s3_store: Callable[[str], S3Store], s3_access: S3Settings
) -> None:
    bucket = s3_store("release")
    count = upload_release(release, bucket)
    stored = {info.key: info for info in bucket.list("q1/")}
    assert set(release.file_keys()) - stored.keys() == set(release.bucket_lacks) != set()
    assert len(stored) == count == release.files - 1
    for key, info in stored.items():
        path = release.folder / key
        assert (info.size, info.md5) == (path.stat().st_size, md5_of_file(path)), key
    level = bucket.list_level("q1/")
    assert [info.key for info in level.objects] == ["q1/"]
    assert set(level.prefixes) == {f"q1/{subject}/" for subject in release.subjects}


@pytest.mark.parametrize(
    ("is_old", "listens", "stays"), [(True, True, True), (True, False, False), (False, False, True)]
)
def test_what_killed_services_left_is_removed_and_nothing_that_lives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_old: bool, listens: bool, stays: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    Path("cdb-pg-1").mkdir()
    Path("seaweedfs-s3-1.txt").write_text("no socket")
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
        for file, sock in (("seaweedfs-s3-1.sock", one), ("cdb-pg-1/.s.PGSQL.5432", other)):
            sock.bind(file)
            if listens:
                sock.listen()
        for path in ("seaweedfs-s3-1.sock", "seaweedfs-s3-1.txt", "cdb-pg-1"):
            if is_old:
                os.utime(path, (1, 1))
        remove_dead_sockets(Path(), "seaweedfs-*")
        remove_dead_folders(Path(), "cdb-pg-*", ".s.PGSQL.5432", os.geteuid())
    assert Path("seaweedfs-s3-1.sock").exists() is stays
    assert Path("cdb-pg-1").exists() is stays
    assert Path("seaweedfs-s3-1.txt").exists()
