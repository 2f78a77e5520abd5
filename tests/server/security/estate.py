"""An estate with something of every kind, and people of every kind; built once per database, copied for each module.

CLOSED (private)       HCP_Q1's files and measures (open, restricted, sensitive), an assessor and a reconstruction of
                       100307_3T, the resource PLAN with a.txt, the kept search KEPT_CLOSED
TERMS (private)        the same, behind data-use terms
TARGET (private)       nothing: objects are shared into it; its people are those of CLOSED
RECORD (protected)     nothing
PUBLIC (public)        nothing
"""

import os
import shutil
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
from sqlalchemy import insert, select
from tests.server.conftest import DataFolders

from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType
from connectomedb.hcp.release import Release, release_of
from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.clock import now
from connectomedb.server.access.passwords import hash_password
from connectomedb.server.access.terms import Wording
from connectomedb.server.access.tokens import issue_token
from connectomedb.server.access.users import add_member, grant_tier
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import RunningServer, start
from connectomedb.server.settings import AccessSettings
from connectomedb.server.site import Site, open_site
from connectomedb.server.tables.schema import experiments, projects, subjects, users
from connectomedb.stores.folder import FolderStore
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query

EXAMPLES = 40 if os.environ.get("CONNECTOMEDB_EXAMPLES", "same") == "same" else 3_000
"""Random requests of a property: few in `make test`, many in `make soak`."""

PASSWORD = "correct horse"
CATEGORY = "Alertness"
HIDDEN = {"Handedness": Tier.RESTRICTED, "THC": Tier.SENSITIVE}
BEHAVIOUR = """Subject,Gender,Age,MMSE_Score,QC_Issue
100307,F,26-30,29,
103515,M,31-35,30,A
118932,F,22-25,28,"A,B"
200614,M,26-30,,
"""
RESTRICTED = """Subject,Handedness,THC
100307,95,0
103515,-70,1
118932,100,
200614,,0
"""
N = "hcp:nontoolboxdata"
PATIENT = AccessSettings(free_failures=10_000, free_failures_of_address=10_000)
TERMS = Wording("1", "Terms", "Be kind.")

ROLES: Mapping[str, Role] = {
    "reader": Role.COLLABORATOR,
    "granted": Role.COLLABORATOR,
    "member": Role.MEMBER,
    "owner": Role.OWNER,
}
"""Logins → what they are in CLOSED, TERMS and TARGET. `waiting` is a collaborator who accepted no terms."""

CONTEXT = ssl.create_default_context()
"""Made once: it is what makes a client slow to build."""


@dataclass(frozen=True)
class Estate:
    """A copy of the estate, served; `names` fill the braces of addresses for each project."""

    site: Site
    server: RunningServer
    folder: Path
    sessions: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.server.address

    def client(self, login: str | None, address: str = "") -> httpx2.Client:
        """Signed in by a cookie; nobody's without a login."""
        cookies = {"JSESSIONID": self.session(login)} if login else None
        return httpx2.Client(base_url=address or self.address, verify=CONTEXT, cookies=cookies, timeout=60)

    def session(self, login: str) -> str:
        if login not in self.sessions:
            self.sessions[login] = self.site.logins.sign_in(*self.token(login)).session_id
        return self.sessions[login]

    def token(self, login: str) -> tuple[str, str]:
        """A user's alias token, which is faster to check than a password."""
        with self.site.database.write() as connection:
            token, secret = issue_token(connection, login, now(), PATIENT.token_lifetime)
        return token.alias, secret

    def names(self, project: str) -> dict[str, str]:
        """Project, accession IDs of its subject 100307 and of 100307_3T, and of what there is not."""
        with self.site.database.read() as connection:
            of = select(projects.c.key).where(projects.c.id == project).scalar_subquery()
            subject = select(subjects.c.id).where(subjects.c.project_key == of, subjects.c.label == "100307")
            session = select(experiments.c.id).where(
                experiments.c.project_key == of, experiments.c.label == "100307_3T"
            )
            return {
                "P": project,
                "S": connection.execute(subject).scalar_one(),
                "E": connection.execute(session).scalar_one(),
            }


ABSENT = {"P": "ABSENT", "S": "ConnectomeDB_S99999", "E": "ConnectomeDB_E99999"}

SESSION = {P: f"/data/projects/{P}/subjects/100307/experiments/100307_3T" for P in ("CLOSED", "TERMS")}


def build(folder: Path, write_release: Callable[[Path], None], data_folder: DataFolders) -> Path:
    """Make the estate; its data folder, which `data_folder` makes."""
    tree = folder / "tree"
    write_release(tree)
    data = data_folder(folder / "data", f'[stores.tree]\nkind = "folder"\npath = "{tree}"\n')
    site = open_site(data, access=PATIENT)
    tables = _tables(folder)
    listing = list(FolderStore(tree, "tree").list())
    for project, terms in (("CLOSED", None), ("TERMS", TERMS)):
        release = Release(project, "q1", release_of("HCP_Q1").moved)
        ingest_release(
            site.database, site.archive, Delivery(release, project, "Made up", {"tree": listing}, tables, terms=terms)
        )
    for project, accessibility in (
        ("TARGET", Accessibility.PRIVATE),
        ("RECORD", Accessibility.PROTECTED),
        ("PUBLIC", Accessibility.PUBLIC),
    ):
        ingest_release(site.database, site.archive, Delivery(release_of(project), project, accessibility=accessibility))
    _people(site)
    with start(site) as server:
        estate = Estate(site, server, data)
        with estate.client("admin") as admin:
            for project, address in SESSION.items():
                _furnish(admin, project, address)
    return data


def _tables(folder: Path) -> list[SubjectTable]:
    """One category of measures has columns of all tiers."""
    (folder / "behaviour.csv").write_text(BEHAVIOUR)
    (folder / "restricted.csv").write_text(RESTRICTED)
    score, hand, thc = (
        FieldDefinition(name, ValueType.INTEGER, tier, category=CATEGORY)
        for name, tier in (("MMSE_Score", Tier.OPEN), *HIDDEN.items())
    )
    return [
        SubjectTable(folder / "behaviour.csv", [score], tier=Tier.OPEN),
        SubjectTable(folder / "restricted.csv", [hand, thc]),
    ]


def _people(site: Site) -> None:
    facts = {"password_hash": hash_password(PASSWORD), "is_enabled": True, "insert_date": now()}
    logins = ("admin", "stranger", "waiting", *ROLES)
    with site.database.write() as connection:
        rows = [{"login": login, "is_admin": login == "admin", **facts} for login in logins]
        connection.execute(insert(users), rows)
    for project in ("CLOSED", "TERMS", "TARGET"):
        for login, role in (*ROLES.items(), ("waiting", Role.COLLABORATOR)):
            if (project, login) not in (("CLOSED", "waiting"), ("TARGET", "waiting")):
                add_member(site.database, project, login, role)
        grant_tier(site.database, project, "granted", Tier.SENSITIVE)


def _furnish(admin: httpx2.Client, project: str, session: str) -> None:
    for address, content in (
        (f"{session}/assessors/QC?xsiType=xnat:qcManualAssessorData", b""),
        (f"{session}/reconstructions/R1", b""),
        (f"/data/projects/{project}/resources/PLAN/files/a.txt", b"plan"),
        (f"{session}/scans/1/resources/NIFTI/files/b.txt", b"scan"),
        (f"/data/projects/{project}/searches/KEPT_{project}", format_bundle(Query("xnat:subjectData"))),
    ):
        reply = admin.put(address, content=content)
        assert reply.status_code in (200, 201), (address, reply.text)


@contextmanager
def serving(template: Path, folder: Path, *, is_open_to_guests: bool = False) -> Iterator[Estate]:
    """A copy of the estate in a folder, which is made if it is not there, on a server."""
    if not folder.exists():
        shutil.copytree(template, folder)
    site = open_site(folder, access=replace(PATIENT, is_open_to_guests=is_open_to_guests))
    with start(site) as server:
        yield Estate(site, server, folder)
