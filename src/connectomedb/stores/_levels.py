"""What stands directly below a prefix, worked out from a full listing, for stores without such a call."""

from collections.abc import Iterable

from connectomedb.stores.base import Level, ObjectInfo


def level_of(objects: Iterable[ObjectInfo], prefix: str) -> Level:
    """Split objects below `prefix` (empty, or ending in `/`) into direct ones and pseudo-directories."""
    direct: list[ObjectInfo] = []
    prefixes: dict[str, None] = {}
    for info in objects:
        head, slash, _ = info.key[len(prefix) :].partition("/")
        if slash:
            prefixes[f"{prefix}{head}/"] = None
        else:
            direct.append(info)
    return Level(tuple(direct), tuple(prefixes))
