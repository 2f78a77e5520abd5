"""The data types of a site as its database has them: XNAT's own, and those of measures.

Reading the dictionary costs milliseconds, so it is kept until the number `catalogue` in the database's
`counters` says that it changed; every process sees every change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Double, MetaData, Table, Text, select
from sqlalchemy.types import TypeEngine

from connectomedb.hcp.dictionary import Dictionary, Tier, ValueType
from connectomedb.server.tables.meaning import definition_of
from connectomedb.server.tables.schema import Key, counters, data_types, fields, image_sessions
from connectomedb.server.types import builtin, datatypes, imaging
from connectomedb.server.types.datatypes import DataType, Detail, Display, Entity, Kind, Path, Registry
from connectomedb.server.types.experiments import EXPERIMENT_DISPLAYS

VERSION = "catalogue"
"""Name of the counter that grows with every change of data types and fields."""

COLUMN_TYPES: Mapping[ValueType, TypeEngine[Any]] = {
    ValueType.INTEGER: BigInteger(),
    ValueType.FLOAT: Double(),
    ValueType.TEXT: Text().with_variant(Text(collation="C"), "postgresql"),
}
KINDS: Mapping[ValueType, Kind] = {
    ValueType.INTEGER: Kind.INTEGER,
    ValueType.FLOAT: Kind.FLOAT,
    ValueType.TEXT: Kind.STRING,
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Data types by name, the tables that only some of them have, and what measures mean, by data type."""

    version: int
    registry: Registry
    details: Mapping[str, Table]
    dictionaries: Mapping[str, Dictionary]


class CatalogueShelf:
    """Keeps the catalogue last read, and reads it anew when it changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: Catalogue | None = None

    def load(self, connection: Connection) -> Catalogue:
        """The catalogue as the connection's transaction sees it."""
        version = connection.execute(select(counters.c.value).where(counters.c.name == VERSION)).scalar() or 0
        with self._lock:
            if self._kept is None or self._kept.version != version:
                self._kept = read_catalogue(connection, version)
            return self._kept


def read_catalogue(connection: Connection, version: int) -> Catalogue:
    """All data types, read from the database."""
    known = connection.execute(select(fields).order_by(fields.c.data_type, fields.c.key)).all()
    by_type = {name: tuple(rows) for name, rows in groupby(known, key=lambda row: str(row.data_type))}
    types = list(imaging.BUILTIN)
    details: dict[str, Table] = {image_sessions.name: image_sessions}
    for row in connection.execute(select(data_types).order_by(data_types.c.name)):
        own = by_type.get(row.name, ())
        columns = [
            FieldColumn(
                field.name,
                field.column_name,
                ValueType(field.type),
                Tier.of(field.tier),
                field.description or "",
            )
            for field in own
        ]
        types.append(measures_type(row.name, row.singular, row.plural, row.table_name, columns))
        details[row.table_name] = measures_table(row.table_name, columns)
    meanings = {name: Dictionary(tuple(map(definition_of, rows))) for name, rows in by_type.items()}
    return Catalogue(version, Registry(types), details, meanings)


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """One measure: its name in the dictionary, and its column in the table of its type."""

    name: str
    column: str
    type: ValueType
    tier: Tier
    description: str = ""


def measures_table(name: str, columns: list[FieldColumn]) -> Table:
    """The table of a data type of measures; not among the tables that migrations make."""
    typed = [Column(column.column, COLUMN_TYPES[column.type]) for column in columns]
    return Table(name, MetaData(), Column("experiment_key", Key, primary_key=True), *typed)


def measures_type(name: str, singular: str, plural: str, table: str, columns: list[FieldColumn]) -> DataType:
    """A data type whose fields are columns of measures. Names of fields are upper case in searches."""
    return DataType(
        name=name,
        entity=Entity.EXPERIMENT,
        parent=builtin.SUBJECT_ASSESSOR,
        singular=singular,
        plural=plural,
        element=datatypes.local_name(name),
        details=table,
        paths=tuple(Path(field.name, Detail(field.column), KINDS[field.type], field.tier) for field in columns),
        displays=(*EXPERIMENT_DISPLAYS, *(_display(field) for field in columns)),
        is_measures=True,
    )


def _display(field: FieldColumn) -> Display:
    return Display(
        id=field.name.upper(),
        header=field.name,
        source=Detail(field.column),
        kind=KINDS[field.type],
        path=field.name,
        tier=field.tier,
        summary=field.description,
    )
