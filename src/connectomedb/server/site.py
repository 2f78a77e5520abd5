"""Everything that one server serves from: its folder, database, archive and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectomedb.config import S3Settings
from connectomedb.server.access.login import Logins
from connectomedb.server.archive import Archive, open_archive
from connectomedb.server.folder import DataFolder
from connectomedb.server.operation.configuration import (
    Configuration,
    DatabaseSettings,
    read_configuration,
)
from connectomedb.server.operation.metrics import Metrics
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.sqlite import make_file
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
    config: Configuration
    metrics: Metrics

    def close(self) -> None:
        """Let go of database and stores."""
        self.database.close()
        self.archive.close()


def open_site(
    folder: Path,
    *,
    settings: S3Settings | None = None,
    stores: Mapping[str, Store] | None = None,
    config: Configuration | None = None,
    config_file: Path | None = None,
) -> Site:
    """The site in a data folder, which is made if it is missing; its database is brought up to date.

    Args:
        settings: keys for the buckets that the folder's `cdb.toml` declares.
        stores: further stores by name, beside those of `cdb.toml`.
        config: settings that were read already; without them, those of the file.
        config_file: another file in place of `cdb.toml`.
    Raises: DiskRefused, DiskFull, ConfigError, LedgerBusy, ServiceFailed (no database server answers).
    """
    data_folder = DataFolder.open(folder, config_file)
    chosen = config or configuration_of(folder, config_file)
    archive = open_archive(data_folder, settings, stores)
    rows = open_database(data_folder, chosen.database)
    return Site(data_folder, rows, archive, Logins(rows), CatalogueShelf(), chosen, Metrics())


def configuration_of(folder: Path, config_file: Path | None = None) -> Configuration:
    """The settings of a data folder, which need not be there yet. Raises ConfigError."""
    return read_configuration(DataFolder(folder, config_file).settings)


def open_database(folder: DataFolder, settings: DatabaseSettings) -> Database:
    """The database that the settings name, else the folder's SQLite file; brought up to date.

    Raises: DiskRefused, DiskFull, ConfigError, LedgerBusy, ServiceFailed.
    """
    url = settings.url or make_file(folder.database)
    database = Database(url, statement_timeout_s=settings.statement_timeout_s)
    try:
        database.migrate()
    except BaseException:
        database.close()
        raise
    return database
