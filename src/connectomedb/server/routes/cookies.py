"""The cookies of a session, as clients of XNAT expect them."""

from starlette.responses import Response

from connectomedb.server.access.clock import epoch_ms, now
from connectomedb.server.settings import AccessSettings

COOKIE = "JSESSIONID"
EXPIRATION = "SESSION_EXPIRATION_TIME"
"""Tells programs when a session ends by itself, so that they may ask in time: xnatpy does."""


def set_session(reply: Response, session_id: str, base_url: str, settings: AccessSettings) -> None:
    """Give the session's id, out of reach of scripts and of other sites' requests, and how long it lasts idle.

    The second cookie is `"<present epoch ms>,<timeout ms>"`, quotes included.
    """
    end = _end(base_url)
    times = f"{epoch_ms(now())},{settings.session_idle.total_seconds() * 1000:.0f}"
    reply.headers.append("Set-Cookie", f"{COOKIE}={session_id}; Path=/; HttpOnly; {end}")
    reply.headers.append("Set-Cookie", f'{EXPIRATION}="{times}"; Path=/; {end}')


def end_session(reply: Response, base_url: str) -> None:
    """Let the client forget its session."""
    for name in (COOKIE, EXPIRATION):
        reply.headers.append("Set-Cookie", f"{name}=; Path=/; Max-Age=0; {_end(base_url)}")


def _end(base_url: str) -> str:
    return "SameSite=Lax; Secure" if base_url.startswith("https:") else "SameSite=Lax"
