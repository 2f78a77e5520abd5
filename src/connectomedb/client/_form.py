"""A form with files, sent as it is read: nothing is held in memory. Source: RFC 7578."""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from connectomedb.errors import ConfigError

PIECE_BYTES = 1 << 20


class Form:
    """Files under names of fields. Each time it is gone through the files are read anew."""

    def __init__(self, files: Sequence[tuple[str, Path]]) -> None:
        self._files = files
        self._boundary = secrets.token_hex(16)

    @property
    def content_type(self) -> str:
        """The `Content-Type` of a request that carries it."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __iter__(self) -> Iterator[bytes]:
        """Its bytes. Raises ConfigError for a file that cannot be read."""
        for field, path in self._files:
            name = path.name.replace("\\", "_").replace('"', "_")
            yield (
                f"--{self._boundary}\r\n"
                f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
            try:
                with path.open("rb") as file:
                    while piece := file.read(PIECE_BYTES):
                        yield piece
            except OSError as fault:
                raise ConfigError(f"Read {path}: {fault.strerror}. Name a file that can be read.") from fault
            yield b"\r\n"
        yield f"--{self._boundary}--\r\n".encode()
