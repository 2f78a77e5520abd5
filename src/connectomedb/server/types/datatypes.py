"""What a data type is: its fields under all their names, and where their values lie.

A field has up to three names on the wire:

    display field   GENDER_TEXT                                    in searches; upper case
    schema path     demographics[@xsi:type=...]/gender             in searches and listings, below `type/`
    alias           gender                                         in listings, short for one schema path

This module holds the values and how to look them up; `server.types.builtin` declares XNAT's own types and
`server.tables.measures` makes types of measures from the dictionary in the database.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from connectomedb.hcp.dictionary import Tier


class Entity(StrEnum):
    """The levels whose objects have a data type, the outermost first."""

    PROJECT = "project"
    SUBJECT = "subject"
    EXPERIMENT = "experiment"
    SCAN = "scan"
    RECONSTRUCTION = "reconstruction"

    @property
    def depth(self) -> int:
        """How far below the site: 0 for projects. Scans and reconstructions both stand below experiments."""
        return min(list(Entity).index(self), _LOWEST)


_LOWEST = 3


class Kind(StrEnum):
    """Types of values, spelled as in lists of search fields."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Column:
    """A value of the object itself, or of the object of another level that it belongs to."""

    entity: Entity
    name: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A value in the table that only this data type has."""

    name: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A computed value; `server.query.formulas` holds the computations by name."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that has no column: a row of the level's facts, by path, and by name in a list of entries."""

    path: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Many:
    """One column of a list that the object has, a row per entry; `server.query.entries` holds the lists by name."""

    list: str
    column: str


Source: TypeAlias = Column | Detail | Formula | Fact | Many


@dataclass(frozen=True, slots=True)
class Path:
    """A schema path below the type, where its value lies, and who may see it.

    `written` is the kind that a new value must have where the database keeps it as text of another kind.
    """

    path: str
    source: Source
    kind: Kind = Kind.STRING
    tier: Tier = Tier.OPEN
    written: Kind | None = None

    @property
    def is_stored(self) -> bool:
        """Whether it is a single value of the object's own, which can be written and stands in its document."""
        return isinstance(self.source, Column | Detail | Fact) and not self.path.startswith("meta/")


@dataclass(frozen=True, slots=True)
class Display:
    """A display field.

    Attributes:
        path: the schema path that it plainly shows, if it does; asking for that path gives this column.
        takes_value: asked for with a value, as in `SUB_PROJECT_IDENTIFIER=P1`.
    """

    id: str
    header: str
    source: Source
    kind: Kind = Kind.STRING
    path: str | None = None
    tier: Tier = Tier.OPEN
    summary: str = ""
    takes_value: bool = False


Field: TypeAlias = Path | Display


@dataclass(frozen=True, slots=True)
class DataType:
    """One data type.

    Attributes:
        parent: name of the type whose paths and aliases it inherits.
        element: name of the root element in XML, without prefix; "" for abstract types, of which there are no objects.
        details: table with the values that only this type has.
        session: of scans, the type of session they are made in.
        aliases: short name → full schema path, `type/path`.
        listing: display fields of the default search columns.
        is_measures: its fields are columns that somebody's table brought.
    """

    name: str
    entity: Entity
    parent: str | None = None
    singular: str = ""
    plural: str = ""
    element: str = ""
    details: str | None = None
    session: str | None = None
    paths: tuple[Path, ...] = ()
    displays: tuple[Display, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    listing: tuple[str, ...] = ()
    is_measures: bool = False

    @property
    def is_abstract(self) -> bool:
        """Whether there are no objects of exactly this type."""
        return not self.element


_ENTRY = re.compile(r"(fields/field|parameters/addParam)\[@?name=([^\[\]]{1,255})\]/(field|addField)", re.IGNORECASE)
ENTRIES: Mapping[str, str] = {"fields/field": "field", "parameters/addParam": "addField"}
"""Lists of named texts that any object may have → the name of their text. The first are the custom variables."""

RECORDS: Mapping[str, tuple[str, ...]] = {
    "provenance/processStep": (
        *("program", "program/version", "program/arguments", "timestamp", "cvs", "user", "machine"),
        *("platform", "platform/version", "compiler", "compiler/version", "library", "library/version"),
    ),
    "investigators/investigator": (
        *("title", "firstname", "lastname", "institution", "department", "email", "phone", "ID"),
    ),
    "publications/publication": ("title", "citation", "abstract", "doi", "pubmed", "uri", "comments", "type"),
}
"""Lists of records that an object may have, and the fields of each: a document gives all of a list at once."""

PARTS: Mapping[str, Mapping[str, str]] = {
    "scans/scan": {"ID": "id", **{name: name for name in ("type", "quality", "condition", "series_description")}},
    "reconstructions/reconstructedImage": {"ID": "id", "type": "type"},
    "assessors/assessor": {"ID": "id", "label": "label"},
}
"""Lists of objects that a session has, and what a search or list of sessions may ask of each: field → column."""

_PREDICATE = re.compile(r"\[@xsi:type=[\w:.\-]*\]", re.IGNORECASE | re.ASCII)


def plain_path(path: str) -> str:
    """A schema path as it is compared: without case and without `[@xsi:type=...]`."""
    return _PREDICATE.sub("", path).strip("/").lower()


class Registry:
    """The data types of a site, and everything about their names."""

    def __init__(self, types: Iterable[DataType]) -> None:
        self._types = {data_type.name: data_type for data_type in types}
        self._folded = {name.lower(): data_type for name, data_type in self._types.items()}
        self._paths = {
            name: {plain_path(path.path): path for owner in reversed(self.lineage(data_type)) for path in owner.paths}
            for name, data_type in self._types.items()
        }
        self._displays = {
            name: {display.id: display for display in data_type.displays} for name, data_type in self._types.items()
        }

    def __iter__(self) -> Iterator[DataType]:
        return iter(self._types.values())

    def find(self, name: str) -> DataType | None:
        """The type of that name, case ignored."""
        return self._folded.get(name.lower())

    def get(self, name: str) -> DataType:
        """The type of exactly that name. KeyError when there is none: the name comes from ourselves."""
        return self._types[name]

    def lineage(self, data_type: DataType) -> list[DataType]:
        """The type and all it inherits from, itself first."""
        found = [data_type]
        while found[-1].parent is not None:
            found.append(self._types[found[-1].parent])
        return found

    def descendants(self, data_type: DataType) -> list[DataType]:
        """The type and all that inherit from it."""
        return [other for other in self if data_type in self.lineage(other)]

    def concrete(self, data_type: DataType) -> list[str]:
        """Names of the types that objects of this type can have."""
        return [other.name for other in self.descendants(data_type) if not other.is_abstract]

    def are_related(self, one: DataType, other: DataType) -> bool:
        """Whether an object of one may be of the other too."""
        return one in self.lineage(other) or other in self.lineage(one)

    def display(self, data_type: DataType, id: str) -> Display | None:
        """The display field of that id, case ignored."""
        return self._displays[data_type.name].get(id.upper())

    def display_of_path(self, data_type: DataType, path: str) -> Display | None:
        """The display field that plainly shows a schema path."""
        wanted = plain_path(path)
        shown = (display for display in data_type.displays if display.path is not None)
        return next((display for display in shown if plain_path(display.path or "") == wanted), None)

    def path(self, data_type: DataType, path: str) -> Path | None:
        """The field at a schema path below the type, inherited ones and entries by name too."""
        return self._paths[data_type.name].get(plain_path(path)) or entry_path(path)

    def paths(self, data_type: DataType) -> list[Path]:
        """All schema paths, inherited ones first."""
        return list(self._paths[data_type.name].values())

    def aliases(self, data_type: DataType) -> dict[str, str]:
        """Alias → full schema path, inherited ones too; the type's own win."""
        joined: dict[str, str] = {}
        for owner in reversed(self.lineage(data_type)):
            joined.update(owner.aliases)
        return joined

    def split_path(self, full: str) -> tuple[DataType, Path] | None:
        """Type and field of a full schema path, `type/path`."""
        name, _, path = full.partition("/")
        data_type = self.find(name)
        found = self.path(data_type, path) if data_type else None
        return (data_type, found) if data_type and found else None


def record_paths(list: str) -> tuple[Path, ...]:
    """The fields of a list of records; what is inside another field may be asked for with `_`, as pyxnat does."""
    plain = {field: field for field in RECORDS[list]}
    joined = {field.replace("/", "_"): field for field in RECORDS[list]}
    return tuple(Path(f"{list}/{name}", Many(list, field)) for name, field in {**plain, **joined}.items())


def part_paths() -> tuple[Path, ...]:
    """The fields of what a session has, a row each."""
    return tuple(
        Path(f"{list}/{name}", Many(list, column)) for list, of in PARTS.items() for name, column in of.items()
    )


def entry_path(path: str) -> Path | None:
    """The field of one named text, `fields/field[name=consent]/field`; None of any other path."""
    match = _ENTRY.fullmatch(path.strip("/"))
    if match is None:
        return None
    list = next(known for known in ENTRIES if known.lower() == match[1].lower())
    return Path(f"{list}[name={match[2]}]/{ENTRIES[list]}", Fact(list, match[2]))


def local_name(name: str) -> str:
    """A type's name without its prefix: `nontoolboxdata` of `hcp:nontoolboxdata`."""
    return name.rpartition(":")[2]
