"""Bodies of uploads, taken piece by piece: one file as it is, or a form with files.

Source of the form's shape: RFC 7578.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from connectomedb.errors import AddressError, TooLarge
from connectomedb.server.intake.part import Part

MAX_HEADER_BYTES = 16 << 10
"""Most that the headers of one part of a form may have."""

MAX_BOUNDARY_BYTES = 70
"""Longest boundary of a form. Source: RFC 2046."""


@dataclass(frozen=True, slots=True)
class Received:
    """One whole file: the name that the sender gave it and the field of the form it came in, `""` without one."""

    name: str
    part: Part
    field: str = ""


class Body(Protocol):
    """A body that is being received."""

    def feed(self, piece: bytes) -> None:
        """Take the next piece. Raises TooLarge, AddressError, DiskFull."""
        ...

    def finish(self) -> list[Received]:
        """The files, when all was taken. Raises AddressError when the body breaks off."""
        ...


class RawBody:
    """The body is the file."""

    def __init__(self, new_part: Callable[[], Part], most: int) -> None:
        self._part = new_part()
        self._most = most

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        if self._part.size + len(piece) > self._most:
            raise too_large(self._most)
        self._part.write(piece)

    def finish(self) -> list[Received]:
        """The one file; none when nothing was sent."""
        self._part.finish()
        return [Received("", self._part)] if self._part.size else []


class FormBody:
    """Parts with a file name are files, whatever the name of their field; other fields are passed over."""

    def __init__(self, content_type: str, new_part: Callable[[], Part], most: int, max_files: int) -> None:
        self._new_part = new_part
        self._most = most
        self._max_files = max_files
        self._taken = 0
        self._files: list[Received] = []
        self._is_whole = False
        self._header = bytearray()
        self._value = bytearray()
        self._header_bytes = 0
        self._name: str | None = None
        self._field = ""
        self._part: Part | None = None
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary or len(boundary) > MAX_BOUNDARY_BYTES:
            raise AddressError(
                f"A form was sent whose Content-Type names no boundary, or one beyond {MAX_BOUNDARY_BYTES} letters."
            )
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._take_header,
                "on_header_value": self._take_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_part_data": self._take_data,
                "on_part_end": self._close,
                "on_end": self._end,
            },
        )

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        self._taken += len(piece)
        if self._taken > self._most:
            raise too_large(self._most)
        try:
            self._parser.write(piece)
        except MultipartParseError as fault:
            raise AddressError(f"A form was sent that cannot be read: {fault}. Send it anew.") from fault

    def finish(self) -> list[Received]:
        """The files of the form."""
        if self._taken and not self._is_whole:
            raise AddressError("A form was sent that breaks off. Send it anew.")
        return self._files

    def _begin(self) -> None:
        self._name, self._field, self._header_bytes = None, "", 0

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def _count(self, bytes: int) -> None:
        self._header_bytes += bytes
        if self._header_bytes > MAX_HEADER_BYTES:
            raise AddressError(f"A part of the form has headers of more than {MAX_HEADER_BYTES} bytes. Shorten them.")

    def _end_header(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            options = parse_options_header(bytes(self._value))[1]
            name = options.get(b"filename")
            self._field = options.get(b"name", b"").decode("utf-8", "replace")
            self._name = None if name is None else name.decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _open(self) -> None:
        if self._name is None:
            return
        if len(self._files) >= self._max_files:
            raise TooLarge(f"The form has more than {self._max_files} files. Send it in several.")
        self._part = self._new_part()

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is not None:
            self._part.write(data[start:end])

    def _close(self) -> None:
        if self._part is not None:
            self._part.finish()
            # Some browsers send the path on their disk; its last part is the name.
            name = (self._name or "").replace("\\", "/").rpartition("/")[2]
            self._files.append(Received(name, self._part, self._field))
            self._part = None

    def _end(self) -> None:
        self._is_whole = True


def too_large(most: int) -> TooLarge:
    """The refusal of a body."""
    return TooLarge(f"The body is longer than {most} bytes, the most that this server takes. Send it in parts.")
