"""Do S3 keys and their rows agree? A key of which no row tells is ended by no change of rights.

After older rows were restored there are such keys: of users who made theirs later.
"""

from collections.abc import Iterator

from connectomedb.errors import StoreError
from connectomedb.server.check import Fault, Finding
from connectomedb.server.site import Site


def check_keys(site: Site, *, repair: bool = False) -> Iterator[Finding]:
    """Identities that read files by keys of which no row tells. Repairing ends these keys."""
    ring = site.keys
    if ring is None:
        return
    try:
        for name in ring.strays():
            if repair:
                ring.end_stray(name)
            yield Finding(Fault.KEY, ring.store, name, detail="an S3 key that no row tells of", is_repaired=repair)
    except StoreError as fault:
        yield Finding(Fault.UNREADABLE, ring.store, "S3 keys of users", detail=str(fault))
