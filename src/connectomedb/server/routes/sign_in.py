"""Signing in and out: sessions, and the form that opens one."""

from starlette.responses import Response

from connectomedb.server.access.login import anonymous_session_id, csrf_token, is_anonymous
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.cookies import end_session, set_session
from connectomedb.server.routes.parameters import parse_parameters
from connectomedb.server.routes.replies import text

MAX_FORM_BYTES = 8 << 10


def get_session(call: Call) -> Response:
    """The session's id; somebody who has none gets one that is nobody's."""
    session_id = call.session_id
    is_mine = call.caller is not None and not call.caller.is_guest
    if session_id is None or not (is_mine or is_anonymous(session_id)):
        session_id = anonymous_session_id()
    token = f"; XNAT_CSRF={csrf_token(session_id)}" if call.parameters.is_true("CSRF") else ""
    reply = text(session_id + token)
    set_session(reply, session_id, call.base_url, call.site.settings.access)
    return reply


def delete_session(call: Call) -> Response:
    """End the session."""
    if call.session_id:
        call.site.logins.end(call.session_id, call.actor if call.caller else None)
    reply = text("")
    end_session(reply, call.base_url)
    return reply


def sign_in(call: Call) -> Response:
    """Sign in by a form; the answer is the session's id, always a new one."""
    form = parse_parameters(call.body.decode("utf-8", "replace"))
    login = form.get("username") or form.get("j_username")
    password = form.get("password") or form.get("j_password")
    id = call.site.logins.sign_in(login, password, call.client_address).session_id
    reply = text(id)
    set_session(reply, id, call.base_url, call.site.settings.access)
    return reply


def get_auth(call: Call) -> Response:
    """The sentence by which xnatpy knows that it is signed in."""
    return text(f"User '{call.signed_in.login}' is logged in")


def get_username(call: Call) -> Response:
    """The caller's login."""
    return text(call.user.login)


WAYS = (
    Way("GET POST", "/data/JSESSION", get_session, is_open=True),
    Way("DELETE", "/data/JSESSION", delete_session, is_open=True, is_slow=True),
    Way("PUT POST", "/data/services/auth", sign_in, is_open=True, is_slow=True, max_body_bytes=MAX_FORM_BYTES),
    Way("GET", "/data/auth", get_auth),
    Way("GET", "/xapi/users/username", get_username),
)
