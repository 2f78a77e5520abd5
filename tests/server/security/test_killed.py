"""kill -9 of `cdb serve` and `cdb ingest` at random moments of writing: nothing acknowledged is lost, nothing is half.

Three threads upload files, two make, change and delete subjects with sessions and scans, and an ingest brings a study,
until all is killed; at the end a server on the same folder must have it all, and `cdb admin check` be clean.
"""

from __future__ import annotations

import csv
import hashlib
import io
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
from typing import TYPE_CHECKING, ClassVar

import httpx2
from tests.server.security.estate import CONTEXT

from connectomedb.server.check import Fault, check_files
from connectomedb.server.intake.sweep import sweep
from connectomedb.server.run import make_admin
from connectomedb.server.site import open_site

if TYPE_CHECKING:
    from tests.server.conftest import MakeProject

PASSWORD = "correct horse"
ROUNDS = int(os.environ.get("CONNECTOMEDB_KILLS", "2"))
SEED = int(os.environ.get("CONNECTOMEDB_FAULT_SEED", "1"))
STUDY_SUBJECTS = 1_500


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`cdb serve` as anybody starts it."""
    command = [sys.executable, "-m", "connectomedb", "serve", str(folder), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def ingest(folder: Path, project: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "connectomedb",
        "ingest",
        str(folder),
        project,
        "--table",
        str(folder / "study.csv"),
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def content_of(name: str, version: int) -> bytes:
    """Content that says whose it is, of 10 kB to 1.5 MB."""
    return f"{name} {version} ".encode() * random.Random(f"{name} {version}").choice([1_000, 20_000, 100_000])


class Writer(threading.Thread):
    """Asks one thing after the other until the server is gone."""

    def __init__(self, address: str, cookies: dict[str, str], name: str) -> None:
        super().__init__()
        self.word = name
        self.client = httpx2.Client(base_url=address, timeout=30, cookies=cookies, verify=CONTEXT)

    def run(self) -> None:
        try:
            with self.client:
                for number in range(10_000):
                    self.write(number)
        except httpx2.HTTPError:
            pass  # the server was killed

    def write(self, number: int) -> None:
        raise NotImplementedError

    def is_acknowledged(self, method: str, address: str, content: bytes = b"") -> bool:
        return self.client.request(method, address, content=content).status_code in (200, 201)


class Uploader(Writer):
    """New files, and new versions of one file; remembers what was acknowledged."""

    def __init__(self, address: str, cookies: dict[str, str], name: str) -> None:
        super().__init__(address, cookies, name)
        self.acknowledged: dict[str, int] = {}
        self.sent: dict[str, set[int]] = {}

    def write(self, number: int) -> None:
        for name in (f"{self.word}/same", f"{self.word}/{number}"):
            self.sent.setdefault(name, set()).add(number)
            address = f"/data/projects/P/resources/R/files/{name}?overwrite=true"
            if self.is_acknowledged("PUT", address, content_of(name, number)):
                self.acknowledged[name] = number

    def check(self, digests: dict[str, str]) -> None:
        """An upload that was not acknowledged any more may have replaced one that was, whole."""
        for name, version in self.acknowledged.items():
            may_be = {hashlib.md5(content_of(name, v)).hexdigest() for v in self.sent[name] if v >= version}
            assert digests[name] in may_be, name


class Maker(Writer):
    """Subjects with a session and a scan, each with fields of its own; every third is deleted again."""

    STEPS: ClassVar = ("", "/experiments/{0}_MR", "/experiments/{0}_MR/scans/1")

    def __init__(self, address: str, cookies: dict[str, str], name: str) -> None:
        super().__init__(address, cookies, name)
        self.made: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.doomed: set[str] = set()

    def write(self, number: int) -> None:
        label = f"{self.word}_{number}"
        words = (
            f"group={label}",
            f"xsiType=xnat:mrSessionData&scanner={label}&note={label}",
            f"type={label}&note={label}",
        )
        for count, (step, fields) in enumerate(zip(self.STEPS, words, strict=True), 1):
            if self.is_acknowledged("PUT", f"/data/projects/P/subjects/{label}{step.format(label)}?{fields}"):
                self.made[label] = count
        if number % 3 == 2:
            self.doomed.add(label)
            if self.is_acknowledged("DELETE", f"/data/projects/P/subjects/{label}"):
                self.deleted.add(label)

    def check(self, tables: list[dict[str, str]]) -> None:
        """`tables` have what there is at each level, by the label of the subject."""
        for label, count in self.made.items():
            present = [label in table for table in tables]
            if label in self.deleted:
                assert present == [False, False, False], label
            elif label in self.doomed:
                assert present in ([True, True, True], [False, False, False]), label
            else:
                assert present[:count] == [True] * count, label


def test_kill_9_in_the_middle_of_writing_loses_nothing_and_leaves_nothing(
    tmp_path: Path, make_project: MakeProject
) -> None:
    folder = tmp_path / "data"
    with closing(make_project(folder)) as site:
        make_admin(site, PASSWORD)
        cookies = {"JSESSIONID": site.logins.sign_in("admin", PASSWORD).session_id}
    rows = "".join(f"S{number},{number}\n" for number in range(STUDY_SUBJECTS))
    (folder / "study.csv").write_text(f"Subject,Score\n{rows}")
    chance = random.Random(SEED)
    uploaders: list[Uploader] = []
    makers: list[Maker] = []
    for round in range(ROUNDS):
        with serving(folder) as (process, address):
            study = ingest(folder, f"STUDY{round}")
            ours = [Uploader(address, cookies, f"{round}-{number}") for number in range(3)]
            theirs = [Maker(address, cookies, f"{round}-{number}m") for number in range(2)]
            for writer in (*ours, *theirs):
                writer.start()
            while not (any(writer.acknowledged for writer in ours) and any(writer.made for writer in theirs)):
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 1.5))
            process.kill()
            study.kill()
            study.wait()
            for writer in (*ours, *theirs):
                writer.join()
            uploaders += ours
            makers += theirs
    with closing(open_site(folder)) as site:
        assert [finding for finding in check_files(site) if finding.fault is not Fault.ORPHAN] == []
    with serving(folder) as (_, address), httpx2.Client(base_url=address, cookies=cookies, verify=CONTEXT) as client:
        wait_until_tidy(folder)
        check = [sys.executable, "-m", "connectomedb", "admin", "check", str(folder), "--digest", "--json"]
        done = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, json.loads(done.stdout)["findings"]) == (0, []), done.stderr
        _check_files(client, uploaders)
        _check_objects(client, makers)
        for round in range(ROUNDS):
            found = client.get(f"/data/projects/STUDY{round}/subjects?columns=label,{SCORE}&format=csv")
            assert found.status_code == 404 or len(found.text.splitlines()) == STUDY_SUBJECTS + 1
    with closing(open_site(folder)) as site:
        sweep(site, grace_s=0)
        with site.database.read() as connection:
            named = set(connection.exec_driver_sql("SELECT object_key FROM files").scalars())
        assert {info.key for info in site.archive.store("archive").list()} == named


SCORE = "hcp:nontoolboxdata/Score"


def _check_files(client: httpx2.Client, uploaders: list[Uploader]) -> None:
    rows = client.get("/data/projects/P/resources/R/files").json()["ResultSet"]["Result"]
    digests = {row["URI"].split("/files/")[1]: row["digest"] for row in rows}
    for writer in uploaders:
        writer.check(digests)
    newest = next(name for writer in reversed(uploaders) for name in writer.acknowledged)
    content = client.get(f"/data/projects/P/resources/R/files/{newest}").content
    assert hashlib.md5(content).hexdigest() == digests[newest]


def _check_objects(client: httpx2.Client, makers: list[Maker]) -> None:
    """Each object that there is has all fields that came with it."""
    tables: list[dict[str, str]] = []
    subjects = _rows(client, "/data/projects/P/subjects?columns=label,group&format=csv&limit=*")
    assert all(row["label"] == row["group"] for row in subjects)
    tables.append({row["label"]: row["ID"] for row in subjects})
    asked = "xsiType=xnat:mrSessionData&columns=ID,label,scanner,note,subject_label"
    sessions = _rows(client, f"/data/projects/P/experiments?{asked}&format=csv&limit=*")
    for row in sessions:
        label = row["subject_label"]
        assert (row["label"], row["scanner"], row["note"]) == (f"{label}_MR", label, label)
    tables.append({row["subject_label"]: row["ID"] for row in sessions})
    scans: dict[str, str] = {}
    for label, id in tables[1].items():
        for row in _rows(client, f"/data/experiments/{id}/scans?columns=ID,type,note&format=csv"):
            assert (row["ID"], row["type"], row["note"]) == ("1", label, label)
            scans[label] = row["ID"]
    tables.append(scans)
    for writer in makers:
        writer.check(tables)


def _rows(client: httpx2.Client, address: str) -> list[dict[str, str]]:
    reply = client.get(address)
    assert reply.status_code == 200, reply.text
    return list(csv.DictReader(io.StringIO(reply.text)))


def wait_until_tidy(folder: Path) -> None:
    """Wait until the server has removed what its killed predecessors left in the staging folder."""
    for _ in range(500):
        if not any(folder.glob("staging/*/[0-9]*")):
            return
        time.sleep(0.02)
    raise AssertionError("the server did not tidy up")
