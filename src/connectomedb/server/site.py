"""Everything that one server serves from: its folder, database, archive and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectomedb.config.s3 import S3Settings
from connectomedb.server.access.audit import Audit
from connectomedb.server.access.login import Logins
from connectomedb.server.archive import Archive, open_archive, store_with_user_keys
from connectomedb.server.folder import DataFolder
from connectomedb.server.keys.issuer import IamIssuer, Issuer
from connectomedb.server.keys.ring import KeyRing
from connectomedb.server.operation.metrics import Metrics
from connectomedb.server.operation.pulse import Pulse
from connectomedb.server.settings import AccessSettings, DatabaseSettings, Settings, read_settings
from connectomedb.server.staging import Staging
from connectomedb.server.tables.database import Database
from connectomedb.server.tables.sqlite import make_file
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
    settings: Settings
    metrics: Metrics
    staging: Staging
    audit: Audit
    keys: KeyRing | None = None
    pulse: Pulse = field(default_factory=Pulse)

    def close(self) -> None:
        """Write what waits to be written, and let go of database and stores."""
        try:
            if self.keys:
                self.keys.stop()
            self.audit.close()
        finally:
            self.staging.close()
            self.database.close()
            self.archive.close()


def open_site(
    folder: Path,
    *,
    settings: S3Settings | None = None,
    stores: Mapping[str, Store] | None = None,
    config: Settings | None = None,
    config_file: Path | None = None,
    access: AccessSettings | None = None,
) -> Site:
    """The site in a data folder, which is made if it is missing; its database is brought up to date.

    Args:
        settings: keys for the buckets that the folder's `cdb.toml` declares.
        stores: further stores by name, beside those of `cdb.toml`.
        config: settings that were read already; without them, those of the file.
        config_file: another file in place of `cdb.toml`.
        access: other rules of sign-in and access than those of the settings.
    Raises: DiskRefused, DiskFull, ConfigError, LedgerBusy, ServiceFailed (no database server answers).
    """
    data_folder = DataFolder.open(folder, config_file)
    chosen = config or read_settings(data_folder.settings)
    chosen = replace(chosen, access=access or chosen.access)
    archive = open_archive(data_folder, settings, stores)
    archive.writable(chosen.files.uploads)
    issuer = _open_issuer(data_folder, archive)
    rows = open_database(data_folder, chosen.database)
    keys = KeyRing(rows, *issuer) if issuer else None
    logins = Logins(rows, chosen.access)
    staging, audit = Staging(data_folder.staging), Audit(rows)
    return Site(data_folder, rows, archive, logins, CatalogueShelf(), chosen, Metrics(), staging, audit, keys)


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


def _open_issuer(folder: DataFolder, archive: Archive) -> tuple[str, Issuer] | None:
    """The bucket for which users make keys, and what makes them. Raises ConfigError."""
    name = store_with_user_keys(folder)
    store = archive.store(name) if name else None
    return (name, IamIssuer(store.bucket, store.settings)) if name and isinstance(store, S3Store) else None
