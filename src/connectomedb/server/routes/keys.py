"""S3 keys of the caller: `/data/services/s3keys`.

`POST` makes a pair, in place of any older one, and shows its secret this once; `GET` tells the public half
and what it opens; `DELETE` ends it.
"""

import json

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.server.access.audit import Action, Event, record
from connectomedb.server.keys.issuer import KeyPair
from connectomedb.server.keys.ring import KeyRing, UserKey
from connectomedb.server.routes.call import Call, Later, Way
from connectomedb.server.routes.replies import json_document, text
from connectomedb.stores.s3 import S3Store


def get_key(call: Call) -> Response:
    """The public half."""
    found = _ring(call).find(call.signed_in)
    if found is None:
        raise NotFound("You have no S3 keys. Make them with POST, or with: cdb keys create")
    return _describe(call, found)


def post_key(call: Call) -> Later:
    """A new pair."""
    ring, caller = _ring(call), call.signed_in

    def begin() -> Response:
        pair, made = ring.create(caller)
        _record(call, Action.KEYS_MADE, made.access_key)
        return _describe(call, made, pair)

    return Later(begin, frozenset([ring.store]))


def delete_key(call: Call) -> Later:
    """End the pair."""
    ring, caller = _ring(call), call.signed_in

    def begin() -> Response:
        ring.revoke(caller)
        _record(call, Action.KEYS_ENDED)
        return text("")

    return Later(begin, frozenset([ring.store]))


def _ring(call: Call) -> KeyRing:
    if call.site.keys is None:
        raise NotFound("This server gives out no S3 keys. Fetch files from it directly.")
    return call.site.keys


def _record(call: Call, action: Action, target: str = "") -> None:
    with call.site.database.write() as connection:
        record(connection, Event(call.actor, action, target=target))


def _describe(call: Call, key: UserKey, pair: KeyPair | None = None) -> Response:
    store = call.site.archive.store(_ring(call).store)
    assert isinstance(store, S3Store), "only buckets have keys"
    document: dict[str, object] = {"user": call.user.login, "access_key": key.access_key}
    if pair is not None:
        document["secret_key"] = pair.secret_key
    document |= {
        "bucket": store.bucket,
        "endpoint_url": call.site.archive.public_endpoint(_ring(call).store),
        "region": store.settings.region,
        "prefixes": key.prefixes,
        "created": f"{key.created.isoformat(timespec='seconds')}Z",
    }
    return json_document(json.dumps(document).encode())


_KEYS = "/data/services/s3keys"
WAYS = (
    Way("GET", _KEYS, get_key),
    Way("POST", _KEYS, post_key),
    Way("DELETE", _KEYS, delete_key),
)
