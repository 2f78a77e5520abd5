"""The search engine: document in, table out, whole or kept and read in pages."""

from contextlib import suppress

from starlette.responses import Response

from connectomedb.errors import AccessDenied, LedgerBusy
from connectomedb.server.access.clock import now
from connectomedb.server.access.visible import closed_by_terms, reads_anything
from connectomedb.server.query import snapshots
from connectomedb.server.query.places import terms_stand_before
from connectomedb.server.query.results import describe, format_batches, read_rows
from connectomedb.server.query.sql import Page, Search, Sort, compile_search
from connectomedb.server.routes.call import Call, Later, View, Way
from connectomedb.server.routes.elements import get_elements, get_fields, get_versions
from connectomedb.server.routes.replies import TABLES, Format, choose_format, table, table_of
from connectomedb.server.types.values import format_json_value, format_value
from connectomedb.xnat.bundle import format_bundle, parse_bundle
from connectomedb.xnat.query import Query

MAX_DOCUMENT_BYTES = 16 << 20


def post_search(call: Call) -> Response | Later:
    """Run the search that the body describes; what its Content-Type says does not matter."""
    return answer_search(call, parse_bundle(call.body))


def answer_search(call: Call, query: Query, default: Format = Format.JSON) -> Response | Later:
    """The table of a search; with `cache` no rows, but the ID under which they were kept."""
    form = format_json_value if choose_format(call, TABLES, default) is Format.JSON else format_value
    if call.parameters.is_true("cache"):
        return Later(lambda: _keep(call, query, default))
    with call.view() as view:
        search = prepare_search(call, view, query)
        rows = format_batches(read_rows(view.connection, search), form)
        return table_of(call, describe(search), rows, default, is_whole=not search.is_paged)


def prepare_search(call: Call, view: View, query: Query) -> Search:
    """The statement, limited to what the caller may read, in the order and of the part that the call asks for.

    Raises AccessDenied when that is nothing at all, QueryError for a search that makes no sense.
    """
    check_reads(call, view)
    page = Page() if call.parameters.is_true("cache") else page_of(call)
    return compile_search(query, view.names, view.details, sorts_of(call), page)


def check_reads(call: Call, view: View) -> None:
    """Refuse who may not read any project. Raises AccessDenied, TermsNotAccepted."""
    if not reads_anything(view.connection, view.caller):
        if waiting := closed_by_terms(view.connection, view.caller):
            raise terms_stand_before(waiting[0], call.path)
        raise AccessDenied("You may not read any project yet, so there is nothing to search. Ask an owner.")


def get_page(call: Call) -> Response | Later:
    """Rows of a search that was kept, sorted and cut as asked; with `refresh` it is run anew before."""
    if call.parameters.is_true("refresh"):
        return Later(lambda: _refresh(call))
    return _page(call)


def sorts_of(call: Call) -> tuple[Sort, ...]:
    """Order of the rows: `sortBy` names columns, `sortOrder` is for all of them."""
    is_descending = call.parameters.get("sortOrder").upper() == "DESC"
    words = call.parameters.get("sortBy").split(",")
    return tuple(Sort(word.strip().lower(), is_descending) for word in words if word.strip())


def page_of(call: Call) -> Page:
    """The part of the rows that `limit` and `offset` name."""
    return Page(call.parameters.count("limit", None), call.parameters.count("offset", 0) or 0)


def _keep(call: Call, query: Query, default: Format) -> Response:
    with call.view() as view, call.change() as writer:
        search = prepare_search(call, view, query)
        id = snapshots.keep(view.connection, writer.connection, view.rights, search, format_bundle(query), now())
    with call.view() as view:
        return table(call, snapshots.find(view.connection, view.rights, id, now()).frame, default)


def _refresh(call: Call) -> Response:
    with call.view() as view, call.site.database.write() as writer:
        kept = snapshots.find(view.connection, view.rights, call.words["id"], now())
        search = compile_search(parse_bundle(kept.document), view.names, view.details)
        snapshots.refill(view.connection, writer, view.rights, search, kept)
        snapshots.renew(writer, kept, now())
    return _page(call)


def _page(call: Call) -> Response:
    time = now()
    with call.view() as view:
        kept = snapshots.find(view.connection, view.rights, call.words["id"], time)
        if kept.expires < time + snapshots.LIFETIME - snapshots.RENEW_AFTER:
            with suppress(LedgerBusy), call.site.database.write(wait=False) as writer:
                snapshots.renew(writer, kept, time)
        rows = snapshots.read_page(view.connection, kept, sorts_of(call), page_of(call))
        return table_of(call, kept.frame, format_batches(rows))


WAYS = (
    Way("POST", "/data/search", post_search, max_body_bytes=MAX_DOCUMENT_BYTES),
    Way("GET", "/data/search/elements", get_elements),
    Way("GET", "/data/search/elements/{data_type}", get_fields),
    Way("GET", "/data/search/elements/{data_type}/versions", get_versions),
    Way("GET", "/data/search/{id}", get_page),
)
