"""What a server is asked for, and whether its reply is that: tables, documents, streams of bytes.

With `_wire` (sending) and `_replies` (faults) this is the only place that speaks HTTP to an XNAT.
"""

import dataclasses
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

import httpx2

from connectomedb.client._form import Form
from connectomedb.client._replies import Asked, is_page
from connectomedb.client._versions import version_of
from connectomedb.client._wire import TIMEOUT_S, Parameters, Wire
from connectomedb.errors import ConfigError, QueryError, UnexpectedReply
from connectomedb.transfer.pace import at_pace
from connectomedb.transfer.source import OnVersion, ignore
from connectomedb.xnat.address import Address, Level, format_address
from connectomedb.xnat.bundle import format_bundle
from connectomedb.xnat.query import Query
from connectomedb.xnat.resultset import ResultTable, parse_json

MAX_DOCUMENT_BYTES = 1 << 29
"""Longest document held in memory: 512 MiB, a listing of a million files."""

Where: TypeAlias = Address | str
"""An address, or a path below the server that is encoded already (`/data/search/elements`)."""


ReadT = TypeVar("ReadT", bound="DataclassInstance")


class DataclassInstance(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Connection:
    """A pool of connections to one server, signed in when first used; safe to share between threads.

    Args:
        server: address without credentials, like `https://db.example.org` or `https://lab.org/xnat`.
        user, password: or alias and secret of a token; without them requests go out as a guest's.
        timeout_s: how long the server may stay silent, in seconds.
        verify: False trusts any certificate; a path names a file of certificates to trust.
    """

    def __init__(
        self,
        server: str,
        user: str | None = None,
        password: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        verify: bool | str | Path = True,
    ) -> None:
        self._wire = Wire(server, user, password, timeout_s, verify)

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._wire.server

    def __repr__(self) -> str:
        return f"Connection({self._wire.server!r}, user={self._wire.user!r})"

    def get_table(self, address: Where, params: Parameters | None = None) -> ResultTable:
        """A listing; one request. Raises RequestError, UnexpectedReply when no table comes."""
        path = _path(address)
        with self._wire.reply("GET", path, {**(params or {}), "format": "json"}) as response:
            return self._table(Asked("GET", self._wire.server, path), response)

    def get_bytes(self, address: Where, params: Parameters | None = None) -> bytes:
        """A document or small file, whole, in memory; one request. Raises RequestError."""
        path = _path(address)
        with self._wire.reply("GET", path, params, may_leave=True) as response:
            return self._document(Asked("GET", self._wire.server, path), response)

    def ask(
        self, method: str, address: Where, params: Parameters | None = None, *, body: Mapping[str, object] | None = None
    ) -> Mapping[str, object]:
        """A JSON object, in answer to a request that may carry one; one request. Raises RequestError."""
        path = _path(address)
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        with self._wire.reply(method, path, params, content=content, headers=headers) as response:
            asked = Asked(method, self._wire.server, path)
            reply = self._document(asked, response)
        return self._object(asked, reply, response.status_code) if reply else {}

    def change(
        self, method: str, address: Where, params: Parameters | None = None, *, content: bytes | None = None
    ) -> str:
        """Make, change or delete something by PUT, POST or DELETE; one request, and the text of its reply."""
        path = _path(address)
        with self._wire.reply(method, path, params, content=content) as response:
            return self._document(Asked(method, self._wire.server, path), response).decode("utf-8", "replace")

    def deliver(
        self, address: Where, form: Form, params: Parameters | None = None, *, timeout_s: float
    ) -> Mapping[str, object]:
        """Send files by PUT, which stream; the JSON object of the reply. Raises ConfigError for files that are refused.

        `timeout_s`: how long the server may think.
        """
        path = _path(address)
        asked = Asked("PUT", self._wire.server, path)
        headers = {"Content-Type": form.content_type}
        with self._wire.reply(
            "PUT", path, params, content=form, headers=headers, allowed=(422,), timeout_s=timeout_s
        ) as response:
            reply = self._document(asked, response)
        if response.status_code == 422:
            raise ConfigError(
                f"Sent a delivery to {self._wire.server}. It was refused: {reply.decode(errors='replace')}"
            )
        return self._object(asked, reply, response.status_code)

    def stream(
        self, address: Where, offset: int = 0, length: int | None = None, on_version: OnVersion = ignore
    ) -> Iterator[bytes]:
        """A file's bytes from `offset`, at most `length`, in pieces; the request is sent with the first piece.

        The bytes always start at `offset`: a server that ignores ranges is read from the start, and what comes
        before is dropped. Nothing comes when `offset` is the file's length. Close the iterator to stop early.
        `on_version` hears, before the first piece, which version of the file comes, where the server tells it.
        Raises: RequestError, UnexpectedReply when another part or a page comes.
        """
        path = _path(address)
        asked = Asked("GET", self._wire.server, path)
        headers = {"Accept-Encoding": "identity"}
        if offset or length is not None:
            headers["Range"] = f"bytes={offset}-{'' if length is None else offset + length - 1}"
        left = sys.maxsize if length is None else length
        with self._wire.reply("GET", path, headers=headers, may_leave=True, allowed=(416,)) as response:
            if response.status_code == 416:
                if response.headers.get("Content-Range", "").replace(" ", "") != f"bytes*/{offset}":
                    raise self._wire.fault(asked, response)
                return
            _check_is_file(asked, response)
            surplus = _bytes_before(asked, response, offset)
            if version := version_of(response.headers):
                on_version(version)
            for piece in at_pace(response.iter_raw(), self._wire.timeout_s):
                if surplus < len(piece):
                    wanted = piece[surplus : surplus + left]
                    left -= len(wanted)
                    yield wanted
                    if not left:
                        return
                surplus = max(0, surplus - len(piece))
            if surplus:
                raise asked.fault(
                    UnexpectedReply, f"The file ends {surplus} bytes before byte {offset}. Fetch it anew."
                )

    def list_files(self, address: Address) -> ResultTable:
        """The files below a resource or object; one request. Raises RequestError."""
        return self.get_table(address if address.listing is Level.FILES else address.list(Level.FILES))

    def open_file(
        self, address: Address, offset: int = 0, length: int | None = None, on_version: OnVersion = ignore
    ) -> Iterator[bytes]:
        """As `stream`."""
        return self.stream(address, offset, length, on_version)

    def post_search(self, query: Query) -> ResultTable:
        """The rows that a search finds; one request. Raises QueryError when the server cannot make sense of it."""
        path = "/data/search"
        asked = Asked("POST", self._wire.server, path)
        headers = {"Content-Type": "text/xml"}
        body = format_bundle(query)
        with self._wire.reply(
            "POST", path, {"format": "json"}, content=body, headers=headers, allowed=(400, 422)
        ) as response:
            if response.status_code in (400, 422):
                raise QueryError(str(self._wire.fault(asked, response)))
            return self._table(asked, response)

    def close(self) -> None:
        """End the session on the server, as far as it answers, and let go of the connections."""
        self._wire.close()

    def _document(self, asked: Asked, response: httpx2.Response) -> bytes:
        """The whole body. Raises UnexpectedReply when it is endless."""
        pieces, length = [], 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            length += len(piece)
            if length > MAX_DOCUMENT_BYTES:
                raise asked.fault(UnexpectedReply, f"The reply is longer than {MAX_DOCUMENT_BYTES >> 20} MiB.")
        return b"".join(pieces)

    def _object(self, asked: Asked, reply: bytes, status: int) -> Mapping[str, object]:
        try:
            document = json.loads(reply)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            what = "Something else came where a JSON object was due. Check the server's address."
            raise asked.fault(UnexpectedReply, what, status)
        return document

    def _table(self, asked: Asked, response: httpx2.Response) -> ResultTable:
        body = self._document(asked, response)
        if is_page(body):
            raise asked.fault(
                UnexpectedReply,
                "A web page came where a table was due. Check the server's address, and that you may sign in there.",
                response.status_code,
            )
        try:
            return parse_json(body)
        except UnexpectedReply as fault:
            raise asked.fault(UnexpectedReply, str(fault), response.status_code) from fault


def read_document(kind: type[ReadT], document: Mapping[str, object]) -> ReadT:
    """The dataclass whose fields a JSON object holds; others are ignored. Raises UnexpectedReply."""
    names = [field.name for field in dataclasses.fields(kind)]
    missing = [name for name in names if name not in document]
    if missing:
        raise UnexpectedReply(f"The server's answer lacks {', '.join(missing)}. It may be an older one.")
    return kind(**{name: document[name] for name in names})


def _path(where: Where) -> str:
    return where if isinstance(where, str) else format_address(where)


def _check_is_file(asked: Asked, response: httpx2.Response) -> None:
    """Refuse a page in place of a file, and replies that carry none."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code not in (200, 206):
        what = f"A reply without file came ({response.status_code}). Try again."
        raise asked.fault(UnexpectedReply, what, response.status_code)
    if kind == "text/html" and not asked.address.lower().endswith((".html", ".htm")):
        what = "A web page came where a file was due. Check that you may sign in there."
        raise asked.fault(UnexpectedReply, what, response.status_code)


def _bytes_before(asked: Asked, response: httpx2.Response, offset: int) -> int:
    """How many bytes of the body come before `offset`: all that precede it when the range was ignored."""
    if response.status_code == 200:
        return offset
    found = re.match(r"bytes ([0-9]{1,18})-", response.headers.get("Content-Range", ""), re.IGNORECASE)
    if found is None or int(found.group(1)) != offset:
        what = f"Another part of the file came than the one from byte {offset}. Fetch it from the start."
        raise asked.fault(UnexpectedReply, what, response.status_code)
    return 0
