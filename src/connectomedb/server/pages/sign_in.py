"""Signing in and out by forms."""

from urllib.parse import urlencode

from starlette.responses import Response

from connectomedb.errors import AuthenticationFailed, TooManyRequests
from connectomedb.server.access.login import anonymous_session_id, csrf_token
from connectomedb.server.pages.ask import ask
from connectomedb.server.pages.forms import MAX_FORM_BYTES, own_address, read_form, send_on
from connectomedb.server.pages.render import render
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.cookies import set_session

WRONG = "Login or password is wrong. Try again."


def get_login(call: Call) -> Response:
    """The form; whoever is signed in is sent on."""
    if call.caller and not call.caller.is_guest:
        return send_on(own_address(call.parameters.get("next")))
    return _form(call, call.parameters.get("next"))


def post_login(call: Call) -> Response:
    """Sign in, and go on to where the browser was going. The session always is a new one."""
    form = read_form(call)
    login, next = form.get("username").strip(), form.get("next")
    fields = urlencode({"username": login, "password": form.get("password")})
    try:
        reply = ask(call, "/data/services/auth", "POST", body=fields.encode())
    except AuthenticationFailed:
        return _form(call, next, WRONG, login, 401)
    except TooManyRequests as refusal:
        return _form(call, next, str(refusal), login, 429)
    sent_on = send_on(own_address(next))
    for cookie in reply.headers.getlist("set-cookie"):
        sent_on.headers.append("set-cookie", cookie)
    return sent_on


def post_logout(call: Call) -> Response:
    """End the session."""
    read_form(call)
    reply = ask(call, "/data/JSESSION", "DELETE")
    sent_on = send_on("/login", "signed-out")
    for cookie in reply.headers.getlist("set-cookie"):
        sent_on.headers.append("set-cookie", cookie)
    return sent_on


def _form(call: Call, next: str, fault: str = "", login: str = "", status: int = 200) -> Response:
    """The page, with a token: of the session that the browser has, else of a new one that is nobody's."""
    session_id = call.session_id or anonymous_session_id()
    values = {"csrf": csrf_token(session_id), "next": own_address(next), "fault": fault, "typed": login}
    headers = {"WWW-Authenticate": 'Form realm="ConnectomeDB"'} if status == 401 else {}
    page = render(call, "login.html", values, status=status, headers=headers)
    if not call.session_id:
        set_session(page, session_id, call.base_url, call.site.settings.access)
    return page


WAYS = (
    Way("GET", "/login", get_login, is_open=True),
    Way("POST", "/login", post_login, is_open=True, is_slow=True, max_body_bytes=MAX_FORM_BYTES),
    Way("POST", "/logout", post_logout, is_open=True, is_slow=True, max_body_bytes=MAX_FORM_BYTES),
)
