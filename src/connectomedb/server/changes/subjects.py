"""Subjects: made, changed, renamed, with the experiments that their documents hold."""

from sqlalchemy import select

from connectomedb.errors import AddressError, Conflict, DocumentError
from connectomedb.server.access.rules import Action
from connectomedb.server.changes.draft import Draft
from connectomedb.server.changes.experiments import put_experiment_item
from connectomedb.server.changes.rights import home_of, require
from connectomedb.server.changes.status import settle_status
from connectomedb.server.changes.wish import Outcome, Wish
from connectomedb.server.changes.writer import Writer
from connectomedb.server.query.places import Found, find_place
from connectomedb.server.tables.schema import projects, subjects
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import Entity
from connectomedb.xnat.address import Address, Level


def put_subject(writer: Writer, project: Found | None, known: Found | None, word: str, wish: Wish) -> Outcome:
    """Make the subject that the address calls `word`, or change the one that is known.

    Raises AccessDenied, Conflict, Unusable, AddressError, DocumentError, NotFound.
    """
    registry = writer.view.registry
    wish.type(registry, Entity.SUBJECT)
    draft = wish.draft(writer.view, registry.get(builtin.SUBJECT))
    if known is None:
        return _make(writer, project, word, draft)
    if wish.is_post:
        raise Conflict(f"Asked to make the subject {known.label}. There is one already. Choose another label.")
    return _change(writer, known, word, wish, draft)


def make_subject(writer: Writer, project_key: int, label: str, id: str = "") -> tuple[int, str]:
    """A subject without any facts: its key and ID. The right to add one is asked before."""
    writer.check_label(Entity.SUBJECT, project_key, label)
    id = writer.accession(Entity.SUBJECT, id)
    return writer.make(Entity.SUBJECT, {"project_key": project_key, "label": label, "id": id}), id


def _make(writer: Writer, project: Found | None, word: str, draft: Draft) -> Outcome:
    id, label, asked = draft.take("ID"), draft.take("label"), draft.take("project")
    if project is None:
        if not asked:
            raise DocumentError(
                f"Asked to make the subject {word} without a project. Send project=, or put it below one."
            )
        id = id or word
        project = find_place(
            writer.connection, writer.view.caller, Address().child(Level.PROJECTS, asked), is_inside=True
        ).last[0]
    elif asked and asked != project.id:
        raise Conflict(f"Asked to make a subject of {asked} below {project.id}. Share it there instead.")
    require(writer.view, project.key, Action.CREATE)
    key, id = make_subject(writer, project.key, word or label or id, id)
    _fill(writer, key, project.key, draft)
    return Outcome(id, is_new=True)


def _change(writer: Writer, known: Found, word: str, wish: Wish, draft: Draft) -> Outcome:
    view = writer.view
    home = home_of(view, Entity.SUBJECT, known.key)
    require(view, home, Action.EDIT)
    settle_status(writer, Entity.SUBJECT, known.key, home, wish)
    row = writer.connection.execute(
        select(subjects.c.label, projects.c.id).join(projects).where(subjects.c.key == known.key)
    ).one()
    label = renamed(wish, draft, known, word, row.label, row.id)
    if label:
        writer.check_label(Entity.SUBJECT, home, label, known.key)
        draft.values["label"] = label
    _fill(writer, known.key, home, draft)
    return Outcome(known.id, is_told=not label)


def renamed(wish: Wish, draft: Draft, known: Found, word: str, label: str, project: str) -> str:
    """The new label that is wished for, or "". ID, project and label must else be what they are.

    Raises Conflict, AddressError.
    """
    id, home, wanted = draft.take("ID"), draft.take("project"), draft.take("label")
    if home and home != project:
        raise Conflict(f"Asked to move {known.label} to {home}. Share it instead: PUT .../projects/{home}.")
    if id and id != known.id:
        raise AddressError(f"Asked to give {known.label} the ID {id}. It is {known.id}, and IDs stay.")
    in_document = wish.field("label")
    if wanted in ("", label, known.label) or (wanted == in_document and wanted in (word, known.id)):
        return ""
    if wanted == in_document:
        raise AddressError(f"Asked to change {known.label} by a document of {wanted}. Rename it with label= alone.")
    return wanted


def _fill(writer: Writer, key: int, project_key: int, draft: Draft) -> None:
    """Fields, and experiments of a document."""
    writer.write(writer.view.registry.get(builtin.SUBJECT), key, draft)
    for item in draft.children.get("experiments/experiment", ()):
        put_experiment_item(writer, project_key, key, item, is_whole=draft.is_whole)
