"""A site of people: three projects without files, one for each kind of openness.

CLOSED (private)      subject L1 with a measure of its own, open (Recall) and restricted (Note)
RECORD (protected)    no subjects
OPEN (public)         no subjects

admin        administrator        member       member of CLOSED
owner        owner of CLOSED      reader       collaborator of CLOSED, and of OPEN
stranger     nobody anywhere
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import httpx2
import pytest

from connectomedb.hcp.dictionary import FieldDefinition, Tier
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.users import add_member, create_user
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import RunningServer, start
from connectomedb.server.settings import AccessSettings
from connectomedb.server.site import Site, open_site

if TYPE_CHECKING:
    from tests.server.conftest import DataFolders

PASSWORD = "correct horse"
TYPE = "lab:memorydata"
LOGINS = ("owner", "member", "reader", "stranger")

_CONTEXT = ssl.create_default_context()  # made once: it is what makes a client slow to build


@dataclass(frozen=True)
class Club:
    """A running site that tests may change, as long as they leave the people named above as they are."""

    site: Site
    server: RunningServer
    numbers: Iterator[int] = field(default_factory=count)
    sessions: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.server.address

    def session(self, login: str) -> str:
        """The id of a user's session: one for all tests, as signing in is slow on purpose."""
        if login not in self.sessions:
            self.sessions[login] = self.site.logins.sign_in(login, PASSWORD).session_id
        return self.sessions[login]

    def client(self, login: str | None) -> httpx2.Client:
        """Signed in by a cookie, or nobody's."""
        cookies = {"JSESSIONID": self.session(login)} if login else None
        return httpx2.Client(base_url=self.address, verify=_CONTEXT, cookies=cookies)

    def user(self, **facts: object) -> str:
        """A new user, whose login nobody else has."""
        login = f"guineapig{next(self.numbers)}"
        create_user(self.site.database, login, PASSWORD, **facts)  # type: ignore[arg-type]
        return login


def _populate(site: Site, folder: Path) -> None:
    (folder / "memory.csv").write_text("Subject,Recall,Note\nL1,7,good\n")
    fields = [FieldDefinition("Recall", tier=Tier.OPEN), FieldDefinition("Note", tier=Tier.RESTRICTED)]
    measures = [SubjectTable(folder / "memory.csv", fields)]
    for project, accessibility, tables in (
        ("CLOSED", Accessibility.PRIVATE, measures),
        ("RECORD", Accessibility.PROTECTED, []),
        ("OPEN", Accessibility.PUBLIC, []),
    ):
        delivery = Delivery(release_of(project), project, tables=tables, data_type=TYPE, accessibility=accessibility)
        ingest_release(site.database, site.archive, delivery)
    for login in LOGINS:
        create_user(site.database, login, PASSWORD, firstname=login.capitalize(), email=f"{login}@example.org")
    add_member(site.database, "CLOSED", "owner", Role.OWNER)
    add_member(site.database, "CLOSED", "member", Role.MEMBER)
    for project in ("CLOSED", "OPEN"):
        add_member(site.database, project, "reader", Role.COLLABORATOR)


PATIENT = AccessSettings(free_failures=10_000, free_failures_of_address=10_000)
OPEN_HOUSE = replace(PATIENT, is_open_to_guests=True, lists_users_to_all=True)

Clubs: TypeAlias = Callable[[str, AccessSettings], Club]


@pytest.fixture(scope="session")
def _clubs(tmp_path_factory: pytest.TempPathFactory, _data_folders: "Callable[[str], DataFolders]") -> Iterator[Clubs]:
    """Sites of people by engine and rules, each started once."""
    with ExitStack() as running:

        @cache
        def serve(engine: str, access: AccessSettings) -> Club:
            folder = tmp_path_factory.mktemp("club")
            site = open_site(_data_folders(engine)(folder / "data"), access=access)
            _populate(site, folder)
            return Club(site, running.enter_context(start(site, admin_password=PASSWORD)))

        yield serve


@pytest.fixture(scope="session")
def open_club(_clubs: Clubs) -> Callable[[AccessSettings], Club]:
    """Starts a site of people on SQLite under rules of one's own."""
    return lambda access: _clubs("sqlite", access)


@pytest.fixture(scope="session")
def club(engine: str, _clubs: Clubs) -> Club:
    """The site, closed to guests, on each database."""
    return _clubs(engine, PATIENT)


@pytest.fixture(scope="session")
def open_house(engine: str, _clubs: Clubs) -> Club:
    """The site, open to guests, whose users may list each other, on each database."""
    return _clubs(engine, OPEN_HOUSE)


@pytest.fixture(scope="session")
def small_club(_clubs: Clubs) -> Club:
    """The site, closed to guests, on SQLite: for what has nothing to do with the database."""
    return _clubs("sqlite", PATIENT)


@pytest.fixture(scope="session")
def small_open_house(_clubs: Clubs) -> Club:
    """The site, open to guests, on SQLite."""
    return _clubs("sqlite", OPEN_HOUSE)


@pytest.fixture
def admin(club: Club) -> Iterator[httpx2.Client]:
    with club.client("admin") as client:
        yield client


@pytest.fixture
def owner(club: Club) -> Iterator[httpx2.Client]:
    with club.client("owner") as client:
        yield client


@pytest.fixture
def nobody(club: Club) -> Iterator[httpx2.Client]:
    with club.client(None) as client:
        yield client
