"""Running a server: settings, health, numbers, logs, limits, workers, TLS, proxies, a graceful stop."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text

from connectomedb.demo.services.postgres import PostgresServer
from connectomedb.errors import ConfigError
from connectomedb.server.access.audit import Action, Actor, Event
from connectomedb.server.operation.metrics import Metrics
from connectomedb.server.operation.pulse import Pulse
from connectomedb.server.operation.workers import MAX_SHORT_LIVES
from connectomedb.server.run import ADMIN, start
from connectomedb.server.settings import (
    Limits,
    Listening,
    LogSettings,
    Settings,
    read_settings,
    with_database,
)
from connectomedb.server.site import Site, open_site

if TYPE_CHECKING:
    from tests.server.conftest import DataFolders, Served

PASSWORD = "correct horse"
SERVICE_FAILED = 1
"""Exit code of what has no better one."""
MANUAL = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")


# Settings


def _rows(kind: Any, section: str = "") -> Iterator[str]:
    for item in fields(kind):
        if is_dataclass(item.default):
            yield from _rows(item.default, item.name)
        else:
            name = f"{section}.{item.name}".strip(".")
            yield f"| `{name}` | {_shown(item.default)} | {item.metadata['meaning']} |"


def _shown(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.0f}"
    if isinstance(value, str):
        return f'`"{value}"`'
    return {"()": "`[]`", "True": "true", "False": "false"}.get(str(value), str(value))


def test_the_manual_has_every_setting_with_its_default_and_meaning() -> None:
    lines = MANUAL.splitlines()
    assert [row for row in _rows(Settings()) if row not in lines] == []


def test_the_example_of_the_manual_is_read(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("word")
    example = re.findall(r"```toml\n(.*?)```", MANUAL, re.DOTALL)[0]
    (tmp_path / "cdb.toml").write_text(example.replace("/etc/connectomedb/database-password", f"{tmp_path}/word"))
    settings = read_settings(tmp_path / "cdb.toml", {})
    assert settings.server.workers == 4
    assert settings.database.url == "postgresql://cdb:word@db.example.org/cdb"


def test_the_manual_has_every_number() -> None:
    names = {family.name for family in text_string_to_metric_families(Metrics().format().decode())}
    assert len(names) == 5
    assert [name for name in names if not re.search(rf"`{name}(_total)?`", MANUAL)] == []


def test_an_example_is_read_into_values(tmp_path: Path) -> None:
    file = tmp_path / "cdb.toml"
    file.write_text(
        'folder = "/srv/cdb"\n[server]\nport = 80\nworkers = 2\ntrusted_proxies = ["10.0.0.0/8"]\n'
        '[database]\nurl = "postgresql://cdb@db/cdb"\nstatement_timeout_s = 5\n[limits]\npause_s = 3\n'
        '[log]\nlevel = "debug"\nrequests = false\n[stores.a]\nkind = "folder"\npath = "x"\n'
    )
    config = read_settings(file, {})
    assert config.folder == "/srv/cdb"
    assert config.server == Listening(port=80, workers=2, trusted_proxies=("10.0.0.0/8",))
    assert config.database.url == "postgresql://cdb@db/cdb"
    assert config.database.statement_timeout_s == 5.0
    assert config.limits.pause_s == 3
    assert config.log == LogSettings("debug", False)


def test_the_environment_counts_more_than_the_file_and_the_command_line_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cdb.toml"
    (tmp_path / "secret").write_text("word\n")
    file.write_text(f'[database]\nurl = "postgresql://a@h/x"\npassword_file = "{tmp_path}/secret"\n')
    assert read_settings(file, {}).database.url == "postgresql://a:word@h/x"
    config = read_settings(file, {"CDB_DATABASE_URL": "postgresql://b@h/y", "CDB_DATABASE_PASSWORD": "p"})
    assert config.database.url == "postgresql://b:p@h/y"
    monkeypatch.setenv("CDB_DATABASE_PASSWORD", "q")
    assert with_database(config, "postgresql://c@h/z").database.url == "postgresql://c:q@h/z"
    with pytest.raises(ConfigError, match="CDB_DATABASE_PASSWORD"):
        with_database(config, "postgresql://c:secret@h/z")


WRONG = {
    "an unknown key": ("[server]\nprot = 1\n", "Did you mean 'port'"),
    "an unknown section": ("[servers]\nport = 1\n", "Did you mean 'server'"),
    "a strange key": ("[database]\nxyzzy = 1\n", "There are: url"),
    "a text for a number": ('[server]\nport = "80"\n', "server.port must be a whole number"),
    "a number for a text": ("[server]\nhost = 1\n", "server.host must be a text"),
    "truth for a number": ("[server]\nport = true\n", "whole number"),
    "a section that is none": ("server = 1\n", "is a section"),
    "a list of numbers": ("[server]\ntrusted_proxies = [1]\n", "list of texts"),
    "too large": ("[server]\nport = 70000\n", "0 to 65535"),
    "too many": ("[server]\nworkers = 0\n", "1 to 64"),
    "a level": ('[log]\nlevel = "loud"\n', "debug, info"),
    "a key without certificate": ('[server]\ntls_key = "x"\n', "go together"),
    "a password": ('[database]\nurl = "postgresql://a:hush@h/x"\n', "CDB_DATABASE_PASSWORD"),
    "a password as parameter": ('[database]\nurl = "postgresql://a@h/x?password=hush"\n', "CDB_DATABASE_PASSWORD"),
    "a missing password file": ('[database]\nurl = "postgresql://a@h/x"\npassword_file = "/none"\n', "/none"),
    "no TOML": ("[", "cdb.toml"),
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_setting_that_makes_no_sense_is_refused_with_what_to_write(tmp_path: Path, reason: str) -> None:
    content, words = WRONG[reason]
    (tmp_path / "cdb.toml").write_text(content)
    with pytest.raises(ConfigError) as caught:
        read_settings(tmp_path / "cdb.toml", {})
    assert words in str(caught.value)
    assert "hush" not in str(caught.value)


# Health and numbers


def test_it_says_that_it_is_well(nobody: httpx2.Client) -> None:
    reply = nobody.get("/healthz")
    assert reply.status_code == 200
    assert reply.json() == {"status": "ok", "database": "ok", "stores": {"archive": "ok", "tree": "ok"}}


def test_it_says_that_it_is_not_well_and_not_why(tmp_path: Path, data_folder: DataFolders) -> None:
    declared = '[stores.gone]\nkind = "s3"\nbucket = "b"\nendpoint_url = "http://127.0.0.1:1"\nanonymous = true\n'
    folder = data_folder(tmp_path / "data", declared)
    with start(open_site(folder)) as server:
        reply = httpx2.get(f"{server.address}/healthz", timeout=60)
    assert reply.status_code == 503
    assert reply.json() == {"status": "failed", "database": "ok", "stores": {"archive": "ok", "gone": "failed"}}


def test_a_store_that_is_frozen_is_said_soon_and_asked_once(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes connections, and says nothing
        where = f'endpoint_url = "http://127.0.0.1:{frozen.getsockname()[1]}"'
        declared = f'[stores.frozen]\nkind = "s3"\nbucket = "b"\n{where}\nanonymous = true\n'
        (tmp_path / "data" / "cdb.toml").write_text(declared)
        site = replace(open_site(tmp_path / "data"), pulse=Pulse(0.3))
        _check_frozen(site)


def _check_frozen(site: Site) -> None:
    with start(site) as server:
        begun = time.monotonic()
        for _ in range(3):
            reply = httpx2.get(f"{server.address}/healthz", timeout=60)
            assert (reply.status_code, reply.json()["stores"]["frozen"]) == (503, "failed")
        assert time.monotonic() - begun < 10
        pulses = [thread for thread in threading.enumerate() if thread.name == "connectomedb-pulse"]
        assert len(pulses) == 1


def _end_connections(url: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    others = "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {others}"))
    engine.dispose()


def test_a_database_that_goes_and_comes_back(
    tmp_path: Path, postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Gone as a stopped server is: its socket and all connections. What was read meanwhile is in the audit log."""
    name = postgres.make_database().partition("?")[0].rpartition("/")[2]
    way = tmp_path / "way"
    way.symlink_to(postgres.url(name).rpartition("=")[2])
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "cdb.toml").write_text(f'[database]\nurl = "postgresql://cdb@/{name}?host={way}"\n')
    site = open_site(folder)
    with start(site, admin_password=PASSWORD) as server:
        session = httpx2.get(f"{server.address}/data/JSESSION", auth=(ADMIN, PASSWORD)).text
        with httpx2.Client(base_url=server.address, cookies={"JSESSIONID": session}) as client:
            assert client.get("/data/projects").status_code == 200
            way.rename(tmp_path / "away")
            site.audit.note(Event(Actor(ADMIN), Action.DOWNLOAD, target="while it was gone"))
            _end_connections(postgres.url(name))
            for address in ("/data/projects", "/data/search/elements", "/xapi/users/current", "/metrics"):
                reply = client.get(address)
                assert (reply.status_code, reply.headers.get("Retry-After")) == (503, "5"), address
                assert "busy, or cannot reach" in reply.text
            assert httpx2.get(f"{server.address}/data/JSESSION", auth=(ADMIN, PASSWORD)).status_code == 503
            health = client.get("/healthz")
            assert (health.status_code, health.json()["database"]) == (503, "failed")
            (tmp_path / "away").rename(way)
            assert client.get("/healthz").status_code == 200
            assert client.get("/data/projects").status_code == 200
            _wait_for(lambda: "while it was gone" in client.get("/data/audit?format=csv").text)
        way.unlink()
        _end_connections(postgres.url(name))
        site.audit.note(Event(Actor(ADMIN), Action.DOWNLOAD, target="at the end"))
    assert "1 lines of the audit log are lost" in caplog.text
    assert "Traceback" not in caplog.text
    assert "/data/projects: The database server cannot be reached" in caplog.text


def _numbers(written: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(written)
        for sample in family.samples
    }


def test_numbers_are_for_administrators_and_who_has_the_token(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with served.client("admin") as admin, served.client("reader") as reader, served.client(None) as nobody:
        admin.get("/data/projects")
        nobody.get("/no/such/route")
        found = _numbers(admin.get("/metrics").text)
        labels = (("method", "GET"), ("route", "/data/projects"), ("status", "200"))
        assert found["cdb_requests_total", labels] >= 1
        assert found["cdb_request_seconds_count", (("route", "/data/projects"),)] >= 1
        assert found["cdb_sent_bytes_total", (("route", "/data/projects"),)] > 100
        assert found["cdb_requests_under_way", ()] >= 1
        assert not [name for name, labels in found if any("/no/such" in value for _, value in labels)]
        assert reader.get("/metrics").status_code == 403
        assert nobody.get("/metrics").status_code == 401
        monkeypatch.setenv("CDB_METRICS_TOKEN", "s3same")
        assert nobody.get("/metrics", headers={"Authorization": "Bearer s3same"}).status_code == 200
        assert nobody.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 401


# Time and size


@contextmanager
def _impatient(tmp_path: Path, limits: Limits) -> Iterator[tuple[str, int]]:
    site = open_site(tmp_path / "data", config=replace(Settings(), limits=limits))
    with start(site, admin_password=PASSWORD) as server:
        host, port = server.address.removeprefix("http://").split(":")
        yield host, int(port)


HASTY = Limits(idle_s=1, pause_s=1, body_bytes_per_s=200, header_bytes=4096)
FORM = b"POST /data/services/auth HTTP/1.1\r\nHost: x\r\n"


def _talk(where: tuple[str, int], pieces: list[bytes], pause_s: float = 0.0) -> tuple[bytes, float]:
    """What comes back until the other side closes, and after how many seconds."""
    begun = time.monotonic()
    got = b""
    with socket.create_connection(where, timeout=20) as talk:
        try:
            for piece in pieces:
                talk.sendall(piece)
                time.sleep(pause_s)
        except OSError:
            pass
        try:
            while piece := talk.recv(65536):
                got += piece
        except OSError:
            pass
    return got, time.monotonic() - begun


SLOW: dict[str, tuple[list[bytes], float, bytes]] = {
    "says nothing": ([b""], 0, b""),
    "half a head": ([b"GET / HTTP/1.1\r\nHost"], 0, b""),
    "a head letter by letter": ([b"G", b"E", b"T", *[b" "] * 7], 0.25, b""),
    "a body that stops": ([FORM + b"Content-Length: 9\r\n\r\nuser"], 0, b"HTTP/1.1 408 "),
    "a body that trickles": ([FORM + b"Content-Length: 900\r\n\r\n", *[b"u"] * 8], 0.25, b"HTTP/1.1 408 "),
    "a head without end": ([b"GET / HTTP/1.1\r\nX: ", *[b"x" * 1000] * 20], 0, b"HTTP/1.1 431 "),
    "headers without end": ([b"GET / HTTP/1.1\r\n", *[b"X: " + b"x" * 96 + b"\r\n"] * 200], 0, b"HTTP/1.1 431 "),
    "a large head at once": ([b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n"], 0, b"HTTP/1.1 431 "),
    "a long address": ([b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"], 0, b"HTTP/1.1 431 "),
    "an endless body": (
        [FORM + b"Transfer-Encoding: chunked\r\n\r\n", *[b"400\r\n" + b"x" * 1024 + b"\r\n"] * 60],
        0.05,
        b"HTTP/1.1 413 ",
    ),
    "a body that nobody reads": (
        [b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"5\r\nhello\r\n"] * 12],
        0.25,
        b"HTTP/1.1 200 ",
    ),
}


def test_nobody_holds_a_connection_by_being_slow_or_endless(tmp_path: Path) -> None:
    answers: dict[str, tuple[bytes, float]] = {}
    with _impatient(tmp_path, HASTY) as where:

        def talk(name: str) -> None:
            pieces, pause_s, _ = SLOW[name]
            answers[name] = _talk(where, pieces, pause_s)

        threads = [threading.Thread(target=talk, args=(name,)) for name in SLOW]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert httpx2.get(f"http://{where[0]}:{where[1]}/healthz").status_code == 200
    for name, (_, _, begin) in SLOW.items():
        got, seconds = answers[name]
        assert got.startswith(begin) if begin else got == b"", (name, got[:80])
        assert seconds < 8, name


def test_a_client_that_does_not_read_is_let_go(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    site = open_site(folder, config=replace(Settings(), limits=HASTY))
    big = b"GET /schemas/xnat/xnat.xsd HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46Y29ycmVjdCBob3JzZQ==\r\n\r\n"
    with start(site, admin_password=PASSWORD) as server:
        host, port = server.address.removeprefix("http://").split(":")
        with socket.socket() as talk:
            talk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            talk.connect((host, int(port)))
            talk.sendall(big * 200)
            deadline = time.monotonic() + 15
            while time.monotonic() < deadline:
                time.sleep(0.2)
                try:
                    talk.send(b"x")
                except OSError:
                    return
    raise AssertionError("it was never let go")


def test_too_many_connections_are_told_to_come_back(tmp_path: Path) -> None:
    with _impatient(tmp_path, Limits(connections=3)) as where, socket.create_connection(where) as one:
        with socket.create_connection(where) as two:
            assert one.fileno() != two.fileno()
            assert httpx2.get(f"http://{where[0]}:{where[1]}/healthz").status_code == 503
        time.sleep(0.2)
        assert httpx2.get(f"http://{where[0]}:{where[1]}/").status_code == 200


# Processes


@contextmanager
def _cdb_serve(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "connectomedb", "serve", str(folder), "--port", "0", *words]
    environment = {**os.environ, "CDB_ADMIN_PASSWORD": PASSWORD}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder.parent
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _wait_for(claim: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_workers_share_port_sessions_and_numbers_and_one_that_dies_is_replaced(
    tmp_path: Path, data_folder: DataFolders
) -> None:
    folder = data_folder(tmp_path / "data")
    with _cdb_serve(folder, "--workers", "2") as (process, address):
        workers = _children(process.pid)
        assert len(workers) == 2
        session = httpx2.get(f"{address}/data/JSESSION", auth=(ADMIN, PASSWORD)).text
        headers = {"Cookie": f"JSESSIONID={session}"}
        for _ in range(20):
            assert httpx2.get(f"{address}/data/auth", headers=headers).status_code == 200
        labels = (("method", "GET"), ("route", "/data/auth"), ("status", "200"))
        assert _numbers(httpx2.get(f"{address}/metrics", headers=headers).text)["cdb_requests_total", labels] == 20
        os.kill(workers[0], signal.SIGKILL)
        _wait_for(lambda: len(_children(process.pid)) == 2 and workers[0] not in _children(process.pid))
        workers = _children(process.pid)
        assert httpx2.get(f"{address}/data/auth", headers=headers).status_code == 200
        assert _numbers(httpx2.get(f"{address}/metrics", headers=headers).text)["cdb_requests_total", labels] >= 20
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=40)
        assert process.returncode == 0
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        assert sum(line.get("route") == "/data/auth" for line in lines) >= 20
        assert any("another one is started" in line["message"] for line in lines)
        assert all(_is_gone(pid) for pid in workers)
    assert "Fatal Python error" not in log
    assert not _numbers_of(workers)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with _cdb_serve(tmp_path / "data", "--workers", "2") as (process, address):
        workers = _children(process.pid)
        assert httpx2.get(f"{address}/healthz").status_code == 200
        process.kill()
        _wait_for(lambda: all(_is_gone(pid) for pid in workers))
    assert _numbers_of(workers)
    with _cdb_serve(tmp_path / "data", "--workers", "2") as (process, address):
        assert httpx2.get(f"{address}/healthz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    assert not _numbers_of(workers)


def _numbers_of(workers: list[int]) -> list[Path]:
    """Files of numbers that these processes shared with each other."""
    found = [*Path("/dev/shm").glob("cdb-metrics-*/*/*.db"), *Path(tempfile.gettempdir()).glob("cdb-metrics-*/*/*.db")]
    return [file for file in found if int(file.stem.rpartition("_")[2]) in workers]


def test_workers_that_die_again_and_again_end_the_server_with_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with _cdb_serve(folder, "--workers", "2") as (process, address):
        assert httpx2.get(f"{address}/healthz").status_code == 200
        (folder / "cdb.toml").write_text("[")  # what starts from now on cannot read it
        for pid in _children(process.pid):
            os.kill(pid, signal.SIGKILL)
        _, log = process.communicate(timeout=60)
    assert process.returncode == SERVICE_FAILED
    assert f"{MAX_SHORT_LIVES} worker processes in a row ended soon after their start" in log
    assert log.count("another one is started") == MAX_SHORT_LIVES - 1


def test_a_stop_lets_a_request_end_and_takes_no_new_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with _cdb_serve(tmp_path / "data") as (process, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as talk:
            body = f"username={ADMIN}&password=correct+horse".encode()
            talk.sendall(FORM + b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            with pytest.raises(OSError):
                socket.create_connection((host, int(port)), timeout=2).close()
            talk.sendall(body[10:])
            assert talk.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert process.wait(20) == 0


def test_a_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "cdb.toml").write_text("[server]\nstop_within_s = 1\n")
    with _cdb_serve(folder) as (process, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as talk:
            talk.sendall(FORM + b"Content-Length: 100\r\n\r\nuser")
            time.sleep(0.3)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            assert time.monotonic() - begun < 10


def test_a_log_has_every_request_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with _cdb_serve(tmp_path / "data") as (process, address):
        session = httpx2.get(f"{address}/data/JSESSION?secret=hush", auth=(ADMIN, PASSWORD)).text
        httpx2.get(f"{address}/data/auth", headers={"Cookie": f"JSESSIONID={session}", "X-Secret": "hush"})
        httpx2.post(f"{address}/data/services/auth", content=f"username=admin&password={PASSWORD}")
        httpx2.get(f"{address}/data/projects/hush", headers={"Authorization": "Bearer hush"})
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    lines = [json.loads(line) for line in log.splitlines()]
    requests = [(line["route"], line["method"], line["status"], line["user"]) for line in lines if "route" in line]
    assert requests[:2] == [("/data/JSESSION", "GET", 200, ADMIN), ("/data/auth", "GET", 200, ADMIN)]
    assert len(requests) == 4
    assert all(line["ms"] >= 0 and line["client"] == "127.0.0.1" for line in lines if "route" in line)
    assert "hush" not in log
    assert PASSWORD not in log
    assert session not in log


# TLS and proxies


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*make, *name, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


def test_it_speaks_tls_and_its_cookies_are_secure(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    (tmp_path / "data").mkdir()
    words = ("--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1]))
    with _cdb_serve(tmp_path / "data", *words) as (_, address):
        assert address.startswith("https://")
        trust = ssl.create_default_context(cafile=certificate[0])
        reply = httpx2.get(f"{address}/data/JSESSION", auth=(ADMIN, PASSWORD), verify=trust)
        assert "Secure" in reply.headers["Set-Cookie"]


def test_a_certificate_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("x")
    words = ("--tls-certificate", str(tmp_path / "no.pem"), "--tls-key", str(tmp_path / "no.pem"))
    (tmp_path / "data").mkdir()
    with _cdb_serve(tmp_path / "data", *words) as (process, _):
        _, log = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "certificate" in log


@pytest.mark.parametrize(("proxies", "is_secure"), [((), False), (("127.0.0.1",), True), (("10.0.0.0/8",), False)])
def test_headers_of_proxies_count_only_when_they_are_trusted(
    tmp_path: Path, proxies: tuple[str, ...], is_secure: bool
) -> None:
    config = replace(Settings(), server=Listening(trusted_proxies=proxies))
    with start(open_site(tmp_path / "data", config=config), admin_password=PASSWORD) as server:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        reply = httpx2.get(f"{server.address}/data/JSESSION", auth=(ADMIN, PASSWORD), headers=headers)
        assert ("Secure" in reply.headers["Set-Cookie"]) is is_secure
