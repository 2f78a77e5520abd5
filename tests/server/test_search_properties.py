"""Random searches over a table full of gaps find what a plain reading of the rules finds, in the order asked for.

The rules are read here once more, in Python and row by row; nothing of the server's compiler is used for that.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from connectomedb.hcp.dictionary import FieldDefinition, Tier, ValueType
from connectomedb.server.access.auth import Caller, Rights
from connectomedb.server.query.results import read_rows
from connectomedb.server.query.sql import Page, Sort, compile_search
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.measures import declare_fields, declare_type, write_measures
from connectomedb.server.tables.schema import experiments, image_sessions, projects, scans, subjects
from connectomedb.server.types.catalogue import CatalogueShelf
from connectomedb.server.types.columns import Names
from connectomedb.xnat.bundle import format_bundle, parse_bundle
from connectomedb.xnat.query import PLAIN, Comparison, Criterion, Group, Method, Query, SearchField

N, SUBJECT, SESSION = "hcp:nontoolboxdata", "xnat:subjectData", "xnat:mrSessionData"
ADMIN = Rights(Caller(1, "admin", is_admin=True))

Value = int | float | str | date | None
Record = Mapping[str, Value]


@dataclass(frozen=True)
class Known:
    """A field that criteria name: how its values are read, and whether a gap counts as different."""

    field: str
    column: str
    read: Callable[[str], Value]
    gap_differs: bool = True


KNOWN = (
    Known(f"{N}/SCORE", "Score", float),
    Known(f"{N}.score", "Score", float),
    Known(f"{N}/RATIO", "Ratio", float),
    Known(f"{N}/ANSWER", "Answer", str),
    Known(f"{SUBJECT}/SUB_GROUP", "group", str),
    Known(f"{SUBJECT}/demographics[@xsi:type=xnat:demographicData]/handedness", "handedness", str, gap_differs=False),
    Known(f"{SUBJECT}/EDUC", "education", float),
    Known(f"{SUBJECT}/demographics/education", "education", float, gap_differs=False),
    Known(f"{SESSION}/SCANNER", "scanner", str),
    Known(f"{SESSION}/DATE", "date", date.fromisoformat),
    Known(f"{SESSION}/date", "date", date.fromisoformat),
)
NUMBERS = ("0", "1", "2", "3", "-1", "1.5", "2.0", "0.5", "7e0")
WORDS = ("A", "AB", "B", "BA", "ABBA", "C")
DATES = ("2024-01-02", "2024-02-29", "2023-12-31")


def _number(generator: random.Random) -> int | None:
    return generator.choice((None, None, 0, 1, 2, 3, -1))


def _word(generator: random.Random) -> str | None:
    return generator.choice((None, None, *WORDS))


@dataclass(frozen=True)
class Filled:
    """The database, and for each person with measures the rows that a search of measures joins."""

    database: Database
    rows: Mapping[int, Sequence[Record]]
    catalogue: CatalogueShelf


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    database = Database.open(tmp_path_factory.mktemp("properties") / "database.sqlite")
    generator, keys = random.Random(7), count(1)
    history = {"insert_date": datetime(2024, 1, 1), "insert_user": "me", "last_modified": datetime(2024, 1, 1)}
    rows: dict[int, list[Record]] = {}
    measured: dict[int, dict[str, int | float | str | None]] = {}
    with database.write() as connection:
        connection.execute(insert(projects).values(key=1, id="P", accessibility="private", **history))
        declare_type(connection, N, "Measures", "Measures")
        types = {"Score": ValueType.INTEGER, "Ratio": ValueType.FLOAT, "Answer": ValueType.TEXT}
        declare_fields(connection, N, [FieldDefinition(name, type, Tier.OPEN) for name, type in types.items()])
        for person in range(1, 41):
            facts = {"group": _word(generator), "handedness": _word(generator), "education": _number(generator)}
            subject = {"key": person, "id": f"S{person}", "project_key": 1, "label": f"{person:03d}", **facts}
            connection.execute(insert(subjects).values(**subject, **history))
            experiment = {"project_key": 1, "subject_key": person, **history}
            key = next(keys)
            own = {"key": key, "id": f"E{key}", "data_type": N, "label": f"n{person}"}
            connection.execute(insert(experiments).values(**own, **experiment))
            measured[key] = {
                "Score": _number(generator),
                "Ratio": generator.choice((None, 0.5, 1.5, 2.0)),
                "Answer": _word(generator),
            }
            rows[key] = []
            for _ in range(generator.choice((0, 0, 1, 2))):
                number = next(keys)
                day = generator.choice((None, *(date.fromisoformat(text) for text in DATES)))
                session = {"key": number, "id": f"E{number}", "data_type": SESSION, "label": f"s{number}", "date": day}
                connection.execute(insert(experiments).values(**session, **experiment))
                scanner = _word(generator)
                connection.execute(insert(image_sessions).values(experiment_key=number, scanner=scanner))
                scan = {"experiment_key": number, "id": "1", "data_type": "xnat:mrScanData"}
                connection.execute(insert(scans).values(**scan, **history))
                rows[key].append({"date": day, "scanner": scanner})
            sessions = rows[key] or [{"date": None, "scanner": None}]
            rows[key] = [{**facts, **measured[key], **found, "label": f"{person:03d}"} for found in sessions]
        write_measures(connection, N, measured)
    yield Filled(database, rows, CatalogueShelf())
    database.close()


def _is_gap(value: Value) -> bool:
    return value is None or value == ""


def _matches(value: Value, text: str) -> bool:
    """LIKE: the whole value, without case; `%` and `*` are any run."""
    pattern = "".join(".*" if letter in "%*" else re.escape(letter) for letter in text)
    return value is not None and re.fullmatch(pattern, str(value), re.IGNORECASE | re.DOTALL) is not None


def holds(known: Known, value: Value, comparison: Comparison, text: str) -> bool:
    """One comparison, as section by section of the rules."""
    plain = text.strip()
    match comparison:
        case Comparison.IS_NULL:
            return _is_gap(value)
        case Comparison.IS_NOT_NULL:
            return not _is_gap(value)
        case Comparison.LIKE:
            return _matches(value, text)
        case Comparison.EQUAL | Comparison.NOT_EQUAL if plain in ("", "NULL", "*"):
            return _is_gap(value) is ((plain != "*") is (comparison is Comparison.EQUAL))
        case Comparison.NOT_EQUAL:
            return known.gap_differs if value is None else value != known.read(plain)
    if value is None:
        return False
    match comparison:
        case Comparison.EQUAL:
            return value == known.read(plain)
        case Comparison.IN:
            return value in [known.read(item.strip().strip("'\"")) for item in text.split(",")]
        case Comparison.BETWEEN:
            low, high = (known.read(bound) for bound in re.split(" and ", text, flags=re.IGNORECASE))
            return low <= value <= high  # type: ignore[operator]  # both sides are read alike
    other = known.read(plain)
    orders: Mapping[Comparison, bool] = {
        Comparison.LESS: value < other,  # type: ignore[operator]
        Comparison.LESS_EQUAL: value <= other,  # type: ignore[operator]
        Comparison.GREATER: value > other,  # type: ignore[operator]
        Comparison.GREATER_EQUAL: value >= other,  # type: ignore[operator]
    }
    return orders[comparison]


BY_FIELD = {known.field: known for known in KNOWN}


def is_true(group: Group, row: Record) -> bool:
    """A group of one row: an empty one is true."""
    if not group.members:
        return True
    found = [
        is_true(member, row)
        if isinstance(member, Group)
        else holds(BY_FIELD[member.field], row[BY_FIELD[member.field].column], member.comparison, member.value)
        for member in group.members
    ]
    return all(found) if group.method is Method.AND else any(found)


@st.composite
def criteria(draw: st.DrawFn) -> Criterion:
    known = draw(st.sampled_from(list(BY_FIELD.values())))
    values = {float: NUMBERS, str: WORDS}.get(known.read, DATES)  # type: ignore[call-overload]
    value = st.sampled_from(values)
    comparison = draw(st.sampled_from(sorted(PLAIN)))
    if known.read is not str and comparison is Comparison.LIKE:
        comparison = Comparison.EQUAL
    match comparison:
        case Comparison.IN:
            text = draw(st.lists(value, min_size=1, max_size=4).map(", ".join))
        case Comparison.BETWEEN:
            text = " AND ".join((draw(value), draw(value)))
        case Comparison.LIKE:
            text = draw(st.lists(st.sampled_from(("%", "*", "a", "B", "ab", "_")), max_size=4).map("".join))
        case Comparison.EQUAL | Comparison.NOT_EQUAL:
            text = draw(st.one_of(value, st.sampled_from(("", "NULL", "*", " "))))
        case _:
            text = draw(value)
    return Criterion(known.field, comparison, text)


groups = st.recursive(
    st.builds(Group, st.sampled_from(Method), st.lists(criteria(), max_size=3).map(tuple)),
    lambda inner: st.builds(
        Group, st.sampled_from(Method), st.lists(st.one_of(criteria(), inner), max_size=4).map(tuple)
    ),
    max_leaves=12,
)
COLUMNS = (("SUBJECT_LABEL", "label"), ("SCORE", "Score"), ("RATIO", "Ratio"), ("ANSWER", "Answer"))


@given(
    where=groups,
    sort=st.sampled_from(("", "score", "ratio", "answer", "subject_label")),
    descending=st.booleans(),
    page=st.builds(Page, st.one_of(st.none(), st.integers(0, 50)), st.integers(0, 50)),
)
@settings(max_examples=200)
def test_a_search_finds_what_the_rules_say(
    filled: Filled, where: Group, sort: str, descending: bool, page: Page
) -> None:
    query = Query(N, tuple(SearchField(N, id) for id, _ in COLUMNS), where)
    sorts = [Sort(sort, descending)] if sort else []
    with filled.database.read() as connection:
        catalogue = filled.catalogue.load(connection)
        read = parse_bundle(format_bundle(query))
        search = compile_search(read, Names(catalogue.registry, ADMIN), catalogue.details, sorts, page)
        found = [tuple(row[:-1]) for batch in read_rows(connection, search) for row in batch]  # the last is the status
    matching = [rows[0] for _, rows in sorted(filled.rows.items()) if any(is_true(where, row) for row in rows)]
    expected = [tuple(row[name] for _, name in COLUMNS) for row in matching]
    if sort:
        place = [id.lower() for id, _ in COLUMNS].index(sort)
        present = [row for row in expected if row[place] is not None]
        missing = [row for row in expected if row[place] is None]
        present.sort(key=lambda row: row[place], reverse=descending)  # type: ignore[arg-type, return-value]
        expected = missing + present if descending else present + missing
    end = None if page.limit is None else page.offset + page.limit
    assert found == expected[page.offset : end]
