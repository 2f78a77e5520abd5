"""Rows of one level in a statement, and what a computed value may ask of the statement around them."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import FromClause

from connectomedb.server.access.auth import Rights
from connectomedb.server.types.datatypes import Entity


@dataclass(frozen=True, slots=True)
class Node:
    """Rows of one entity in the statement.

    Attributes:
        name: tells nodes of one statement apart.
        may_lack: whether there may be no row (it stands below or beside the root).
        repeats: whether there may be several rows for one object of the root.
    """

    name: str
    entity: Entity
    rows: FromClause
    may_lack: bool = False
    repeats: bool = False


class Frame(Protocol):
    """The statement that a value is computed for."""

    @property
    def rights(self) -> Rights:
        """Whose statement it is."""
        ...

    def above(self, node: Node, entity: Entity) -> Node:
        """The row of another level that a node's row belongs to."""
        ...
