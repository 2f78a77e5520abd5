"""People of a project and a server through our client, by pyxnat's names, against our own server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from connectomedb.client.interface import Interface
from connectomedb.errors import AccessDenied, AuthenticationFailed, NotFound, QueryError
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Role
from connectomedb.server.access.clock import now
from connectomedb.server.access.tokens import issue_token
from connectomedb.server.access.users import add_member, create_user
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.run import start
from connectomedb.server.site import Site, open_site

PASSWORD = "a long word"


@dataclass(frozen=True)
class Lab:
    """A server with one private project, open to guests."""

    site: Site
    address: str

    def open(self, login: str) -> Interface:
        return Interface(self.address, login, PASSWORD)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("lab")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "cdb.toml").write_text("[access]\nis_open_to_guests = true\n")
    site = open_site(folder / "data")
    ingest_release(site.database, site.archive, Delivery(release_of("LAB"), "LAB"))
    for login in ("owner", "bob"):
        create_user(site.database, login, PASSWORD, firstname=login.capitalize(), email=f"{login}@example.org")
    add_member(site.database, "LAB", "owner", Role.OWNER)
    with start(site, admin_password=PASSWORD) as server:
        yield Lab(site, server.address)


def test_users_come_move_and_go(lab: Lab) -> None:
    with lab.open("owner") as db:
        project = db.project("LAB")
        project.add_user("bob")
        assert (project.user_role("bob"), project.members(), project.users()) == ("member", ["bob"], ["owner", "bob"])
        project.add_user("bob", "collaborator")
        assert (project.collaborators(), project.members(), project.owners()) == (["bob"], [], ["owner"])
        project.remove_user("bob")
        assert project.users() == ["owner"]
        with pytest.raises(NotFound, match="bob"):
            project.remove_user("bob")
        with pytest.raises(NotFound):
            project.add_user("nobodyhere")


def test_a_group_of_the_projects_own_has_its_name(lab: Lab) -> None:
    with lab.open("owner") as db:
        db.connection.change("PUT", "/data/projects/LAB/groups/raters", {"displayName": "The Raters"})
        project = db.project("LAB")
        project.add_user("bob", "The Raters")
        assert project.user_role("bob") == "The Raters"
        project.remove_user("bob")
        assert project.users() == ["owner"]


def test_a_project_opens_and_closes(lab: Lab) -> None:
    with lab.open("owner") as db, lab.open("bob") as other:
        project = db.project("LAB")
        project.set_accessibility("public")
        assert other.project("LAB").accessibility() == "public"
        with pytest.raises(AccessDenied):
            other.project("LAB").set_accessibility("private")
        project.set_accessibility()
        assert project.accessibility() == "protected"
        project.set_accessibility("private")
        with pytest.raises(NotFound):
            other.project("LAB").accessibility()
        with pytest.raises(QueryError, match="secret"):
            project.set_accessibility("secret")


def test_the_users_of_a_server_are_listed_for_administrators(lab: Lab) -> None:
    with lab.open("admin") as db:
        assert db.manage.users() == ["owner", "bob", "admin"]
        assert (db.manage.users.firstname("bob"), db.manage.users.lastname("bob")) == ("Bob", "")
        assert (db.manage.users.email("bob"), db.manage.users.id("bob")) == ("bob@example.org", "2")
        with pytest.raises(NotFound, match="nobodyhere"):
            db.manage.users.email("nobodyhere")
    with lab.open("bob") as db, pytest.raises(AccessDenied):
        db.manage.users()


def test_a_token_is_as_good_as_a_password_until_it_ends(lab: Lab) -> None:
    with lab.site.database.write() as connection:
        token, secret = issue_token(connection, "owner", now(), timedelta(days=1))
    with Interface(lab.address, token.alias, secret) as db:
        assert db.project("LAB").users() == ["owner"]
        assert db.projects().get() == ["LAB"]
        db.connection.get_bytes(f"/data/services/tokens/invalidate/{token.alias}")
        with pytest.raises(AuthenticationFailed):
            db.projects().get()
    with Interface(lab.address, token.alias, "wrong") as db, pytest.raises(AuthenticationFailed):
        db.projects().get()


def test_a_guest_sees_what_is_open(lab: Lab) -> None:
    with Interface(lab.address, anonymous=True) as db:
        assert db.projects().get() == []
        with pytest.raises(AccessDenied):
            db.manage.users()
