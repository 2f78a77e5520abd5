"""A made-up lab's server to be measured: subjects with measures, a large file, and a resource of many files."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connectomedb.demo.services.postgres import PostgresServer
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest, manifest_path
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Role
from connectomedb.server.access.users import add_member, create_user
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.intake.subject_tables import NONTOOLBOX
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import make_admin
from connectomedb.server.settings import read_settings
from connectomedb.server.site import open_site
from connectomedb.stores.folder import FolderStore

PASSWORD = "benchmark passphrase"
LOGIN = "reader"
FEW, MANY = "LAB", "LARGE"
MANY_TYPE = "lab:largedata"
FILE_BYTES, FILE_BYTES_SMALL = 100_000_000, 10_000_000
MEMBERS, MEMBER_BYTES = 1_000, 10_000
LARGE_FILE = "T1w/T1w_acpc_dc_restore.nii.gz"
SEED = 20130301
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many subjects there are in each project, and bytes of the large file."""

    few: int
    many: int
    file_bytes: int

    @classmethod
    def chosen(cls, is_small: bool) -> "Sizes":
        """Those of the Human Connectome Project, and of something a hundred times as large."""
        return cls(1_206, 10_000, FILE_BYTES_SMALL) if is_small else cls(1_206, 100_000, FILE_BYTES)


@dataclass(frozen=True, slots=True)
class Lab:
    """A data folder that `cdb serve` can serve, and the environment that names its database."""

    folder: Path
    environment: dict[str, str]
    sizes: Sizes
    tree: Path

    @property
    def large_file(self) -> Path:
        """The large file on disk."""
        return self.tree / FEW / subject(0) / LARGE_FILE


def subject(number: int) -> str:
    """Label of a subject."""
    return str(100_000 + number)


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """Kind of database → its address; empty for SQLite."""
    with PostgresServer.start() as postgres:
        yield {"SQLite": "", "PostgreSQL": postgres.make_database()}


def make_lab(folder: Path, tree: Path, url: str, sizes: Sizes) -> Lab:
    """Fill a data folder; a reader who is neither owner nor administrator sees all of it."""
    folder.mkdir()
    (folder / "cdb.toml").write_text(f'[stores.tree]\nkind = "folder"\npath = "{tree}"\n')
    settings = read_settings(folder / "cdb.toml", {})
    site = open_site(folder, config=replace(settings, database=replace(settings.database, url=url)))
    make_admin(site, PASSWORD)
    create_user(site.database, LOGIN, PASSWORD)
    objects = list(FolderStore(tree, "tree").list())
    for project, count, data_type in ((FEW, sizes.few, NONTOOLBOX), (MANY, sizes.many, MANY_TYPE)):
        table = SubjectTable(_write_measures(folder / f"{project}.csv", count), tier=Tier.OPEN)
        listings = {"tree": objects} if project == FEW else {}
        ingest_release(
            site.database,
            site.archive,
            Delivery(release_of(project), project, "Made up", listings, [table], data_type=data_type),
        )
        add_member(site.database, project, LOGIN, Role.COLLABORATOR)
    site.close()
    return Lab(folder, {"CDB_DATABASE_URL": url}, sizes, tree)


def write_tree(tree: Path, sizes: Sizes) -> None:
    """Write the files of two subjects: one large, and many small ones, each with a manifest."""
    numbers = random.Random(SEED)
    piece = numbers.randbytes(_PIECE)
    large = (piece[: min(_PIECE, sizes.file_bytes - begin)] for begin in range(0, sizes.file_bytes, _PIECE))
    _write_subject(tree / FEW / subject(0), {LARGE_FILE: b"".join(large)})
    members = {
        f"MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/{number:04}.txt": numbers.randbytes(MEMBER_BYTES)
        for number in range(MEMBERS)
    }
    _write_subject(tree / FEW / subject(1), members)


def _write_subject(folder: Path, contents: dict[str, bytes]) -> None:
    entries = []
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        entries.append(Entry(path, len(content), hashlib.md5(content).hexdigest()))
    manifest = folder / manifest_path(folder.name, "3T_Structural_preproc")
    manifest.parent.mkdir()
    manifest.write_bytes(format_manifest(Manifest(folder.name, tuple(entries))))


def _write_measures(file: Path, count: int) -> Path:
    numbers = random.Random(SEED)
    with file.open("w", encoding="ascii") as table:
        table.write("Subject,Gender,Age,MMSE_Score,PMAT24_A_CR,PicSeq_Unadj\n")
        for number in range(count):
            cells = (numbers.choice("MF"), numbers.choice(("22-25", "26-30", "31-35")), numbers.randint(20, 30))
            scores = (numbers.randint(4, 24), round(numbers.gauss(110, 13), 2))
            table.write(",".join(map(str, (subject(number), *cells, *scores))) + "\n")
    return file
