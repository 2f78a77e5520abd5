"""Everything that one server serves from: its folder, database, archive and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectomedb.config import S3Settings
from connectomedb.server.access.login import Logins
from connectomedb.server.archive import Archive, open_archive
from connectomedb.server.file_settings import FileSettings
from connectomedb.server.folder import DataFolder
from connectomedb.server.staging import Staging
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
    staging: Staging
    file_settings: FileSettings

    def close(self) -> None:
        """Let go of database and stores."""
        self.staging.close()
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
    file_settings = data_folder.file_settings()
    archive = open_archive(data_folder, settings, stores)
    archive.writable(file_settings.uploads)
    database = Database.open(data_folder.database)
    staging = Staging(data_folder.staging)
    return Site(data_folder, database, archive, Logins(database), CatalogueShelf(), staging, file_settings)
