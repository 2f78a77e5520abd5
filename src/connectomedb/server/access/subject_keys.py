"""Subject keys of a project: who made them, and who may know which subject a publication means.

A key is its maker's own until it is shared. Shared, everybody who may read the project knows of it; the coded ids
themselves are told to its maker, to owners of the project, and, once shared, to holders of restricted access there.
Source: ConnectomeDB's subject keys.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from connectomedb.cohort.lockfile import names_a_subject
from connectomedb.errors import AccessDenied, AddressError, NotFound
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.access.auth import Rights
from connectomedb.server.access.groups import Project, role_in
from connectomedb.server.access.rules import Action, may
from connectomedb.server.tables.schema import subjects, users
from connectomedb.server.tables.subject_keys import coded_subjects, subject_keys

MAX_OF_USER = 200
MAX_TEXT = 4_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_PMID = re.compile(r"[0-9]{0,9}")
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is told of a key beside its ids. `pmid`: number of the article in PubMed; empty without one.

    Raises AddressError for what cannot be. The words are read by people without restricted access: no label is theirs.
    """

    name: str
    title: str
    description: str = ""
    pmid: str = ""
    is_shared: bool = False

    def __post_init__(self) -> None:
        asked = f"Asked to keep the subject key {self.name!r}."
        if not _NAME.fullmatch(self.name) or names_a_subject(self.name):
            raise AddressError(f"{asked} Name it by letters, digits, '_' and '-', at most 64.")
        if not _PMID.fullmatch(self.pmid):
            raise AddressError(f"{asked} {self.pmid!r} is no PMID. Give PubMed's number of the article.")
        if not self.title.strip() or len(self.title) + len(self.description) > MAX_TEXT:
            raise AddressError(f"{asked} It needs a title; title and description have at most {MAX_TEXT} characters.")
        if names_a_subject(self.title) or names_a_subject(self.description):
            raise AddressError(f"{asked} Its title or description has what looks like a subject's label. Leave it out.")


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key as somebody may see it.

    Attributes:
        owner: login of its maker.
        subjects: how many it codes.
        is_open: whether who asks may read the ids.
        is_own: whether who asks may delete it.
    """

    key: int
    facts: KeyFacts
    owner: str
    subjects: int
    is_open: bool
    is_own: bool


def list_keys(connection: Connection, rights: Rights, project: Project) -> list[KeptKey]:
    """The keys of a project that somebody may know of, by name."""
    number = func.count(coded_subjects.c.subject_key).label("number")
    joined = subject_keys.join(users, users.c.key == subject_keys.c.owner_key).outerjoin(coded_subjects)
    wanted = select(subject_keys, users.c.login, number).select_from(joined)
    wanted = wanted.where(subject_keys.c.project_key == project.key).group_by(subject_keys.c.key, users.c.login)
    runs = may(role_in(connection, rights.caller, project.key), Action.MANAGE)
    granted = project.key in rights.projects_with(Tier.RESTRICTED)
    found = []
    for row in connection.execute(wanted.order_by(subject_keys.c.name)):
        is_own = runs or row.owner_key == rights.caller.key
        if is_own or row.is_shared:
            facts = KeyFacts(row.name, row.title, row.description, row.pmid, row.is_shared)
            found.append(KeptKey(row.key, facts, row.login, row.number, is_own or granted, is_own))
    return found


def find_key(connection: Connection, rights: Rights, project: Project, name: str) -> KeptKey:
    """A key of that name. Raises NotFound, also for what somebody may not know of."""
    for kept in list_keys(connection, rights, project):
        if kept.facts.name == name:
            return kept
    raise NotFound(f"There is no subject key {name!r} of project {project.id}, or none that is shared with you.")


def read_codes(connection: Connection, kept: KeptKey) -> list[tuple[str, str]]:
    """Coded id and label of each subject, by coded id. Raises AccessDenied."""
    if not kept.is_open:
        message = "Which subject a coded id means is told to holders of restricted access. Ask an owner of the project."
        raise AccessDenied(message, status=403)
    wanted = select(coded_subjects.c.code, subjects.c.label).join(subjects)
    rows = connection.execute(wanted.where(coded_subjects.c.list_key == kept.key).order_by(coded_subjects.c.code))
    return [(row.code, row.label) for row in rows]


def put_key(
    connection: Connection,
    rights: Rights,
    project: Project,
    facts: KeyFacts,
    codes: Mapping[str, str] | None,
    now: datetime,
) -> None:
    """Keep a key, in place of one's own of that name; without codes (label → coded id) those of before stay.

    Needs a writing transaction. Raises AccessDenied, AddressError, NotFound.
    """
    caller = rights.caller
    mine = (subject_keys.c.project_key == project.key, subject_keys.c.name == facts.name)
    known = connection.execute(select(subject_keys.c.key, subject_keys.c.owner_key).where(*mine)).first()
    if known and known.owner_key != caller.key:
        raise AccessDenied(f"The subject key {facts.name!r} is somebody else's. Choose another name.", status=403)
    values = {
        **{"title": facts.title, "description": facts.description, "pmid": facts.pmid},
        **{"is_shared": facts.is_shared, "last_modified": now},
    }
    if known:
        key = known.key
        connection.execute(update(subject_keys).where(subject_keys.c.key == key).values(values))
    else:
        if codes is None:
            raise AddressError(f"Asked to keep the new subject key {facts.name!r} without coded ids. Send them as CSV.")
        own = select(func.count()).select_from(subject_keys).where(subject_keys.c.owner_key == caller.key)
        if connection.execute(own).scalar_one() >= MAX_OF_USER:
            raise AccessDenied(f"You keep {MAX_OF_USER} subject keys, the most there may be. Delete some.", status=403)
        new = values | {"project_key": project.key, "name": facts.name, "owner_key": caller.key}
        key = connection.execute(insert(subject_keys).returning(subject_keys.c.key), new).scalar_one()
    if codes is not None:
        connection.execute(delete(coded_subjects).where(coded_subjects.c.list_key == key))
        rows = [
            {"list_key": key, "code": codes[label], "subject_key": subject}
            for label, subject in _keys_of(connection, project, codes).items()
        ]
        connection.execute(insert(coded_subjects), rows)


def delete_key(connection: Connection, kept: KeptKey) -> None:
    """Forget a key. Needs a writing transaction. Raises AccessDenied for somebody else's."""
    if not kept.is_own:
        raise AccessDenied(
            f"The subject key {kept.facts.name!r} is somebody else's, who alone may delete it.", status=403
        )
    connection.execute(delete(coded_subjects).where(coded_subjects.c.list_key == kept.key))
    connection.execute(delete(subject_keys).where(subject_keys.c.key == kept.key))


def _keys_of(connection: Connection, project: Project, codes: Mapping[str, str]) -> dict[str, int]:
    """Label → key of the subject's row. Raises NotFound for strangers, AddressError for an id that is a label here."""
    words = sorted({*codes, *codes.values()})
    found: dict[str, int] = {}
    for start in range(0, len(words), _BATCH):
        wanted = select(subjects.c.label, subjects.c.key).where(subjects.c.project_key == project.key)
        part = connection.execute(wanted.where(subjects.c.label.in_(words[start : start + _BATCH])))
        found |= {row.label: row.key for row in part}
    if telling := [code for code in codes.values() if code in found]:
        raise AddressError(f"The coded id {telling[0]} is a subject's label in {project.id}. Choose another one.")
    if strangers := [label for label in codes if label not in found]:
        more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
        raise NotFound(f"Project {project.id} has no subjects {', '.join(strangers[:5])}{more}.")
    return found
