"""What a request to explore asks for, checked: whose rights, which project, which predicate, which columns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import TypeVar

from starlette.responses import Response

from connectomedb.cohort.columns import NONTOOLBOX, Columns
from connectomedb.cohort.formatter import format_predicate
from connectomedb.cohort.named import LABEL, from_stored
from connectomedb.cohort.named import PROJECT as PROJECT_FIELD
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.errors import AccessDenied, NotFound, PredicateError, QueryError
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.searches import find_search
from connectomedb.server.query.explore import Exploration, Shown
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.routes.call import Call, View
from connectomedb.server.routes.parameters import Parameters, parse_parameters
from connectomedb.server.routes.replies import json_value
from connectomedb.server.routes.rights import ceiling
from connectomedb.server.routes.search import check_reads
from connectomedb.server.types.columns import Names
from connectomedb.server.types.datatypes import DataType
from connectomedb.xnat.address import Address, Level, Step
from connectomedb.xnat.logic import simplify
from connectomedb.xnat.query import FILE_PATH, Comparison, Criterion, Group

SUBJECT, PROJECT = "Subject", "Project"
_ALWAYS = {SUBJECT: Shown(SUBJECT, LABEL), PROJECT: Shown(PROJECT, PROJECT_FIELD)}
"""Columns that every table has, beside its measures."""

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, understood.

    Attributes:
        columns: how names are understood: those of the caller, up to the tier that was asked for.
        predicate: what was asked, in normal form; a group that narrows it further is in the exploration only.
    """

    view: View
    columns: Columns
    predicate: str
    exploration: Exploration

    def find(self, name: str) -> Shown:
        """The column of a name. Raises QueryError; a hidden column is one that is not there."""
        if name in _ALWAYS:
            return _ALWAYS[name]
        dictionary = self.columns.dictionary
        assert dictionary is not None, "made with one"
        if dictionary.find(name) is None:
            near = dictionary.near(name)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise QueryError(f"There is no column {name}.{hint}")
        return Shown(name, name)

    def shown(self, parameters: Parameters) -> list[Shown]:
        """The columns to show: the subject, its project where there may be several, and those that are named.

        `*` is all; without any name, those that the predicate reads.
        """
        words = ",".join(value for key, value in parameters.pairs if key == "columns").split(",")
        named = [word.strip() for word in words if word.strip()]
        if EVERYTHING in named:
            named = [field.name for field in self.columns.dictionary or ()]
        elif not named:
            read = map(self.columns.name, _fields(self.exploration.where))
            named = [name for name in read if "/" not in name and name != PROJECT_FIELD]
        always = [SUBJECT] if self.exploration.project is not None else [SUBJECT, PROJECT]
        return [self.find(name) for name in dict.fromkeys((*always, *named))]

    def tier(self, column: Shown) -> Tier:
        """The tier of a column that was found."""
        definition = None if column.name in _ALWAYS else self.columns.definition(column.name)
        return definition.tier if definition else Tier.OPEN

    @property
    def reads_restricted(self) -> bool:
        """Whether the subjects are chosen by a column above the open tier."""
        return self.columns.tier(self.exploration.where) is not Tier.OPEN


R = TypeVar("R")


def answering(handler: Callable[[Call], R]) -> Callable[[Call], R | Response]:
    """A handler that also reads a form, and tells the place of a slip in a predicate as JSON."""

    @wraps(handler)
    def answer(call: Call) -> R | Response:
        if call.body:
            form = parse_parameters(call.body.decode("utf-8", "replace"))
            call = replace(call, parameters=Parameters((*form.pairs, *call.parameters.pairs)))
        try:
            return handler(call)
        except PredicateError as slip:
            message = str(slip).partition("\n")[0]
            return json_value({"message": message, "column": slip.column, "near": slip.near}, 422)

    return answer


@contextmanager
def read_asked(call: Call) -> Iterator[Asked]:
    """The request, and the database for its caller.

    Raises PredicateError, QueryError, AddressError, NotFound, AccessDenied, TermsNotAccepted.
    """
    parameters = call.parameters
    with call.view() as view:
        project = project_of(call, view)
        rights = view.rights.narrowed(ceiling(parameters), project.key if project else None)
        data_type = _data_type(parameters, view)
        columns = Columns(view.dictionary(data_type.name, rights), data_type.name)
        names = Names(view.registry, rights)
        asked = parse_predicate(parameters.get("where"), columns)
        where = asked
        if name := parameters.get("group"):
            where = simplify(Group(members=(_of_group(view, name, columns, names), asked)))
        exploration = Exploration(data_type, names, view.details, where, project.key if project else None)
        yield Asked(view, columns, format_predicate(asked, columns), exploration)


def project_of(call: Call, view: View) -> Found | None:
    """The project in the address, if there is one. Raises NotFound, AccessDenied, TermsNotAccepted."""
    if "project" not in call.words:
        check_reads(call, view)
        return None
    address = Address((Step(Level.PROJECTS, call.words["project"]),))
    return find_place(view.connection, view.caller, address, is_inside=True).project


def _data_type(parameters: Parameters, view: View) -> DataType:
    name = parameters.get("type", NONTOOLBOX)
    found = view.registry.find(name)
    if found is None or not found.is_measures:
        raise NotFound(f"There are no measures of the data type {name!r} here. /data/search/elements lists types.")
    return found


def _of_group(view: View, name: str, columns: Columns, names: Names) -> Group:
    """What a kept cohort demands; of a search that is no cohort, its conditions.

    Raises NotFound, and AccessDenied when it compares what the caller may not: its words are not told.
    """
    kept = find_search(view.connection, view.caller, name).search
    cohort = from_stored(name, kept.description)
    try:
        where = parse_predicate(cohort.predicate, columns) if cohort else kept.query.where or Group()
        for field in _fields(where):
            names.criterion(field)
    except QueryError:
        raise AccessDenied(f"The group {name!r} compares columns that you may not use, or that are gone.") from None
    if cohort and cohort.project:
        home = Criterion(f"{columns.data_type}/{PROJECT_FIELD}", Comparison.EQUAL, cohort.project)
        return Group(members=(home, where))
    return where


def _fields(where: Group) -> list[str]:
    return [criterion.field for criterion in where.criteria() if criterion.field != FILE_PATH]
