"""Everything that one server serves from: its folder, database, archive and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectomedb.config import S3Settings
from connectomedb.server.access.audit import Audit
from connectomedb.server.access.login import Logins
from connectomedb.server.archive import Archive, open_archive
from connectomedb.server.folder import DataFolder
from connectomedb.server.settings import Settings
from connectomedb.server.tables.database import Database
from connectomedb.server.types.catalogue import CatalogueShelf
from connectomedb.stores.base import Store


@dataclass(frozen=True, slots=True)
class Site:
    """One site. Several processes may open the same folder."""

    folder: DataFolder
    database: Database
    archive: Archive
    logins: Logins
    catalogue: CatalogueShelf
    settings: Settings
    audit: Audit

    def close(self) -> None:
        """Write what waits to be written, and let go of database and stores."""
        try:
            self.audit.close()
        finally:
            self.database.close()
            self.archive.close()


def open_site(
    folder: Path,
    *,
    settings: S3Settings | None = None,
    stores: Mapping[str, Store] | None = None,
    site_settings: Settings | None = None,
) -> Site:
    """The site in a data folder, which is made if it is missing; its database is brought up to date.

    Args:
        settings: keys for the buckets that the folder's `cdb.toml` declares.
        stores: further stores by name, beside those of `cdb.toml`.
        site_settings: rules of sign-in and access; without them the defaults.
    Raises: DiskRefused, DiskFull, ConfigError, LedgerBusy.
    """
    data_folder = DataFolder.open(folder)
    archive = open_archive(data_folder, settings, stores)
    database = Database.open(data_folder.database)
    rules = site_settings or Settings()
    logins = Logins(database, rules)
    return Site(data_folder, database, archive, logins, CatalogueShelf(), rules, Audit(database))
