"""What machines ask: does it work, and how much does it do."""

import json
import os
import secrets
from functools import partial

from sqlalchemy import literal, select
from starlette.responses import Response

from connectomedb.errors import AccessDenied, AuthenticationFailed, ObjectMissing
from connectomedb.server.access.login import REFUSED
from connectomedb.server.operation.metrics import MEDIA_TYPE
from connectomedb.server.operation.pulse import FAILED, WELL
from connectomedb.server.routes.call import Call, Later, Way
from connectomedb.stores.base import Store

METRICS_TOKEN = "CDB_METRICS_TOKEN"
"""Environment variable: who sends it as a bearer token reads the numbers without signing in."""

_PROBE = "healthz-asks-for-what-is-not-there"


def get_health(call: Call) -> Later:
    """Whether database and stores answer: 200 or 503, and a word for each, with no reason: the log has it."""

    def ask() -> Response:
        pulse, archive = call.site.pulse, call.site.archive
        asked = {"database": partial(_ask_database, call)}
        asked |= {f"store {name}": partial(_ask_store, archive.store(name)) for name in archive.names}
        words = pulse.take(asked)
        stores = {name: words[f"store {name}"] for name in archive.names}
        is_well = set(words.values()) == {WELL}
        report = {"status": WELL if is_well else FAILED, "database": words["database"], "stores": stores}
        return Response(json.dumps(report), 200 if is_well else 503, media_type="application/json")

    return Later(ask)


def get_metrics(call: Call) -> Response:
    """The numbers, for administrators and for who knows the token. They tell how much a site is used, and for what."""
    token = os.environ.get(METRICS_TOKEN, "")
    sent = call.headers.get("authorization", "").removeprefix("Bearer ")
    if not (token and secrets.compare_digest(sent.encode(), token.encode())):
        if call.caller is None:
            raise AuthenticationFailed(REFUSED, status=401)
        if not call.caller.is_admin:
            raise AccessDenied("The numbers of the server are for administrators.", status=403)
    return Response(call.site.metrics.format(), media_type=MEDIA_TYPE)


def _ask_database(call: Call) -> None:
    with call.site.database.read() as connection:
        connection.execute(select(literal(1)))


def _ask_store(store: Store) -> None:
    try:
        store.head(_PROBE)
    except ObjectMissing:
        return


WAYS = (
    Way("GET", "/healthz", get_health, is_open=True, is_for_machines=True),
    Way("GET", "/metrics", get_metrics, is_open=True),
)
