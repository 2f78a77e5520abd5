"""What all handles share: an address, a row if it was listed, and how a level is listed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from connectomedb.client.missing import explained
from connectomedb.client.transport import Connection
from connectomedb.errors import NotFound, QueryError, UnexpectedReply
from connectomedb.xnat.address import Address, Level, format_address


class DataMirror(Protocol):
    """A local copy of release files, filled on request."""

    def files(self, subject: str, path: str = "", *, project: str) -> list[Path]:
        """Local paths of a subject's files at or below `path`, sorted, complete and verified."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """What every handle needs: the connection, and where a subject's files are mirrored."""

    connection: Connection
    mirror: Callable[[], DataMirror]


HandleT = TypeVar("HandleT", bound="Handle")


class Handle:
    """One object: where it is, and what is known of it from a listing, if it came out of one."""

    level: ClassVar[Level]
    id_column: ClassVar[str] = "ID"
    label_column: ClassVar[str] = "label"
    columns: ClassVar[tuple[str, ...]] = ()
    """Asked for in listings; empty where the server's own choice is right or fixed."""

    def __init__(self, site: Site, address: Address, row: Mapping[str, str] | None = None) -> None:
        self._site = site
        self.address = address
        self.row = row

    @property
    def given(self) -> str:
        """The identifier in the address: a label or an accession ID, as it was given or listed."""
        last = self.address.last
        return last.id if last else ""

    @property
    def uri(self) -> str:
        """The address as text, percent-encoded: `/data/projects/HCP_Q1`."""
        return format_address(self.address)

    @property
    def attrs(self) -> "Attributes":
        """Fields of this object: `subject.attrs.get("age")`."""
        return Attributes(self)

    def id(self) -> str:
        """The server's accession ID; one or two requests, none for what was listed. Raises NotFound."""
        return self.known(self.id_column)

    def label(self) -> str:
        """The human name; cost and errors as for `id`."""
        return self.known(self.label_column)

    def exists(self) -> bool:
        """Whether there is such an object that you may see; asks the server anew."""
        try:
            return self.find(self.columns) is not None
        except NotFound:
            return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.uri!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Handle):
            return NotImplemented
        return self._site.connection is other._site.connection and self.address == other.address

    def __hash__(self) -> int:
        return hash(self.address)

    def known(self, column: str) -> str:
        """One cell of this object's row of its listing. Raises NotFound, saying what is there."""
        if self.row is None:
            with explained(self._site.connection, self.address):
                self.row = self.find(self.columns)
                if self.row is None:
                    what = f"Asked {self._site.connection.name} for {self.uri}. It is not listed there."
                    raise NotFound(what, method="GET", address=self.uri)
        if column not in self.row:
            raise UnexpectedReply(f"The listing of {self.level} gives no {column!r}.", address=self.uri)
        return self.row[column]

    def find(self, columns: Iterable[str]) -> Mapping[str, str] | None:
        """This object's row of the listing above, with these columns; None if it is not listed.

        The server is asked for just that row, first by label, then by ID; one that ignores the filter serves too.
        """
        above = Address(self.address.steps[:-1])
        names = dict.fromkeys((self.label_column, self.id_column) if above.steps else (self.id_column,))
        wanted = ",".join(columns)
        for filtered in names if wanted else [""]:
            params = {"columns": wanted, filtered: self.given} if filtered else {}
            table = self._site.connection.get_table(above.list(self.level), params)
            for cells in table.rows:
                row = dict(zip(table.columns, cells, strict=True))
                if self.given in (row.get(name) for name in names):
                    return row
        return None

    @classmethod
    def of_row(cls, site: Site, above: Address, row: Mapping[str, str]) -> Self:
        """The handle of a listed object: by label where labels are understood, else by ID."""
        label = row.get(cls.label_column, "") if above.steps else ""
        return cls(site, above.child(cls.level, label or row.get(cls.id_column, "")), row)

    def _one(self, kind: "type[HandleT]", id: str) -> "HandleT":
        return kind(self._site, self.address.child(kind.level, id))

    def _many(self, kind: "type[HandleT]", pattern: str) -> "Listing[HandleT]":
        self.address.list(kind.level)
        return Listing(self._site, kind, lambda: [self.address], pattern)


class Listing(Generic[HandleT]):
    """The objects of one level below one or more others; each iteration asks anew, one request per object above.

    Args:
        kind: class of the objects.
        above: addresses of what they stand below; asked again at each iteration.
        pattern: `*` and `?` as in file names, compared with label and ID.
    """

    def __init__(
        self, site: Site, kind: type[HandleT], above: Callable[[], Iterable[Address]], pattern: str = "*"
    ) -> None:
        self._site = site
        self._kind = kind
        self._above = above
        self.pattern = pattern

    def __iter__(self) -> Iterator[HandleT]:
        for above in self._above():
            yield from self._below(above)

    def __repr__(self) -> str:
        return f"<{self._kind.level} like {self.pattern!r}, listed when iterated>"

    def get(self) -> list[str]:
        """The identifiers, as they stand in addresses: labels where there are some."""
        return [handle.given for handle in self]

    def labels(self) -> list[str]:
        """The labels."""
        return [handle.label() for handle in self]

    def first(self) -> HandleT:
        """The first of them. Raises NotFound when there is none."""
        for handle in self:
            return handle
        raise NotFound(f"Asked {self._site.connection.name} for the first of {self!r}. There is none.")

    def _below(self, above: Address) -> Iterator[HandleT]:
        connection, kind = self._site.connection, self._kind
        params = {"columns": ",".join(kind.columns)} if kind.columns else {}
        literal = self.pattern.replace("[", "[[]")  # brackets stand in file names, and mean themselves
        with explained(connection, above):
            table = connection.get_table(above.list(kind.level), params)
        for cells in table.rows:
            row = dict(zip(table.columns, cells, strict=True))
            handle = kind.of_row(self._site, above, row)
            names = {handle.given, row.get(kind.id_column, ""), row.get(kind.label_column, "")}
            if any(fnmatchcase(name, literal) for name in names if name):
                yield handle


class Attributes:
    """Fields of one object, as text; missing values are empty."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, name: str) -> str:
        """One field, by alias (`age`, `gender`) or schema path (`xnat:subjectData/group`); one or two requests.

        Raises: NotFound when there is no such object, QueryError when it has no such field.
        """
        return self.mget([name])[0]

    def mget(self, names: Iterable[str]) -> list[str]:
        """Several fields at once, in the order asked; cost and errors as for `get`."""
        wanted = list(names)
        handle = self._handle
        row = handle.find(dict.fromkeys((handle.id_column, handle.label_column, *wanted)))
        if row is None:
            handle.row = None
            handle.known(handle.id_column)
            row = {}
        cells = {column.lower(): cell for column, cell in row.items()}
        unknown = [name for name in wanted if name.lower() not in cells]
        if unknown:
            raise QueryError(f"Asked {handle.uri} for {', '.join(unknown)}. {handle.level} have no such field there.")
        return [cells[name.lower()] for name in wanted]
