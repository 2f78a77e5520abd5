"""The application on one screen: routes, wrappers, and which status an error has.

A request passes: watch → patience → plain path → route → body (bounded) → who asks → handler → headers.
Handlers are plain functions and run in few threads, as many as the database gains from; passwords, which
are slow to check on purpose, and writing wait in a lane of their own; so do questions of how the server is, which
must be answered when all the others wait, and what waits for a store (`operation.lanes`).
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, create_task_group, sleep, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectomedb import errors
from connectomedb.server.access.audit import Action
from connectomedb.server.access.auth import GUEST
from connectomedb.server.access.login import REFUSED, SignedIn
from connectomedb.server.intake.sweep import EVERY_S, sweep
from connectomedb.server.operation.lanes import Lanes
from connectomedb.server.operation.watch import SEEN, Patience, Watch
from connectomedb.server.pages.faults import CALL, challenge, fault_page, takes_pages
from connectomedb.server.pages.ways import PAGES
from connectomedb.server.routes.call import Call, Intake, Later, Reading, Way
from connectomedb.server.routes.contents import StoredPieces
from connectomedb.server.routes.cookies import COOKIE, set_session
from connectomedb.server.routes.downloads import is_download
from connectomedb.server.routes.origin import SAFE_METHODS, check_origin
from connectomedb.server.routes.parameters import parse_parameters
from connectomedb.server.routes.replies import text
from connectomedb.server.routes.ways import REST
from connectomedb.server.routes.wrappers import PlainPaths, SafeHeaders, body_of, credentials_of, pour_body
from connectomedb.server.site import Site

logger = logging.getLogger(__name__)


WAYS = (*PAGES, *REST)
"""All routes. The first that fits wins; no address of a page is one of the REST API."""

STATUS: Mapping[type[Exception], int] = {
    errors.AddressError: 400,
    errors.AuthenticationFailed: 401,
    errors.AccessDenied: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unusable: 417,
    errors.Expired: 410,
    errors.TooLarge: 413,
    errors.TooManyRequests: 429,
    errors.QueryError: 422,
    errors.DocumentError: 422,
    errors.StoreError: 502,
    errors.StoreUnreachable: 503,
    errors.LedgerBusy: 503,
    errors.ServiceFailed: 503,
    errors.DiskFull: 507,
    errors.ConnectomeDBError: 500,
}
"""Error → status; of a class that is not here, its nearest base decides."""


OUR_FAULTS: Mapping[int, str] = {
    500: "The server could not do what it should. Tell its administrator.",
    502: "The server could not read what it keeps. Try again later, or tell its administrator.",
    503: "The server is busy, or cannot reach what it keeps at present. Try again later.",
    507: "The server's disk is full, so nothing of this was kept. Tell its administrator.",
}
"""What is said of our own faults; why stands in the log."""

RETRY_AFTER_S = 5
"""When a client may try again what failed with 503, in seconds."""


def build_app(site: Site) -> ASGIApp:
    """The application that serves a site; it closes the site at its end."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if site.keys:
            site.keys.start()
        async with create_task_group() as tasks:
            tasks.start_soon(_keep_tidy, site)
            yield
            tasks.cancel_scope.cancel()
        site.close()

    lanes = Lanes(site.database.readers)

    def route(way: Way) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answer(way, site, request, lanes)

        return Route(way.path, endpoint, methods=way.methods.split())

    app = Starlette(
        routes=[route(way) for way in WAYS],
        exception_handlers={errors.ConnectomeDBError: _refuse, HTTPException: _refuse, Exception: _fail},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    patient = Patience(SafeHeaders(PlainPaths(app)), site.settings.limits)
    return Watch(patient, site.metrics, logs_requests=site.settings.log.requests)


async def _keep_tidy(site: Site) -> None:
    """Remove bytes that no file names: at the start what an earlier process left, then again and again."""
    while True:
        try:
            await to_thread.run_sync(sweep, site)
        except errors.ConnectomeDBError as fault:
            logger.warning("Tidying up: %s", fault)
        await sleep(EVERY_S)


async def _answer(way: Way, site: Site, request: Request, lanes: Lanes) -> Response:
    seen = request.scope[SEEN]
    seen.route = way.path
    parameters = parse_parameters(request.url.query)
    session_id = request.cookies.get(COOKIE)
    if way.is_change or request.method not in SAFE_METHODS:
        check_origin(request.headers, parameters, session_id)
    body = await body_of(request, way.max_body_bytes)
    client_address = request.client.host if request.client else ""
    opened: SignedIn | None = None
    caller, credentials = None, None
    if not way.is_for_machines:
        caller = await to_thread.run_sync(site.logins.find, session_id, limiter=lanes.database) if session_id else None
        credentials = None if caller else credentials_of(request.headers.get("authorization"))
    if credentials:
        opened = await to_thread.run_sync(site.logins.sign_in, *credentials, client_address, limiter=lanes.passwords)
        caller, session_id = opened.caller, opened.session_id
    if caller is None and site.settings.access.is_open_to_guests:
        caller = GUEST
    if caller is None and not way.is_open:
        raise errors.AuthenticationFailed(REFUSED, status=401)
    seen.login = caller.login if caller else ""
    call = Call(
        site=site,
        method=request.method,
        path=str(request.scope["plain_path"]),
        words=request.path_params,
        parameters=parameters,
        headers=request.headers,
        body=body,
        base_url=str(request.base_url),
        session_id=session_id,
        caller=caller,
        client_address=client_address,
    )
    request.scope[CALL] = call
    reply = await to_thread.run_sync(way.handler, call, limiter=_lane_of(way, lanes))
    if isinstance(reply, Intake):
        reply = await pour_body(request, reply, site.settings.limits.pause_s, lanes.intake)
    if isinstance(reply, Reading):
        reply = await to_thread.run_sync(reply.begin)
    if isinstance(reply, Later):
        reply = await _begin(way, reply, lanes)
    if way.changes_rights and site.keys and reply.status_code < 400:
        await to_thread.run_sync(site.keys.try_limit_all, limiter=lanes.keys)
    if opened and "set-cookie" not in reply.headers:
        set_session(reply, opened.session_id, call.base_url, site.settings.access)
    if is_download(call, reply):
        call.note(Action.DOWNLOAD)
    return reply


def _lane_of(way: Way, lanes: Lanes) -> CapacityLimiter:
    """Where the handler of a way runs."""
    return lanes.passwords if way.is_slow else lanes.machines if way.is_for_machines else lanes.database


async def _begin(way: Way, later: Later, lanes: Lanes) -> Response:
    """The answer of what was to begin later; what comes out of stores goes on in their threads."""
    if later.stores:
        reply = await lanes.of_stores(later.stores, is_long=later.is_long).begin(later.begin)
    else:
        reply = await to_thread.run_sync(later.begin, limiter=lanes.machines if way.is_for_machines else None)
    if isinstance(reply, StoredPieces):
        reply.body_iterator = lanes.of_stores(reply.stores).pieces(reply.pieces)
    return reply


def _refuse(request: Request, error: Exception) -> Response:
    """One sentence for what was asked wrongly, as text or as a page; what is our own fault is logged, not told."""
    status, sentence, headers = _verdict(request, error)
    if takes_pages(request.headers):
        return fault_page(request, status, sentence, headers, error)
    return text(sentence, status, headers)


def _verdict(request: Request, error: Exception) -> tuple[int, str, Mapping[str, str]]:
    """Status, sentence and headers of a refusal."""
    if isinstance(error, HTTPException):
        words = {404: f"There is nothing at {request.url.path}.", 405: f"{request.method} is not possible here."}
        return error.status_code, words.get(error.status_code, error.detail), error.headers or {}
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if status >= 500:
        seen = request.scope[SEEN]  # the route, not the address, which may hold a secret or name a person
        logger.error("%s %s: %s", request.method, seen.route, error)
        return status, OUR_FAULTS[status], {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    headers = {"WWW-Authenticate": challenge(request.headers)} if status == 401 else {}
    if isinstance(error, errors.TooManyRequests) and error.retry_after_s is not None:
        headers["Retry-After"] = str(round(error.retry_after_s))
    return status, " ".join(str(error).split()), headers


def _fail(request: Request, error: Exception) -> Response:
    """The rim: Starlette logs the fault with its traceback after this answer."""
    sentence = "The server failed on this request. Tell its administrator."
    return fault_page(request, 500, sentence, {}) if takes_pages(request.headers) else text(sentence, 500)
