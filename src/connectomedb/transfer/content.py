"""Tells bodies that cannot be the file: a web page, an error document, a pointer, a file that breaks off.

The last guard before a file gets its final name, for files whose checksum nobody knows. Both ends of the file are
read, never the whole; only a gzip stream whose end contradicts its start is read through before it is refused. A right
file is never refused: what a format does not tell is let pass, text that was cut for instance.
"""

import re
from pathlib import Path

from connectomedb.errors import WrongContent
from connectomedb.transfer.disk import disk_faults
from connectomedb.transfer.formats import Ends, format_of, read_ends

_PAGES = (".html", ".htm", ".xhtml")
_DOCUMENTS = (".xml", ".spec", ".scene", ".svg", *_PAGES)
_LARGEST_POINTER = 32 * 1024
"""Longest pointer file in bytes. Source: git-annex, internals, pointer files."""

_PROLOGUE = rb"(?:(?><\?.*?\?>)\s*+|(?><!--.*?-->)\s*+)*+"
_PAGE = re.compile(_PROLOGUE + rb"<(?:!doctype\s+html|html|head|body|title)\b", re.I | re.S)
_PASSWORD = re.compile(rb"<input[^>]*\btype\s*=\s*[\"']?password\b", re.I)
_ERROR = re.compile(_PROLOGUE + rb"<(?:\w+:)?(?:error|errors|errorresponse|exception|fault)[\s>/]", re.I | re.S)
_S3_ERROR = re.compile(_PROLOGUE + rb"<Error(?:\s[^>]*)?>\s*<(?:Code|Message)>", re.S)
_CODE = re.compile(rb"<Code>(\w{1,64})</Code>")
_LISTING = re.compile(_PROLOGUE + rb"<(?:ListBucketResult|ListAllMyBucketsResult|cat:Catalog)\b", re.S)
_TABLE = re.compile(rb"\{\s*\"ResultSet\"\s*:")
_ANNEX = re.compile(rb"[^\s<>\"\0]{0,2000}?[/\\]annex[/\\]objects[/\\]\S*?[A-Z0-9_]+(?:-[a-zA-Z][0-9]+)*--\S")
_LFS = re.compile(rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/")


def check_content(part: Path, target: Path | str) -> None:
    """Refuse a file that cannot be what its final name says, before it gets that name.

    Costs two reads of 4 KiB. Call it where no manifest's checksum proves the bytes: a checksum that was
    published with the file knows better than we do.

    Args:
        part: the whole file under its private name.
        target: its final path; the name decides which format is due.
    Raises: WrongContent, which says what the body is; DiskRefused when it cannot be read.
    """
    final = Path(target)
    with disk_faults(final):
        fault = find_fault(part, final.name)
    if fault is not None:
        message = f"Fetched {final.name}: {fault}. Nothing was kept. Check the source, then run again."
        raise WrongContent(message, path=str(final))


def find_fault(file: Path, name: str) -> str | None:
    """Why a file cannot be what its name says, as a clause for people; None when nothing speaks against it.

    Args:
        file: where the bytes are.
        name: the name that they are to have, or have.
    Raises: OSError when the file cannot be read.
    """
    ends = read_ends(file)
    plain = name.lower()
    disguise = _disguise(ends, plain)
    if disguise is not None:
        return f"it is {disguise}"
    check = format_of(plain)
    if check is None:
        return None
    return check(ends) if ends.size else "it is empty"


def _disguise(ends: Ends, name: str) -> str | None:
    """What the body is instead of a file of science; None when it looks like none of the known masks."""
    start = ends.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return _page(start, name) or _error(start, name) or _listing(start, name)
    if _TABLE.match(start):
        return "a server's listing"
    if ends.size > _LARGEST_POINTER:
        return None
    if b"annex" in start and _ANNEX.match(start):
        return "a git-annex pointer, not the content"
    return "a git-lfs pointer, not the content" if _LFS.match(start) else None


def _page(start: bytes, name: str) -> str | None:
    """A web page is right only under the name of one; a sign-in page under none."""
    if not _PAGE.match(start):
        return None
    if _PASSWORD.search(start):
        return "a sign-in page"
    return None if name.endswith(_PAGES) else "a web page, perhaps a sign-in or error page"


def _error(start: bytes, name: str) -> str | None:
    pattern = _S3_ERROR if name.endswith(_DOCUMENTS) else _ERROR
    if not pattern.match(start):
        return None
    code = _CODE.search(start)
    return f"an XML error document ({code[1].decode()})" if code else "an XML error document"


def _listing(start: bytes, name: str) -> str | None:
    return "a server's listing" if _LISTING.match(start) and not name.endswith(_DOCUMENTS) else None
