"""Projects: made, changed. IDs, names and aliases of all projects are one namespace, case ignored."""

from collections.abc import Iterable

from sqlalchemy import func, insert, or_, select, update

from connectomedb.errors import AccessDenied, AddressError, Conflict, Unusable
from connectomedb.server.access import audit
from connectomedb.server.access.audit import Event, record
from connectomedb.server.access.auth import Accessibility, Role
from connectomedb.server.access.rules import Action, may_create_projects
from connectomedb.server.changes.rights import require
from connectomedb.server.changes.wish import Outcome, Wish
from connectomedb.server.changes.writer import Writer, check_id
from connectomedb.server.tables.schema import members, project_aliases, projects, retired_projects
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import Entity
from connectomedb.server.types.protocols import DEFINITIONS, PROTOCOL, groups_of

CODES = {"quarantine_code": (0, 1), "prearchive_code": (0, 4, 5), "current_arc": None}
"""Settings of a project that are a plain text each → the numbers that they may be; None is a name."""

FIRST_CODES = {"quarantine_code": "0", "prearchive_code": "4", "current_arc": "arc001"}
"""What they are until somebody sets them."""


def put_project(writer: Writer, id: str, wish: Wish) -> Outcome:
    """Make a project, or change one. Raises AccessDenied, Conflict, Unusable, AddressError, DocumentError."""
    view = writer.view
    data_type = view.registry.get(builtin.PROJECT)
    wish.type(view.registry, Entity.PROJECT)
    key = _find(writer, id)
    if key is None:
        check_id(id)
        if not may_create_projects(view.caller):
            raise AccessDenied("Projects are made by users with an account. Sign in with one.", status=403)
        if writer.connection.execute(select(retired_projects).where(retired_projects.c.id == id.lower())).first():
            raise AccessDenied(f"There was a project {id} once. Choose another ID.", status=403)
    else:
        require(view, key, Action.MANAGE)
        if wish.is_post:
            raise Conflict(f"Asked to make the project {id}. There is one already. Choose another ID.")
    draft = wish.draft(view, data_type)
    draft.entries |= {(DEFINITIONS, name): text for name, text in groups_of(draft.children.get(PROTOCOL, ())).items()}
    _check_same(writer, id, key, draft.take("ID"))
    if key is None:
        draft.values.setdefault("name", id)
    aliases = [*_aliases(wish)]
    names = [*([id] if key is None else []), *aliases]
    names += [name for path in ("secondary_ID", "name") if (name := draft.values.get(path))]
    _check_names(writer, names, key)
    if key is None:
        accessibility = read_accessibility(wish.get("accessibility") or Accessibility.PRIVATE.value)
        made = writer.make(Entity.PROJECT, {"id": id, "accessibility": accessibility.value})
        owner = {"project_key": made, "user_key": view.caller.key, "role": Role.OWNER.value}
        writer.connection.execute(insert(members).values(owner))
    else:
        made = key
        if wish.get("accessibility"):
            _set_accessibility(writer, id, key, wish.get("accessibility"))
    writer.write(data_type, made, draft)
    _add_aliases(writer, made, aliases)
    return Outcome(id, key is None, is_told=False)


def _check_same(writer: Writer, id: str, key: int | None, wanted: str) -> None:
    """Whether a document or parameter means the project of the address, by ID or alias. Raises Unusable."""
    if not wanted or wanted == id:
        return
    own = writer.connection.execute(select(projects.c.id).where(projects.c.key == key)).scalar()
    if wanted != own:
        raise Unusable(f"Asked to write the project {id} with the ID {wanted!r}. Send the same ID in both.")


def _set_accessibility(writer: Writer, id: str, key: int, word: str) -> None:
    """Open or close a project. Raises AddressError."""
    accessibility = read_accessibility(word)
    before: str = writer.connection.execute(select(projects.c.accessibility).where(projects.c.key == key)).scalar_one()
    if before != accessibility.value:
        writer.update(Entity.PROJECT, key, accessibility=accessibility.value)
        change = f"{before} to {accessibility.value}"
        record(writer.connection, Event(writer.actor, audit.Action.ACCESSIBILITY, id, detail=change))


def set_code(writer: Writer, key: int, name: str, word: str) -> None:
    """Set one of CODES. Raises AccessDenied, AddressError."""
    require(writer.view, key, Action.MANAGE)
    allowed = CODES[name]
    if allowed is None:
        check_id(word)
        writer.connection.execute(update(projects).where(projects.c.key == key).values({name: word}))
        return
    if word not in {str(number) for number in allowed}:
        raise AddressError(f"Asked to set {name} to {word!r}. It is one of {', '.join(map(str, allowed))}.")
    writer.connection.execute(update(projects).where(projects.c.key == key).values({name: int(word)}))


def read_accessibility(word: str) -> Accessibility:
    """`private`, `protected` or `public`. Raises AddressError."""
    if word.lower() not in set(Accessibility):
        raise AddressError(f"Asked for the accessibility {word!r}. Choose private, protected or public.")
    return Accessibility(word.lower())


def _find(writer: Writer, id: str) -> int | None:
    """Key of the project of an ID or alias, whoever may see it."""
    other_name = select(project_aliases.c.project_key).where(project_aliases.c.alias == id)
    found = select(projects.c.key).where(or_(projects.c.id == id, projects.c.key.in_(other_name)))
    key: int | None = writer.connection.execute(found).scalar()
    return key


def _aliases(wish: Wish) -> Iterable[str]:
    for name, text in wish.pairs:
        if name.lower() in ("alias", "xnat:projectdata/aliases/alias/alias"):
            yield from (part.strip() for part in text.split(",") if part.strip())
    for entry in wish.item.children.get("aliases/alias", ()) if wish.item else ():
        if text := str(entry.fields.get("alias", "")).strip():
            yield text


def _check_names(writer: Writer, names: Iterable[str], key: int | None) -> None:
    """Whether no other project goes by one of these names. Raises Conflict."""
    for name in names:
        folded = name.lower()
        columns = (projects.c.id, projects.c.secondary_id, projects.c.name)
        by_name = select(projects.c.key).where(or_(*(func.lower(column) == folded for column in columns)))
        by_alias = select(project_aliases.c.project_key).where(func.lower(project_aliases.c.alias) == folded)
        for statement in (by_name, by_alias):
            if any(other != key for other in writer.connection.execute(statement).scalars()):
                raise Conflict(f"Asked to call a project {name!r}. Another project goes by this name. Choose another.")


def _add_aliases(writer: Writer, key: int, aliases: Iterable[str]) -> None:
    known = select(project_aliases.c.alias).where(project_aliases.c.project_key == key)
    present = set(writer.connection.execute(known).scalars())
    for alias in dict.fromkeys(aliases):
        if alias not in present:
            writer.connection.execute(insert(project_aliases).values(project_key=key, alias=alias))
