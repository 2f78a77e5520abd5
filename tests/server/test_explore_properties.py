"""What SQL says of a condition is what `cohort.evaluate` says, of every subject and on every database: true, false, or
unknown; and the funnel that SQL counts is the one of `cohort.funnel`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, insert, literal, select
from tests.cohort.conditions import CELLS, CRITERIA, DICTIONARY, EXISTING, FILES, SPECIAL, TYPE, groups

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.evaluate import Row, Truth, Value, evaluate
from connectomedb.cohort.funnel import funnel, funnel_of
from connectomedb.cohort.named import LABEL
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.server.access.auth import Caller, Rights
from connectomedb.server.query.explore import Exploration, Shown, compile_where
from connectomedb.server.query.joins import Joins
from connectomedb.server.query.sql import Page
from connectomedb.server.query.tree_files import is_like
from connectomedb.server.site import open_site
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.measures import declare_fields, declare_type, write_measures
from connectomedb.server.tables.schema import experiments, files, projects, resources, subjects
from connectomedb.server.types.catalogue import Catalogue, read_catalogue
from connectomedb.server.types.columns import Names
from connectomedb.xnat.query import FILE_PATH, Comparison, Criterion, Group

if TYPE_CHECKING:
    from tests.server.conftest import DataFolders

ADMIN = Rights(Caller(1, "admin", is_admin=True))
HISTORY = {"insert_date": datetime(2024, 1, 1), "insert_user": "me", "last_modified": datetime(2024, 1, 1)}
PEOPLE = 60
ANY = groups(CRITERIA | EXISTING | SPECIAL)


@dataclass(frozen=True)
class Filled:
    """The database, and by key of the measures what each person's are, and which files there are."""

    database: Database
    people: Mapping[int, tuple[Row, set[str]]]
    catalogue: Catalogue

    def names(self) -> Names:
        return Names(self.catalogue.registry, ADMIN)

    def explore(self, where: Group, project: int | None = None) -> Exploration:
        return Exploration(self.catalogue.registry.get(TYPE), self.names(), self.catalogue.details, where, project)

    def truths(self, where: Group) -> dict[int, Truth]:
        """What SQL says of each."""
        joins = Joins(self.catalogue.registry, self.catalogue.registry.get(TYPE), ADMIN, self.catalogue.details)
        says = compile_where(where, joins, self.names())
        with self.database.read() as connection:
            found = connection.execute(select(joins.key, says).select_from(joins.clause).where(joins.scope()))
            return {key: None if truth is None else bool(truth) for key, truth in found}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, data_folder: DataFolders) -> Iterator[Filled]:
    site = open_site(data_folder(tmp_path_factory.mktemp("explored") / "data"))
    generator = random.Random(11)
    people: dict[int, tuple[Row, set[str]]] = {}
    with site.database.write() as connection:
        connection.execute(insert(projects).values(key=1, id="P", accessibility="private", **HISTORY))
        declare_type(connection, TYPE, "Measures", "Measures")
        declare_fields(connection, TYPE, DICTIONARY.fields)
        for person in range(1, PEOPLE + 1):
            label = f"{100_000 + person}"
            owner = {"id": f"S{person}", "project_key": 1, "label": label, "key": person}
            connection.execute(insert(subjects).values(**owner, **HISTORY))
            for key, data_type, name in (
                (person, TYPE, f"{label}_measures"),
                (1_000 + person, "xnat:mrSessionData", f"{label}_CREST"),
            ):
                facts = {"key": key, "id": f"E{key}", "data_type": data_type, "label": name}
                connection.execute(insert(experiments).values(project_key=1, subject_key=person, **facts, **HISTORY))
            tree = {"key": person, "experiment_key": 1_000 + person, "label": f"{label}_CREST"}
            connection.execute(insert(resources).values(**tree))
            there = {path for path in FILES if generator.random() < 0.6}
            for path in there:
                kept = {"resource_key": person, "path": path, "size": 1, "store": "tree", "object_key": path}
                connection.execute(insert(files).values(**kept))
            row: dict[str, Value] = {name: generator.choice(cells) for name, cells in CELLS.items()}
            people[person] = row, there
        cells = {key: {**row, "Gender": None} for key, (row, _) in people.items()}
        write_measures(connection, TYPE, cells)
        catalogue = read_catalogue(connection, 0)
    yield Filled(site.database, people, catalogue)
    site.close()


@given(where=ANY)
@settings(max_examples=70)
def test_sql_says_what_the_reference_says(filled: Filled, where: Group) -> None:
    assert filled.truths(where) == {key: evaluate(where, row, there) for key, (row, there) in filled.people.items()}


@given(where=ANY, project=st.sampled_from((None, 1)), size=st.integers(0, PEOPLE), start=st.integers(0, PEOPLE))
@settings(max_examples=70)
def test_sql_counts_the_funnel_and_finds_who_passes(
    filled: Filled, where: Group, project: int | None, size: int, start: int
) -> None:
    exploration = filled.explore(where, project)
    with filled.database.read() as connection:
        ends = {end: count for end, count in connection.execute(exploration.count_ends())}
        found = list(connection.execute(exploration.keys(Shown("Subject", LABEL), Page(size, start))).scalars())
        places = connection.execute(exploration.places()).all()
    counted = funnel_of(where, ends)
    assert counted == funnel(where, filled.people.values())
    passing = [key for key, (row, there) in filled.people.items() if evaluate(where, row, there)]
    assert found == passing[start : start + size]
    assert [label for label, _ in places] == [f"{100_000 + key}" for key in passing]
    assert counted.passed == len(passing)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("is_descending", [False, True])
def test_missing_values_come_last_in_both_directions(filled: Filled, name: str, is_descending: bool) -> None:
    with filled.database.read() as connection:
        ordered = filled.explore(Group(), 1).keys(Shown(name, name), Page(), is_descending=is_descending)
        found = list(connection.execute(ordered).scalars())
    cells = {key: row[name] for key, (row, _) in filled.people.items()}
    present = [key for key, cell in cells.items() if cell is not None]
    present.sort(key=lambda key: cells[key], reverse=is_descending)  # type: ignore[arg-type, return-value]
    assert found == present + [key for key, cell in cells.items() if cell is None]


GLOBS = {
    "unprocessed/<scan3T>/<subject>_3T_<scan3T>.nii.gz": "unprocessed/rfMRI_REST1_LR/000000_3T_rfMRI_REST1_LR.nii.gz",
    "{a,b{c,}}/x?.txt": "bc/xy.txt",
    "**/EVs/*.txt": "EVs/lf.txt",
    "/T1w/": "T1w/deep/er/a.nii",
    "a-b+c(d).txt": "z/a-b+c(d).txt",
    "it's [50%] $x^.txt": "it's [50%] $x^.txt",
    "fünf/*": "fünf/x",
    "**/a/**/b": "a/b",
}


@pytest.mark.parametrize("glob", GLOBS)
def test_databases_read_globs_as_python_does(filled: Filled, glob: str) -> None:
    path = GLOBS[glob]
    where = Criterion(FILE_PATH, Comparison.EXISTS, glob)
    assert evaluate(where, {}, {path}) is True
    for candidate in (path, f"{path}\n", f"x{path}", path.upper(), path[1:], f"y/{path}"):
        with filled.database.read() as connection:
            says = connection.execute(select(is_like(literal(candidate, Text), glob))).scalar_one()
        assert bool(says) is evaluate(where, {}, {candidate}), candidate


def test_the_deepest_and_longest_predicates_run(filled: Filled) -> None:
    columns = Columns(DICTIONARY, TYPE)
    deep = "Whole = 1"
    for level in range(31):
        deep = f"Part = {level} {'or' if level % 2 else 'and'} ({deep})"
    long = " or ".join(f"Whole={number}" for number in range(500))
    many = " and ".join("Part is empty" for _ in range(500))
    codes = "3T_Codes has " + ",".join(f"c{number}" for number in range(200))
    listed = f"Whole in ({','.join(map(str, range(2_000)))})"
    for predicate in (deep, f"not ({deep[: deep.rindex('(')]} Word = x" + ")" * 31, long, many, codes, listed):
        where = parse_predicate(predicate, columns)
        assert filled.truths(where) == {key: evaluate(where, row, there) for key, (row, there) in filled.people.items()}
        with filled.database.read() as connection:
            ends = {end: count for end, count in connection.execute(filled.explore(where, 1).count_ends())}
        assert sum(ends.values()) == PEOPLE
