"""kill -9 of `cdb serve` and `cdb ingest` at random moments of writing: nothing acknowledged is lost, nothing is half.

Two servers on one site, as worker processes are; threads write by all ways there are, others read what is written, and
an ingest brings a study, until one server is killed, and a moment later the other. Whoever starts next must have it
all, and `cdb admin check` be clean. On SQLite the files lie in a folder, on PostgreSQL in a bucket.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from tests.server.security.estate import CONTEXT
from tests.server.security.killed_processes import Command, Forks, forking
from tests.server.security.killed_writers import (
    EMPTY,
    FILES,
    Maker,
    Reader,
    Uploader,
    Writer,
    folders_of,
    people_of,
)

from connectomedb.cli.main import main
from connectomedb.config.s3 import S3Settings
from connectomedb.server.check import Fault, check_files
from connectomedb.server.intake.sweep import sweep
from connectomedb.server.run import make_admin, start
from connectomedb.server.site import Site, open_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import MakeProject

    from connectomedb.stores.s3 import S3Store

PASSWORD = "correct horse"
ROUNDS = int(os.environ.get("CONNECTOMEDB_KILLS", "2"))
SEED = int(os.environ.get("CONNECTOMEDB_FAULT_SEED", "1"))
STUDY_SUBJECTS = 800
SCORE = "hcp:nontoolboxdata/Score"


class Estate:
    """A site of its own, what was written to it, and how to reach it."""

    def __init__(
        self, folder: Path, forks: Forks, environment: Mapping[str, str], keys: S3Settings | None, store: str
    ) -> None:
        self.folder = folder
        self.forks = forks
        self.environment = environment
        self.keys = keys
        self.store = store
        self.cookies: dict[str, str] = {}
        self.uploaders: list[Uploader] = []
        self.makers: list[Maker] = []
        self.studies: list[str] = []
        rows = "".join(f"S{number},{number}\n" for number in range(STUDY_SUBJECTS))
        (folder / "study.csv").write_text(f"Subject,Score\n{rows}")

    def open(self) -> Site:
        return open_site(self.folder, settings=self.keys)

    def serve(self) -> Command:
        return self.forks.begin(["serve", str(self.folder), "--port", "0"], self.environment)

    def ingest(self, project: str) -> Command:
        self.studies.append(project)
        table = str(self.folder / "study.csv")
        return self.forks.begin(["ingest", str(self.folder), project, "--table", table], self.environment)

    @contextmanager
    def client(self, address: str) -> Iterator[httpx2.Client]:
        with httpx2.Client(base_url=address, cookies=self.cookies, verify=CONTEXT, timeout=30) as http:
            yield http


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forking(tmp_path_factory.mktemp("forks")) as forks:
        yield forks


@pytest.fixture
def estate(
    tmp_path: Path, forks: Forks, make_project: MakeProject, engine: str, request: pytest.FixtureRequest
) -> Estate:
    """Projects P and Q; of PostgreSQL the files lie in a bucket."""
    folder = tmp_path / "data"
    settings, environment, keys, store = "", {}, None, "archive"
    if engine == "postgresql":
        make_bucket: Callable[[str], S3Store] = request.getfixturevalue("s3_store")
        bucket = make_bucket("killed")
        keys, store = bucket.settings, "bucket"
        settings = f'[files]\nuploads = "bucket"\n[stores.bucket]\nkind = "s3"\nbucket = "{bucket.bucket}"\n'
        settings += f'endpoint_url = "{keys.endpoint_url}"\n'
        assert keys.access_key and keys.secret_key
        environment = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
    with closing(make_project(folder, settings, keys)) as site:
        make_admin(site, PASSWORD)
        made = Estate(folder, forks, environment, keys, store)
        made.cookies = {"JSESSIONID": site.logins.sign_in("admin", PASSWORD).session_id}
    return made


@pytest.mark.timeout(120 + 10 * ROUNDS)
def test_kill_9_in_the_middle_of_writing_loses_nothing_and_leaves_nothing(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print(f"CONNECTOMEDB_FAULT_SEED={SEED}")
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        uploaders, makers = _write_and_kill(estate, number, chance)
        with closing(estate.open()) as site:
            assert [finding for finding in check_files(site) if finding.fault is not Fault.ORPHAN] == []
        _check_writers(estate, uploaders, makers)
        estate.uploaders += uploaders
        estate.makers += makers
    _check_writers(estate, estate.uploaders, estate.makers)
    for name, value in estate.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        capsys.readouterr()
        main(["admin", "check", str(estate.folder), "--digest", "--json"])
    assert (ended.value.code, json.loads(capsys.readouterr().out)["findings"]) == (0, [])
    with closing(estate.open()) as site:
        sweep(site, grace_s=0)
        with site.database.read() as connection:
            named = set(connection.exec_driver_sql("SELECT object_key FROM files").scalars())
        assert {info.key for info in site.archive.store(estate.store).list()} == named


def _write_and_kill(estate: Estate, number: int, chance: random.Random) -> tuple[list[Uploader], list[Maker]]:
    """One round; who wrote in it."""
    servers = [estate.serve(), estate.serve()]
    addresses = [server.first_line() for server in servers]
    with estate.client(addresses[0]) as http:
        for made in () if number else ("projects/Q", "projects/P/resources/R"):
            assert http.put(f"/data/{made}").status_code == 200
    study = estate.ingest(f"STUDY{number}")
    uploaders = [Uploader(addresses[i % 2], estate.cookies, f"u{number}-{i}") for i in range(2)]
    makers = [Maker(addresses[i % 2], estate.cookies, f"m{number}-{i}") for i in range(2)]
    readers = [Reader(addresses[1], estate.cookies, writer) for writer in uploaders]
    writers: list[Writer] = [*uploaders, *makers]
    everybody = [*writers, *readers]
    for somebody in everybody:
        somebody.start()
    while not all(writer.acknowledged or writer.faults for writer in writers):
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, 1.2))
    chance.shuffle(servers)
    servers[0].kill()
    time.sleep(chance.uniform(0.0, 0.3))
    servers[1].kill()
    study.kill()
    for somebody in everybody:
        somebody.join()
    assert [(somebody.word, somebody.faults) for somebody in everybody if somebody.faults] == []
    return uploaders, makers


def _check_writers(estate: Estate, uploaders: list[Uploader], makers: list[Maker]) -> None:
    """A server that starts after the kill has all that these wrote."""
    with start(estate.open()) as server, estate.client(server.address) as http:
        _wait_until_tidy(estate.folder)
        folders, people = folders_of(http), people_of(http, makers)
        for maker in makers:
            maker.check(people, None)
        for uploader in uploaders:
            uploader.check(folders, EMPTY)
            content = http.get(f"{FILES}/{uploader.word}/same/f").content
            assert frozenset({("f", hashlib.md5(content).hexdigest())}) == folders[f"{uploader.word}/same"]
        for study in estate.studies:
            found = http.get(f"/data/projects/{study}/subjects?columns=label,{SCORE}&format=csv")
            assert found.status_code == 404 or len(found.text.splitlines()) == STUDY_SUBJECTS + 1


def _wait_until_tidy(folder: Path) -> None:
    """Wait until the server has removed what its killed predecessors left in the staging folder."""
    for _ in range(500):
        if not any(folder.glob("staging/*/[0-9]*")):
            return
        time.sleep(0.02)
    raise AssertionError("the server did not tidy up")
