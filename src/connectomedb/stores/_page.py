"""One page of a listing of S3, as it is written: `ListBucketResult`.

Source: S3 API reference, ListObjectsV2. Keys may hold what XML cannot, so they are asked for percent-encoded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from connectomedb.stores._answers import Misfit
from connectomedb.stores.base import ObjectInfo
from connectomedb.transfer.checksum import md5_of_etag

ENCODING = "url"


@dataclass(frozen=True, slots=True)
class Page:
    """Objects and pseudo-directories (they end in `/`) with their whole keys; `following` asks for the next page."""

    objects: list[ObjectInfo]
    prefixes: list[str]
    following: str = ""


def read_page(document: bytes) -> Page:
    """Raises Misfit for what is no page of a listing."""
    try:
        root = ElementTree.fromstring(document)
        space, _, kind = root.tag.rpartition("}")  # the namespace, which not every store sends
        if kind != "ListBucketResult":
            raise Misfit("It sends no listing: a web page may have come, or something stands between.")
        of = f"{space}}}" if space else ""
        decode = _decoded if root.findtext(f"{of}EncodingType") == ENCODING else str
        objects = [_object(element, of, decode) for element in root.iterfind(f"{of}Contents")]
        prefixes = [decode(element.text or "") for element in root.iterfind(f"{of}CommonPrefixes/{of}Prefix")]
    except (ElementTree.ParseError, KeyError, TypeError, ValueError) as fault:
        raise Misfit(f"Its listing cannot be read ({fault!r}).") from fault
    is_cut = root.findtext(f"{of}IsTruncated", "")
    following = root.findtext(f"{of}NextContinuationToken", "")
    if is_cut == "true" and not following:
        raise Misfit("Its listing breaks off: it says that there is more, and not where.")
    return Page(objects, prefixes, "" if is_cut == "false" else following)


def _object(element: ElementTree.Element, of: str, decode: Callable[[str], str]) -> ObjectInfo:
    """Raises KeyError, TypeError or ValueError where key or size lack."""
    words = {below.tag: below.text or "" for below in element}
    etag, modified = words.get(f"{of}ETag") or None, words.get(f"{of}LastModified")
    at = datetime.fromisoformat(modified) if modified else None
    return ObjectInfo(decode(words[f"{of}Key"]), int(words[f"{of}Size"]), etag, md5_of_etag(etag), at)


def _decoded(text: str) -> str:
    """What is no UTF-8 stays told apart, and is refused as a path later."""
    return unquote_plus(text, errors="surrogateescape")
