"""S3 keys of users, against a real store: they open what their user may read at present, and nothing else."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx2
import pytest
from botocore.config import Config
from sqlalchemy import delete, select

from connectomedb.cli.main import main
from connectomedb.client.interface import Interface
from connectomedb.client.keys import NewKey
from connectomedb.config.s3 import S3Settings, s3_settings
from connectomedb.errors import (
    ConfigError,
    Conflict,
    NotFound,
    StoreDenied,
    StoreError,
    StoreUnreachable,
    TermsNotAccepted,
)
from connectomedb.hcp.release import Release
from connectomedb.server.access.auth import Accessibility, Caller, Role
from connectomedb.server.access.terms import Wording
from connectomedb.server.access.users import add_member, create_user, remove_member, set_enabled
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.keys.issuer import IamIssuer, policy_of
from connectomedb.server.keys.ring import identity_of, readable_prefixes
from connectomedb.server.run import RunningServer, start
from connectomedb.server.site import Site, open_site
from connectomedb.server.tables.agreements import s3_keys
from connectomedb.server.tables.schema import users
from connectomedb.stores.s3 import S3Store

if TYPE_CHECKING:
    from tests.server.conftest import DataFolders, Served

PASSWORD = "correct horse"
KEYS = "/data/services/s3keys"
TERMS = Wording("1", "Terms", "Be kind.")
OBJECTS = {
    "one/100307/T1w/a.txt": b"of ONE",
    "two/100307/T1w/a.txt": b"of TWO",
    "secret/100307/T1w/a.txt": b"of nobody",
}
IN_FORCE_S = 30.0


@dataclass(frozen=True)
class Scene:
    """A server whose files lie in a bucket: ONE has terms, TWO has none, SECRET is nobody's."""

    site: Site
    server: RunningServer
    bucket: S3Store
    numbers: Iterator[int] = field(default_factory=count)

    def user(self, *projects: str) -> str:
        login = f"user{next(self.numbers)}@lab"
        create_user(self.site.database, login, PASSWORD)
        for project in projects:
            add_member(self.site.database, project, login, Role.COLLABORATOR)
        return login

    def open(self, login: str) -> Interface:
        return Interface(self.server.address, login, PASSWORD)

    def limit(self) -> None:
        assert self.site.keys
        self.site.keys.limit_all()

    def seen_with(self, made: NewKey) -> S3Store:
        settings = s3_settings(made.access_key, made.secret_key, endpoint_url=made.endpoint_url)
        return S3Store(made.bucket, settings)


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory, s3_store: Callable[[str], S3Store], s3_access: S3Settings
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("keys")
    bucket = s3_store("keys")
    for key, content in OBJECTS.items():
        bucket.put(key, content)
    (folder / "cdb.toml").write_text(
        f'[stores.bucket]\nkind = "s3"\nbucket = "{bucket.bucket}"\nendpoint_url = "{s3_access.endpoint_url}"\n'
        "user_keys = true\n"
    )
    site = open_site(folder, settings=s3_access)
    for project, terms in (("ONE", TERMS), ("TWO", None), ("SECRET", None)):
        release = Release(project, project.lower())
        listing = {"bucket": list(bucket.list(f"{release.prefix}/"))}
        ingest_release(site.database, site.archive, Delivery(release, project, listings=listing, terms=terms))
    with start(site, admin_password=PASSWORD) as server:
        yield Scene(site, server, bucket)


def _read(store: S3Store, key: str) -> bytes | str:
    """The object, or the name of the refusal."""
    try:
        return b"".join(store.open(key))
    except StoreError as fault:
        return type(fault).__name__


def _eventually(store: S3Store, key: str, wanted: bytes | str) -> None:
    """Changes of identities take the store a moment."""
    deadline = time.monotonic() + IN_FORCE_S
    while (found := _read(store, key)) != wanted:
        assert time.monotonic() < deadline, f"{key}: {found!r}, not {wanted!r}"
        time.sleep(0.05)


def test_keys_read_what_their_user_may_read_and_nothing_else(scene: Scene) -> None:
    with scene.open(scene.user("TWO")) as db:
        made = db.keys.create()
    assert made.prefixes == ["two/"] and made.bucket == scene.bucket.bucket
    mine = scene.seen_with(made)
    _eventually(mine, "two/100307/T1w/a.txt", b"of TWO")
    assert [info.key for info in mine.list("two/")] == ["two/100307/T1w/a.txt"]
    for key in ("one/100307/T1w/a.txt", "secret/100307/T1w/a.txt", "absent"):
        assert _read(mine, key) == "StoreDenied"
    for prefix in ("", "one/", "secret/", "tw"):
        with pytest.raises(StoreDenied):
            list(mine.list(prefix))
    for key in ("two/100307/T1w/a.txt", "two/new"):
        with pytest.raises(StoreDenied):
            mine.put(key, b"mine now")
    with pytest.raises(StoreError):
        mine.delete("two/100307/T1w/a.txt")
    assert _read(scene.bucket, "two/100307/T1w/a.txt") == b"of TWO"


def test_other_tools_take_the_keys_too(scene: Scene) -> None:
    with scene.open(scene.user("TWO")) as db:
        made = db.keys.create()
    _eventually(scene.seen_with(made), "two/100307/T1w/a.txt", b"of TWO")
    client = boto3.client(
        "s3",
        endpoint_url=made.endpoint_url,
        aws_access_key_id=made.access_key,
        aws_secret_access_key=made.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    listed = client.list_objects_v2(Bucket=made.bucket, Prefix="two/")
    assert [one["Key"] for one in listed["Contents"]] == ["two/100307/T1w/a.txt"]
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.get_object(Bucket=made.bucket, Key="secret/100307/T1w/a.txt")
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.put_object(Bucket=made.bucket, Key="two/x", Body=b"")


def test_making_keys_again_ends_the_older_ones(scene: Scene) -> None:
    with scene.open(scene.user("TWO")) as db:
        with pytest.raises(NotFound, match="cdb keys create"):
            db.keys.get()
        first = db.keys.create()
        _eventually(scene.seen_with(first), "two/100307/T1w/a.txt", b"of TWO")
        second = db.keys.create()
        assert second.access_key != first.access_key
        _eventually(scene.seen_with(second), "two/100307/T1w/a.txt", b"of TWO")
        _eventually(scene.seen_with(first), "two/100307/T1w/a.txt", "StoreDenied")
        assert db.keys.get().access_key == second.access_key
        db.keys.revoke()
        _eventually(scene.seen_with(second), "two/100307/T1w/a.txt", "StoreDenied")
        with pytest.raises(NotFound):
            db.keys.get()
        db.keys.revoke()


def test_the_secret_is_shown_once_and_kept_nowhere(scene: Scene) -> None:
    login = scene.user("TWO")
    cookies = {"JSESSIONID": scene.site.logins.sign_in(login, PASSWORD).session_id}
    with httpx2.Client(base_url=scene.server.address, cookies=cookies) as client:
        reply = client.post(KEYS)
        secret = reply.json()["secret_key"]
        assert reply.headers["cache-control"] == "no-store"
        assert secret not in client.get(KEYS).text and "secret_key" not in client.get(KEYS).json()
    with scene.site.database.read() as connection:
        assert secret not in str(connection.execute(select(s3_keys)).all())
    for file in scene.site.folder.root.glob("database.sqlite*"):
        assert secret.encode() not in file.read_bytes()


def test_terms_stand_before_keys_and_open_them(scene: Scene) -> None:
    with scene.open(scene.user("ONE")) as db:
        with pytest.raises(TermsNotAccepted, match="cdb terms accept ONE"):
            db.keys.create()
        db.project("ONE").terms.accept("1")
        made = db.keys.create()
    assert made.prefixes == ["one/"]
    _eventually(scene.seen_with(made), "one/100307/T1w/a.txt", b"of ONE")


def test_accepting_more_opens_more_and_new_terms_close_again(scene: Scene) -> None:
    with scene.open(scene.user("ONE", "TWO")) as db, scene.open("admin") as admin:
        made = db.keys.create()
        assert made.prefixes == ["two/"]
        db.project("ONE").terms.accept("1")
        mine = scene.seen_with(made)
        _eventually(mine, "one/100307/T1w/a.txt", b"of ONE")
        assert db.keys.get().prefixes == ["one/", "two/"]
        try:
            admin.project("ONE").terms.set("2", "Terms", "Be kinder.")
            _eventually(mine, "one/100307/T1w/a.txt", "StoreDenied")
            assert _read(mine, "two/100307/T1w/a.txt") == b"of TWO"
        finally:
            admin.project("ONE").terms.set("1", "Terms", "Be kind.")
        _eventually(mine, "one/100307/T1w/a.txt", b"of ONE")


def test_rights_that_end_close_the_keys(scene: Scene) -> None:
    login = scene.user("TWO")
    with scene.open(login) as db:
        made = db.keys.create()
        mine = scene.seen_with(made)
        _eventually(mine, "two/100307/T1w/a.txt", b"of TWO")
        remove_member(scene.site.database, "TWO", login)
        scene.limit()
        _eventually(mine, "two/100307/T1w/a.txt", "StoreDenied")
        assert db.keys.get().prefixes == []
        add_member(scene.site.database, "TWO", login, Role.MEMBER)
        scene.limit()
        _eventually(mine, "two/100307/T1w/a.txt", b"of TWO")
    set_enabled(scene.site.database, login, False)
    scene.limit()
    _eventually(mine, "two/100307/T1w/a.txt", "StoreDenied")


ENDINGS = {
    "closed": ("PUT", "/data/projects/{}?accessibility=private"),
    "closed by its own address": ("PUT", "/data/projects/{}/accessibility/protected"),
    "deleted": ("DELETE", "/data/projects/{}"),
    "person taken out": ("DELETE", "/data/projects/{}/users/Members/{login}"),
    "account closed": ("PUT", "/xapi/users/{login}/enabled/false"),
    "account no longer verified": ("PUT", "/xapi/users/{login}/verified/false"),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_what_ends_a_right_has_closed_the_keys_before_its_answer(scene: Scene, how: str) -> None:
    project = f"END{next(scene.numbers)}"
    release = Release(project, project.lower())
    scene.bucket.put(f"{release.prefix}/100307/T1w/a.txt", b"for now")
    listing = {"bucket": list(scene.bucket.list(f"{release.prefix}/"))}
    is_public = how.startswith("closed")
    accessibility = Accessibility.PUBLIC if is_public else Accessibility.PRIVATE
    delivery = Delivery(release, project, listings=listing, accessibility=accessibility)
    ingest_release(scene.site.database, scene.site.archive, delivery)
    login = scene.user()
    if not is_public:
        add_member(scene.site.database, project, login, Role.MEMBER)
    ring = scene.site.keys
    assert ring
    with scene.site.database.read() as connection:
        caller = Caller(connection.execute(select(users.c.key).where(users.c.login == login)).scalar_one(), login)
    assert f"{release.prefix}/" in ring.create(caller)[1].prefixes
    method, address = ENDINGS[how]
    with httpx2.Client(base_url=scene.server.address, auth=("admin", PASSWORD)) as admin:
        assert admin.request(method, address.format(project, login=login)).status_code == 200
    kept = ring.find(caller)
    assert kept is not None and f"{release.prefix}/" not in kept.prefixes


def test_keys_of_a_user_who_is_no_more_are_ended(scene: Scene) -> None:
    login = scene.user("TWO")
    with scene.open(login) as db:
        made = db.keys.create()
    mine = scene.seen_with(made)
    _eventually(mine, "two/100307/T1w/a.txt", b"of TWO")
    with scene.site.database.write() as connection:
        connection.execute(delete(users).where(users.c.login == login))
    scene.limit()
    _eventually(mine, "two/100307/T1w/a.txt", "StoreDenied")
    with scene.site.database.read() as connection:
        assert connection.execute(select(s3_keys).where(s3_keys.c.login == login)).first() is None


def _cdb(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


def test_keys_that_a_restore_forgot_are_named_and_ended(
    scene: Scene,
    tmp_path: Path,
    s3_access: S3Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = scene.site.folder.root
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_access.access_key or "")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_access.secret_key or "")
    with scene.open(scene.user("TWO")) as kept, scene.open(scene.user("TWO")) as again:
        older = kept.keys.create()
        again.keys.create()
        assert _cdb("admin", "backup", str(folder), str(tmp_path / "rows")) == 0
        newer = again.keys.create()
        later = scene.user("TWO")
        with scene.open(later) as db:
            lost = db.keys.create()
        for made in (older, newer, lost):
            _eventually(scene.seen_with(made), "two/100307/T1w/a.txt", b"of TWO")
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "cdb.toml").write_bytes((folder / "cdb.toml").read_bytes())
    capsys.readouterr()
    assert _cdb("admin", "restore", str(copy), str(tmp_path / "rows")) == 0
    told = capsys.readouterr().err
    assert f"-{later} still reads files" in told and f"check {copy} --repair" in told
    assert told.count("still reads files") == 2
    _cdb("admin", "check", str(copy))
    assert "an S3 key that no row tells of" in capsys.readouterr().out
    _cdb("admin", "check", str(copy), "--repair")
    for made in (newer, lost):
        _eventually(scene.seen_with(made), "two/100307/T1w/a.txt", "StoreDenied")
    assert _read(scene.seen_with(older), "two/100307/T1w/a.txt") == b"of TWO"
    capsys.readouterr()
    _cdb("admin", "check", str(copy))
    assert "an S3 key that" not in capsys.readouterr().out


def test_simultaneous_requests_leave_one_key_alive(scene: Scene) -> None:
    login = scene.user("TWO")
    ring = scene.site.keys
    assert ring
    with scene.site.database.read() as connection:
        caller = Caller(connection.execute(select(users.c.key).where(users.c.login == login)).scalar_one(), login)

    def create(number: int) -> str:
        try:
            return ring.create(caller)[0].access_key
        except Conflict:
            return ""

    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(create, range(4)))
    kept = ring.find(caller)
    assert kept is not None and kept.access_key in made and kept.prefixes == ("two/",)
    issuer = IamIssuer(scene.bucket.bucket, scene.bucket.settings)
    assert issuer.list(identity_of(caller)) == [kept.access_key]


def test_who_may_read_nothing_gets_no_keys(scene: Scene) -> None:
    cookies = {"JSESSIONID": scene.site.logins.sign_in(scene.user(), PASSWORD).session_id}
    with httpx2.Client(base_url=scene.server.address) as client:
        assert [client.request(method, KEYS).status_code for method in ("GET", "POST", "DELETE")] == [401] * 3
        client.cookies.update(cookies)
        assert client.post(KEYS).status_code == 403
        assert client.get(KEYS).status_code == 404


def test_a_prefix_that_others_reach_into_is_nobodys(tmp_path: Path, data_folder: DataFolders) -> None:
    site = open_site(data_folder(tmp_path / "data"))
    for project, prefix in (("A", "shared"), ("B", "shared"), ("C", "c"), ("D", "c/inner"), ("E", "e")):
        ingest_release(site.database, site.archive, Delivery(Release(project, prefix), project, listings={"s": []}))
    create_user(site.database, "me", PASSWORD)
    me = Caller(1, "me")
    for project in ("A", "C", "E"):
        add_member(site.database, project, "me", Role.MEMBER)
    with site.database.read() as connection:
        assert readable_prefixes(connection, me, "s") == ("e/",)
        assert readable_prefixes(connection, me, "other") == ()
        assert readable_prefixes(connection, Caller(2, "admin", True), "s") == ("c/", "c/inner/", "e/", "shared/")
    add_member(site.database, "B", "me", Role.MEMBER)
    with site.database.read() as connection:
        assert readable_prefixes(connection, me, "s") == ("e/", "shared/")
    site.close()


def test_a_server_without_keys_says_so(served: Served) -> None:
    with served.client("admin") as client:
        assert [client.request(method, KEYS).status_code for method in ("GET", "POST", "DELETE")] == [404] * 3


def test_names_of_identities_fit_and_differ() -> None:
    long = "a" * 64
    names = [identity_of(Caller(key, login)) for key, login in ((1, "me"), (11, "me"), (1, long), (2, long))]
    assert names[0] == "cdb-1-me" and len(set(names)) == 4
    assert max(map(len, names)) == 64


def test_a_policy_names_the_prefixes_and_reading_alone() -> None:
    read, listing = json.loads(policy_of("b", ["q1/"]))["Statement"]
    assert (read["Action"], read["Resource"]) == (["s3:GetObject"], ["arn:aws:s3:::b/q1/*"])
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["q1/*"]}}


STORE = '[stores.{}]\nkind = "s3"\nbucket = "b"\nuser_keys = true\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (STORE.format("a") + STORE.format("b"), "One bucket may have it"),
        (STORE.format("a") + "anonymous = true\n", "takes keys"),
        ('[stores.a]\nkind = "folder"\npath = "x"\nuser_keys = true\n', "unknown"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "cdb.toml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        open_site(tmp_path)


def test_iam_that_does_not_answer_or_refuses_is_said(silent_address: str, s3_access: S3Settings) -> None:
    nobody = IamIssuer("b", s3_settings("AKIATESTTESTTESTTEST", "x" * 20, endpoint_url=s3_access.endpoint_url))
    with pytest.raises(StoreError, match="cdb-1-me"):
        nobody.create("cdb-1-me")
    silent = IamIssuer("b", s3_settings("AKIATESTTESTTESTTEST", "x" * 20, endpoint_url=silent_address))
    with pytest.raises(StoreUnreachable):
        silent.limit("cdb-1-me", ["q1/"])


@pytest.fixture
def silent_address() -> str:
    """Where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_the_command_line(scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (("HOST", scene.server.address), ("USER", scene.user("TWO")), ("PASS", PASSWORD)):
        monkeypatch.setenv(f"XNAT_{name}", value)

    def cdb(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    assert cdb("keys", "show")[0] == 5
    code, out, err = cdb("keys", "create")
    lines = dict(line.removeprefix("export ").split("=", 1) for line in out.splitlines())
    assert code == 0 and "shown only now" in err and lines["CONNECTOMEDB_BUCKET"] == scene.bucket.bucket
    settings = s3_settings(
        lines["AWS_ACCESS_KEY_ID"], lines["AWS_SECRET_ACCESS_KEY"], endpoint_url=lines["AWS_ENDPOINT_URL"]
    )
    _eventually(S3Store(scene.bucket.bucket, settings), "two/100307/T1w/a.txt", b"of TWO")
    assert lines["AWS_ACCESS_KEY_ID"] in cdb("keys", "show")[1]
    assert lines["AWS_SECRET_ACCESS_KEY"] not in cdb("keys", "show", "--json")[1]
    assert cdb("keys", "revoke")[0] == 0
    assert cdb("keys", "show")[0] == 5
