"""Removes bytes that no file names: of uploads that ended half-way, and of files that were deleted or replaced."""

import logging
from datetime import timedelta

from connectomedb.errors import ConnectomeDBError, StoreError
from connectomedb.server.access.clock import now
from connectomedb.server.intake.user_cache import expire
from connectomedb.server.site import Site
from connectomedb.server.staging import dead_processes
from connectomedb.server.tables import loose

GRACE_S = 600.0
"""How long bytes stay after their file was deleted: downloads under way may still open them."""

ABANDONED_S = 14 * 24 * 3600.0
"""After this time an announced upload counts as given up, even if its process cannot be seen from here."""

EVERY_S = 60.0
"""How often a server sweeps."""

_BATCH = 500

logger = logging.getLogger(__name__)


def sweep(site: Site, *, grace_s: float = GRACE_S) -> int:
    """Remove what nobody needs any more; how many objects that were. What a store refuses waits for the next time.

    Safe beside other processes that sweep, upload and download. Raises LedgerBusy.
    """
    removed = 0
    expire(site.folder.cache)
    with dead_processes(site.folder.staging) as dead:
        refused: set[int] = set()
        while True:
            found = [item for item in _find(site, grace_s, dead, _BATCH + len(refused)) if item.row not in refused]
            if not found:
                break
            gone = [item.row for item in found if _delete(site, item)]
            refused |= {item.row for item in found} - set(gone)
            if gone:
                with site.database.write() as connection:
                    loose.remove(connection, gone)
            removed += len(gone)
        if refused:
            # Their processes' folders stay, so that the next sweep still knows them as dead.
            raise StoreError(f"{len(refused)} objects that no file names could not be removed. The next sweep tries.")
    return removed


def _find(site: Site, grace_s: float, dead: list[str], most: int) -> list[loose.LooseObject]:
    time = now()
    with site.database.read() as connection:
        return loose.find_loose(
            connection,
            dropped_before=time - timedelta(seconds=grace_s),
            announced_before=time - timedelta(seconds=ABANDONED_S),
            dead=dead,
            most=most,
        )


def _delete(site: Site, item: loose.LooseObject) -> bool:
    try:
        site.archive.delete(item.store, item.key)
    except ConnectomeDBError as fault:
        logger.warning("The store %s did not remove %s: %s", item.store, item.key, fault)
        return False
    return True
