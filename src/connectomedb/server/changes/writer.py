"""Drafts → rows: the fields of one object, wherever they lie. Knows no rights and no levels' own rules."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, select, update

from connectomedb.errors import AddressError, Conflict, QueryError, TooLarge, Unusable
from connectomedb.server.access.audit import Actor
from connectomedb.server.access.clock import now
from connectomedb.server.changes.draft import Draft
from connectomedb.server.query.entries import FACTS, ROWS, SHARES
from connectomedb.server.routes.call import View
from connectomedb.server.tables.counters import next_accessions
from connectomedb.server.types.datatypes import RECORDS, Column, DataType, Detail, Entity, Fact, Kind, Path
from connectomedb.server.types.values import Value, parse_value

MAX_ID = 255
MAX_TEXT = 255
"""Longest text of a field, in characters, where it is no description."""
MAX_LONG_TEXT = 60_000
MOST_TIME = timedelta(seconds=10)
"""How long one request may write objects."""

_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_ID}}}")
_LONG = frozenset(
    {
        "description",
        "abstract",
        "citation",
        "program/arguments",
        "keywords",
        "note",
        "notes",
        "comments",
        "field",
        "addField",
        "condition",
        "value",
    }
)


@dataclass(frozen=True, slots=True)
class Writer:
    """One writing transaction of one caller at one time; `actor` is the caller for the audit log."""

    view: View
    actor: Actor
    time: datetime

    @classmethod
    def of(cls, view: View, actor: Actor) -> "Writer":
        """The writer of a view whose connection may write."""
        return cls(view, actor, now())

    @property
    def connection(self) -> Connection:
        """The transaction."""
        return self.view.connection

    def check_time(self) -> None:
        """Others wait until this transaction ends, to write and to sign in. Raises TooLarge after MOST_TIME."""
        if now() - self.time > MOST_TIME:
            seconds = MOST_TIME.total_seconds()
            raise TooLarge(
                f"Writing the document takes longer than {seconds:.0f} s. Nothing was kept: send it in parts."
            )

    def make(self, entity: Entity, columns: Mapping[str, object]) -> int:
        """A new object; its key."""
        self.check_time()
        login = self.view.caller.login
        history = {"insert_date": self.time, "insert_user": login, "last_modified": self.time}
        table = ROWS[entity]
        key: int = self.connection.execute(
            insert(table).values(**columns, **history).returning(table.c.key)
        ).scalar_one()
        return key

    def update(self, entity: Entity, key: int, **columns: object) -> None:
        """Change columns of an object, and say that it changed now."""
        table = ROWS[entity]
        self.connection.execute(update(table).where(table.c.key == key).values(**columns, last_modified=self.time))

    def write(self, data_type: DataType, key: int, draft: Draft) -> None:
        """Give an object the fields of a draft. Raises AddressError when a value does not fit its field."""
        self.check_time()
        columns: dict[str, Value | None] = {}
        details: dict[str, Value | None] = {}
        facts: dict[tuple[str, str], str | None] = {}
        if draft.is_whole:
            self._forget(data_type, key, draft)
        for name, text in draft.values.items():
            path = self.view.path(data_type, name) or Path(name, Fact(name))
            value = read_value(path, text)
            source = path.source
            if isinstance(source, Column) and source.entity is data_type.entity and path.is_stored:
                columns[source.name] = value
            elif isinstance(source, Detail):
                details[source.name] = value
            elif isinstance(source, Fact):
                facts[source.path, ""] = None if value is None else str(value)
        for (list, name), text in draft.entries.items():
            check_length(f"{list}[name={name}]", "field", text or "")
            facts[list, name] = text
        self.update(data_type.entity, key, **columns)
        if details:
            self._put_details(data_type, key, details)
        self._put_facts(FACTS[data_type.entity], key, facts)
        for list, records in draft.records.items():
            self._put_records(FACTS[data_type.entity], key, list, records)

    def accession(self, entity: Entity, wanted: str = "") -> str:
        """The ID of a new subject or experiment: the one that is wanted, else the next. Raises Unusable, Conflict."""
        table = ROWS[entity]
        if wanted:
            check_id(wanted)
            if self._is_taken(table, wanted):
                raise Conflict(f"Asked to make {wanted}. There is one with this ID already. Choose another ID.")
            return wanted
        letter = "S" if entity is Entity.SUBJECT else "E"
        while self._is_taken(table, found := next_accessions(self.connection, letter, 1)[0]):
            continue  # somebody chose this ID before the counter came to it
        return found

    def check_label(self, entity: Entity, project_key: int, label: str, key: int | None = None) -> None:
        """Whether an object may have a label in a project. Raises Unusable, Conflict.

        `key` is that of the object itself, which may keep its label.
        """
        check_id(label)
        table, shares = ROWS[entity], SHARES[entity]
        at_home = select(table.c.key).where(table.c.project_key == project_key, table.c.label == label)
        shared = select(shares.c.owner_key).where(shares.c.project_key == project_key, shares.c.label == label)
        for statement in (at_home, shared):
            if any(other != key for other in self.connection.execute(statement).scalars()):
                raise Conflict(f"Asked for the label {label}. The project has a {entity} of that label already.")

    def _is_taken(self, table: Table, id: str) -> bool:
        return self.connection.execute(select(table.c.key).where(table.c.id == id)).first() is not None

    def _put_details(self, data_type: DataType, key: int, values: Mapping[str, Value | None]) -> None:
        owner = next(other for other in self.view.registry.lineage(data_type) if other.details)
        table = self.view.details[owner.details or ""]
        known = select(table.c.experiment_key).where(table.c.experiment_key == key)
        if self.connection.execute(known).first() is None:
            self.connection.execute(insert(table).values(experiment_key=key, **values))
        else:
            self.connection.execute(update(table).where(table.c.experiment_key == key).values(**values))

    def _put_facts(self, table: Table, key: int, facts: Mapping[tuple[str, str], str | None]) -> None:
        """Put these values in place of those of the same path and name, whatever its case; an entry keeps its place."""
        if not facts:
            return
        held = select(table.c.path, table.c.name, table.c.position).where(table.c.owner_key == key)
        known: dict[tuple[str, str], list[str]] = {}
        positions: dict[tuple[str, str], int | None] = {}
        last: dict[str, int] = {}
        for path, name, position in self.connection.execute(held):
            known.setdefault((path, name.lower()), []).append(name)
            positions[path, name.lower()] = position
            last[path] = max(last.get(path, 0), position or 0)
        old: list[dict[str, str]] = []
        new: dict[tuple[str, str], dict[str, object]] = {}
        for (path, name), value in facts.items():
            same = (path, name.lower())
            old += [{"old_path": path, "old_name": spelled} for spelled in known.pop(same, ())]
            new.pop(same, None)
            if value is None:
                continue
            if name and positions.get(same) is None:
                last[path] = positions[same] = last.get(path, 0) + 1
            position = positions.get(same)
            new[same] = {"owner_key": key, "path": path, "name": name, "value": value, "position": position}
        gone = and_(table.c.path == bindparam("old_path"), table.c.name == bindparam("old_name"))
        if old:
            self.connection.execute(delete(table).where(table.c.owner_key == key, gone), old)
        if new:
            self.connection.execute(insert(table), list(new.values()))

    def _put_records(self, table: Table, key: int, list: str, records: Sequence[Mapping[str, str]]) -> None:
        """Put these records in place of those that the list had."""
        paths = [f"{list}/{field}" for field in RECORDS[list]]
        self.connection.execute(delete(table).where(table.c.owner_key == key, table.c.path.in_(paths)))
        rows = []
        for number, record in enumerate(records, start=1):
            for field, text in record.items():
                check_length(f"{list}/{field}", field, text)
                rows.append({"owner_key": key, "path": f"{list}/{field}", "name": str(number), "value": text})
        if rows:
            self.connection.execute(insert(table), rows)

    def _forget(self, data_type: DataType, key: int, draft: Draft) -> None:
        """Clear what an authoritative document does not mention; measures stay, they come from tables."""
        table = FACTS[data_type.entity]
        self.connection.execute(delete(table).where(table.c.owner_key == key))
        for path in self.view.registry.paths(data_type):
            source = path.source
            is_own = isinstance(source, Column) and source.entity is data_type.entity
            is_detail = isinstance(source, Detail) and not data_type.is_measures
            if path.is_stored and (is_own or is_detail) and path.path not in ("ID", "label"):
                draft.values.setdefault(path.path, None)


def read_value(path: Path, text: str | None) -> Value | None:
    """The value of a field from its text; empty is nothing where the field is no text. Raises AddressError."""
    if text is None:
        return None
    kind = path.written or path.kind
    name = path.path.rpartition("/")[2]
    if kind is Kind.STRING:
        check_length(path.path, name, text)
        return text
    if not text.strip():
        return None
    try:
        value = parse_value(kind, text)
    except QueryError as fault:
        raise AddressError(f"Asked to set {path.path}: {fault}") from fault
    if kind is Kind.INTEGER and not isinstance(value, int):
        raise AddressError(f"Asked to set {path.path} to {text!r}, which is no whole number.")
    if isinstance(path.source, Fact) and kind not in (Kind.INTEGER, Kind.FLOAT):
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    return float(value) if kind is Kind.FLOAT and isinstance(value, int) else value


def check_length(path: str, name: str, text: str) -> None:
    """Refuse a text that is too long for its field. Raises AddressError."""
    most = MAX_LONG_TEXT if name in _LONG else MAX_TEXT
    if len(text) > most:
        raise AddressError(f"Asked to set {path[:80]} to a text of {len(text)} letters. At most {most} fit.")


def check_id(id: str) -> None:
    """Refuse what no ID or label may be. Raises Unusable."""
    if not _ID.fullmatch(id):
        raise Unusable(f"Asked for the ID or label {id[:80]!r}. Use letters, digits, '_' and '-', at most {MAX_ID}.")
