"""A project's subject keys: `db.project("HCP_Q1").subject_keys`. Making one sends nothing.

keys = project.subject_keys
keys.put("handedness-paper", {"100307": "S1", "103515": "S2"}, title="A paper", pmid="23684880")
keys.share("handedness-paper")          # all who read the project hear of it, not of who is who
keys.get("handedness-paper")            # label -> coded id
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from connectomedb.client.transport import Connection
from connectomedb.cohort.subject_key import HEADER, parse_published_key
from connectomedb.errors import ConfigError, NotFound, UnexpectedReply

_COLUMNS = ("name", "title", "description", "pmid", "owner", "shared", "subjects", "readable", "own")


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """What is told of a key.

    Attributes:
        pmid: PubMed's number of the article; empty without one.
        owner: login of its maker.
        is_shared: whether all who read the project hear of it.
        subjects: how many it codes.
        is_readable: whether you may read its ids.
        is_own: whether you may change or delete it.
    """

    name: str
    title: str
    description: str
    pmid: str
    owner: str
    is_shared: bool
    subjects: int
    is_readable: bool
    is_own: bool


class SubjectKeys:
    """The subject keys of one project: coded ids of publications for which restricted columns were used."""

    def __init__(self, connection: Connection, uri: str) -> None:
        self._connection = connection
        self._uri = f"{uri}/subject_keys"

    def list(self) -> list[PublishedKey]:
        """The shared ones and your own; one request."""
        table = self._connection.get_table(self._uri)
        if table.rows and not set(_COLUMNS) <= set(table.columns):
            raise UnexpectedReply(f"The listing {self._uri} lacks columns. The server may be an older one.")
        return [_read(dict(zip(table.columns, cells, strict=True))) for cells in table.rows]

    def get(self, name: str) -> Mapping[str, str]:
        """Label → coded id; one request. Raises NotFound, AccessDenied without restricted access."""
        text = self._connection.get_bytes(self._address(name)).decode("utf-8", "replace")
        try:
            return parse_published_key(text, f"the subject key {name}")
        except ConfigError as fault:
            raise UnexpectedReply(str(fault), address=self._address(name)) from fault

    def put(
        self,
        name: str,
        codes: Mapping[str, str],
        *,
        title: str,
        description: str = "",
        pmid: str = "",
        is_shared: bool = False,
    ) -> None:
        """Keep a key, in place of one of yours with that name; one request.

        Args:
            codes: label → coded id, of subjects of the project. Secrets of `cdb lock --key` have no place here.
        """
        lines = io.StringIO(newline="")
        csv.writer(lines, lineterminator="\n").writerows([HEADER[:2], *((id, label) for label, id in codes.items())])
        self._put(name, (title, description, pmid), lines.getvalue(), is_shared=is_shared)

    def share(self, name: str) -> None:
        """Let all who read the project hear of a key of yours; two requests. Raises NotFound."""
        found = next((key for key in self.list() if key.name == name), None)
        if found is None:
            raise NotFound(f"Asked to share the subject key {name!r}. There is none of that name that you know of.")
        self._put(name, (found.title, found.description, found.pmid), is_shared=True)

    def delete(self, name: str) -> None:
        """Forget a key of yours; one request. Raises NotFound, AccessDenied."""
        self._connection.change("DELETE", self._address(name))

    def _put(self, name: str, told: tuple[str, str, str], codes: str = "", *, is_shared: bool) -> None:
        words = dict(zip(("title", "description", "pmid"), told, strict=True))
        words["shared"] = str(is_shared).lower()
        self._connection.change("PUT", self._address(name), words, content=codes.encode() or None)

    def _address(self, name: str) -> str:
        return f"{self._uri}/{quote(name, safe='')}"

    def __repr__(self) -> str:
        return f"SubjectKeys({self._uri!r})"


def _read(row: Mapping[str, str]) -> PublishedKey:
    return PublishedKey(
        name=row["name"],
        title=row["title"],
        description=row["description"],
        pmid=row["pmid"],
        owner=row["owner"],
        is_shared=row["shared"] == "true",
        subjects=int(row["subjects"]),
        is_readable=row["readable"] == "true",
        is_own=row["own"] == "true",
    )
