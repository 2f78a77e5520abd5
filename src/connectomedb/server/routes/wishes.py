"""What a request sends → a wish: parameters of its address, and a body that is a form or a document.

A document comes raw (`Content-Type: text/xml`, `req_format=xml`, `inbody=true`) or as a part with a file name
of a form of several parts, as pyxnat sends it.
"""

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP

from connectomedb.errors import AddressError, DocumentError
from connectomedb.server.changes.wish import Wish
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.parameters import parse_parameters
from connectomedb.xnat.document import parse_item_xml

MAX_DOCUMENT_BYTES = 16 << 20

MAX_PARTS = 1_000
"""Most parts of a form: they are read while others wait to write."""

_XML = ("text/xml", "application/xml")
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


def read_wish(call: Call, *, is_post: bool = False) -> Wish:
    """What is sent: parameters of the address, and a body that is a form or a document.

    Raises AddressError, DocumentError.
    """
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    asked = call.parameters.get("req_format").lower()
    pairs, document = [*call.parameters.pairs], b""
    if content_type == _MULTIPART:
        for name, filename, content in read_parts(call.headers["content-type"], call.body):
            if filename:
                document = document or content
            else:
                pairs.append((name, content.decode("utf-8", "replace")))
    elif asked == "xml" or call.parameters.is_true("inbody") or content_type in _XML:
        document = call.body
        if not document.strip():
            raise DocumentError("The request says that it sends a document, and its body is empty.")
    elif asked not in ("qs",) and (content_type == _FORM or asked == "form"):
        pairs += parse_parameters(call.body.decode("utf-8", "replace")).pairs
    item = parse_item_xml(document) if document.strip() else None
    return Wish(pairs, item, is_whole=call.parameters.is_true("allowDataDeletion"), is_post=is_post)


def read_form(headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    """Names and values of a form, of either kind, without its files; of another body nothing. Raises AddressError."""
    content_type = headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        parts = read_parts(content_type, body)
        return [(name, content.decode("utf-8", "replace")) for name, filename, content in parts if not filename]
    return [*parse_parameters(body.decode("utf-8", "replace")).pairs] if kind == _FORM else []


def read_parts(content_type: str, body: bytes) -> list[tuple[str, str, bytes]]:
    """Name, file name and content of the parts of a form. Raises AddressError."""
    header = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    if body.count(b"\n--") > MAX_PARTS:
        raise AddressError(f"The form has more than {MAX_PARTS} parts. Send fewer.")
    try:
        message = BytesParser(policy=HTTP).parsebytes(header + body)
    except RecursionError:
        raise AddressError("The form has parts in parts in parts. Send plain ones.") from None
    if not message.is_multipart():
        raise AddressError("The request says that it is a form of several parts, and it has none.")
    parts = []
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", "", header="content-disposition")
        parts.append((str(name), part.get_filename() or "", content if isinstance(content, bytes) else b""))
    return parts
