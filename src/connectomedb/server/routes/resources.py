"""Resources: the named folders of files of projects, subjects, experiments and scans."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, func, or_, select, true
from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.server.access.visible import may_see
from connectomedb.server.query.homes import owned_by
from connectomedb.server.query.places import Found, Place
from connectomedb.server.routes.call import Call, View
from connectomedb.server.routes.documents import RESOURCE
from connectomedb.server.routes.replies import table
from connectomedb.server.tables.schema import (
    experiments,
    files,
    projects,
    reconstructions,
    resources,
    scans,
    subjects,
)
from connectomedb.server.types.datatypes import Entity
from connectomedb.xnat.address import Level
from connectomedb.xnat.resultset import ResultTable

_COLUMNS = (
    *("xnat_abstractresource_id", "label", "element_name", "category", "cat_id", "cat_desc"),
    *("file_count", "file_size", "tags", "content", "format"),
)
_MAX_KEY = 18

_IN_SESSIONS = (Level.SCANS, Level.RECONSTRUCTIONS, Level.ASSESSORS)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource and the object that owns it.

    Attributes:
        base: address of the owner as file lists write it, `/data/experiments/E/scans/1`.
        folder: where its files stand in a zip, `100307_3T/scans/1-T1w/resources/NIFTI`.
    """

    key: int
    label: str
    owner: Found
    base: str
    folder: str

    @property
    def address(self) -> str:
        """Its own address, by number."""
        return f"{self.base}/resources/{self.key}"


def list_resources(call: Call, view: View, place: Place) -> Response:
    """The table of an object's resources; `all=true` adds those of all in a session. Its columns are fixed."""
    rows = tuple(row for owner in owners_of(call, view, place) for row in _rows(view.connection, owner))
    return table(call, ResultTable(_COLUMNS, rows, "Resources", len(rows)))


def owners_of(call: Call, view: View, place: Place) -> list[Found]:
    """The objects whose resources are asked for; of a session with `all=true` those of all that it holds, too."""
    owners = list(place.last)
    if call.parameters.is_true("all") and place.experiment and not place.scans and not place.derived:
        owners += _in_session(view, place.experiment.key)
    return owners


def _in_session(view: View, session: int) -> list[Found]:
    """Scans, reconstructions and assessors of a session, as far as the caller may see them."""
    found: list[Found] = []
    for level, rows, label, is_in in (
        (Level.SCANS, scans, scans.c.type, scans.c.experiment_key == session),
        (Level.RECONSTRUCTIONS, reconstructions, reconstructions.c.type, reconstructions.c.experiment_key == session),
        (Level.ASSESSORS, experiments, experiments.c.label, experiments.c.session_key == session),
    ):
        seen = may_see(view.caller, Entity.EXPERIMENT, experiments) if level is Level.ASSESSORS else true()
        of_session = select(rows.c.key, rows.c.id, label.label("label")).where(is_in, seen).order_by(rows.c.key)
        directions = (False,) if level is Level.SCANS else (False, True)
        found += [
            Found(level, row.key, row.id, row.label or "", is_input)
            for row in view.connection.execute(of_session)
            for is_input in directions
        ]
    return found


def find_resources(
    connection: Connection, place: Place, words: str | None, owners: Sequence[Found] | None = None
) -> list[Resource]:
    """Resources of the place's objects, or of these `owners` inside it; only those that `words` names.

    A word is a label or a number; several are joined by comma. Raises NotFound when one names none.
    """
    found = [
        Resource(row.key, row.label or str(row.key), owner, base, f"{folder}/resources/{row.label or row.key}")
        for owner in (place.last if owners is None else owners)
        for base, folder in [_base(connection, place, owner)]
        for row in connection.execute(
            select(resources.c.key, resources.c.label)
            .where(owned_by(owner), *([_named(words)] if words is not None else []))
            .order_by(resources.c.key)
        )
    ]
    if words is not None:
        for word in words.split(","):
            if not any(word in (resource.label, str(resource.key)) for resource in found):
                raise NotFound(f"There is no resource {word!r} here, or none that you may see. List the resources.")
    return found


def _named(words: str) -> ColumnElement[bool]:
    wanted = words.split(",")
    keys = [int(word) for word in wanted if word.isascii() and word.isdecimal() and len(word) <= _MAX_KEY]
    return or_(resources.c.label.in_(wanted), resources.c.key.in_(keys))


def _rows(connection: Connection, owner: Found) -> Sequence[tuple[str, ...]]:
    counted = (
        select(resources, func.count(files.c.key).label("count"), func.sum(files.c.size).label("size"))
        .select_from(resources.outerjoin(files))
        .where(owned_by(owner))
        .group_by(resources.c.key)
        .order_by(resources.c.key)
    )
    id, type = (owner.id, owner.label) if owner.level in _IN_SESSIONS else ("", "")
    return [
        (
            *(str(row.key), row.label or "", RESOURCE, _category(owner), id, type),
            *(str(row.count), str(row.size or 0), row.tags or "", row.content or "", row.format or ""),
        )
        for row in connection.execute(counted)
    ]


def _category(owner: Found) -> str:
    """What resources are called: by the level of things in a session, of everything else `resources`."""
    if owner.level not in _IN_SESSIONS:
        return "resources"
    if owner.level is Level.SCANS:
        return owner.level.value
    return f"{owner.level}/{'in' if owner.is_input else 'out'}"


def _base(connection: Connection, place: Place, owner: Found) -> tuple[str, str]:
    """Address of an owner as file lists write it, and its folder in a zip."""
    if owner.level is Level.PROJECTS:
        return f"/data/projects/{quote(owner.id, safe='')}", owner.id
    if owner.level is Level.SUBJECTS:
        project = select(projects.c.id).select_from(subjects.join(projects)).where(subjects.c.key == owner.key)
        home = quote(connection.execute(project).scalar_one(), safe="")
        return f"/data/projects/{home}/subjects/{owner.id}", owner.label
    if owner.level is Level.EXPERIMENTS:
        return f"/data/experiments/{owner.id}", owner.label
    assert place.experiment is not None, "scans and what is derived stand below an experiment in every address"
    if owner.level in (Level.ASSESSORS, Level.RECONSTRUCTIONS):
        folder = f"{place.experiment.label}/{owner.level}/{owner.label if owner.level is Level.ASSESSORS else owner.id}"
        below = "/in" if owner.is_input else ""
        base = f"/data/experiments/{place.experiment.id}/{owner.level}/{quote(owner.id, safe='')}"
        return base + below, folder + below
    type = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in owner.label)
    folder = f"{place.experiment.label}/scans/{owner.id}" + (f"-{type}" if type else "")
    return f"/data/experiments/{place.experiment.id}/scans/{quote(owner.id, safe='')}", folder
