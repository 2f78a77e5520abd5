"""A small release, made up, on a real server: every test of this folder talks HTTP to it.

project HCP_Q1 (private)     subjects 100307, 103515, 118932, 200614 with measures; files of 100307 and 103515
project LAB (protected)      subject L1, with a measure of its own type lab:memorydata
project OPEN (public)        no subjects

admin        administrator            owner       owner of HCP_Q1
reader       collaborator of HCP_Q1   granted     collaborator of HCP_Q1 with the tier sensitive
stranger     nobody anywhere

Each test with `served`, `deliver`, `data_folder` or `database` runs on SQLite and on PostgreSQL: write
`open_site(data_folder(tmp_path / "data"))`, and the folder's settings name the database under test.
"""

import hashlib
import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
from lxml import etree
from sqlalchemy import insert

from connectomedb.config.s3 import S3Settings
from connectomedb.demo.services.postgres import PostgresServer
from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest
from connectomedb.hcp.release import Release, release_of
from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.clock import now
from connectomedb.server.access.users import add_member, create_user, grant_tier
from connectomedb.server.folder import DataFolder
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import IngestReport, ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import RunningServer, start
from connectomedb.server.settings import AccessSettings, read_settings
from connectomedb.server.site import Site, open_site
from connectomedb.server.site import open_database as open_database_of
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.schema import files, projects
from connectomedb.stores.folder import FolderStore

PASSWORD = "correct horse"
BIG = bytes(range(256)) * 12_000
"""Content of the largest file: 3 MB, so that it comes in several pieces."""

FILES = {
    "T1w/T1w_acpc_dc_restore_brain.nii.gz": BIG,
    "T1w/Diffusion/bvals": b"5 1000 2000\n",
    "MNINonLinear/aparc+aseg.nii.gz": b"labels",
    "MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR.nii.gz": b"bold " * 400,
    "MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt": b"10.0 12.0 1\n",
    "unprocessed/3T/T1w_MPR1/{s}_3T_T1w_MPR1.nii.gz": b"t1",
    "unprocessed/3T/tfMRI_MOTOR_LR/{s}_3T_tfMRI_MOTOR_LR.nii.gz": b"raw",
    "release-notes/Structural_preproc.txt": b"",
}
"""Release path inside a subject → content."""

UNCOVERED = "release-notes/Structural_preproc.txt"

BEHAVIOUR = """Subject,Gender,Age,MMSE_Score,PMAT24_A_CR,PicSeq_Unadj,3T_RS-fMRI_Count,QC_Issue
100307,F,26-30,29,17,125.07,4,
103515,M,31-35,30,20,98.5,4,A
118932,F,22-25,28,24,,2,"A,B"
200614,M,26-30,,13,111.0,0,
"""
RESTRICTED = """Subject,Age_in_Yrs,Handedness,THC
100307,27,95,0
103515,35,-70,1
118932,23,100,
200614,29,,0
"""
MEMORY = "Subject,Recall,Note\nL1,7,good\n"


class DataFolders(Protocol):
    """Makes a folder for a server on the database under test, with further settings; the same one for the same path."""

    def __call__(self, folder: Path, settings: str = "") -> Path: ...


@dataclass(frozen=True)
class Served:
    """A running server and the site that it serves."""

    site: Site
    server: RunningServer
    client: Callable[[str | None], httpx2.Client]
    session: Callable[[str], str]
    tree: Path
    report: IngestReport

    @property
    def address(self) -> str:
        return self.server.address


def _write_release(folder: Path, subjects: tuple[str, ...] = ("100307", "103515")) -> None:
    """Write the release below `folder`, as its bucket has it, with a manifest of all but one file."""
    release = release_of("HCP_Q1")
    for subject in subjects:
        entries = []
        for template, content in FILES.items():
            path = release.to_bucket(template.format(s=subject))
            target = folder / "q1" / subject / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            if template != UNCOVERED:
                entries.append(Entry(path, len(content), hashlib.md5(content).hexdigest()))
        manifest = folder / "q1" / subject / ".xdlm" / f"{subject}_3T_Structural_preproc.json"
        manifest.parent.mkdir(exist_ok=True)
        manifest.write_bytes(format_manifest(Manifest(subject, tuple(entries))))


def write_tables(folder: Path) -> list[SubjectTable]:
    """Write the tables of measures: an open one, and one with restricted and sensitive columns."""
    (folder / "behaviour.csv").write_text(BEHAVIOUR)
    (folder / "restricted.csv").write_text(RESTRICTED)
    sensitive = FieldDefinition("THC", ValueType.INTEGER, Tier.SENSITIVE)
    return [
        SubjectTable(folder / "behaviour.csv", tier=Tier.OPEN),
        SubjectTable(folder / "restricted.csv", [sensitive]),
    ]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The database under test."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this process."""
    with PostgresServer.start() as running:
        yield running


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with all tables, to be copied: the steps of the migrations take longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "database.sqlite"
    Database.open(path).close()
    return path


@pytest.fixture(scope="session")
def _data_folders(request: pytest.FixtureRequest, _migrated: Path) -> Callable[[str], DataFolders]:
    """Data folders by engine: of PostgreSQL each has settings that name a database of its own."""

    def with_settings(folder: Path, settings: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / "cdb.toml"
        if settings and not file.exists():
            file.write_text(settings)
        return folder

    def on_sqlite(folder: Path, settings: str = "") -> Path:
        database = DataFolder(with_settings(folder, settings)).database
        if not database.exists():
            shutil.copy(_migrated, database)
        return folder

    def on_postgres(folder: Path, settings: str = "") -> Path:
        if (folder / "cdb.toml").exists():
            return folder
        server: PostgresServer = request.getfixturevalue("postgres")  # started when the first test needs it
        return with_settings(folder, f'{settings}[database]\nurl = "{server.make_database()}"\n')

    return {"sqlite": on_sqlite, "postgresql": on_postgres}.__getitem__


@pytest.fixture(scope="session")
def data_folder(engine: str, _data_folders: Callable[[str], DataFolders]) -> DataFolders:
    """Makes data folders on the database under test."""
    return _data_folders(engine)


@pytest.fixture
def open_database(tmp_path: Path, data_folder: DataFolders) -> Iterator[Callable[[], Database]]:
    """Opens the empty database of this test, as often as called: each as another process would."""
    folder = DataFolder(data_folder(tmp_path / "database"))
    folder.root.mkdir(exist_ok=True)
    with ExitStack() as opened:

        def open_it() -> Database:
            database = open_database_of(folder, read_settings(folder.settings).database)
            opened.callback(database.close)
            return database

        yield open_it


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    """An empty database."""
    return open_database()


@pytest.fixture(scope="session")
def write_release() -> Callable[[Path], None]:
    """Writes the release below a folder, as its bucket has it."""
    return _write_release


class Deliver(Protocol):
    """Makes a site with the release taken in, under each of these project IDs."""

    def __call__(self, folder: Path, projects: tuple[str, ...] = ("HCP_Q1",), settings: str = "") -> Site: ...


@pytest.fixture(scope="session")
def deliver(data_folder: DataFolders) -> Deliver:
    """Makes sites of one's own, to be changed."""

    def make(folder: Path, projects: tuple[str, ...] = ("HCP_Q1",), settings: str = "") -> Site:
        _write_release(folder / "tree")
        store = FolderStore(folder / "tree", "tree")
        site = open_site(data_folder(folder / "data", settings), stores={"tree": store})
        for project in projects:
            release = Release(project, "q1", release_of("HCP_Q1").moved)
            delivery = Delivery(release, project, "Made up", {"tree": list(store.list())}, write_tables(folder))
            ingest_release(site.database, site.archive, delivery)
        return site

    return make


@pytest.fixture(scope="session")
def _servers(
    tmp_path_factory: pytest.TempPathFactory, _data_folders: Callable[[str], DataFolders]
) -> Iterator[Callable[[str], Served]]:
    """The release on a server, by engine; each is started once, though tests alternate between them."""
    with ExitStack() as running:

        @cache
        def serve(engine: str) -> Served:
            folder = tmp_path_factory.mktemp(f"served-{engine}")
            return running.enter_context(_serving(folder, _data_folders(engine)(folder / "data")))

        yield serve


@pytest.fixture(scope="session")
def served(engine: str, _servers: Callable[[str], Served]) -> Served:
    """The release on a server; nobody changes it."""
    return _servers(engine)


@contextmanager
def _serving(folder: Path, data: Path) -> Iterator[Served]:
    tree = folder / "tree"
    _write_release(tree)
    store = FolderStore(tree, "tree")
    patient = AccessSettings(free_failures=10_000, free_failures_of_address=10_000)  # tests try passwords at will
    site = open_site(data, stores={"tree": store}, access=patient)
    delivery = Delivery(
        release_of("HCP_Q1"), "Q1 & friends", "Made up", {"tree": list(store.list())}, write_tables(folder)
    )
    report = ingest_release(site.database, site.archive, delivery)
    (folder / "memory.csv").write_text(MEMORY)
    memory = [SubjectTable(folder / "memory.csv", tier=Tier.OPEN)]
    for project, accessibility, tables in (
        ("LAB", Accessibility.PROTECTED, memory),
        ("OPEN", Accessibility.PUBLIC, []),
    ):
        delivery = Delivery(
            release_of(project), project, tables=tables, data_type="lab:memorydata", accessibility=accessibility
        )
        ingest_release(site.database, site.archive, delivery)
    for login in ("owner", "reader", "granted", "stranger"):
        create_user(site.database, login, PASSWORD, firstname=login.capitalize(), lastname="Doe")
    add_member(site.database, "HCP_Q1", "owner", Role.OWNER)
    add_member(site.database, "HCP_Q1", "reader", Role.COLLABORATOR)
    add_member(site.database, "HCP_Q1", "granted", Role.COLLABORATOR)
    grant_tier(site.database, "HCP_Q1", "granted", Tier.SENSITIVE)
    with start(site, admin_password=PASSWORD) as server:
        session = _sessions_of(site)
        yield Served(site, server, _clients_of(server, session), session, tree, report)


ClientsOf = Callable[[str | None], httpx2.Client]
"""Makes clients that are signed in under a login, or nobody's."""


class ServeLab(Protocol):
    """Serves a folder with projects to be written in."""

    def __call__(self, folder: Path) -> AbstractContextManager[ClientsOf]: ...


@contextmanager
def _serve_lab(data: Path) -> Iterator[ClientsOf]:
    site = open_site(data)
    people = {
        "owner": [("P1", Role.OWNER), ("SHARED", Role.OWNER), ("ROLES", Role.OWNER)],
        "member": [("P1", Role.MEMBER), ("ROLES", Role.MEMBER)],
        "collaborator": [("P1", Role.COLLABORATOR), ("ROLES", Role.COLLABORATOR), ("P2", Role.COLLABORATOR)],
        "second": [("SHARED", Role.OWNER)],
        "stranger": [],
    }
    for id, accessibility in (
        *((id, Accessibility.PRIVATE) for id in ("P1", "SHARED", "ROLES")),
        *((id, Accessibility.PUBLIC) for id in ("P2", "PUBLIC")),
    ):
        ingest_release(site.database, site.archive, Delivery(release_of(id), id, accessibility=accessibility))
    for login, roles in people.items():
        create_user(site.database, login, PASSWORD)
        for project, role in roles:
            add_member(site.database, project, login, role)
    with start(site, admin_password=PASSWORD) as server:
        yield _clients_of(server, _sessions_of(site))


@pytest.fixture(scope="session")
def write_lab(data_folder: DataFolders) -> ServeLab:
    """Serves empty projects: P1 and ROLES, SHARED with a second owner, P2 and PUBLIC for all to read."""
    return lambda folder: _serve_lab(data_folder(folder / "data"))


def _sessions_of(site: Site) -> Callable[[str], str]:
    """Signs users in, each once, and tells their session's id."""
    opened: dict[str, str] = {}

    def session(login: str) -> str:
        if login not in opened:
            opened[login] = site.logins.sign_in(login, PASSWORD).session_id
        return opened[login]

    return session


def _clients_of(server: RunningServer, session: Callable[[str], str]) -> Callable[[str | None], httpx2.Client]:
    """Makes clients that are signed in by a cookie, or nobody's."""
    context = ssl.create_default_context()  # made once: it is what makes a client slow to build

    def client(login: str | None) -> httpx2.Client:
        cookies = {"JSESSIONID": session(login)} if login else None
        return httpx2.Client(base_url=server.address, verify=context, cookies=cookies)

    return client


@pytest.fixture
def reader(served: Served) -> Iterator[httpx2.Client]:
    """Signed in as a collaborator without grants."""
    with served.client("reader") as client:
        yield client


@pytest.fixture
def admin(served: Served) -> Iterator[httpx2.Client]:
    """Signed in as the administrator."""
    with served.client("admin") as client:
        yield client


@pytest.fixture
def nobody(served: Served) -> Iterator[httpx2.Client]:
    """Not signed in."""
    with served.client(None) as client:
        yield client


@pytest.fixture(scope="session")
def schema_faults() -> Callable[[httpx2.Client], list[str]]:
    """Reads the document of every object that a client sees; tells what its site's own schemas find wrong in them."""
    return _schema_faults


def _schema_faults(client: httpx2.Client) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        schema = _schema(client, Path(folder))
    faults = []
    for address in _addresses(client):
        reply = client.get(f"{address}?format=xml")
        if reply.status_code != 200 or not schema.validate(etree.fromstring(reply.content)):
            faults.append(f"{address}: {reply.status_code} {schema.error_log.last_error}")
    return faults


def _schema(client: httpx2.Client, folder: Path) -> Any:
    """All schemas of a site as one."""
    imports = []
    for name in client.get("/xapi/schemas").json():
        text = client.get(f"/xapi/schemas/{name}").text.replace("/schemas/xnat/xnat.xsd", "xnat.xsd")
        (folder / f"{name}.xsd").write_text(text)
        imports.append(f'<xs:import namespace="http://nrg.wustl.edu/{name}" schemaLocation="{name}.xsd"/>')
    whole = folder / "whole.xsd"
    whole.write_text(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{"".join(imports)}</xs:schema>')
    return etree.XMLSchema(file=str(whole))


def _addresses(client: httpx2.Client) -> Iterator[str]:
    """Addresses of all objects of a site."""

    def listed(address: str, *columns: str) -> list[dict[str, str]]:
        words = {"columns": ",".join(columns)} if columns else None
        found: list[dict[str, str]] = client.get(address, params=words).json()["ResultSet"]["Result"]
        return found

    for level in ("projects", "subjects", "experiments"):
        yield from (row["URI"] for row in listed(f"/data/{level}", "ID"))
    for session in listed("/data/experiments?xsiType=xnat:imageSessionData"):
        for level in ("scans", "reconstructions"):
            yield from (row["URI"] for row in listed(f"{session['URI']}/{level}"))


class MakeProject(Protocol):
    """Makes a site of one's own with nothing but the private project P."""

    def __call__(self, folder: Path, settings: str = "", keys: S3Settings | None = None) -> Site: ...


@pytest.fixture(scope="session")
def make_project(data_folder: DataFolders) -> MakeProject:
    """Makes sites of one's own, to be changed."""

    def make(folder: Path, settings: str = "", keys: S3Settings | None = None) -> Site:
        site = open_site(data_folder(folder, settings), settings=keys)
        history = {"insert_date": now(), "insert_user": "admin", "last_modified": now()}
        with site.database.write() as connection:
            connection.execute(insert(projects).values(id="P", accessibility="private", **history))
        return site

    return make


class Lab:
    """A site that tests change, and a client for each role."""

    def __init__(self, site: Site, address: str) -> None:
        self.site = site
        self.address = address
        self._clients: dict[str, httpx2.Client] = {}
        self._context = ssl.create_default_context()  # made once: it is what makes a client slow to build

    def client(self, login: str) -> httpx2.Client:
        if login not in self._clients:
            session = self.site.logins.sign_in(login, PASSWORD).session_id
            self._clients[login] = httpx2.Client(
                base_url=self.address, verify=self._context, cookies={"JSESSIONID": session}
            )
        return self._clients[login]

    def archived(self) -> set[str]:
        """Keys of all objects that the server keeps."""
        return {info.key for info in self.site.archive.store("archive").list()}

    def named(self) -> set[str]:
        """Keys of all objects that files name there."""
        with self.site.database.read() as connection:
            return set(connection.execute(files.select().with_only_columns(files.c.object_key)).scalars()) & {
                key for key in self.archived()
            }

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, deliver: Deliver) -> Iterator[Lab]:
    """HCP_Q1 with an owner, a member and a reader, and low limits of sizes; the tests of one module change it."""
    folder = tmp_path_factory.mktemp("lab")
    limits = "max_upload_bytes = 3000000\nmax_unpacked_bytes = 4000000\nmax_members = 50\n"
    site = deliver(folder, settings=f"[files]\n{limits}")
    for login, role in (("owner", Role.OWNER), ("member", Role.MEMBER), ("reader", Role.COLLABORATOR)):
        create_user(site.database, login, PASSWORD)
        add_member(site.database, "HCP_Q1", login, role)
    create_user(site.database, "stranger", PASSWORD)
    with start(site, admin_password=PASSWORD) as server:
        lab = Lab(site, server.address)
        yield lab
        lab.close()
