"""XML documents from outside → trees of elements. No document type declarations, so no entities of one's own."""

from collections.abc import Callable
from xml.etree import ElementTree as ET
from xml.parsers import expat

XSI = "http://www.w3.org/2001/XMLSchema-instance"


class _Refused(Exception):
    """The document has a part that we never read."""


def parse_tree(document: bytes, error: Callable[[str], Exception]) -> ET.Element:
    """Read a document; names are `namespace}name` without the first brace. Raises what `error` makes of a message."""
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, attributes: builder.start(tag, attributes)
    parser.EndElementHandler = lambda tag: builder.end(tag)
    parser.CharacterDataHandler = lambda text: builder.data(text)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(document, True)
        return builder.close()
    except _Refused:
        raise error("The document has a DOCTYPE. Leave it out.") from None
    except (expat.ExpatError, AssertionError, LookupError, ValueError) as fault:  # the last two: odd encodings
        raise error(f"The document is not well-formed XML: {fault}.") from fault


def local_part(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def _refuse_doctype(name: str, system: str | None, public: str | None, has_subset: bool) -> None:
    raise _Refused
