"""Experiments: sessions and other assessments of a subject, and assessors of a session."""

from dataclasses import dataclass

from sqlalchemy import or_, select

from connectomedb.errors import AddressError, Conflict
from connectomedb.server.access.rules import Action
from connectomedb.server.changes.draft import Draft
from connectomedb.server.changes.images import put_image_item
from connectomedb.server.changes.rights import require
from connectomedb.server.changes.status import Status
from connectomedb.server.changes.wish import Wish, concrete
from connectomedb.server.changes.writer import Writer
from connectomedb.server.tables.schema import experiments, projects
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import DataType, Entity
from connectomedb.xnat.document import Item

_OTHERS = ("subject_ID", "image_session_ID", "imageSession_ID", "session_ID", "session_label", "session_project")
"""Fields that say where an experiment stands, which its address decides."""


def make_experiment(
    writer: Writer, project_key: int, subject_key: int, label: str, wish: Wish, session_key: int | None = None
) -> str:
    """A new experiment, or assessor of a session; its ID. The right to add one is asked before.

    Raises Unusable, Conflict, AddressError, DocumentError.
    """
    registry = writer.view.registry
    data_type = concrete(wish.type(registry, Entity.EXPERIMENT), f"the experiment {label}")
    _check_place(writer, data_type, session_key)
    draft = wish.draft(writer.view, data_type)
    id, wanted, _ = draft.take("ID"), draft.take("label"), draft.take("project")
    label = label or wanted or id
    id = writer.accession(Entity.EXPERIMENT, id)
    label = label or id
    writer.check_label(Entity.EXPERIMENT, project_key, label)
    code = select(projects.c.quarantine_code).where(projects.c.key == project_key)
    status = Status.QUARANTINE.value if writer.connection.execute(code).scalar() else None
    columns = {"project_key": project_key, "subject_key": subject_key, "session_key": session_key, "status": status}
    key = writer.make(Entity.EXPERIMENT, {**columns, "id": id, "label": label, "data_type": data_type.name})
    fill_experiment(writer, data_type, key, draft)
    return id


def fill_experiment(writer: Writer, data_type: DataType, key: int, draft: Draft) -> None:
    """Fields of an experiment, and of a session what its document holds: scans, reconstructions, assessors."""
    for name in _OTHERS:
        draft.take(name)
    writer.write(data_type, key, draft)
    for entity, list in (
        (Entity.SCAN, "scans/scan"),
        (Entity.RECONSTRUCTION, "reconstructions/reconstructedImage"),
    ):
        for item in draft.children.get(list, ()):
            put_image_item(writer, entity, key, item, is_whole=draft.is_whole)
    for item in draft.children.get("assessors/assessor", ()):
        row = row_of(writer, key)
        put_experiment_item(writer, row.project_key, row.subject_key, item, key, is_whole=draft.is_whole)


def put_experiment_item(
    writer: Writer,
    project_key: int,
    subject_key: int,
    item: Item,
    session_key: int | None = None,
    *,
    is_whole: bool,
) -> None:
    """Make or change an experiment that stands in the document of its subject or session."""
    id, label = str(item.fields.get("ID", "")), str(item.fields.get("label", ""))
    above = experiments.c.subject_key == subject_key
    if session_key is not None:
        above = experiments.c.session_key == session_key
    named = or_(experiments.c.id == id, experiments.c.label == label) if label else experiments.c.id == id
    row = writer.connection.execute(select(experiments).where(above, named)).first()
    wish = Wish(item=item, is_whole=is_whole)
    if row is None:
        require(writer.view, project_key, Action.CREATE)
        make_experiment(writer, project_key, subject_key, label, wish, session_key)
        return
    require(writer.view, row.project_key, Action.EDIT)
    data_type = check_type(writer, row.data_type, wish)
    draft = wish.draft(writer.view, data_type)
    for name in ("ID", "label", "project"):
        draft.take(name)
    fill_experiment(writer, data_type, row.key, draft)


def check_type(writer: Writer, name: str, wish: Wish) -> DataType:
    """The type of an experiment, which stays. Raises Conflict."""
    registry = writer.view.registry
    data_type = registry.get(name)
    asked = wish.type(registry, Entity.EXPERIMENT)
    if asked is not None and asked not in registry.lineage(data_type):
        raise Conflict(f"Asked for an experiment of the type {asked.name}. It is {name}, and types stay.")
    return data_type


def _check_place(writer: Writer, data_type: DataType, session_key: int | None) -> None:
    """Assessors of sessions stand below sessions, all others below subjects. Raises AddressError."""
    registry = writer.view.registry
    derived = registry.get(builtin.DERIVED) in registry.lineage(data_type)
    if derived and session_key is None:
        raise AddressError(f"Asked to make {data_type.name} below a subject. It belongs below a session's assessors.")
    if not derived and session_key is not None:
        raise AddressError(f"Asked to make {data_type.name} as an assessor. It belongs below a subject.")


@dataclass(frozen=True, slots=True)
class Row:
    """Where an experiment belongs, and what it is."""

    project_key: int
    project: str
    subject_key: int
    data_type: str
    label: str


def row_of(writer: Writer, key: int) -> Row:
    """The experiment of a key."""
    columns = select(
        *(experiments.c.project_key, projects.c.id, experiments.c.subject_key),
        *(experiments.c.data_type, experiments.c.label),
    )
    joined = columns.join(projects, projects.c.key == experiments.c.project_key)
    return Row(*writer.connection.execute(joined.where(experiments.c.key == key)).one())
