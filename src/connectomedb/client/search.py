"""Builds a search and reads its result: `select("xnat:subjectData", [...]).where([...])`."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from connectomedb.client.table import Table
from connectomedb.client.transport import Connection
from connectomedb.errors import QueryError, RequestError
from connectomedb.mirror.survey import shorten
from connectomedb.xnat.query import (
    Comparison,
    Constraint,
    Group,
    Query,
    SearchField,
    parse_comparison,
    parse_constraints,
    parse_field,
)
from connectomedb.xnat.resultset import ResultTable

SUBJECT_ID, SUBJECT_LABEL = "SUBJECT_ID", "SUBJECT_LABEL"


class FieldTypes:
    """The fields of data types, as the server lists them; each type is asked for once and then remembered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, dict[str, str]] = {}

    def of(self, root: str) -> dict[str, str]:
        """Field (upper case) → type (`string`, `integer`, `float`, `date`, `time`, `timestamp`); one request, once.

        Empty where the server has no such list: fields are then taken for text.
        """
        if root not in self._known:
            self._known[root] = self._ask(root)
        return self._known[root]

    def _ask(self, root: str) -> dict[str, str]:
        try:
            table = self._connection.get_table(f"/data/search/elements/{quote(root, safe=':')}")
        except RequestError as fault:
            if fault.transient:
                raise
            return {}
        rows = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
        return {row.get("FIELD_ID", "").upper(): row.get("TYPE", "").lower() for row in rows}


class Search:
    """A search not sent yet: a data type, one row per object of it, and the columns wanted.

    When `SUBJECT_ID` of the searched type is among the columns, `SUBJECT_LABEL` of it is asked too, after the
    others: an accession ID does not say which data on disk or in a bucket is meant, the label does. Types that
    have no subject label give the columns without it.
    """

    def __init__(self, connection: Connection, types: FieldTypes, root: str, columns: Sequence[str] = ()) -> None:
        if isinstance(columns, str):
            raise QueryError(f"Columns are a list of fields, not the text {columns!r}. Put it in a list.")
        self._connection = connection
        self._types = types
        self.root = root
        self.columns = tuple(columns)
        self.query()

    def __repr__(self) -> str:
        return f"Search({self.root!r}, {list(self.columns)!r})"

    def query(self, constraints: Constraint = ()) -> Query:
        """What would be sent. Raises QueryError for fields and comparisons that are not well formed."""
        if ":" not in self.root or "/" in self.root:
            raise QueryError(f"Asked to search {self.root!r}. Name a data type, like xnat:subjectData.")
        fields = [parse_field(column) for column in self.columns]
        names = {field.field_id.upper() for field in fields if field.element == self.root}
        if SUBJECT_ID in names and SUBJECT_LABEL not in names:
            fields.append(parse_field(f"{self.root}/{SUBJECT_LABEL}"))
        where = parse_constraints(constraints)
        return Query(self.root, tuple(fields), where if where.members else None)

    def find(self, where: Group) -> Table:
        """The rows that fulfil a condition in XNAT's words; as `where`. Raises QueryError, RequestError."""
        query = replace(self.query(), where=where if where.members else None)
        return self._table(query, self._connection.post_search(query))

    def where(self, constraints: Constraint) -> Table:
        """The rows that fulfil the constraints; sent at once, one request.

        Where the reply does not tell the columns' types, there is one more the first time that a type is searched.

            search.where([("xnat:subjectData/GENDER_TEXT", "=", "F"), "AND"])
            search.where([(a, ">=", "29"), [(b, "=", "1"), (c, "=", "2"), "OR"], "AND"])

        Args:
            constraints: triples (field, comparison, value) and nested lists, the last entry joins: AND or OR.
                Comparisons: = != < <= > >= LIKE IN BETWEEN, IS NULL, IS NOT NULL.
        Raises: QueryError when a field is unknown or not open to you (it says which, and what is near),
            RequestError.
        """
        query = self.query(constraints)
        return self._table(query, self._connection.post_search(query))

    def all(self) -> Table:
        """All rows, as `where` without constraints."""
        return self.where(())

    def _table(self, query: Query, reply: ResultTable) -> Table:
        meta = reply.columns_meta or ()
        by_header = {column["header"]: column["key"] for column in meta if column.get("header") and "key" in column}
        columns = reply.columns
        if not columns:
            columns = tuple(_names(field, self.root)[0] for field in query.fields)
        asked = {}
        for field in query.fields:
            candidates = (by_header.get(field.header, ""), *_names(field, self.root))
            found = next((name for name in candidates if name in columns), None)
            if found is not None:
                asked[field.header] = found
            elif field.header in self.columns:
                raise QueryError(self._unknown(field))
        return Table(columns, reply.rows, self._column_types(query, asked, reply), asked)

    def _column_types(self, query: Query, asked: dict[str, str], reply: ResultTable) -> dict[str, str]:
        """Types of the columns that are not text: as the reply tells, else as the server's list of fields has them.

        XNAT's replies only repeat the type that was sent, which is always `string`; others are to be believed.
        """
        meta = [column for column in reply.columns_meta or () if "key" in column]
        told = {column["key"]: column.get("type", "").lower() for column in meta}
        if not any(_is_typed(name) for name in told.values()):
            known = self._types.of(self.root)
            ids = {column["key"]: column.get("id", "") for column in meta}
            ids |= {asked[field.header]: field.field_id for field in query.fields if field.header in asked}
            told = {column: known.get(field_id.upper(), "") for column, field_id in ids.items()}
        return {column: name for column, name in told.items() if _is_typed(name)}

    def _unknown(self, field: SearchField) -> str:
        there = sorted(self._types.of(self.root)) if field.element == self.root else []
        near = difflib.get_close_matches(field.field_id.upper(), there, n=3)
        has = f" {self.root} has: {shorten(there)}." if there else ""
        hint = f" Did you mean {' or '.join(near)}?" if near else has
        return (
            f"Asked {self._connection.name} for the column {field.header}. "
            f"The server gives none: there is no such field, or it is not open to you.{hint}"
        )


def parse_condition(text: str) -> tuple[str, Comparison, str]:
    """Read one condition, like `MMSE_Score >= 29` or `QC_Issue IS NULL`: field, comparison, value.

    Quotes around the value are dropped. Raises QueryError.
    """
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise QueryError(f"{text!r} is no condition. Write a field, a comparison and a value, like 'Age >= 29'.")
    field, word, value = found["field"], found["comparison"], found["value"].strip()
    comparison = parse_comparison(word)
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    elif not value and comparison not in (Comparison.IS_NULL, Comparison.IS_NOT_NULL):
        raise QueryError(f"{text!r} compares with nothing. Give a value, '' for an empty one, or write IS NULL.")
    return field, comparison, value


_CONDITION = re.compile(
    r"""(?P<field>(?:[^\s<>=!\[]|\[[^]]*\])+)             # a [predicate] of a schema path may hold =
        \s*(?P<comparison>>=|<=|!=|<>|==|=|<|>
             |(?<=\s)(?:LIKE|IN|BETWEEN|IS\s+NOT\s+NULL|IS\s+NULL)(?=\s|$))
        (?P<value>.*)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def _is_typed(name: str) -> bool:
    return name not in ("", "none", "string")


def _names(field: SearchField, root: str) -> tuple[str, ...]:
    """The names that a column may bear in the reply, the likeliest first.

    Source: XNAT's search engine: display fields of the searched type by their name, of others with the type
    before it, schema paths with their punctuation spelled out.
    """
    if "/" in field.field_id:
        path = _spelled(f"{field.element}{field.field_id}")
        return (path, f"{_spelled_type(field.element)}_{path}")
    name, _, value = field.field_id.partition("=")
    value = field.value or value
    plain = (f"{name}_{_spelled(value)}" if value else name).lower()
    if field.element != root:
        return (f"{_spelled_type(field.element)}_{plain}",)
    return (plain, _spelled(f"{field.element}{name}"))


def _spelled_type(element: str) -> str:
    return element.replace(":", "_").lower()


def _spelled(text: str) -> str:
    text = "".join(c for c in text if c not in "/@[]").replace(":", "_col_").replace(",", "_com_")
    return "".join(c if c.isalnum() else "_" for c in text).lower()
