"""Searches that are kept: whose they are, who may use them, and what of them each may see.

A search may be used by its owner, by the users and groups that it names, and, if it names nobody and is not
secure, by everybody who may read its project, or by all if it belongs to none. What it finds is what the
user of it may see, and its document shows nobody the name of a column that does not exist for them.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, insert, not_, or_, select, true, update
from sqlalchemy import literal as text_of

from connectomedb.errors import AccessDenied, NotFound, QueryError
from connectomedb.server.access.auth import Caller, Rights, Role
from connectomedb.server.access.visible import may_read
from connectomedb.server.tables.schema import members, projects, saved_search_people, saved_searches, users
from connectomedb.server.types.columns import Names
from connectomedb.xnat.query import Query
from connectomedb.xnat.stored import StoredSearch, format_stored, parse_stored

MAX_OF_USER = 500
MAX_ID = 255
_USER, _GROUP = "user", "group"


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept search and its owner's login. Whom it names is told to its owner only."""

    search: StoredSearch
    owner: str


def list_searches(connection: Connection, caller: Caller, project: str | None = None) -> list[Kept]:
    """The searches that the caller may use, by their ids; of one project, if one is named."""
    found = _searches().where(_may_use(caller)).order_by(saved_searches.c.id)
    if project is not None:
        found = found.where(_of_project(project))
    return [_kept(row, caller) for row in connection.execute(found)]


def find_search(connection: Connection, caller: Caller, id: str, project: str | None = None) -> Kept:
    """A search that the caller may use. Raises NotFound, and AccessDenied if it is for others."""
    row = _row(connection, caller, id, project)
    if not row.may_use:
        raise AccessDenied(f"The search {id!r} is kept for others. Ask its owner to share it.", status=403)
    return _kept(row, caller)


def put_search(connection: Connection, caller: Caller, search: StoredSearch, now: datetime) -> None:
    """Keep a search under its id, in place of one of the caller's own. Needs a writing transaction.

    Raises AccessDenied: it is somebody else's, the project is not the caller's to edit, or there are too many.
    """
    if not 0 < len(search.id) <= MAX_ID:
        raise QueryError(f"A search is kept under a name of 1 to {MAX_ID} characters.")
    known = connection.execute(select(saved_searches).where(saved_searches.c.id == search.id)).first()
    if known and known.owner_key != caller.key and not caller.is_admin:
        raise AccessDenied(f"The search {search.id!r} is somebody else's. Choose another name.", status=403)
    facts = {
        "name": search.name or search.id,
        "description": search.description,
        "tag": search.tag,
        "root": search.query.root,
        "is_secure": search.is_secure,
        "project_key": _editable_project(connection, caller, search.tag) if search.tag else None,
        "document": format_stored(replace(search, name=search.name or search.id)),
        "last_modified": now,
    }
    if known:
        key = known.key
        connection.execute(update(saved_searches).where(saved_searches.c.key == key).values(facts))
        connection.execute(delete(saved_search_people).where(saved_search_people.c.search_key == key))
    else:
        mine = select(saved_searches.c.key).where(saved_searches.c.owner_key == caller.key).limit(MAX_OF_USER)
        if len(connection.execute(mine).all()) == MAX_OF_USER:
            raise AccessDenied(f"You keep {MAX_OF_USER} searches, the most there may be. Delete some.", status=403)
        new = facts | {"id": search.id, "owner_key": caller.key, "insert_date": now, "insert_user": caller.login}
        key = connection.execute(insert(saved_searches).returning(saved_searches.c.key), new).scalar_one()
    people = [{"search_key": key, "kind": _USER, "name": name} for name in search.users]
    people += [{"search_key": key, "kind": _GROUP, "name": name} for name in search.groups]
    if people:
        connection.execute(insert(saved_search_people), people)


def delete_search(connection: Connection, caller: Caller, id: str, project: str | None = None) -> None:
    """Forget a search. Needs a writing transaction. Raises NotFound, and AccessDenied if it is somebody else's."""
    row = _row(connection, caller, id, project)
    if row.owner_key != caller.key and not caller.is_admin:
        raise AccessDenied(f"The search {id!r} is somebody else's, who alone may delete it.", status=403)
    connection.execute(delete(saved_searches).where(saved_searches.c.key == row.key))


def usable_query(query: Query, names: Names) -> Query:
    """The query without the columns that the caller may not use.

    Raises AccessDenied when it compares or sorts by one: without it, it would be another search. The
    message names none: the name may be what is hidden.
    """
    try:
        for criterion in query.where.criteria() if query.where else ():
            names.criterion(criterion.field)
    except QueryError:
        raise AccessDenied("This search compares fields that you may not use, or that are gone.", status=403) from None
    sort = query.sort if query.sort and names.column(query.sort) else None
    fields = tuple(field for field in query.fields if names.column(field) is not None)
    return replace(query, fields=fields, sort=sort)


def told(search: StoredSearch, names: Names) -> StoredSearch:
    """A search without its owner's words where it uses a column that is hidden from the caller: they may name it."""
    everything = Names(names.registry, Rights(Caller(0, "", is_admin=True)))
    if _uses(search.query, names) == _uses(search.query, everything):
        return search
    return replace(search, name=search.id, description="")


def _uses(query: Query, names: Names) -> list[bool]:
    """Of each column and criterion in turn, whether there is such a field."""
    fields = [*query.fields, *([query.sort] if query.sort else [])]
    criteria = query.where.criteria() if query.where else ()
    return [names.column(field) is not None for field in fields] + [names.has(one.field) for one in criteria]


def _searches() -> Any:
    joined = saved_searches.join(users, users.c.key == saved_searches.c.owner_key)
    return select(saved_searches, users.c.login).select_from(joined)


def _kept(row: Row[Any], caller: Caller) -> Kept:
    search = parse_stored(row.document)
    is_told = caller.is_admin or row.owner_key == caller.key
    return Kept(search if is_told else replace(search, users=(), groups=()), row.login)


def _row(connection: Connection, caller: Caller, id: str, project: str | None) -> Row[Any]:
    """A search with what the caller may do with it; one of a project that is closed to the caller is not there."""
    found = _searches().add_columns(_may_use(caller).label("may_use")).where(saved_searches.c.id == id)
    if project is not None:
        found = found.where(_of_project(project))
    visible = or_(saved_searches.c.project_key.is_(None), _is_mine(caller), _is_open(caller))
    row: Row[Any] | None = connection.execute(found.where(visible)).first()
    if row is None:
        raise NotFound(f"There is no kept search {id!r}. /data/search/saved lists those that you may use.")
    return row


def _may_use(caller: Caller) -> ColumnElement[bool]:
    if caller.is_admin:
        return true()
    people = saved_search_people
    named = exists().where(people.c.search_key == saved_searches.c.key)
    me = and_(people.c.kind == _USER, people.c.name == caller.login)
    my_groups = (
        select(projects.c.id + text_of("_") + members.c.role)
        .select_from(members.join(projects, projects.c.key == members.c.project_key))
        .where(members.c.user_key == caller.key)
    )
    ours = and_(people.c.kind == _GROUP, people.c.name.in_(my_groups))
    everybody = and_(not_(saved_searches.c.is_secure), not_(named))
    return or_(_is_mine(caller), and_(_is_open(caller), or_(named.where(or_(me, ours)), everybody)))


def _of_project(id: str) -> ColumnElement[bool]:
    """True of the searches that a project keeps; of others the tag is only a word."""
    return saved_searches.c.project_key.in_(select(projects.c.key).where(projects.c.id == id))


def _is_mine(caller: Caller) -> ColumnElement[bool]:
    return saved_searches.c.owner_key == caller.key


def _is_open(caller: Caller) -> ColumnElement[bool]:
    key: ColumnElement[int] = saved_searches.c.project_key
    return or_(key.is_(None), may_read(caller, key))


def _editable_project(connection: Connection, caller: Caller, id: str) -> int | None:
    """Key of a project in which the caller may keep searches; a tag that names no visible project is only a word."""
    readable = select(projects.c.key).where(projects.c.id == id, may_read(caller, projects.c.key))
    key: int | None = connection.execute(readable).scalar()
    if key is None or caller.is_admin:
        return key
    role = select(members.c.role).where(members.c.project_key == key, members.c.user_key == caller.key)
    if connection.execute(role).scalar() not in (Role.OWNER, Role.MEMBER):
        raise AccessDenied(f"Searches of project {id} are kept by its owners and members.", status=403)
    return key
