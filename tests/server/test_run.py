"""Starting and stopping: ports, signals, the first administrator, and what is left behind."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from connectomedb.errors import ConfigError, ConnectomeDBError, DiskRefused, ServiceFailed
from connectomedb.server.access.users import create_user
from connectomedb.server.run import ADMIN, make_admin, serve, start
from connectomedb.server.site import open_site

SCRIPT = """
import sys
from pathlib import Path
from connectomedb.server.run import serve
def say(answering):
    print(answering.address, answering.made_password or "-", flush=True)
serve(Path(sys.argv[1]), port=0, admin_password=sys.argv[2] or None, on_answering=say)
print("ended", flush=True)
"""


@contextmanager
def serving(folder: Path, password: str = "") -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A server process that answers: itself, its address, and the password that it made up."""
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(folder), password]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address, made = process.stdout.readline().split()
        yield process, address, made
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_gracefully_and_the_next_start_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "data") as (process, address, made):
        assert httpx2.get(f"{address}/data/auth", auth=(ADMIN, made)).status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "ended\n", "")
    assert not list((tmp_path / "data").glob("*-wal"))
    with serving(tmp_path / "data") as (process, address, again):
        assert again == "-"
        assert httpx2.get(f"{address}/data/auth", auth=(ADMIN, made)).status_code == 200


def test_a_killed_server_leaves_a_database_that_works(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "chosen") as (process, address, made):
        assert made == "-"
        session = httpx2.get(f"{address}/data/JSESSION", auth=(ADMIN, "chosen")).text
        process.kill()
        process.wait(30)
    with serving(tmp_path / "data", "another") as (_, address, _):
        reply = httpx2.get(f"{address}/data/auth", headers={"Cookie": f"JSESSIONID={session}"})
        assert reply.text == "User 'admin' is logged in"
        assert httpx2.get(f"{address}/data/auth", auth=(ADMIN, "another")).status_code == 401


def test_two_servers_share_a_folder(tmp_path: Path) -> None:
    with start(open_site(tmp_path), admin_password="pw") as one, start(open_site(tmp_path)) as other:
        session = httpx2.get(f"{one.address}/data/JSESSION", auth=(ADMIN, "pw")).text
        reply = httpx2.get(f"{other.address}/data/auth", headers={"Cookie": f"JSESSIONID={session}"})
        assert reply.status_code == 200


def test_servers_that_start_at_once_make_one_administrator(tmp_path: Path) -> None:
    sites = [open_site(tmp_path) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        made = [password for password in pool.map(make_admin, sites) if password]
    assert len(made) == 1
    assert sites[0].logins.sign_in(ADMIN, made[0]).caller.is_admin
    for site in sites:
        site.close()


def test_the_made_password_is_told_once_and_hidden_in_the_repr(tmp_path: Path) -> None:
    with start(open_site(tmp_path)) as server:
        assert server.answering.made_password
        assert server.answering.made_password not in repr(server.answering)
    with start(open_site(tmp_path)) as server:
        assert server.answering.made_password is None


def test_users_alone_make_no_administrator(tmp_path: Path) -> None:
    site = open_site(tmp_path)
    create_user(site.database, "me", "pw")
    assert make_admin(site, "chosen") is None
    assert site.logins.sign_in(ADMIN, "chosen").caller.is_admin
    assert not site.logins.sign_in("me", "pw").caller.is_admin
    site.close()


def test_a_port_that_is_taken_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceFailed, match=f"127.0.0.1:{port}.*choose another"):
            serve(tmp_path / "data", port=port)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("host", "port"), [("no such host", 0), ("127.0.0.1", 99_999), ("256.0.0.1", 0)])
def test_an_address_that_is_none_is_said(tmp_path: Path, host: str, port: int) -> None:
    with pytest.raises(ServiceFailed):
        serve(tmp_path / "data", host=host, port=port)


def test_it_speaks_ipv6(tmp_path: Path) -> None:
    with start(open_site(tmp_path), host="::1") as server:
        assert server.address.startswith("http://[::1]:")
        assert httpx2.get(f"{server.address}/xapi/siteConfig/buildInfo").status_code == 200


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], type[ConnectomeDBError]]] = {
    "a file": (lambda path: path.write_text("x"), DiskRefused),
    "another database": (lambda path: _put(path, "database.sqlite", b"no database at all" * 100), ConfigError),
    "tables of another program": (lambda path: _database(path, "CREATE TABLE recipes (name)"), ConfigError),
    "a database of a newer version": (
        lambda path: _database(path, "CREATE TABLE alembic_version AS SELECT '9999' AS version_num"),
        ConfigError,
    ),
    "settings that are no TOML": (lambda path: _put(path, "cdb.toml", b"["), ConfigError),
    "settings with a secret": (
        lambda path: _put(path, "cdb.toml", b'[stores.a]\nkind = "s3"\nbucket = "b"\nsecret_key = "x"\n'),
        ConfigError,
    ),
}


def _put(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir()
    (folder / name).write_bytes(content)


def _database(folder: Path, statement: str) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "database.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize("reason", BAD_FOLDERS)
def test_a_folder_that_is_none_of_ours_is_refused_in_one_sentence(tmp_path: Path, reason: str) -> None:
    make, error = BAD_FOLDERS[reason]
    make(tmp_path / "data")
    with pytest.raises(error) as caught:
        serve(tmp_path / "data", port=0)
    assert isinstance(caught.value, ConnectomeDBError)
    assert "\n" not in str(caught.value)


def test_a_read_only_disk_is_refused() -> None:
    with pytest.raises(DiskRefused):
        serve(Path("/proc/connectomedb"), port=0)


def test_nobody_else_may_read_a_new_folder(tmp_path: Path) -> None:
    open_site(tmp_path / "data").close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "database.sqlite").stat().st_mode & 0o077 == 0
