"""Resources and their files: listed with size and checksum, saved whole and checked."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from connectomedb.client.handle import Handle, Listing, Site
from connectomedb.client.source import ServerSource
from connectomedb.errors import RequestError, StoreError, UnexpectedReply
from connectomedb.transfer.checksum import Expected, Proof, md5_of_etag
from connectomedb.transfer.fetch import Engine, fetch
from connectomedb.xnat.address import Address, Level, parse_file_uri

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
        with request_errors(), Engine() as engine:
            fetch([ServerSource(self._site.connection, self.address)], final, expected, engine=engine)
        return final

    def find(self, columns: object = ()) -> Mapping[str, str] | None:
        """This file's row of its resource's listing, which is the only one that tells size and checksum."""
        above = Address(self.address.steps[:-1])
        table = self._site.connection.list_files(above)
        rows = (dict(zip(table.columns, cells, strict=True)) for cells in table.rows)
        return next((row for row in rows if parse_file_uri(row.get("URI", "")) == self.path), None)

    @classmethod
    def of_row(cls, site: Site, above: Address, row: Mapping[str, str]) -> Self:
        """By its path, which is what follows the resource's number in its URI."""
        return cls(site, above.child(cls.level, parse_file_uri(row.get("URI", ""))), row)


@contextmanager
def request_errors() -> Iterator[None]:
    """Let the request's own error through, where a store has wrapped it."""
    try:
        yield
    except StoreError as fault:
        if isinstance(fault.__cause__, RequestError):
            raise fault.__cause__ from None
        raise
