"""Unmodified pyxnat and xnatpy do with people what they offer: sign in, tokens, users, roles, openness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from connectomedb.server.access.auth import Accessibility
from connectomedb.server.access.users import set_accessibility

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

PASSWORD = "correct horse"


def pyxnat_interface(club: Club, login: str | None, password: str = PASSWORD) -> Any:
    import pyxnat

    if login is None:
        return pyxnat.Interface(server=club.address, anonymous=True)
    return pyxnat.Interface(server=club.address, user=login, password=password)


def xnatpy_session(club: Club, login: str | None, password: str | None = PASSWORD, **options: object) -> Any:
    import xnat

    return xnat.connect(club.address, user=login, password=password, loglevel="ERROR", **options)


@pytest.fixture
def restored(small_club: Club) -> Iterator[None]:
    yield
    set_accessibility(small_club.site.database, "CLOSED", Accessibility.PRIVATE)


def test_pyxnat_manages_the_people_of_a_project(small_club: Club) -> None:
    login = small_club.user()
    project = pyxnat_interface(small_club, "owner").select.project("CLOSED")
    for role in ("member", "owner", "collaborator"):
        project.add_user(login, role)
        assert login in getattr(project, f"{role}s")()
        assert login in project.users()
        assert project.user_role(login) == role
    project.remove_user(login)
    assert login not in project.users()


@pytest.mark.usefixtures("restored")
def test_pyxnat_opens_and_closes_a_project(small_club: Club) -> None:
    project = pyxnat_interface(small_club, "owner").select.project("CLOSED")
    for level in ("public", "protected", "private"):
        project.set_accessibility(level)
        assert project.accessibility().decode() == level


def test_pyxnat_is_told_that_a_reader_may_not(small_club: Club) -> None:
    from pyxnat.core.errors import DatabaseError

    project = pyxnat_interface(small_club, "reader").select.project("CLOSED")
    with pytest.raises(DatabaseError, match="owners of the project"):
        project.set_accessibility("public")
    with pytest.raises(DatabaseError, match="owners of the project"):
        project.add_user("stranger", "member")
    assert project.accessibility() == b"private"


def test_pyxnat_reads_the_users_of_the_site(small_club: Club) -> None:
    users = pyxnat_interface(small_club, "admin").manage.users
    assert {"owner", "member", "reader", "stranger", "admin"} <= set(users())
    assert (users.firstname("reader"), users.email("reader")) == ("Reader", "reader@example.org")
    assert users.id("owner").isdecimal()


def test_pyxnat_signs_in_by_a_token(small_club: Club) -> None:
    with xnatpy_session(small_club, "owner", no_parse_model=True) as session:
        token = session.services.issue_token()
    interface = pyxnat_interface(small_club, token.alias, token.secret)
    assert interface.select.projects().get() == ["CLOSED", "RECORD", "OPEN"]
    interface.disconnect()


def test_pyxnat_asks_as_a_guest(small_open_house: Club) -> None:
    interface = pyxnat_interface(small_open_house, None)
    assert interface.select.projects().get() == ["RECORD", "OPEN"]
    assert interface.select.project("OPEN").accessibility() == b"public"
    interface.disconnect()


def test_pyxnat_is_told_that_a_closed_site_has_no_guests(small_club: Club) -> None:
    from pyxnat.core.errors import OperationalError

    interface = pyxnat_interface(small_club, None)
    assert interface.select.projects().get() == []
    with pytest.raises(OperationalError, match="Authentication"):
        interface.select.project("OPEN").accessibility()


def test_xnatpy_signs_in_and_knows_people(small_club: Club) -> None:
    with xnatpy_session(small_club, "owner") as session:
        assert session.logged_in_user == "owner"
        assert session.session_expiration_time[1] == 1800
        assert session.access_levels == {"CLOSED": "Owners", "OPEN": ""}
        people = session.projects["CLOSED"].users
        assert (people["reader"].access_level, people["reader"].first_name) == ("Collaborators", "Reader")
        assert dict(session.users) == {}


def test_xnatpy_lists_users_for_an_administrator(small_club: Club) -> None:
    with xnatpy_session(small_club, "admin", no_parse_model=True) as session:
        assert session.users["reader"].email == "reader@example.org"


def test_xnatpy_signs_in_by_a_token_that_an_administrator_issued(small_club: Club) -> None:
    with xnatpy_session(small_club, "admin", no_parse_model=True) as session:
        token = session.services.issue_token("reader")
    with xnatpy_session(small_club, token.alias, token.secret, no_parse_model=True) as session:
        assert session.logged_in_user == "reader"


def test_xnatpy_connects_as_a_guest(small_open_house: Club) -> None:
    with xnatpy_session(small_open_house, None, None) as session:
        assert session.logged_in_user == "guest"
        assert set(session.projects.keys()) == {"RECORD", "OPEN"}


def test_xnatpy_is_told_that_a_closed_site_has_no_guests(small_club: Club) -> None:
    from xnat.exceptions import XNATAuthError

    with pytest.raises(XNATAuthError):
        xnatpy_session(small_club, None, None)


def test_xnatpy_is_told_when_the_password_is_wrong(small_club: Club) -> None:
    from xnat.exceptions import XNATAuthError

    with pytest.raises(XNATAuthError):
        xnatpy_session(small_club, "reader", "wrong")


def test_an_ended_session_ends_xnatpy_too(small_club: Club) -> None:
    from xnat.exceptions import XNATResponseError

    login = small_club.user()
    with xnatpy_session(small_club, login, no_parse_model=True) as session, small_club.client("admin") as admin:
        admin.delete(f"/xapi/users/active/{login}")
        with pytest.raises(XNATResponseError):
            session.get_json("/data/projects")
