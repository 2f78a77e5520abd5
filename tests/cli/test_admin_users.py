"""`cdb admin users` and `cdb admin grants` work on a data folder in place."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectomedb.cli.main import main
from connectomedb.errors import AuthenticationFailed
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.login import Logins
from connectomedb.server.access.users import create_user
from connectomedb.server.access.visible import load_rights
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.site import open_site
from connectomedb.server.tables.database import Database

WORD = "a long secret word"


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    stdout: str
    stderr: str


Admin = Callable[..., Done]


@pytest.fixture
def admin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Admin:
    """`admin("users list FOLDER", ..., typed=..., word=...)` runs `cdb admin` beside the folder."""
    monkeypatch.chdir(tmp_path)

    def run(words: str, *more: str, typed: str = "", word: str | None = None) -> Done:
        monkeypatch.delenv("CDB_NEW_PASSWORD", raising=False)
        if word is not None:
            monkeypatch.setenv("CDB_NEW_PASSWORD", word)
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main(["admin", *words.split(), *more])
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with one project and no user."""
    site = open_site(tmp_path / "data")
    ingest_release(site.database, site.archive, Delivery(release_of("LAB"), "LAB"))
    site.close()
    return tmp_path / "data"


def _logins(folder: Path) -> Logins:
    return Logins(Database.open(folder / "database.sqlite"))


def test_a_user_comes_goes_and_comes_back(admin: Admin, folder: Path) -> None:
    made = admin("users add data bob --email bob@example.org --admin --password-stdin", typed=f"{WORD}\n")
    assert (made.code, made.stdout) == (0, "")
    session = _logins(folder).sign_in("bob", WORD).session_id
    listed = json.loads(admin("users list data --json").stdout)
    assert listed == [
        {"login": "bob", "name": "", "email": "bob@example.org", "enabled": True, "roles": ["Administrator"]}
    ]
    assert admin("users disable data bob").code == 0
    assert _logins(folder).find(session) is None
    with pytest.raises(AuthenticationFailed):
        _logins(folder).sign_in("bob", WORD)
    assert "bob\t\tbob@example.org\tadministrator, disabled" in admin("users list data").stdout
    assert admin("users enable data bob").code == 0
    assert _logins(folder).sign_in("bob", WORD).caller.is_admin


def test_a_password_comes_from_the_environment(admin: Admin, folder: Path) -> None:
    create_user(Database.open(folder / "database.sqlite"), "bob", "the old word")
    session = _logins(folder).sign_in("bob", "the old word").session_id
    assert admin("users password data bob", word=WORD).code == 0
    assert _logins(folder).find(session) is None
    assert _logins(folder).sign_in("bob", WORD).caller.login == "bob"


def test_grants_are_given_listed_and_taken(admin: Admin, folder: Path) -> None:
    database = Database.open(folder / "database.sqlite")
    create_user(database, "bob", WORD)

    def tiers() -> list[Tier]:
        with database.read() as connection:
            return list(load_rights(connection, Caller(1, "bob")).grants.values())

    assert admin("grants give data LAB bob restricted").code == 0
    assert tiers() == [Tier.RESTRICTED]
    assert json.loads(admin("grants list data --json").stdout) == [
        {"project": "LAB", "login": "bob", "tier": "restricted"}
    ]
    assert admin("grants list data --project NONE").stdout == "PROJECT\tLOGIN\tTIER\n"
    assert admin("grants take data LAB bob").code == 0
    assert tiers() == []


WRONG = {
    "users list nowhere": (2, "nowhere"),
    "users add data bob": (2, "CDB_NEW_PASSWORD"),
    "users add data a:b --password-stdin": (2, "login"),
    "users disable data nobody": (5, "nobody"),
    "users password data nobody --password-stdin": (5, "nobody"),
    "grants give data LAB nobody restricted": (5, "nobody"),
    "grants give data NONE bob restricted": (5, "NONE"),
    "grants give data LAB bob secret": (2, "secret"),
}


@pytest.mark.parametrize("words", WRONG)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_told_in_one_sentence(admin: Admin, words: str, tmp_path: Path) -> None:
    code, told = WRONG[words]
    done = admin(words, typed=f"{WORD}\n")
    assert done.code == code, done.stderr
    assert told in done.stderr
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.usefixtures("folder")
def test_a_weak_password_is_refused_and_no_option_takes_one(admin: Admin) -> None:
    assert admin("users add data bob", word="short").code == 2
    assert admin("users add data longlogin", word="LongLogin").code == 2
    assert admin("users add data bob --password", WORD).code == 2


def test_the_real_command_says_nothing_secret(folder: Path, clean_env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "connectomedb", "admin", "users", "add", str(folder), "bob", "--password-stdin"]
    done = subprocess.run(
        command, env=clean_env, input=f"{WORD}\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Made the user bob.\n")
