"""`cdb demo --serve` and `cdb serve` as processes: what they print, and that nothing outlives them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from connectomedb.cli.demo import exports

Environment = dict[str, str]


def processes_naming(folder: Path) -> list[int]:
    """Processes whose command line names a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
        except OSError:  # it ended meanwhile
            continue
        if str(folder).encode() in words:
            found.append(int(entry.name))
    return found


def wait_for(claim: Callable[[], bool], timeout_s: float = 20) -> bool:
    """Whether a claim comes true in time."""
    deadline = time.monotonic() + timeout_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def running(*words: str, env: Environment) -> "Iterator[subprocess.Popen[str]]":
    """The command, running; killed at the end if it still does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "connectomedb", *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def env(clean_env: Environment) -> Environment:
    return {**clean_env, "PYTHONUNBUFFERED": "1"}


def test_serve_json_is_one_line_that_opens_everything_and_the_folder_is_its_alone(
    tmp_path: Path, env: Environment
) -> None:
    folder = tmp_path / "demo"
    with running("demo", "--serve", "--json", "--subjects", "1", "--folder", str(folder), env=env) as demo:
        assert demo.stdout is not None
        facts = json.loads(demo.stdout.readline())
        assert list(facts) == ["server", "user", "password", "s3_endpoint", "access_key", "secret_key", "bucket"]
        reply = httpx2.get(
            f"{facts['server']}/data/projects?format=csv&columns=ID", auth=(facts["user"], facts["password"])
        )
        assert "HCP_Q1" in reply.text
        assert len(processes_naming(folder)) >= 3
        with running("demo", "--folder", str(folder), env=env) as second:
            assert second.wait(30) == 2
            assert second.stderr is not None
            assert "another demo runs" in second.stderr.read()
        assert httpx2.get(f"{facts['server']}/healthz").json()["status"] == "ok"
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 130
        assert wait_for(lambda: processes_naming(folder) == [])


@pytest.mark.parametrize("after", ["release", "store/weed.log", "server/database.sqlite"])
def test_an_interrupt_at_any_stage_leaves_no_process(tmp_path: Path, env: Environment, after: str) -> None:
    folder = tmp_path / "demo"
    with running("demo", "--subjects", "2", "--folder", str(folder), env=env) as demo:
        assert wait_for((folder / after).exists, 60)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 130
        assert wait_for(lambda: processes_naming(folder) == [])


def test_a_killed_demo_takes_its_children_along(tmp_path: Path, env: Environment) -> None:
    folder = tmp_path / "demo"
    with running("demo", "--serve", "--json", "--subjects", "1", "--folder", str(folder), env=env) as demo:
        assert demo.stdout is not None
        demo.stdout.readline()
        demo.kill()
        demo.wait(10)
        assert wait_for(lambda: processes_naming(folder) == [])


def test_the_demo_never_empties_a_folder_that_is_not_its_own(tmp_path: Path, env: Environment) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with running("demo", "--folder", str(tmp_path), env=env) as demo:
        assert demo.wait(30) == 2
        assert demo.stderr is not None
        assert "holds something else" in demo.stderr.read()
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_new_folder_gets_an_administrator_whose_password_is_shown_once(tmp_path: Path, env: Environment) -> None:
    for shown in (True, False):
        with running("serve", str(tmp_path / "data"), "--port", "0", "--json", env=env) as server:
            assert server.stdout is not None
            facts = json.loads(server.stdout.readline())
            assert (facts["password"] is not None) == shown
            if shown:
                password = facts["password"]
            reply = httpx2.get(f"{facts['server']}/data/auth", auth=("admin", password))
            assert reply.text == "User 'admin' is logged in"
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0


def test_the_administrators_password_may_be_given(tmp_path: Path, env: Environment) -> None:
    given = {**env, "CDB_ADMIN_PASSWORD": "correct horse"}
    with running("serve", str(tmp_path / "data"), "--port", "0", "--json", env=given) as server:
        assert server.stdout is not None
        facts = json.loads(server.stdout.readline())
        assert facts["password"] is None
        assert httpx2.get(f"{facts['server']}/data/auth", auth=("admin", "correct horse")).status_code == 200


def test_a_taken_port_is_named(tmp_path: Path, env: Environment) -> None:
    with running("serve", str(tmp_path / "one"), "--port", "0", "--json", env=env) as first:
        assert first.stdout is not None
        port = json.loads(first.stdout.readline())["server"].rpartition(":")[2]
        with running("serve", str(tmp_path / "two"), "--port", port, env=env) as second:
            assert second.wait(20) == 1
            assert second.stderr is not None
            assert port in second.stderr.read()


def test_another_shell_is_told_where_cdb_is_if_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch, clean_env: Environment
) -> None:
    scripts = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", scripts)
    assert exports({"XNAT_USER": "admin"}) == ["export XNAT_USER=admin"]
    monkeypatch.setenv("PATH", "/nowhere")
    script = "; ".join([*exports({}), "command -v cdb"])
    found = subprocess.run(["/bin/sh", "-c", script], env=clean_env, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).parent == Path(scripts)
