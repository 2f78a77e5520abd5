"""Rows and bytes agree, and `cdb admin check` tells when they do not; also after kill -9 in the middle of uploads."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from connectomedb.cli.main import main
from connectomedb.server.check import Fault, check_files
from connectomedb.server.intake.sweep import sweep
from connectomedb.server.run import make_admin, start
from connectomedb.server.site import open_site
from connectomedb.server.staging import Staging, dead_processes
from connectomedb.stores.folder import FolderStore

if TYPE_CHECKING:
    from tests.server.conftest import MakeProject

PASSWORD = "correct horse"
KILLS = int(os.environ.get("CONNECTOMEDB_KILLS", "2"))

SCRIPT = """
import sys
from pathlib import Path
from connectomedb.server.run import serve
serve(Path(sys.argv[1]), port=0, admin_password=sys.argv[2], on_answering=lambda it: print(it.address, flush=True))
"""


def run_check(folder: Path, *options: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and findings of `cdb admin check`."""
    with pytest.raises(SystemExit) as ended:
        main(["admin", "check", str(folder), "--json", *options])
    assert isinstance(ended.value.code, int)
    return ended.value.code, json.loads(capsys.readouterr().out)["findings"]


def test_check_tells_what_is_wrong_and_repairs_orphans(
    tmp_path: Path, make_project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    site = make_project(folder)
    with start(site, admin_password=PASSWORD) as server, httpx2.Client(base_url=server.address) as client:
        client.get("/data/JSESSION", auth=("admin", PASSWORD))
        for name in ("whole", "gone", "short", "wrong"):
            assert client.put(f"/data/projects/P/resources/R/files/{name}", content=name.encode()).status_code == 200
    assert run_check(folder, "--digest", capsys=capsys) == (0, [])

    keys = {path.read_text(): path for path in (folder / "archive/uploads").rglob("*") if path.is_file()}
    keys["gone"].unlink()
    keys["short"].write_text("shor")
    keys["wrong"].write_text("wrung")
    FolderStore(folder / "archive").put("uploads/00/nobodys", b"orphan")
    FolderStore(folder / "archive").put("release/file", b"what others keep here is not ours")
    code, found = run_check(folder, capsys=capsys)
    assert (code, sorted((row["fault"], row["path"]) for row in found)) == (
        8,
        [("missing", "gone"), ("orphan", ""), ("size", "short")],
    )
    code, found = run_check(folder, "--digest", "--repair", capsys=capsys)
    assert code == 8
    assert {row["fault"]: row["repaired"] for row in found} == {
        "missing": False,
        "orphan": True,
        "size": False,
        "digest": False,
    }
    assert not (folder / "archive/uploads/00/nobodys").exists()
    assert (folder / "archive/release/file").exists()
    keys["gone"].write_text("gone")
    keys["short"].write_text("short")
    keys["wrong"].write_text("wrong")
    assert run_check(folder, "--digest", capsys=capsys) == (0, [])
    FolderStore(folder / "archive").put("uploads/00/nobodys", b"orphan")
    assert [code for code, _ in [run_check(folder, "--repair", capsys=capsys)]] == [0]


def test_check_says_it_in_words(tmp_path: Path, make_project: MakeProject, capsys: pytest.CaptureFixture[str]) -> None:
    make_project(tmp_path / "data").close()
    with pytest.raises(SystemExit) as ended:
        main(["admin", "check", str(tmp_path / "data")])
    assert (ended.value.code, capsys.readouterr().err) == (0, "All files are there.\n")
    FolderStore(tmp_path / "data/archive").put("uploads/00/nobodys", b"orphan")
    with pytest.raises(SystemExit) as ended:
        main(["admin", "check", str(tmp_path / "data")])
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err) == (8, "orphan    archive:uploads/00/nobodys\n", "1 orphan\n")
    with pytest.raises(SystemExit) as ended:
        main(["admin", "check", str(tmp_path / "nowhere")])
    assert ended.value.code == 2


def test_only_folders_of_processes_that_ended_are_tidied(tmp_path: Path) -> None:
    alive, ended = Staging(tmp_path), Staging(tmp_path)
    alive.new_path().write_bytes(b"x")
    path = ended.new_path()
    path.write_bytes(b"x")
    with dead_processes(tmp_path) as dead:
        assert dead == []
    assert ended._lock is not None
    os.close(ended._lock)  # as the system does when a process is killed
    with dead_processes(tmp_path) as dead:
        assert dead == [ended.id]
    assert not path.exists()
    assert len(list((tmp_path / alive.id).iterdir())) == 2
    alive.close()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", SCRIPT, str(folder), PASSWORD]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def content_of(name: str, version: int) -> bytes:
    """Content that says whose it is, of 10 kB to 1.5 MB."""
    seed = random.Random(f"{name} {version}")
    return f"{name} {version} ".encode() * seed.choice([1_000, 20_000, 100_000])


class Sender(threading.Thread):
    """Uploads new files and new versions of one file until the server is gone; remembers what was acknowledged."""

    def __init__(self, address: str, cookies: dict[str, str], name: str) -> None:
        super().__init__()
        self.acknowledged: dict[str, int] = {}
        self.sent: dict[str, set[int]] = {}
        self._address, self._cookies, self._name = address, cookies, name

    def run(self) -> None:
        try:
            with httpx2.Client(base_url=self._address, timeout=30, cookies=self._cookies) as client:
                for version in range(10_000):
                    for name in (f"{self._name}/same", f"{self._name}/{version}"):
                        self.sent.setdefault(name, set()).add(version)
                        address = f"/data/projects/P/resources/R/files/{name}?overwrite=true"
                        if client.put(address, content=content_of(name, version)).status_code == 200:
                            self.acknowledged[name] = version
        except httpx2.HTTPError:
            pass  # the server was killed


def test_kill_9_in_the_middle_of_uploads_loses_nothing_and_leaves_nothing(
    tmp_path: Path, make_project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    with closing(make_project(folder)) as site:
        make_admin(site, PASSWORD)
        cookies = {"JSESSIONID": site.logins.sign_in("admin", PASSWORD).session_id}
    chance = random.Random(int(os.environ.get("CONNECTOMEDB_FAULT_SEED", "1")))
    senders: list[Sender] = []
    for round in range(KILLS):
        with serving(folder) as (process, address):
            mine = [Sender(address, cookies, f"{round}-{number}") for number in range(4)]
            for sender in mine:
                sender.start()
            while not any(sender.acknowledged for sender in mine):
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.6))
            process.kill()
            for sender in mine:
                sender.join()
            senders += mine
    with closing(open_site(folder)) as site:
        assert [finding for finding in check_files(site) if finding.fault is not Fault.ORPHAN] == []
    with serving(folder) as (_, address), httpx2.Client(base_url=address, cookies=cookies) as client:
        wait_until_tidy(folder)
        assert run_check(folder, "--digest", capsys=capsys) == (0, [])
        rows = client.get("/data/projects/P/resources/R/files").json()["ResultSet"]["Result"]
        digests = {row["URI"].split("/files/")[1]: row["digest"] for row in rows}
        for sender in senders:
            for name, version in sender.acknowledged.items():
                # An upload that was not acknowledged any more may have replaced it, whole.
                versions = [other for other in sender.sent[name] if other >= version]
                assert digests[name] in {hashlib.md5(content_of(name, v)).hexdigest() for v in versions}
        newest = next(name for sender in senders for name in sender.acknowledged)
        content = client.get(f"/data/projects/P/resources/R/files/{newest}").content
        assert hashlib.md5(content).hexdigest() == digests[newest]
    with closing(open_site(folder)) as site:
        sweep(site, grace_s=0)
        with site.database.read() as connection:
            named = set(connection.exec_driver_sql("SELECT object_key FROM files").scalars())
        assert {info.key for info in site.archive.store("archive").list()} == named


def wait_until_tidy(folder: Path) -> None:
    """Wait until the server has removed what its killed predecessors left in the staging folder."""
    for _ in range(500):
        if not any(folder.glob("staging/*/[0-9]*")):
            return
        time.sleep(0.02)
    raise AssertionError("the server did not tidy up")
