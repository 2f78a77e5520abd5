"""An address and a wish → the object made or changed, level by level; who may is asked before anything is written.

An object that the address names is changed. One that it does not name is made: below the project, subject
or session that the address names, which must be there; only a subject is made on the way to its experiment.
"""

from collections.abc import Callable, Mapping

from connectomedb.errors import Conflict, DocumentError, NotFound, Unusable
from connectomedb.server.access.rules import Action
from connectomedb.server.changes import experiments, images, projects, subjects
from connectomedb.server.changes.rights import home_of, require
from connectomedb.server.changes.status import check_unlocked, settle_status
from connectomedb.server.changes.wish import Outcome, Wish
from connectomedb.server.changes.writer import Writer
from connectomedb.server.query.places import Found, Place, find_place
from connectomedb.server.types.datatypes import Entity
from connectomedb.xnat.address import Address, Level

Put = Callable[[Writer, Address, str, Wish], Outcome]


def _put_project(writer: Writer, address: Address, word: str, wish: Wish) -> Outcome:
    id = word or wish.field("ID") or wish.get("ID", "xnat:projectData/ID")
    if not id:
        raise Unusable("Asked to make a project without an ID. Send one.")
    return projects.put_project(writer, id, wish)


def _put_subject(writer: Writer, address: Address, word: str, wish: Wish) -> Outcome:
    project = _project(writer, address)
    word = word or wish.get("label", "xnat:subjectData/label") or wish.field("label")
    if wish.is_post and wish.item and wish.item.children.get("experiments/experiment"):
        raise DocumentError("Asked to make a subject with experiments inside. Make the subject, then its experiments.")
    known = _place(writer, address, Level.SUBJECTS, word)
    return subjects.put_subject(writer, project, known.subject if known else None, word, wish)


def _put_experiment(writer: Writer, address: Address, word: str, wish: Wish) -> Outcome:
    """Below a subject, or below a project with the subject named beside; by ID alone it must be there."""
    project = _project(writer, address)
    label = word or wish.get("label", "xnat:experimentData/label") or wish.field("label")
    known = _place(writer, address, Level.EXPERIMENTS, label)
    if known is not None and known.experiment is not None:
        return _change_experiment(writer, known.experiment, label, wish)
    if project is None:
        asked = wish.get("project", "xnat:experimentData/project") or wish.field("project")
        if not asked:
            raise NotFound(f"There is no experiment {word!r} here, or none that you may see. Make it below a project.")
        project = _project(writer, Address().child(Level.PROJECTS, asked))
        assert project is not None, "the address names a project"
        wish, label = Wish([*wish.pairs, ("ID", word)] if word else wish.pairs, wish.item, wish.is_whole), ""
    require(writer.view, project.key, Action.CREATE)
    subject_key = _subject_of_new(writer, address, project, wish)
    return Outcome(experiments.make_experiment(writer, project.key, subject_key, label, wish), is_new=True)


def _subject_of_new(writer: Writer, address: Address, project: Found, wish: Wish) -> int:
    """Key of the subject of a new experiment, which is made by PUT if it is not there."""
    named = address.get(Level.SUBJECTS) or wish.get("subject_ID", "subject_label") or wish.field("subject_ID")
    if not named:
        named = next((text for name, text in wish.pairs if name.lower().endswith("/subject_id")), "")
    if not named:
        raise DocumentError("Asked to make an experiment without a subject. Send subject_ID, or put it below one.")
    found = _place(writer, Address().child(Level.PROJECTS, project.id), Level.SUBJECTS, named)
    if found is not None and found.subject is not None:
        return found.subject.key
    if wish.is_post and wish.item is not None:
        raise NotFound(f"There is no subject {named!r} here, or none that you may see. Make it first.")
    return subjects.make_subject(writer, project.key, named)[0]


def _change_experiment(writer: Writer, known: Found, word: str, wish: Wish) -> Outcome:
    if wish.is_post:
        raise Conflict(f"Asked to make the experiment {known.label}. There is one already. Choose another label.")
    row = experiments.row_of(writer, known.key)
    require(writer.view, row.project_key, Action.EDIT)
    settle_status(writer, Entity.EXPERIMENT, known.key, row.project_key, wish)
    data_type = experiments.check_type(writer, row.data_type, wish)
    draft = wish.draft(writer.view, data_type)
    label = subjects.renamed(wish, draft, known, word, row.label, row.project)
    if label:
        writer.check_label(Entity.EXPERIMENT, row.project_key, label, known.key)
        draft.values["label"] = label
    experiments.fill_experiment(writer, data_type, known.key, draft)
    return Outcome(known.id, is_told=not label)


def _put_assessor(writer: Writer, address: Address, word: str, wish: Wish) -> Outcome:
    label = word or wish.get("label", "xnat:experimentData/label") or wish.field("label")
    known = _place(writer, address, Level.ASSESSORS, label)
    if known is not None and known.derived is not None:
        return _change_experiment(writer, known.derived, label, wish)
    session = _session(writer, address)
    row = experiments.row_of(writer, session.key)
    require(writer.view, row.project_key, Action.CREATE)
    id = experiments.make_experiment(writer, row.project_key, row.subject_key, label, wish, session.key)
    return Outcome(id, is_new=True)


def _put_image(entity: Entity) -> Put:
    def put_it(writer: Writer, address: Address, word: str, wish: Wish) -> Outcome:
        session = _session(writer, address)
        require(writer.view, home_of(writer.view, Entity.EXPERIMENT, session.key), Action.EDIT)
        check_unlocked(writer.connection, Entity.EXPERIMENT, session.key)
        return Outcome(images.put_image(writer, entity, session.key, word, wish), is_told=False)

    return put_it


PUTS: Mapping[Level, Put] = {
    Level.PROJECTS: _put_project,
    Level.SUBJECTS: _put_subject,
    Level.EXPERIMENTS: _put_experiment,
    Level.SCANS: _put_image(Entity.SCAN),
    Level.RECONSTRUCTIONS: _put_image(Entity.RECONSTRUCTION),
    Level.ASSESSORS: _put_assessor,
}
"""Level → what makes or changes an object of it."""


def _project(writer: Writer, address: Address) -> Found | None:
    """The project of an address, of which more than the record is wanted. Raises NotFound, AccessDenied."""
    word = address.get(Level.PROJECTS)
    if word is None:
        return None
    home = Address().child(Level.PROJECTS, word)
    return find_place(writer.connection, writer.view.caller, home, is_inside=True).project


def _session(writer: Writer, address: Address) -> Found:
    """The session of an address that ends below it. Raises NotFound."""
    steps = tuple(step for step in address.steps if step.level in _DOWN_TO_SESSIONS)
    found = find_place(writer.connection, writer.view.caller, Address(steps)).experiment
    assert found is not None, "scans and what is derived stand below an experiment in every address"
    return found


def _place(writer: Writer, address: Address, level: Level, word: str) -> Place | None:
    """The place of an object of an address's level, if there is one."""
    if not word:
        return None
    steps = tuple(step for step in address.steps if step.level is not level)
    try:
        return find_place(writer.connection, writer.view.caller, Address(steps).child(level, word))
    except NotFound:
        return None


_DOWN_TO_SESSIONS = (Level.PROJECTS, Level.SUBJECTS, Level.EXPERIMENTS)
