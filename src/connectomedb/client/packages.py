"""Download packages of a ConnectomeDB: `db.packages`.

    db.packages.list()                                                   # all there are
    db.packages.for_subjects(["100307"])                                 # what these subjects have
    db.packages.download(["3T_Structural_preproc"], ["100307"], "zips")  # zips, checked against their MD5

To have the files themselves, below a mirror and continued where it stopped, use `mirror.fetch` or `cdb get
--package` instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from connectomedb.client.files import request_errors
from connectomedb.client.source import ServerSource
from connectomedb.client.transport import Connection, read_document
from connectomedb.errors import UnexpectedReply
from connectomedb.hcp.paths import check_path
from connectomedb.transfer.checksum import Expected, Proof, md5_of_etag
from connectomedb.transfer.fetch import Engine, fetch

_ADDRESS = "/spring/download"


@dataclass(frozen=True, slots=True)
class PackageInfo:
    """A package that a server offers: ID (`3T_tfMRI_MOTOR_preproc`), label for people, session, and level."""

    id: str
    label: str
    session: str
    level: str


@dataclass(frozen=True, slots=True)
class Available:
    """What a subject has of a package: number of files, and their size in bytes."""

    project: str
    subject: str
    package: str
    files: int
    size: int


class Packages:
    """The packages of one server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> tuple[PackageInfo, ...]:
        """All packages; one request."""
        found = _objects(self._connection.ask("GET", _ADDRESS), "packages")
        return tuple(read_document(PackageInfo, one) for one in found)

    def for_subjects(
        self, subjects: str | Iterable[str], packages: str | Iterable[str] = (), *, project: str = ""
    ) -> tuple[Available, ...]:
        """What the subjects have of the packages, or of all of them; one request.

        Raises NotFound (a subject), AddressError, TermsNotAccepted.
        """
        params = {"subjects": _joined(subjects), "package": _joined(packages), "project": project, "view": "subjects"}
        document = self._connection.ask("GET", _ADDRESS, params)
        return tuple(
            _available(subject, one)
            for subject in _objects(document, "subjects")
            for one in _objects(subject, "packages")
        )

    def download(
        self, packages: str | Iterable[str], subjects: str | Iterable[str], to: str | Path, *, project: str = ""
    ) -> tuple[Path, ...]:
        """Save a zip for each package and subject that has it, with its `.md5` beside it.

        A zip whose `.md5` beside it still says the same is kept.

        Args:
            to: folder for the zips, made if it is missing.
        Returns: the zips.
        Raises: NotFound when there are none, TermsNotAccepted, ChecksumMismatch, DiskFull.
        """
        params = {"subjects": _joined(subjects), "package": _joined(packages), "project": project}
        document = self._connection.ask("POST", _ADDRESS, params)
        folder = Path(to)
        with request_errors(), Engine() as engine:
            return tuple(self._fetch(one, folder, engine) for one in _objects(document, "paths"))

    def _fetch(self, one: Mapping[str, object], folder: Path, engine: Engine) -> Path:
        source, name = str(one["source"]), str(one["source"]).rpartition("/")[2]
        if not source.startswith(f"{_ADDRESS}/") or "/" in check_path(name):
            raise UnexpectedReply(f"The server names a package by {source!r}, which is no address of one.")
        line = self._connection.get_bytes(f"{source}.md5")
        md5 = md5_of_etag(line.decode("ascii", "replace").partition(" ")[0])
        if md5 is None:
            raise UnexpectedReply(f"The checksum of {name} is none: {line[:60]!r}. Try again.", address=source)
        final = folder / name
        folder.mkdir(parents=True, exist_ok=True)
        sums = folder / f"{name}.md5"
        if not (final.exists() and sums.exists() and sums.read_bytes() == line):
            fetch([ServerSource(self._connection, source)], final, Expected(None, md5, Proof.CATALOG), engine=engine)
            sums.write_bytes(line)
        return final


def _available(subject: Mapping[str, object], one: Mapping[str, object]) -> Available:
    names = (str(subject.get("project")), str(subject.get("subject")), str(one.get("id")))
    return Available(*names, _count(one, "files"), _count(one, "size"))


def _joined(words: str | Iterable[str]) -> str:
    return words if isinstance(words, str) else ",".join(words)


def _objects(document: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """The list of JSON objects of that name. Raises UnexpectedReply."""
    found = document.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnexpectedReply(f"The server's answer has no list of {name}. Check the server's address.")
    return found


def _count(document: Mapping[str, object], name: str) -> int:
    found = document.get(name)
    if not isinstance(found, int):
        raise UnexpectedReply(f"The server's answer has no number of {name}. Check the server's address.")
    return found
