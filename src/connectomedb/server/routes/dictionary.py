"""The measures of one category of the data dictionary, a row per subject of a project, as ConnectomeDB exported them.

    GET /data/dictionary                             which data types and categories have columns, a table
    GET /data/dictionary/hcp:nontoolboxdata          what they mean, as JSON
    GET /data/dictionary/hcp:nontoolboxdata?counts=true&project=HCP_1200      and how many subjects lack them
    GET /REST/search/dict/Subject%20Information/results?project=HCP_1200&restricted=0

    Subject,Gender,Age
    100307,F,26-30

Source: download scripts that were published for ConnectomeDB; its dictionary's names of columns.
"""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Row, func, select
from starlette.responses import Response

from connectomedb.errors import AccessDenied, AddressError, NotFound
from connectomedb.hcp.dictionary import Tier
from connectomedb.hcp.dictionary_file import field_document
from connectomedb.server.access.clock import now
from connectomedb.server.query.coverage import count_values
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.query.results import read_keyed_rows
from connectomedb.server.query.sql import compile_search
from connectomedb.server.routes.call import Call, View, Way
from connectomedb.server.routes.replies import Format, json_value, table, table_of
from connectomedb.server.tables.measures import load_columns
from connectomedb.server.tables.schema import fields
from connectomedb.server.types import builtin
from connectomedb.server.types.values import format_column
from connectomedb.xnat.address import Address, Level, Step
from connectomedb.xnat.query import Comparison, Criterion, Group, Query, SearchField
from connectomedb.xnat.resultset import ResultTable

SUBJECT = "Subject"

_CONTENTS = ("data_type", "category", "tier", "columns")


def get_category(call: Call) -> Response:
    """The category's open columns; with `restricted`, also those that were granted to the caller there.

    Raises AccessDenied without any grant, NotFound for a category of which the caller may see nothing.
    """
    wants_restricted = call.parameters.is_true("restricted")
    with call.view() as view:
        project = _project(call, view)
        key = project.key
        is_granted = view.caller.is_admin or key in view.rights.projects_with(Tier.RESTRICTED)
        if wants_restricted and not is_granted:
            raise AccessDenied(f"Restricted measures of {project.id} are not granted to you. Ask an owner.", status=403)
        chosen = [
            row
            for row in _columns(view, call.words["category"])
            if Tier(row.tier) is Tier.OPEN
            or (wants_restricted and (view.caller.is_admin or key in view.rights.projects_with(Tier(row.tier))))
        ]
        if not chosen:
            raise NotFound(f"The dictionary has no category {call.words['category']!r} with columns for you.")
        asked = [
            SearchField(builtin.SUBJECT, "SUBJECT_LABEL"),
            *(SearchField(row.data_type, row.name) for row in chosen),
        ]
        in_project = Criterion(f"{builtin.SUBJECT}/PROJECT", Comparison.EQUAL, project.id)
        query = Query(builtin.SUBJECT, tuple(asked), Group(members=(in_project,)))
        search = compile_search(query, view.names, view.details)
        frame = ResultTable((SUBJECT, *(row.name for row in chosen)), ())
        rows = _first_of_each(read_keyed_rows(view.connection, search), len(search.columns))
        is_plain = call.parameters.is_true("removeDelimitersFromFieldValues")
        reply = table_of(call, frame, _cells(rows, is_plain=is_plain), Format.CSV, is_whole=True)
    reply.headers["Content-Disposition"] = disposition_of_export(call, is_restricted=wants_restricted)
    return reply


def get_contents(call: Call) -> Response:
    """How many columns each category of each data type has for the caller, by tier."""
    kind = fields.c
    found = select(kind.data_type, kind.category, kind.tier, func.count(), func.min(kind.key).label("first"))
    groups = found.where(kind.name != SUBJECT).group_by(kind.data_type, kind.category, kind.tier).order_by("first")
    with call.view() as view:
        seen = [row for row in view.connection.execute(groups) if view.rights.may_use(Tier(row.tier))]
    rows = tuple((row[0], row[1] or "", row[2], str(row[3])) for row in seen)
    return table(call, ResultTable(_CONTENTS, rows, "Dictionary", len(rows)))


def get_dictionary(call: Call) -> Response:
    """The columns of a data type that are open to the caller, in our JSON (hcp.dictionary_file).

    With `counts`, each says beside how many subjects have a value (`Present`) and how many lack it (`Missing`), of
    those that the caller may read, or of one `project`. Raises NotFound for a type that has no columns for the
    caller: it is not told whether it has others.
    """
    name = call.words["data_type"]
    with call.view() as view:
        seen = {one.name: one for one in view.dictionary(name) if one.name != SUBJECT}
        if not seen:
            raise NotFound(f"Asked for the dictionary of {name}. It has no columns for you. See /data/search/elements.")
        document = {one.name: field_document(one) for one in seen.values()}
        if call.parameters.is_true("counts"):
            project = _project(call, view).key if call.parameters.get("project") else None
            columns = [column for column in load_columns(view.connection, name).values() if column.name in seen]
            for column, counted in count_values(view.connection, view.rights, name, columns, project).items():
                document[column] |= {"Present": counted.present, "Missing": counted.missing}
    return json_value(document)


def _project(call: Call, view: View) -> Found:
    asked = call.parameters.get("project")
    if not asked:
        raise AddressError("Asked for measures of no project. Add project=ID to the address.")
    place = find_place(view.connection, view.caller, Address((Step(Level.PROJECTS, asked),)), is_inside=True)
    assert place.project is not None, "the address names a project"
    return place.project


def _columns(view: View, category: str) -> Sequence[Row[str, str, str]]:
    """The columns of a category in the order in which they came; the subject's label is no measure."""
    found = select(fields.c.data_type, fields.c.name, fields.c.tier).where(fields.c.category == category)
    rows = view.connection.execute(found.order_by(fields.c.key)).all()
    return [row for row in rows if row.name != SUBJECT]


def _first_of_each(batches: Iterable[Sequence[Sequence[object]]], width: int) -> Iterator[Sequence[Sequence[object]]]:
    """The columns asked for, one row per subject, who may have been measured more than once."""
    last: object = None
    for batch in batches:
        kept = []
        for key, *values in batch:
            if key != last:
                kept.append(values[:width])
            last = key
        if kept:
            yield kept


def _cells(batches: Iterable[Sequence[Sequence[object]]], *, is_plain: bool) -> Iterator[Sequence[Sequence[str]]]:
    """Columns of text; plain ones have no comma, so nothing needs quotes."""
    for rows in batches:
        columns = [format_column(values) for values in zip(*rows, strict=True)]
        yield [[cell.replace(",", "") for cell in cells] for cells in columns] if is_plain else columns


def disposition_of_export(call: Call, *, is_restricted: bool) -> str:
    """Header that names an export: who made it, and when. Source: exports of ConnectomeDB."""
    time = now()
    kind = "RESTRICTED" if is_restricted else "unrestricted"
    moment = "_".join(str(part) for part in (time.month, time.day, time.year, time.hour, time.minute, time.second))
    return f'attachment; filename="{kind}_{call.user.login}_{moment}.csv"'


WAYS = (
    Way("GET", "/data/search/dict/{category}/results", get_category),
    Way("GET", "/data/dictionary", get_contents),
    Way("GET", "/data/dictionary/{data_type}", get_dictionary),
)
