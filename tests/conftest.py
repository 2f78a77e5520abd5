"""Fixtures that several parts share: one real object store per test process."""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from connectomedb.config.s3 import S3Settings, s3_settings
from connectomedb.demo.services.seaweed import SeaweedFS
from connectomedb.demo.stage import Stage, open_stage
from connectomedb.server.access import passwords
from connectomedb.stores.s3 import S3Store

Run = Callable[[list[str], dict[str, str], Path], "subprocess.CompletedProcess[str]"]
"""Runs `cdb` with these words, environment and folder."""

# Two cores shared with servers under test: a slow example is no fault. The same examples at every run, so that a run
# which passes passes again; `make soak` draws new ones.
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.register_profile("soak", deadline=None)
settings.load_profile(os.environ.get("CONNECTOMEDB_EXAMPLES", "same"))


# Hashes that are quick to make and to check: a hash names its own cost, and tests sign in by the thousand.
_COST = (passwords._HASHER.time_cost, passwords._HASHER.memory_cost)
assert _COST >= (2, 19 * 1024), "what OWASP asks at least"
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs the tests in the background ignores Ctrl-C in them, and programs under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class _Schedule(LoadScopeScheduling):  # type: ignore[misc]  # untyped in xdist
    """A file's tests run in one worker, and all that need the stage in the same: it and the browser start once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "stage" if file.startswith(ON_STAGE) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Who runs what, with `--numprocesses`."""
    return _Schedule(config, log)


def pytest_collection_finish() -> None:
    """Leave thousands of collected tests out of every later search for garbage, which would walk them each time."""
    gc.collect()
    gc.freeze()


ON_STAGE = ("tests/web/", "tests/cli/", "tests/examples/", "tests/mirror/test_switch.py")
"""Where the tests are that use the stage."""

STAGED = ("100307", "103515", "200614")
"""Subjects of the stage under test."""


@dataclass(frozen=True)
class Keys:
    """The identity that the store under test knows."""

    access_key: str = "test-access-key"
    secret_key: str = "test-secret-key"


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A running SeaweedFS."""
    keys = Keys()
    folder = tmp_path_factory.mktemp("seaweed")
    with SeaweedFS.start(folder, access_key=keys.access_key, secret_key=keys.secret_key) as running:
        yield running


@pytest.fixture(scope="session")
def s3_access(seaweed: SeaweedFS) -> S3Settings:
    """Access to the running store, which has the bucket hcp.aws.amazon.com."""
    keys = Keys()
    seaweed.create_bucket("hcp.aws.amazon.com")
    return s3_settings(keys.access_key, keys.secret_key, endpoint_url=seaweed.endpoint_url)


@pytest.fixture(scope="session")
def s3_store(seaweed: SeaweedFS, s3_access: S3Settings) -> Callable[[str], S3Store]:
    """Makes a bucket of its own for a test, with dots in its name."""
    numbers = count()

    def make(purpose: str) -> S3Store:
        name = f"test.{purpose}.{next(numbers)}"
        seaweed.create_bucket(name)
        return S3Store(name, s3_access)

    return make


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The demo with three subjects: the full one, a tiny one, and the one whose run the bucket lacks."""
    with open_stage(tmp_path_factory.mktemp("stage") / "demo", subjects=STAGED) as running:
        yield running


@pytest.fixture
def clean_env(tmp_path: Path) -> dict[str, str]:
    """Our environment without anybody's servers and keys, and with an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    foreign = ("XNAT_", "AWS_", "CONNECTOMEDB_", "CDB_", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "HOME": str(home)}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between tries a transfer waits a tenth of what it would."""
    monkeypatch.setattr("connectomedb.transfer.retry.FIRST_WAIT_S", 0.025)
    monkeypatch.setattr("connectomedb.transfer.retry.LONGEST_WAIT_S", 1.5)


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs a command in a fork of a process that has imported it: starting Python would take most of a test's time."""
    script = Path(__file__).with_name("template.py")
    outputs = tmp_path_factory.mktemp("outputs")
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as template:
        assert template.stdin is not None and template.stdout is not None

        def run(words: list[str], env: dict[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
            assert template.stdin is not None and template.stdout is not None
            files = [outputs / "out", outputs / "errors"]
            for file in files:
                file.write_bytes(b"")
            order = {
                "words": words,
                "env": env,
                "folder": str(folder),
                "output": str(files[0]),
                "errors": str(files[1]),
            }
            template.stdin.write(json.dumps(order) + "\n")
            template.stdin.flush()
            code = int(template.stdout.readline())
            return subprocess.CompletedProcess(words, code, files[0].read_text(), files[1].read_text())

        yield run
        template.stdin.close()
