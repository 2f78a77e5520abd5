"""A user's own page: password, tokens, S3 keys, grants and groups. Secrets are shown once, when they are made."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.responses import Response

from connectomedb.errors import AddressError, AuthenticationFailed, NotFound
from connectomedb.server.pages.ask import ask, ask_json, ask_rows
from connectomedb.server.pages.forms import form_way, send_on
from connectomedb.server.pages.render import render, segment
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.parameters import Parameters

TOKENS = "/data/services/tokens"
KEYS = "/data/services/s3keys"
SAVED = "/data/search/saved"


def get_account(call: Call) -> Response:
    """All that is the caller's own."""
    login = call.signed_in.login
    tokens = [
        {"alias": token["alias"], "ends": _day(token["estimatedExpirationTime"])}
        for token in ask_json(call, f"{TOKENS}/show")
    ]
    values = {
        "profile": ask_json(call, "/xapi/users/current"),
        "tokens": tokens,
        "has_keys": bool(ask_json(call, "/xapi/siteConfig/buildInfo")["s3keys"]),
        "key": _find_key(call),
        "grants": [row for row in ask_rows(call, "/data/grants") if row["login"] == login],
        "projects": ask_json(call, "/xapi/access/projects"),
        "groups": [row for row in ask_rows(call, SAVED) if row["users"].split(", ")[0] == login],
        "sessions": len(ask_json(call, f"/xapi/users/active/{segment(login)}")),
    }
    return render(call, "account.html", values)


def post_password(call: Call, form: Parameters) -> Response:
    """Change the password, by who knows the present one; all sessions end but the one that this opens."""
    login, new = call.signed_in.login, form.get("new")
    if new != form.get("again"):
        raise AddressError("Asked to change the password. The two new ones differ. Type the same twice.")
    try:
        _sign_in(call, form.get("present"))
    except AuthenticationFailed as refusal:
        raise AddressError("Asked to change the password. The present one is wrong. Try again.") from refusal
    ask(call, f"/xapi/users/{segment(login)}", "PUT", body=json.dumps({"password": new}).encode())
    sent_on = send_on("/account", "password")
    for cookie in _sign_in(call, new).headers.getlist("set-cookie"):
        sent_on.headers.append("set-cookie", cookie)
    return sent_on


def post_token(call: Call, form: Parameters) -> Response:
    """A new token, with its secret."""
    made = ask_json(call, f"{TOKENS}/issue")
    return render(call, "token.html", {"token": made, "ends": _day(made["estimatedExpirationTime"])})


def post_token_end(call: Call, form: Parameters) -> Response:
    """End a token."""
    ask(call, f"{TOKENS}/invalidate/{segment(form.get('alias'))}")
    return send_on("/account", "token-ended")


def post_key(call: Call, form: Parameters) -> Response:
    """A new pair of S3 keys, with its secret and what to do with it."""
    return render(call, "keys.html", {"key": ask_json(call, KEYS, "POST")})


def post_key_end(call: Call, form: Parameters) -> Response:
    """End the pair."""
    ask(call, KEYS, "DELETE")
    return send_on("/account", "keys-ended")


def post_group_end(call: Call, form: Parameters) -> Response:
    """Delete a kept group."""
    ask(call, f"{SAVED}/{segment(form.get('id'))}", "DELETE")
    return send_on("/account", "group-deleted")


def _sign_in(call: Call, password: str) -> Response:
    fields = urlencode({"username": call.signed_in.login, "password": password})
    return ask(call, "/data/services/auth", "POST", body=fields.encode())


def _find_key(call: Call) -> dict[str, object] | None:
    try:
        found: dict[str, object] = ask_json(call, KEYS)
    except NotFound:
        return None
    return found


def _day(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


WAYS = (
    Way("GET", "/account", get_account),
    form_way("/account/password", post_password, is_slow=True),
    form_way("/account/tokens", post_token),
    form_way("/account/tokens/end", post_token_end),
    form_way("/account/keys", post_key),
    form_way("/account/keys/end", post_key_end),
    form_way("/account/groups/end", post_group_end),
)
