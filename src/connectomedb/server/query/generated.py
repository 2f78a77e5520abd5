"""Searches that the server writes itself: the usual listing of a data type, on the whole site or in one project.

Source: the listings that XNAT generates, `/data/search/saved/@TYPE` and `/data/projects/P/searches/@TYPE`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from connectomedb.server.access.visible import may_see
from connectomedb.server.query.sql import default_fields
from connectomedb.server.tables.schema import experiment_shares, experiments, projects
from connectomedb.server.types import builtin
from connectomedb.server.types.columns import Names, count_id
from connectomedb.server.types.datatypes import DataType, Display, Entity
from connectomedb.xnat.query import Comparison, Criterion, Group, Method, Query, SearchField
from connectomedb.xnat.stored import StoredSearch

VERSIONS = ("listing", "all")
"""Lists of columns of every type: the usual one, and all that there are."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One column of a listing.

    Attributes:
        id: display field, of `element` or else of the type that is listed.
        header: in place of the display field's own.
        takes_project: asked for with the project as its value.
    """

    id: str
    header: str = ""
    element: str = ""
    takes_project: bool = False
    is_visible: bool = True


def _plain(*ids: str) -> tuple[Listed, ...]:
    return tuple(Listed(id) for id in ids)


_SITE: Mapping[str, tuple[Listed, ...]] = {
    builtin.PROJECT: (
        Listed("ID"),
        Listed("NAME", "Title"),
        Listed("DESCRIPTION"),
        Listed("SECONDARY_ID", "Running Title"),
        *_plain("KEYWORDS", "PROJ_MR_COUNT", "PROJ_PET_COUNT", "PROJ_CT_COUNT"),
        Listed("PROJECT_ACCESS", is_visible=False),
    ),
    builtin.SUBJECT: (
        Listed("SUBJECT_LABEL", "Subject"),
        Listed("GENDER"),
        Listed("HANDEDNESS", "Hand"),
        Listed("DOB", "YOB"),
        *_plain("EDUC", "SES", "MR_COUNT"),
    ),
    builtin.MR_SESSION: (
        *_plain("LABEL", "PROJECT", "DATE"),
        Listed("SUBJECT_LABEL", element=builtin.SUBJECT),
        Listed("GENDER_TEXT", element=builtin.SUBJECT),
        *_plain("AGE", "TYPE", "SCANNER"),
        Listed("MR_SCAN_COUNT_AGG", "Scans"),
    ),
}
_IN_PROJECT: Mapping[str, tuple[Listed, ...]] = {
    builtin.SUBJECT: (
        Listed("SUB_PROJECT_IDENTIFIER", "Subject", takes_project=True),
        Listed("GENDER_TEXT", "M/F"),
        *_plain("HANDEDNESS_TEXT", "DOB"),
    ),
    builtin.MR_SESSION: (
        Listed("MR_PROJECT_IDENTIFIER", "MR ID", takes_project=True),
        Listed("DATE"),
        Listed("SUB_PROJECT_IDENTIFIER", "Subject", element=builtin.SUBJECT, takes_project=True),
        *_plain("AGE", "SCANNER"),
        Listed("MR_SCAN_COUNT_AGG", "Scans"),
    ),
}


def listed_fields(data_type: DataType, names: Names, version: str, project: str = "") -> list[SearchField]:
    """The columns of one version of a type's listing that the caller may use."""
    if version != VERSIONS[0]:
        return [
            _field(data_type, Listed(display.id), names, project)
            for display in names.fields_of(data_type)
            if not display.takes_value
        ]
    listed = (_IN_PROJECT.get(data_type.name) if project else None) or _SITE.get(data_type.name)
    if listed is None:
        listed = _plain(*(field.field_id for field in default_fields(data_type, names)))
    return [_field(data_type, column, names, project) for column in _known(listed, data_type, names)]


def generated_search(
    data_type: DataType, names: Names, version: str, project: str = "", sessions: Iterable[DataType] = ()
) -> StoredSearch:
    """The listing as a document; in a project it has its home there, or was shared into it.

    `sessions`: the types of session in the project, which a listing of its subjects counts.
    """
    counts = tuple(Listed(count_id(session), session.plural, takes_project=True) for session in sessions)
    listed = listed_fields(data_type, names, version, project)
    counted = counts if data_type.name == builtin.SUBJECT and version == VERSIONS[0] else ()
    fields = (*listed, *(_field(data_type, column, names, project) for column in counted))
    where = None
    if project:
        paths = (f"{data_type.name}/sharing/share/project", f"{data_type.name}/PROJECT")
        either = Group(Method.OR, tuple(Criterion(path, Comparison.EQUAL, project) for path in paths))
        where = Group(members=(either,))
    return StoredSearch(
        Query(data_type.name, fields, where),
        id=f"{project}_{data_type.name}" if project else f"@{data_type.name}",
        name=data_type.plural,
        description=data_type.plural,
        tag=project,
        allows_other_columns=True,
    )


def sessions_in(connection: Connection, names: Names, project: str) -> list[DataType]:
    """The types of the imaging sessions of a project that the caller may see, those shared into it too."""
    registry, caller = names.registry, names.rights.caller
    sessions = registry.concrete(registry.get(builtin.IMAGE_SESSION))
    home = select(projects.c.key).where(projects.c.id == project).scalar_subquery()
    shared = select(experiment_shares.c.owner_key).where(experiment_shares.c.project_key == home)
    here = or_(experiments.c.project_key == home, experiments.c.key.in_(shared))
    seen = may_see(caller, Entity.EXPERIMENT, experiments)
    found = select(experiments.c.data_type).distinct().where(here, seen, experiments.c.data_type.in_(sessions))
    present = set(connection.execute(found).scalars())
    return [registry.get(name) for name in sessions if name in present]


def _known(listed: Iterable[Listed], data_type: DataType, names: Names) -> Iterator[Listed]:
    for column in listed:
        if names.column(SearchField(column.element or data_type.name, column.id)) is not None:
            yield column


def _field(data_type: DataType, column: Listed, names: Names, project: str) -> SearchField:
    element = names.registry.get(column.element) if column.element else data_type
    asked = names.column(SearchField(element.name, column.id))
    display = asked.field if asked else None
    assert isinstance(display, Display), "listings hold display fields"
    return SearchField(
        element.name,
        f"{column.id}={project}" if column.takes_project else column.id,
        value=project if column.takes_project else None,
        type=display.kind,
        header=column.header or display.header,
        is_visible=column.is_visible,
    )
