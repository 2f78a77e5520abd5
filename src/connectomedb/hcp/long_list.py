"""Reads a JSON document that is mostly one long list, element by element: all of it at once takes much memory."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

_PIECE_BYTES = 1 << 18
_MOST_CHARACTERS = 4 * _PIECE_BYTES
"""Longest element that is read; what is not closed by then never will be."""

_NO_BLANK = re.compile(r"[^ \t\r\n]")
_DECODER = json.JSONDecoder()


class LongList:
    """The elements of the first list in a document that stands under a name; each is read when it is asked for.

    Args:
        file: the document, UTF-8, as is read from its position.
        name: of the list. A document without it has no elements.

    After the last element `rest` is the document with that list empty. Iterating raises ValueError (also
    UnicodeDecodeError) or RecursionError for what is no JSON.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.rest: Any = None  # raw JSON
        self._file = file
        self._opening = re.compile(rf'"{re.escape(name)}"[ \t\r\n]*+:[ \t\r\n]*+\[')
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._position = 0

    def __iter__(self) -> Iterator[Any]:
        head = ""
        while not (found := self._opening.search(self._text)):
            if not self._read_on():
                self.rest = json.loads(self._text)
                return
        head, self._position = self._text[: found.end()], found.end()
        if self._next_character() != "]":
            yield self._element()
            while self._next_character() == ",":
                self._position += 1
                self._next_character()
                yield self._element()
        if self._next_character() != "]":
            raise ValueError("the list does not end")
        while self._read_on():
            pass
        self.rest = json.loads(head + self._text[self._position :])

    def _next_character(self) -> str:
        """What follows after blanks; empty at the end."""
        while True:
            found = _NO_BLANK.search(self._text, self._position)
            self._position = found.start() if found else len(self._text)
            if self._position < len(self._text) or not self._read_on():
                return self._text[self._position : self._position + 1]

    def _element(self) -> Any:
        while True:
            try:
                element, end = _DECODER.raw_decode(self._text, self._position)
            except ValueError:
                if len(self._text) - self._position > _MOST_CHARACTERS or not self._read_on():
                    raise
                continue
            if end == len(self._text) and self._read_on():
                continue  # a number may go on
            self._position = end
            return element

    def _read_on(self) -> bool:
        """Read another piece; what was read before the position is dropped. False at the end of the file."""
        piece = self._file.read(_PIECE_BYTES)
        self._text = self._text[self._position :] + self._decode.decode(piece, final=not piece)
        self._position = 0
        return bool(piece)
