"""The FROM clause of one statement, grown as fields of data types ask for it.

Every statement has a root, one row per object. Fields of other types come in by joins along the levels:

    project ─< subject ─< experiment (one join per data type) ─< scan

Up a level there is exactly one row; down a level there may be none or many (outer joins), which repeats
the root. Types of one object (`xnat:mrSessionData`, `xnat:subjectAssessorData`) share its row.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    null,
    select,
    true,
)

from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Rights
from connectomedb.server.access.visible import may_list, may_see
from connectomedb.server.query.entries import FACTS, ROWS, entries
from connectomedb.server.query.formulas import FORMULAS
from connectomedb.server.query.nodes import Node
from connectomedb.server.query.read_first import ReadFirst
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import (
    Column,
    DataType,
    Detail,
    Entity,
    Fact,
    Field,
    Kind,
    Many,
    Path,
    Registry,
)

_KEY_OF_PARENT = {
    Entity.SUBJECT: "project_key",
    Entity.EXPERIMENT: "subject_key",
    Entity.SCAN: "experiment_key",
    Entity.RECONSTRUCTION: "experiment_key",
}
_OF_SESSIONS = (Entity.SCAN, Entity.RECONSTRUCTION)


class Joins:
    """Rows of the root and whatever was joined to them so far.

    `details` are the tables that only some types have, by name. What the caller may not read is left
    out of every row set, so no field can show it.
    """

    def __init__(self, registry: Registry, root: DataType, rights: Rights, details: Mapping[str, Table]) -> None:
        self.registry = registry
        self.rights = rights
        self.root = root
        self._details = details
        self.root_node = Node("root", root.entity, ROWS[root.entity].alias("root"))
        self._nodes: dict[str, Node] = {"root": self.root_node}
        self._links: dict[str, ColumnElement[bool]] = {}
        self._measures: Node | None = None

    @property
    def key(self) -> ColumnElement[int]:
        """Key of the root's row."""
        return self.root_node.rows.c.key

    @property
    def clause(self) -> FromClause:
        """All rows, joined."""
        return self._joined(self.root_node.rows, list(self._links))

    def measures_first(self) -> tuple[ColumnElement[int], FromClause]:
        """The root's key, and all rows as in `clause`; the root's measures, where they are asked for, are read first.

        For searches through all of a type: SQLite would take the objects of the type and look each one's measures up.
        """
        if self._measures is None:
            return self.key, self.clause
        name, rows = self._measures.name, self._measures.rows
        begun = ReadFirst(rows, self.root_node.rows, self._links[name])
        return rows.c.experiment_key, self._joined(begun, [other for other in self._links if other != name])

    @property
    def repeating(self) -> frozenset[str]:
        """Names of the joined nodes that may repeat the root."""
        return frozenset(node.name for node in self._nodes.values() if node.repeats)

    def scope(self) -> ColumnElement[bool]:
        """Only objects of the root's type that the caller may see."""
        rows = self.root_node.rows
        if self.root.entity is Entity.PROJECT:
            return may_list(self.rights.caller, rows.c.key)
        home = self.root_node if self.root.entity not in _OF_SESSIONS else self.above(self.root_node, Entity.EXPERIMENT)
        readable = may_see(self.rights.caller, home.entity, home.rows)
        return readable if self.root.entity is Entity.SUBJECT else and_(self.of_root_type(), readable)

    def of_root_type(self) -> ColumnElement[bool]:
        """Only objects of the root's type, of those levels that have several."""
        return self._of_type(self.root_node.rows, self.root)

    def status(self) -> ColumnElement[str | None]:
        """What is said of the root besides active, which is null; of what a session holds, the session's."""
        if self.root.entity is Entity.PROJECT:
            return cast(null(), String)
        holder = (
            self.root_node if self.root.entity not in _OF_SESSIONS else self.above(self.root_node, Entity.EXPERIMENT)
        )
        column: ColumnElement[str | None] = holder.rows.c.status
        return column

    def value(self, data_type: DataType, field: Field, argument: str = "") -> ColumnElement[object]:
        """The value of a field; null where its tier is not granted. `argument` is for fields that take one."""
        node = self.of(data_type)
        source = field.source
        value: ColumnElement[object]
        if isinstance(source, Column):
            holder = self.above(node, source.entity)
            value = self._guarded(holder, holder.rows.c[source.name]) if source.name != "id" else holder.rows.c.id
        elif isinstance(source, Detail):
            value = self._detail(node, data_type).c[source.name]
        elif isinstance(source, Fact):
            value = self._guarded(node, _fact(node, source, field.kind))
        elif isinstance(source, Many):
            value = self._entries(node, source.list).c[source.column]
        else:
            value = FORMULAS[source.name](self, node, source.argument or argument)
        if field.tier is Tier.OPEN:
            return value
        self.rights.read.add(f"{data_type.name}/{field.path if isinstance(field, Path) else field.id}")
        if self.rights.caller.is_admin:
            return value
        granted = self._project_key(node).in_(self.rights.projects_with(field.tier))
        return case((granted, value), else_=null())

    def of(self, data_type: DataType) -> Node:
        """The rows of a data type."""
        if data_type.entity is self.root.entity and self._is_root(data_type):
            return self.root_node
        if data_type.entity.depth < self.root.entity.depth and self._is_above(data_type):
            return self.above(self.root_node, data_type.entity)
        if data_type.entity is Entity.SUBJECT:
            return self._below(self.root_node, data_type)
        if data_type.entity is Entity.EXPERIMENT:
            return self._below(self.of(self.registry.get(builtin.SUBJECT)), data_type)
        return self._below(self.of(self.registry.get(data_type.session or builtin.IMAGE_SESSION)), data_type)

    def above(self, node: Node, entity: Entity) -> Node:
        """The row of another level that a node's row belongs to; the node itself at its own level."""
        if entity is node.entity:
            return node
        if entity is Entity.PROJECT:
            home = node if node.entity not in _OF_SESSIONS else self.above(node, Entity.EXPERIMENT)
            return self._up(home, entity, "project_key")
        parent = list(Entity)[node.entity.depth - 1]
        return self.above(self._up(node, parent, _KEY_OF_PARENT[node.entity]), entity)

    def _guarded(self, node: Node, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """A value of the subject or project above an object, null where only the object was shared."""
        caller = self.rights.caller
        if caller.is_admin or not node.is_above or node.entity not in (Entity.SUBJECT, Entity.PROJECT):
            return value
        is_project = node.entity is Entity.PROJECT
        seen = may_list(caller, node.rows.c.key) if is_project else may_see(caller, node.entity, node.rows)
        return case((seen, value), else_=null())

    def _is_root(self, data_type: DataType) -> bool:
        return self.registry.are_related(data_type, self.root)

    def _is_above(self, data_type: DataType) -> bool:
        """Whether the root belongs to an object of that type; a scan belongs to its own session only."""
        if data_type.entity is not Entity.EXPERIMENT:
            return True
        session = self.registry.get(self.root.session or builtin.IMAGE_SESSION)
        return self.registry.are_related(data_type, session)

    def _up(self, node: Node, entity: Entity, foreign_key: str) -> Node:
        name = f"{node.name}_{entity}"
        if name not in self._nodes:
            rows = ROWS[entity].alias(name)
            found = Node(name, entity, rows, node.may_lack, node.repeats, is_above=True)
            self._join(found, rows.c.key == node.rows.c[foreign_key])
        return self._nodes[name]

    def _below(self, node: Node, data_type: DataType) -> Node:
        name = f"{node.name}_{data_type.name.replace(':', '_').lower()}"
        if name not in self._nodes:
            rows = ROWS[data_type.entity].alias(name)
            found = Node(name, data_type.entity, rows, may_lack=True, repeats=True)
            link = rows.c[_KEY_OF_PARENT[data_type.entity]] == node.rows.c.key
            self._join(found, and_(link, *self._limits(found, data_type)))
        return self._nodes[name]

    def _limits(self, node: Node, data_type: DataType) -> list[ColumnElement[bool]]:
        """What rows joined from above must be: of the type, and readable. Scans go with their session."""
        limits = [] if data_type.entity is Entity.SUBJECT else [self._of_type(node.rows, data_type)]
        if data_type.entity not in _OF_SESSIONS:
            limits.append(may_see(self.rights.caller, node.entity, node.rows))
        return limits

    def _detail(self, node: Node, data_type: DataType) -> FromClause:
        owner = next(other for other in self.registry.lineage(data_type) if other.details)
        name = f"{node.name}_{owner.details}"
        if name not in self._nodes:
            rows = _alias(self._details[owner.details or ""], name)
            certain = self.root.is_measures and node is self.root_node
            found = Node(name, node.entity, rows, node.may_lack or not certain, node.repeats)
            self._join(found, rows.c.experiment_key == node.rows.c.key)
            if certain:
                self._measures = found
        return self._nodes[name].rows

    def _entries(self, node: Node, list: str) -> FromClause:
        """A list of the node's object, a row per entry; of shares those in projects that the caller may know."""
        name = f"{node.name}_{list.replace('/', '_').lower()}"
        if name not in self._nodes:
            rows = entries(node.entity, list).alias(name)
            found = Node(name, node.entity, rows, may_lack=True, repeats=True)
            known: ColumnElement[bool] = true()
            if "project_key" in rows.c and "key" in rows.c:  # objects with a home of their own
                known = may_see(self.rights.caller, Entity.EXPERIMENT, rows)
            elif "project_key" in rows.c:
                known = may_list(self.rights.caller, rows.c.project_key)
            self._join(found, and_(rows.c.owner_key == node.rows.c.key, known))
        return self._nodes[name].rows

    def _join(self, node: Node, condition: ColumnElement[bool]) -> None:
        self._nodes[node.name] = node
        self._links[node.name] = condition

    def _joined(self, clause: FromClause, names: Iterable[str]) -> FromClause:
        for name in names:
            node = self._nodes[name]
            clause = clause.join(node.rows, self._links[name], isouter=node.may_lack)
        return clause

    def _of_type(self, rows: FromClause, data_type: DataType) -> ColumnElement[bool]:
        names = self.registry.concrete(data_type)
        column: ColumnElement[str] = rows.c.data_type
        return column == names[0] if len(names) == 1 else column.in_(names)

    def _project_key(self, node: Node) -> ColumnElement[int]:
        if node.entity is Entity.PROJECT:
            return node.rows.c.key
        home = node if node.entity not in _OF_SESSIONS else self.above(node, Entity.EXPERIMENT)
        return home.rows.c.project_key


def _alias(table: Table, name: str) -> FromClause:
    """A table under another name, kept beside the table: one of hundreds of columns takes milliseconds to make."""
    known: dict[str, FromClause] = table.info.setdefault("aliases", {})
    if name not in known:
        made = table.alias(name)
        made.c.keys()  # columns are copied when first looked at: here, before another thread looks
        known[name] = made
    return known[name]


def _fact(node: Node, source: Fact, kind: Kind) -> ColumnElement[object]:
    """A rare field of the node's object; names of entries are found whatever their case."""
    facts = FACTS[node.entity].alias()
    of_node = (facts.c.owner_key == node.rows.c.key, facts.c.path == source.path)
    named = func.lower(facts.c.name) == source.name.lower() if source.name else facts.c.name == ""
    value: ColumnElement[Any] = facts.c.value
    if kind in (Kind.INTEGER, Kind.FLOAT):
        value = cast(value, BigInteger if kind is Kind.INTEGER else Double)
    return select(value).where(*of_node, named).correlate(node.rows).scalar_subquery()
