"""Listings by the full engine, which cuts the `/` at the end of a marker, and matches prefixes part by part."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import obstore

from connectomedb.stores._answers import advancing
from connectomedb.stores._page import Page
from connectomedb.stores.base import ObjectInfo
from connectomedb.transfer.checksum import md5_of_etag

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Store as Engine


def pages(engine: "Engine", prefix: str, delimiter: str = "") -> Iterator[Page]:
    """What begins with `prefix`, with keys and markers as S3 has them. Raises what the engine raises, and Misfit."""
    folder = prefix.rpartition("/")[0]
    below = f"{folder}/" if folder else None
    if delimiter:
        level = obstore.list_with_delimiter(engine, below)
        prefixes = [f"{path}/" for path in level["common_prefixes"]]
        objects = [describe(meta) for meta in level["objects"]]
        own = [ObjectInfo(f"{info.key}/", 0, info.etag, None, info.modified) for info in objects if info.key == folder]
        others = [info for info in objects if info.key.startswith(prefix) and info.key != folder]
        yield Page([*own, *others], [path for path in prefixes if path.startswith(prefix)])
        return
    for page in advancing(obstore.list(engine, below), "path"):
        found = [describe(meta) for meta in page if meta["path"].startswith(prefix)]
        yield Page([info for info in found if info.size or not _is_marker(engine, info.key)], [])


def describe(meta: "ObjectMeta") -> ObjectInfo:
    """An object as the engine tells of it."""
    return ObjectInfo(meta["path"], meta["size"], meta["e_tag"], md5_of_etag(meta["e_tag"]), meta["last_modified"])


def _is_marker(engine: "Engine", path: str) -> bool:
    """Whether a zero-byte path of a listing stands for `path/`: then there is no object `path` itself."""
    try:
        obstore.head(engine, path)
    except FileNotFoundError:
        return True
    return False
