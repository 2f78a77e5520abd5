"""Backups: whole while others write, restored into a new place, and refused where they would do harm."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import func, insert, select

from connectomedb.cli._errors import INTEGRITY
from connectomedb.cli.main import main
from connectomedb.errors import ConfigError, Conflict, DiskRefused, ServiceFailed
from connectomedb.server.folder import DataFolder
from connectomedb.server.operation.backup import back_up, migrate, restore
from connectomedb.server.run import ADMIN, start
from connectomedb.server.settings import DatabaseSettings, read_settings
from connectomedb.server.site import open_database, open_site
from connectomedb.server.tables.database import newest_revision
from connectomedb.server.tables.schema import counters

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.server.conftest import DataFolders, Deliver

PASSWORD = "correct horse"


def _settings(folder: Path) -> DatabaseSettings:
    return read_settings(folder / "cdb.toml").database


def _dump(folder: Path) -> list[object]:
    from sqlalchemy import MetaData

    with closing(open_database(DataFolder(folder), _settings(folder))) as database, database.read() as connection:
        tables = MetaData()
        tables.reflect(connection)
        return [(table.name, sorted(map(repr, connection.execute(select(table))))) for table in tables.sorted_tables]


def test_rows_come_back_into_a_new_place(tmp_path: Path, deliver: Deliver, data_folder: DataFolders) -> None:
    deliver(tmp_path).close()
    folder = tmp_path / "data"
    size = back_up(DataFolder(folder), _settings(folder), tmp_path / "backup")
    assert size == (tmp_path / "backup").stat().st_size > 1000
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    other = data_folder(tmp_path / "other")
    other.mkdir(exist_ok=True)
    restore(DataFolder(other), _settings(other), tmp_path / "backup", replace=True)
    assert _dump(other) == _dump(folder)


def test_rows_that_are_there_are_not_replaced_unasked(tmp_path: Path, deliver: Deliver) -> None:
    deliver(tmp_path).close()
    folder = tmp_path / "data"
    before = _dump(folder)
    back_up(DataFolder(folder), _settings(folder), tmp_path / "back%20up ?#")
    with (
        closing(open_database(DataFolder(folder), _settings(folder))) as database,
        database.write() as connection,
    ):
        connection.execute(insert(counters).values(name="later", value=1))
    with pytest.raises(Conflict, match="--replace"):
        restore(DataFolder(folder), _settings(folder), tmp_path / "back%20up ?#")
    assert _dump(folder) != before
    restore(DataFolder(folder), _settings(folder), tmp_path / "back%20up ?#", replace=True)
    assert _dump(folder) == before


def test_a_backup_is_one_moment_while_others_write(tmp_path: Path, data_folder: DataFolders) -> None:
    folder = data_folder(tmp_path / "data")
    folder.mkdir(exist_ok=True)
    settings = _settings(folder)
    is_over = threading.Event()
    with closing(open_database(DataFolder(folder), settings)) as database:

        def write() -> None:
            number = 0
            while not is_over.wait(0.002):
                with database.write() as connection:
                    connection.execute(insert(counters), [{"name": f"{number}{half}", "value": 0} for half in "ab"])
                number += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            back_up(DataFolder(folder), settings, tmp_path / "backup")
        finally:
            is_over.set()
            writer.join()
    restore(DataFolder(folder), settings, tmp_path / "backup", replace=True)
    with closing(open_database(DataFolder(folder), settings)) as database, database.read() as connection:
        halves = connection.execute(select(func.count()).select_from(counters)).scalar_one()
    assert halves % 2 == 0


@dataclass
class Writer:
    """Writes over HTTP until told to stop: files are made, replaced and deleted, subjects made, renamed and deleted."""

    number: int
    client: httpx2.Client
    is_over: threading.Event
    kept: dict[str, bytes] = field(default_factory=dict)
    rounds: int = 0

    def run(self) -> None:
        """Odd rounds delete, and every third file is replaced."""
        root = "/data/projects/HCP_Q1"
        while not self.is_over.is_set():
            name = f"{self.number}-{self.rounds}"
            for version in range(2 if self.rounds % 3 else 1):
                content = f"{name} {version} ".encode() * 500
                reply = self.client.put(f"{root}/resources/W/files/{name}?overwrite=true", content=content)
                assert reply.status_code == 200, reply.text
            self.kept[name] = content
            assert self.client.put(f"{root}/subjects/S{name}").status_code == 201
            if self.rounds % 2:
                assert self.client.delete(f"{root}/resources/W/files/{name}").status_code == 200
                assert self.client.delete(f"{root}/subjects/S{name}").status_code == 200
                del self.kept[name]
            self.rounds += 1


def test_a_server_that_is_written_to_is_brought_back_elsewhere(
    tmp_path: Path, deliver: Deliver, data_folder: DataFolders, capsys: pytest.CaptureFixture[str]
) -> None:
    site = deliver(tmp_path)
    folder, other = tmp_path / "data", data_folder(tmp_path / "other")
    backup, is_over = str(tmp_path / "backup"), threading.Event()
    with start(site, admin_password=PASSWORD) as server, ExitStack() as opened:
        session = site.logins.sign_in(ADMIN, PASSWORD).session_id
        clients = [
            opened.enter_context(httpx2.Client(base_url=server.address, cookies={"JSESSIONID": session}))
            for _ in range(3)
        ]
        assert clients[0].put("/data/projects/HCP_Q1/resources/W").status_code == 200
        writers = [Writer(number, client, is_over) for number, client in enumerate(clients)]
        with ThreadPoolExecutor(len(writers)) as pool:
            try:
                done = [pool.submit(writer.run) for writer in writers]
                _wait_until(lambda: min(writer.rounds for writer in writers) >= 3)
                before = {name: content for writer in writers for name, content in list(writer.kept.items())}
                assert _cdb("backup", str(folder), backup) == 0
                rounds = [writer.rounds for writer in writers]
                _wait_until(lambda: all(writer.rounds > old + 2 for writer, old in zip(writers, rounds, strict=True)))
            finally:
                is_over.set()
            for one in done:
                one.result()
    shutil.copytree(folder / "archive", other / "archive", dirs_exist_ok=True)
    tree = f'[stores.tree]\nkind = "folder"\npath = "{tmp_path / "tree"}"\n'
    settings = other / "cdb.toml"
    settings.write_text((settings.read_text() if settings.exists() else "") + tree)
    capsys.readouterr()
    assert _cdb("restore", str(other), backup, "--replace") == 0
    said = capsys.readouterr().err
    assert "uploads came after the backup" in said and f"cdb admin check {other} --repair" in said
    assert _cdb("check", str(other), "--digest") == INTEGRITY
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"orphan"}
    assert _cdb("check", str(other), "--repair") == 0
    assert _cdb("check", str(other), "--digest") == 0
    with start(open_site(other)) as server, httpx2.Client(base_url=server.address, auth=(ADMIN, PASSWORD)) as client:
        files = "/data/projects/HCP_Q1/resources/W/files"
        found = {row["Name"] for row in client.get(files).json()["ResultSet"]["Result"]}
        steady = {name: content for name, content in before.items() if int(name.partition("-")[2]) % 2 == 0}
        assert len(steady) >= 3
        for name, content in steady.items():
            assert name in found and client.get(f"{files}/{name}").content == content
        assert client.put(f"{files}/after", content=b"after").status_code == 200
        assert client.put("/data/projects/HCP_Q1/subjects/AFTER").status_code == 201


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _cdb(*words: str) -> object:
    """The exit code of `cdb admin`."""
    with pytest.raises(SystemExit) as ended:
        main(["admin", *words])
    return ended.value.code


def test_what_is_no_backup_is_refused_before_anything_changes(tmp_path: Path, deliver: Deliver, engine: str) -> None:
    deliver(tmp_path).close()
    folder = DataFolder(tmp_path / "data")
    before = _dump(folder.root)
    other_kind = {"sqlite": b"PGDMP rest", "postgresql": b"SQLite format 3\x00 rest"}[engine]
    damaged = {"sqlite": b"SQLite format 3\x00" + b"x" * 5000, "postgresql": b"PGDMP" + b"x" * 5000}[engine]
    for name, content, error in (
        ("none", b"hello", ConfigError),
        ("empty", b"", ConfigError),
        ("foreign", other_kind, ConfigError),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(error):
            restore(folder, _settings(folder.root), tmp_path / name, replace=True)
        assert _dump(folder.root) == before
    back_up(folder, _settings(folder.root), tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for content in (damaged, whole[: len(whole) // 2], whole[:-3000]):
        (tmp_path / "damaged").write_bytes(content)
        with pytest.raises((ConfigError, ServiceFailed)):
            restore(folder, _settings(folder.root), tmp_path / "damaged", replace=True)
        assert _dump(folder.root) == before


def test_a_backup_replaces_no_file_and_leaves_none_after_a_fault(tmp_path: Path, deliver: Deliver) -> None:
    deliver(tmp_path).close()
    folder = DataFolder(tmp_path / "data")
    (tmp_path / "there").write_text("mine")
    with pytest.raises(Conflict):
        back_up(folder, _settings(folder.root), tmp_path / "there")
    assert (tmp_path / "there").read_text() == "mine"
    with pytest.raises(DiskRefused):
        back_up(folder, _settings(folder.root), tmp_path / "nowhere" / "file")
    with pytest.raises(ConfigError):
        back_up(DataFolder(tmp_path / "empty"), DatabaseSettings(), tmp_path / "file")
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part") or path.name == "file"]


def test_the_command_line_does_it(tmp_path: Path, deliver: Deliver, forked: Run, clean_env: dict[str, str]) -> None:
    deliver(tmp_path).close()
    folder = str(tmp_path / "data")
    before = _dump(tmp_path / "data")

    def cdb(*words: str) -> subprocess.CompletedProcess[str]:
        return forked(["admin", *words], clean_env, tmp_path)

    assert cdb("backup", folder, str(tmp_path / "file")).returncode == 0
    assert cdb("backup", folder, str(tmp_path / "file")).returncode == 1
    assert cdb("restore", folder, str(tmp_path / "file"), "--replace").returncode == 0
    moved = cdb("migrate", folder)
    assert (moved.returncode, moved.stderr) == (0, f"The tables are at step {newest_revision()}.\n")
    assert _dump(tmp_path / "data") == before


def test_migrating_says_from_where_to_where(tmp_path: Path, data_folder: DataFolders, engine: str) -> None:
    folder = data_folder(tmp_path / "data")
    folder.mkdir(exist_ok=True)
    if engine == "sqlite":
        (folder / "database.sqlite").write_bytes(b"")
        assert migrate(DataFolder(folder), _settings(folder)) == (None, newest_revision())
    assert migrate(DataFolder(folder), _settings(folder)) == (newest_revision(), newest_revision())
    with pytest.raises(ConfigError):
        migrate(DataFolder(tmp_path / "none"), DatabaseSettings())
