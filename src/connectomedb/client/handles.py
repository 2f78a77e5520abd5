"""The objects of an XNAT, level by level: an address and verbs. Making one sends nothing.

    Project ── Subject ── Experiment ── Scan, Assessor, Reconstruction
       └─ each of them may have ── Resource ── File

Plural nouns are listings, sent when iterated; what comes out of one knows its row of it. Below a project the
identifier in an address may be the label or the accession ID, elsewhere only the ID.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from connectomedb.client.handle import Handle, Listing, Site
from connectomedb.client.missing import explain, explained
from connectomedb.client.transport import Connection
from connectomedb.errors import AddressError, NotFound, RequestError, StoreError, UnexpectedReply
from connectomedb.transfer.checksum import Expected, Proof, md5_of_etag
from connectomedb.transfer.fetch import fetch
from connectomedb.xnat.address import Address, Level

_PLAIN_LABEL = re.compile(r"(?![0-9]+$)[A-Za-z0-9_.-]+")


class Resource(Handle):
    """A folder of files, kept with an object."""

    level = Level.RESOURCES
    id_column = "xnat_abstractresource_id"

    def file(self, path: str) -> "File":
        """A file by its path in the folder, like `MNINonLinear/T1w.nii.gz`. Raises AddressError for `..`."""
        return self._one(File, path)

    def files(self, pattern: str = "*") -> Listing["File"]:
        """The files whose path is like `pattern` (`*` goes across folders); one request."""
        return self._many(File, pattern)

    @classmethod
    def of_row(cls, site: Site, above: Address, row: Mapping[str, str]) -> Self:
        """By label where it can stand in an address, else by number."""
        label = row.get("label", "")
        name = label if _PLAIN_LABEL.fullmatch(label) else row.get(cls.id_column, "")
        return cls(site, above.child(cls.level, name), row)


class File(Handle):
    """One file of a resource."""

    level = Level.FILES
    id_column = "URI"
    label_column = "Name"

    @property
    def path(self) -> str:
        """Path inside the resource, parts joined by `/`."""
        return self.given

    def size(self) -> int:
        """Length in bytes; one request, none for what was listed. Raises NotFound."""
        text = self.known("Size")
        if not text.isascii() or not text.isdecimal():
            raise UnexpectedReply(f"{self.uri} is listed with the size {text!r}, which is no number.")
        return int(text)

    def digest(self) -> str | None:
        """MD5 as the server's catalog has it, 32 lower-case hex; None where it has none. Cost as for `size`."""
        return md5_of_etag(self.known("digest"))

    def get(self, target: str | Path) -> Path:
        """Save the file, whole and checked against the catalog's size and MD5, or leave nothing under its name.

        Args:
            target: final path, or a folder that exists: then the file's own name is taken.
        Returns: the final path.
        Raises: NotFound, AccessDenied and other RequestErrors; SizeMismatch, ChecksumMismatch, DiskFull.
        """
        final = Path(target)
        if final.is_dir():
            final = final / self.path.rpartition("/")[2]
        md5 = self.digest()
        expected = Expected(self.size(), md5, Proof.CATALOG if md5 else Proof.SIZE)
        try:
            fetch([_Source(self._site.connection, self.address)], final, expected)
        except StoreError as fault:
            if isinstance(fault.__cause__, RequestError):
                raise fault.__cause__ from None
            raise
        return final

    def find(self, columns: object = ()) -> Mapping[str, str] | None:
        """This file's row of its resource's listing, which is the only one that tells size and checksum."""
        above = Address(self.address.steps[:-1])
        table = self._site.connection.list_files(above)
        rows = (dict(zip(table.columns, cells, strict=True)) for cells in table.rows)
        return next((row for row in rows if _path_in(row) == self.path), None)

    @classmethod
    def of_row(cls, site: Site, above: Address, row: Mapping[str, str]) -> Self:
        """By its path, which is what follows the resource's number in its URI."""
        return cls(site, above.child(cls.level, _path_in(row)), row)


class _WithResources(Handle):
    """An object that keeps folders of files."""

    def resource(self, id: str) -> Resource:
        """A resource by label or number."""
        return self._one(Resource, id)

    def resources(self, pattern: str = "*") -> Listing[Resource]:
        """The resources whose label is like `pattern`; one request."""
        return self._many(Resource, pattern)


class Scan(_WithResources):
    """One scan of a session; its ID is also its label."""

    level = Level.SCANS
    label_column = "ID"
    columns = ("ID", "type", "quality", "series_description", "xsiType")


class Reconstruction(_WithResources):
    """One reconstructed image of a session; its ID is also its label."""

    level = Level.RECONSTRUCTIONS
    label_column = "ID"
    columns = ("ID", "type")


class Assessor(_WithResources):
    """One assessment of a session, an experiment of its own."""

    level = Level.ASSESSORS
    columns = ("ID", "label", "xsiType")


class Experiment(_WithResources):
    """One experiment: an imaging session, or what else was measured on a subject."""

    level = Level.EXPERIMENTS
    columns = ("ID", "label", "xsiType", "date")

    def scan(self, id: str) -> Scan:
        """A scan by ID."""
        return self._one(Scan, id)

    def scans(self, pattern: str = "*") -> Listing[Scan]:
        """The scans whose ID is like `pattern`; one request."""
        return self._many(Scan, pattern)

    def assessor(self, id: str) -> Assessor:
        """An assessor by label or ID."""
        return self._one(Assessor, id)

    def assessors(self, pattern: str = "*") -> Listing[Assessor]:
        """The assessors whose label or ID is like `pattern`; one request."""
        return self._many(Assessor, pattern)

    def reconstruction(self, id: str) -> Reconstruction:
        """A reconstruction by ID."""
        return self._one(Reconstruction, id)

    def reconstructions(self, pattern: str = "*") -> Listing[Reconstruction]:
        """The reconstructions whose ID is like `pattern`; one request."""
        return self._many(Reconstruction, pattern)


class _WithExperiments(_WithResources):
    """An object that has experiments."""

    def experiment(self, id: str) -> Experiment:
        """An experiment by label or ID."""
        return self._one(Experiment, id)

    def experiments(self, pattern: str = "*") -> Listing[Experiment]:
        """The experiments whose label or ID is like `pattern`; one request."""
        return self._many(Experiment, pattern)


class Subject(_WithExperiments):
    """One subject of a project."""

    level = Level.SUBJECTS
    columns = ("ID", "label")

    def files(self, path: str = "") -> list[Path]:
        """Local paths of the subject's release files at or below `path`, fetched first where they are missing.

        They lie in the mirror that the Interface was given, else in one of its own. All on disk already: no
        request is made.

        Args:
            path: inside the subject, like `T1w` or `MNINonLinear/Results/tfMRI_MOTOR_LR`; empty for all of it.
        Returns: sorted, complete and verified; never a path that does not exist.
        Raises: NotFound when project, subject or path name nothing (it says what is there); MirrorIncomplete,
            StoreError, AddressError.
        """
        project = self.address.get(Level.PROJECTS)
        if project is None:
            raise AddressError(f"Asked for files of {self.uri}. Step down from the project whose release is meant.")
        try:
            return self._site.mirror().files(self._six_digits(), path, project=project)
        except NotFound as fault:
            raise self._better(fault) from fault

    def _six_digits(self) -> str:
        """The label, which names the subject in a release; asked for when an accession ID was given."""
        is_label = len(self.given) == 6 and self.given.isascii() and self.given.isdecimal()
        return self.given if is_label else self.label()

    def _better(self, fault: NotFound) -> NotFound:
        """The fault itself, or that already the project or subject is missing on the server, if it can be asked."""
        try:
            explanation = explain(self._site.connection, self.address)
        except RequestError:
            return fault
        return fault if explanation is None else NotFound(explanation, method=fault.method, address=self.uri)


class Project(_WithExperiments):
    """One project."""

    level = Level.PROJECTS
    label_column = "ID"
    columns = ("ID", "name")

    def subject(self, id: str) -> Subject:
        """A subject by label or ID."""
        return self._one(Subject, id)

    def subjects(self, pattern: str = "*") -> Listing[Subject]:
        """The subjects whose label or ID is like `pattern`; one request."""
        return self._many(Subject, pattern)


KINDS: dict[Level, type[Handle]] = {
    kind.level: kind for kind in (Project, Subject, Experiment, Scan, Reconstruction, Assessor, Resource, File)
}
"""Level → class of its handles."""


class _Source:
    """One file of a server, as a source of bytes."""

    def __init__(self, connection: Connection, address: Address) -> None:
        self._connection = connection
        self._address = address

    @property
    def name(self) -> str:
        return self._connection.name

    def open(self, offset: int) -> Iterator[bytes]:
        try:
            with explained(self._connection, self._address):
                yield from self._connection.stream(self._address, offset)
        except RequestError as fault:
            raise StoreError(str(fault), store=self.name) from fault


def _path_in(row: Mapping[str, str]) -> str:
    """Path of a listed file inside its resource: what follows the first `/files/` of its URI."""
    _, found, path = row.get("URI", "").partition("/files/")
    if not found:
        raise UnexpectedReply(f"A listed file has the URI {row.get('URI', '')!r}, which names no path.")
    return unquote(path)
