"""What a ConnectomeDB itself says of a predicate: who passes, and the funnel. Another XNAT is not asked twice."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from connectomedb.client.transport import Connection
from connectomedb.cohort.columns import NONTOOLBOX
from connectomedb.cohort.funnel import Funnel, Step
from connectomedb.errors import NotFound, QueryError, RequestError, UnexpectedReply

MAX_ADDRESS = 4_000
"""Longer questions are sent as a form: servers and proxies limit addresses."""


class Explorer:
    """A server's own answers; None where it has none to give. Raises QueryError, RequestError, NotFound (project)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_absent = False

    def places(self, predicate: str, project: str, data_type: str = NONTOOLBOX) -> list[tuple[str, str]] | None:
        """Label and project of each subject that passes, sorted; one request."""
        reply = self._ask(project, "/subjects", {"where": predicate, **_of(data_type), "format": "json"})
        return None if reply is None else sorted((str(label), str(home)) for label, home in reply["rows"])

    def funnel(self, predicate: str, project: str, data_type: str = NONTOOLBOX) -> Funnel | None:
        """How the predicate narrows the subjects; one request."""
        words = {"where": predicate, **_of(data_type), "funnel": "true", "limit": "0", "format": "json"}
        reply = self._ask(project, "", words)
        return None if reply is None else Funnel(reply["total"], tuple(Step(**step) for step in reply["funnel"]))

    def _ask(self, project: str, what: str, words: Mapping[str, str]) -> Any:
        if self._is_absent:
            return None
        below = f"/projects/{quote(project, safe='')}" if project else ""
        try:
            return self._send(f"/data{below}/explore{what}", words)
        except (NotFound, UnexpectedReply):
            self._is_absent = not project or self._ask("", "", {"limit": "0"}) is None
            if not self._is_absent:
                raise
            return None
        except RequestError as fault:
            if fault.status == 422:
                raise QueryError(str(fault)) from fault
            raise

    def _send(self, address: str, words: Mapping[str, str]) -> Any:
        form = urlencode(words)
        if len(form) <= MAX_ADDRESS:
            return self._connection.ask("GET", address, words)
        return json.loads(self._connection.change("POST", address, content=form.encode()))


def _of(data_type: str) -> dict[str, str]:
    return {} if data_type == NONTOOLBOX else {"type": data_type}
