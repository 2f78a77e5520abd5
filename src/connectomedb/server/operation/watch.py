"""Around the whole application: counts and logs every request, and gives up on bodies that do not come."""

import logging
import time
from asyncio import timeout
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectomedb.server.operation.lanes import BrokenOff
from connectomedb.server.operation.logs import FIELDS
from connectomedb.server.operation.metrics import Metrics
from connectomedb.server.settings import Limits

SEEN = "cdb_seen"
"""Key of the scope under which the application notes what it made of a request."""

NO_ROUTE = "none"
ABANDONED = 499
"""Status, for us alone, of a request whose client left before an answer began."""

logger = logging.getLogger("connectomedb.requests")


@dataclass(slots=True)
class Seen:
    """What the application found out about a request: its row of the route table, and who asks."""

    route: str = NO_ROUTE
    login: str = ""


class Watch:
    """Counts and logs. Stands outside of everything."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, logs_requests: bool) -> None:
        self.app = app
        self._metrics = metrics
        self._logs = logs_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and see what becomes of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen, begun = Seen(), time.perf_counter()
        status, received, sent = ABANDONED, 0, 0

        async def receive_counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def send_counting(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            sent += len(message.get("body", b""))
            await send(message)

        with self._metrics.under_way.track_inprogress():
            try:
                await self.app({**scope, SEEN: seen}, receive_counting, send_counting)
            except BrokenOff:
                pass  # the answer stays unfinished, so that the connection is closed
            finally:
                seconds = time.perf_counter() - begun
                self._metrics.count(seen.route, scope["method"], status, seconds, received, sent)
                if self._logs:
                    self._log(scope, seen, status, seconds, received, sent)

    def _log(self, scope: Scope, seen: Seen, status: int, seconds: float, received: int, sent: int) -> None:
        client = scope.get("client")
        facts = {
            "route": seen.route,
            "method": scope["method"],
            "status": status,
            "ms": round(seconds * 1000, 1),
            "user": seen.login or None,
            "client": client[0] if client else None,
            "received": received,
            "sent": sent,
        }
        logger.info("request", extra={FIELDS: facts})


class Patience:
    """Gives up on a body that pauses for too long, or that trickles: 408, whoever reads it."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a body that comes in time, or breaks off."""
        limits, begun = self._limits, time.monotonic()
        received, is_whole = 0, scope["type"] != "http"

        async def receive_in_time() -> Message:
            nonlocal received, is_whole
            if is_whole:  # what follows the body is waiting for the client to leave, which may take long
                return await receive()
            try:
                async with timeout(limits.pause_s):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"Nothing of the body came for {limits.pause_s} s. Send it anew.") from None
            received += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            seconds = time.monotonic() - begun
            if not is_whole and seconds > limits.pause_s and received < limits.body_bytes_per_s * seconds:
                raise HTTPException(408, f"The body comes at less than {limits.body_bytes_per_s} bytes per second.")
            return message

        await self.app(scope, receive_in_time, send)
