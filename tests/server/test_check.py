"""Rows and bytes agree, and `cdb admin check` tells when they do not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from sqlalchemy import create_engine, text

from connectomedb.cli.main import main
from connectomedb.server.folder import DataFolder
from connectomedb.server.run import start
from connectomedb.server.settings import read_settings
from connectomedb.server.staging import Staging, dead_processes
from connectomedb.server.tables.sqlite import make_file
from connectomedb.stores.folder import FolderStore

if TYPE_CHECKING:
    from tests.server.conftest import MakeProject

PASSWORD = "correct horse"


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


_LOOSEN = {"sqlite": "PRAGMA foreign_keys = OFF", "postgresql": "SET session_replication_role = replica"}
"""Lets a connection break references, as a repair by hand may."""


def test_check_finds_rows_that_lead_nowhere(
    tmp_path: Path, make_project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    site = make_project(folder)
    with start(site, admin_password=PASSWORD) as server, httpx2.Client(base_url=server.address) as client:
        client.get("/data/JSESSION", auth=("admin", PASSWORD))
        for label in ("a", "b"):
            address = f"/data/projects/P/subjects/{label}/experiments/{label}_MR?xsiType=xnat:mrSessionData"
            assert client.put(address).status_code == 201
    url = read_settings(folder / "cdb.toml").database.url or make_file(DataFolder(folder).database)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(_LOOSEN[engine.dialect.name]))
        connection.execute(text("UPDATE experiments SET data_type = 'lab:gone' WHERE label = 'a_MR'"))
        connection.execute(text("DELETE FROM subjects WHERE label = 'b'"))
    engine.dispose()
    code, found = run_check(folder, capsys=capsys)
    assert code == 8
    assert [(row["fault"], row["key"].split()[0]) for row in found] == [
        ("reference", "experiments.subject_key"),
        ("type", "experiments"),
    ]
    assert "lab:gone" in found[1]["detail"]


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
