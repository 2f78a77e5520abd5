"""Searches that are kept on the server, of users and of projects, and those that the server writes itself."""

from collections.abc import Callable
from dataclasses import replace

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.server.access import searches
from connectomedb.server.access.clock import now
from connectomedb.server.query.generated import VERSIONS, generated_search, sessions_in
from connectomedb.server.query.places import find_place
from connectomedb.server.query.sql import compile_search
from connectomedb.server.routes.call import Call, Later, View, Way
from connectomedb.server.routes.replies import table, text, xml_document
from connectomedb.server.routes.search import MAX_DOCUMENT_BYTES, answer_search
from connectomedb.xnat.address import Address, Level, Step
from connectomedb.xnat.query import Query
from connectomedb.xnat.resultset import ResultTable
from connectomedb.xnat.stored import StoredSearch, format_stored, parse_stored

_COLUMNS = (
    *("id", "brief_description", "description", "root_element_name", "tag", "secure", "allow_diff_columns"),
    "users",
)


def get_saved(call: Call) -> Response:
    """The searches that the caller may use; of one project, below its address."""
    with call.view() as view:
        project = _project(call, view)
        found = searches.list_searches(view.connection, view.caller, project)
        rows = tuple(_row(replace(kept, search=searches.told(kept.search, view.names))) for kept in found)
    return table(call, ResultTable(_COLUMNS, rows, "Stored Searches", len(rows)))


def get_document(call: Call) -> Response:
    """The document of one search."""
    with call.view() as view:
        return xml_document(format_stored(_load(call, view)))


def get_results(call: Call) -> Response | Later:
    """What one search finds for the caller."""
    with call.view() as view:
        query: Query = _load(call, view).query
    return answer_search(call, query)


def put_document(call: Call) -> Response:
    """Keep the search that the body describes under the id in the path."""
    caller, asked, id = call.signed_in, parse_stored(call.body), _id(call)
    with call.view() as view:
        tag = _project(call, view) or asked.tag
        compile_search(asked.query, view.names, view.details)
    with call.site.database.write() as connection:
        searches.put_search(connection, caller, replace(asked, id=id, tag=tag), now())
    return text("")


def delete_document(call: Call) -> Response:
    """Forget a search."""
    caller = call.signed_in
    with call.view() as view:
        project = _project(call, view)
    with call.site.database.write() as connection:
        searches.delete_search(connection, caller, _id(call), project)
    return text("")


def _load(call: Call, view: View) -> StoredSearch:
    """A search as the caller may see it: a kept one, or one that the server writes, `@TYPE`."""
    project, id = _project(call, view), call.words["id"]
    if id.startswith("@"):
        data_type = view.registry.find(id[1:])
        if data_type is None or data_type.is_abstract:
            raise NotFound(f"Asked for the listing {id!r}. There is no such data type to list.")
        version = call.parameters.get("dv", VERSIONS[0])
        sessions = sessions_in(view.connection, view.names, project) if project else ()
        return generated_search(data_type, view.names, version, project or "", sessions)
    kept = searches.find_search(view.connection, view.caller, id, project)
    known = searches.told(kept.search, view.names)
    return replace(known, query=searches.usable_query(known.query, view.names))


def _project(call: Call, view: View) -> str | None:
    """The project in the path, if there is one. Raises NotFound and AccessDenied as its own address does."""
    id = call.words.get("project")
    if id is None:
        return None
    place = find_place(view.connection, view.caller, Address((Step(Level.PROJECTS, id),)), is_inside=True)
    assert place.project is not None, "the address names a project"
    return place.project.id


def _id(call: Call) -> str:
    id = call.words["id"]
    if id.startswith("@"):
        raise NotFound(f"{id!r} is a search that the server writes itself; it can be read only.")
    return id


def _row(kept: searches.Kept) -> tuple[str, ...]:
    search = kept.search
    users = dict.fromkeys((kept.owner, *search.users, *search.groups))
    flags = (str(flag).lower() for flag in (search.is_secure, search.allows_other_columns))
    return (search.id, search.name, search.description, search.query.root, search.tag, *flags, ", ".join(users))


def _ways(prefix: str) -> tuple[Way, ...]:
    handlers: tuple[tuple[str, str, Callable[[Call], Response | Later]], ...] = (
        ("GET", "", get_saved),
        ("GET", "/{id}", get_document),
        ("GET", "/{id}/results", get_results),
    )
    return (
        *(Way(method, f"{prefix}{path}", handler) for method, path, handler in handlers),
        Way("PUT", f"{prefix}/{{id}}", put_document, is_slow=True, max_body_bytes=MAX_DOCUMENT_BYTES),
        Way("DELETE", f"{prefix}/{{id}}", delete_document, is_slow=True),
    )


WAYS = (*_ways("/data/search/saved"), *_ways("/data/projects/{project}/searches"))
