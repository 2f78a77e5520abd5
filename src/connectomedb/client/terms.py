"""A project's data-use terms: `db.project("HCP_Q1").terms`. Making one sends nothing.

terms = project.terms
print(terms.get().text)                 # read them
terms.accept("1")                       # say yes to that version; gives a receipt
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connectomedb.client.transport import Connection, read_document
from connectomedb.errors import NotFound


@dataclass(frozen=True, slots=True)
class Terms:
    """What a project demands, and where you stand.

    Attributes:
        digest: SHA-256 of the text, hexadecimal.
        since: when they came in force, UTC, as ISO 8601.
        accepted: when you accepted this version; None if you did not.
        is_exempt: you are not asked, as an owner or administrator.
    """

    project: str
    version: str
    title: str
    text: str
    digest: str
    since: str
    accepted: str | None
    is_exempt: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a user accepted a version of the terms: checksum of the text, and time (UTC, ISO 8601)."""

    project: str
    user: str
    title: str
    version: str
    digest: str
    accepted: str


class ProjectTerms:
    """The data-use terms of one project."""

    def __init__(self, connection: Connection, uri: str, project: str) -> None:
        self._connection = connection
        self._uri = f"{uri}/terms"
        self.project = project

    def get(self) -> Terms | None:
        """The terms; None when the project demands none. One request. Raises NotFound for an unknown project."""
        document = self._connection.ask("GET", self._uri)
        return read_document(Terms, document) if document.get("demanded") else None

    def accept(self, version: str) -> Receipt:
        """Accept the version that you have read. Raises Conflict when the terms have another one by now."""
        return read_document(Receipt, self._connection.ask("PUT", f"{self._uri}/acceptance", {"version": version}))

    def receipt(self) -> Receipt:
        """What you accepted, and when. Raises NotFound when you did not."""
        return read_document(Receipt, self._connection.ask("GET", f"{self._uri}/acceptance"))

    def set(self, version: str, title: str, text: str) -> Terms:
        """Demand these terms from now on; for owners and administrators.

        Changed words need a new version, which everybody must accept anew. Raises AccessDenied, Conflict.
        """
        body = {"version": version, "title": title, "text": text}
        return read_document(Terms, self._connection.ask("PUT", self._uri, body=body))

    def withdraw(self) -> None:
        """Demand nothing any more; for owners and administrators. What was accepted stays on record."""
        self._connection.ask("DELETE", self._uri)

    def acceptances(self) -> list[Mapping[str, str]]:
        """Who accepted which version and when: login, version, digest, accepted; for owners and administrators."""
        table = self._connection.get_table(f"{self._uri}/acceptances")
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    def must_get(self) -> Terms:
        """As `get`, but raises NotFound when the project demands none."""
        found = self.get()
        if found is None:
            raise NotFound(f"Asked for the terms of project {self.project}. It demands none.")
        return found

    def __repr__(self) -> str:
        return f"ProjectTerms({self._uri!r})"
