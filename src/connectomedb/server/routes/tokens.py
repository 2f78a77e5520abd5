"""Alias tokens, at XNAT's addresses: all by GET, in JSON."""

from collections.abc import Mapping

from starlette.responses import Response

from connectomedb.errors import AccessDenied, AddressError, NotFound
from connectomedb.server.access.audit import Action, Event, record
from connectomedb.server.access.clock import epoch_ms, now
from connectomedb.server.access.tokens import Token, check_token, end_token, find_owner, issue_token, list_tokens
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.replies import json_value


def get_token(call: Call) -> Response:
    """A new token for the caller, or, for administrators, for another user. The secret is told only here."""
    login = call.words.get("login", call.user.login)
    if call.user.is_guest or (login != call.user.login and not call.user.is_admin):
        raise AccessDenied(f"Asked for a token of {login}. Users get their own; administrators anybody's.", status=403)
    with call.site.database.write() as connection:
        token, secret = issue_token(connection, login, now(), call.site.settings.access.token_lifetime)
        record(connection, Event(call.actor, Action.TOKEN_ISSUED, target=login, detail=token.alias))
    return json_value({**_describe(token), "secret": secret})


def get_tokens(call: Call) -> Response:
    """The caller's tokens, without their secrets: only a hash of these is kept."""
    with call.site.database.read() as connection:
        found = list_tokens(connection, call.signed_in.key, now())
    return json_value([_describe(token) for token in found])


def get_validity(call: Call) -> Response:
    """Whose token it is; null for one that is dead, unknown or whose secret is wrong."""
    with call.site.database.read() as connection:
        token = check_token(connection, call.words["alias"], call.words["secret"], now())
    return json_value({"valid": token.login if token else None})


def get_end(call: Call) -> Response:
    """End a token and the sessions that it opened: one's own, or, for administrators or with the secret, any."""
    alias, caller = call.words["alias"], call.signed_in
    with call.site.database.write() as connection:
        owner = find_owner(connection, alias)
        is_known = "secret" in call.words and check_token(connection, alias, call.words["secret"], now()) is not None
        if owner is None or not (is_known or caller.is_admin or owner == caller.key):
            raise NotFound(f"Asked to end the token {alias}. You have none of that alias.")
        end_token(connection, alias)
        record(connection, Event(call.actor, Action.TOKEN_ENDED, detail=alias))
    return json_value({"result": "OK"})


def get_nonsense(call: Call) -> Response:
    """Any other operation."""
    known = "issue, issue/user/NAME, show, validate/ALIAS/SECRET, invalidate/ALIAS"
    raise AddressError(f"Asked for an operation on tokens that there is not. There is {known}.")


def _describe(token: Token) -> Mapping[str, object]:
    return {
        "alias": token.alias,
        "xdatUserId": token.login,
        "singleUse": False,
        "validIPAddresses": [],
        "enabled": True,
        "created": epoch_ms(token.issued),
        "estimatedExpirationTime": epoch_ms(token.expires),
    }


_TOKENS = "/data/services/tokens"

WAYS = (
    Way("GET", f"{_TOKENS}/issue", get_token, is_slow=True, is_change=True),
    Way("GET", f"{_TOKENS}/issue/user/{{login}}", get_token, is_slow=True, is_change=True),
    Way("GET", f"{_TOKENS}/show", get_tokens),
    Way("GET", f"{_TOKENS}/validate/{{alias}}/{{secret}}", get_validity),
    Way("GET", f"{_TOKENS}/invalidate/{{alias}}", get_end, is_slow=True, is_change=True),
    Way("GET", f"{_TOKENS}/invalidate/{{alias}}/{{secret}}", get_end, is_slow=True, is_change=True),
    Way("GET", f"{_TOKENS}/{{operation:path}}", get_nonsense),
)
