"""Everything that one server serves from: its folder, database, archive and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectomedb.config import S3Settings
from connectomedb.server.access.login import Logins
from connectomedb.server.archive import Archive, open_archive, store_with_user_keys
from connectomedb.server.folder import DataFolder
from connectomedb.server.keys.issuer import IamIssuer, Issuer
from connectomedb.server.keys.ring import KeyRing
from connectomedb.server.tables.database import Database
from connectomedb.server.types.catalogue import CatalogueShelf
from connectomedb.stores.base import Store
from connectomedb.stores.s3 import S3Store


@dataclass(frozen=True, slots=True)
class Site:
    """One site. Several processes may open the same folder."""

    folder: DataFolder
    database: Database
    archive: Archive
    logins: Logins
    catalogue: CatalogueShelf
    keys: KeyRing | None = None

    def close(self) -> None:
        """Let go of database and stores."""
        if self.keys:
            self.keys.stop()
        self.database.close()
        self.archive.close()


def open_site(folder: Path, *, settings: S3Settings | None = None, stores: Mapping[str, Store] | None = None) -> Site:
    """The site in a data folder, which is made if it is missing; its database is brought up to date.

    Args:
        settings: keys for the buckets that the folder's `cdb.toml` declares.
        stores: further stores by name, beside those of `cdb.toml`.
    Raises: DiskRefused, DiskFull, ConfigError, LedgerBusy.
    """
    data_folder = DataFolder.open(folder)
    archive = open_archive(data_folder, settings, stores)
    issuer = _open_issuer(data_folder, archive)
    database = Database.open(data_folder.database)
    keys = KeyRing(database, *issuer) if issuer else None
    return Site(data_folder, database, archive, Logins(database), CatalogueShelf(), keys)


def _open_issuer(folder: DataFolder, archive: Archive) -> tuple[str, Issuer] | None:
    """The bucket for which users make keys, and what makes them. Raises ConfigError."""
    name = store_with_user_keys(folder)
    store = archive.store(name) if name else None
    return (name, IamIssuer(store.bucket, store.settings)) if name and isinstance(store, S3Store) else None
