"""Do rows agree among themselves? Every reference leads to a row, and every object is of a type that there is.

    reference    a row names another one that is not there
    type         an object is of a data type that nobody declares: lists of it cannot be shown

Databases keep references themselves; a backup from elsewhere, a repair by hand or a disk may break them yet.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, ForeignKey, select

from connectomedb.server.check import Fault, Finding
from connectomedb.server.site import Site
from connectomedb.server.tables.schema import experiments, metadata, scans
from connectomedb.server.types.datatypes import Registry

ROWS = "rows"
"""Stands in place of a store's name in findings about rows."""
MOST = 100
"""Most findings about one column."""


def check_rows(site: Site) -> Iterator[Finding]:
    """What is wrong with the rows of a site, in one snapshot of its database."""
    with site.database.read() as connection:
        for table in metadata.sorted_tables:
            for reference in sorted(table.foreign_keys, key=lambda key: str(key.parent)):
                yield from _dangling(connection, reference)
        yield from _unknown_types(connection, site.catalogue.load(connection).registry)


def _dangling(connection: Connection, reference: ForeignKey) -> Iterator[Finding]:
    own, table = reference.parent, reference.column.table
    other = table.alias().c[reference.column.name]
    lost = select(own).where(own.is_not(None), ~select(other).where(other == own).exists())
    for value in connection.execute(lost.distinct().order_by(own).limit(MOST)).scalars():
        place = f"{own.table.name}.{own.name}"
        yield Finding(Fault.REFERENCE, ROWS, place, "", f"{value} is not in {table.name}")


def _unknown_types(connection: Connection, registry: Registry) -> Iterator[Finding]:
    known = [data_type.name for data_type in registry if not data_type.is_abstract]
    for table in (experiments, scans):
        lost = select(table.c.id, table.c.data_type).where(table.c.data_type.not_in(known))
        for row in connection.execute(lost.order_by(table.c.key).limit(MOST)):
            yield Finding(Fault.TYPE, ROWS, f"{table.name} {row.id}", "", f"{row.data_type} is no data type here")
