"""Whatever a server sends at one address, as a source of the transfer engine."""

from contextlib import nullcontext

from connectomedb.client.missing import explained
from connectomedb.client.transport import Connection, Where
from connectomedb.stores.base import pour_pieces
from connectomedb.stores.xnat import translated
from connectomedb.transfer.source import OnVersion, Sink, Span, Streams
from connectomedb.xnat.address import Address


class ServerSource:
    """The bytes at an address, or at a path below the server."""

    streams = Streams.ONE

    def __init__(self, connection: Connection, where: Where) -> None:
        self._connection = connection
        self._where = where

    @property
    def name(self) -> str:
        """The server's address."""
        return self._connection.name

    def pour(self, sink: Sink, span: Span, on_version: OnVersion) -> None:
        """Hand the bytes to a sink.

        Raises: StoreError, whose cause is the error of the request.
        """
        where = self._where
        key = where.steps[-1].id if isinstance(where, Address) else where
        saying = explained(self._connection, where) if isinstance(where, Address) else nullcontext()
        with translated(self.name, key), saying:
            pour_pieces(self._connection.stream(where, span.offset, span.length, on_version), sink)
