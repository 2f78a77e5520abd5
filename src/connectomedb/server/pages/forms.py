"""Forms of pages: read with their token, answered by sending the browser on."""

import hmac
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urlencode

from starlette.responses import Response

from connectomedb.errors import AccessDenied
from connectomedb.server.access.login import csrf_token
from connectomedb.server.routes.call import Call, Later, Way
from connectomedb.server.routes.parameters import Parameters, parse_parameters

MAX_FORM_BYTES = 16 << 10
TOKEN = "csrf"
"""Name of the hidden field that holds the session's token, which pages of other sites cannot know."""


def read_form(call: Call) -> Parameters:
    """The fields that were sent. Raises AccessDenied without the token of the session."""
    form = parse_parameters(call.body.decode("utf-8", "replace"))
    right = csrf_token(call.session_id) if call.session_id else ""
    if not right or not hmac.compare_digest(form.get(TOKEN).encode(), right.encode()):
        raise AccessDenied("This form is not of your present session. Load its page again, then send it.", status=403)
    return form


def send_on(address: str, done: str = "") -> Response:
    """To another page after a change; `done` is a word of `messages.MESSAGES`."""
    query = ("&" if "?" in address else "?") + urlencode({"done": done}) if done else ""
    return Response(status_code=303, headers={"Location": address + query})


def own_address(word: str) -> str:
    """An address of this server to go on to; the first page for whatever else is asked for."""
    is_ours = word.startswith("/") and not word.startswith(("//", "/\\")) and word.isprintable() and word.isascii()
    return word if is_ours else "/"


FormHandler: TypeAlias = Callable[[Call, Parameters], Response]


def form_way(path: str, handler: FormHandler, *, is_slow: bool = False, max_bytes: int = MAX_FORM_BYTES) -> Way:
    """The row of a form of somebody signed in. It is handled where it may wait for the database or for a store.

    `is_slow`: it checks a password, and waits its turn among those who do.
    """

    def handle(call: Call) -> Response | Later:
        call.refuse_guests()
        form = read_form(call)
        return handler(call, form) if is_slow else Later(lambda: handler(call, form))

    return Way("POST", path, handle, is_slow=is_slow, max_body_bytes=max_bytes)
