"""Options that name a server's data folder, its settings and its database; commands get them as one `Chosen`."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from connectomedb.errors import ConfigError

if TYPE_CHECKING:
    from connectomedb.server.folder import DataFolder
    from connectomedb.server.settings import Settings
    from connectomedb.server.site import Site
    from connectomedb.server.tables.database import Database

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A data folder, which need not be there yet, and its settings."""

    folder: "DataFolder"
    settings: "Settings"

    @contextmanager
    def rows(self) -> "Iterator[Database]":
        """The database, which must be there; it is brought up to date. Raises as `open_database`."""
        from connectomedb.server.site import open_database

        self._check_is_there()
        database = open_database(self.folder, self.settings.database)
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def opened(self) -> "Iterator[Site]":
        """The whole site, which must be there: rows and stores of file bytes. Raises as `open_site`."""
        from connectomedb.config.s3 import s3_settings
        from connectomedb.server.site import open_site

        self._check_is_there()
        folder, config_file = self.folder.root, self.folder.settings_file
        with closing(open_site(folder, settings=s3_settings(), config=self.settings, config_file=config_file)) as site:
            yield site

    def _check_is_there(self) -> None:
        if not self.settings.database.url and not self.folder.database.exists():
            where = self.folder.root
            raise ConfigError(f"Asked for the data folder {where}. It holds no database: name the folder of a server.")


def on_site(command: Callable[..., R]) -> Callable[..., R]:
    """Argument FOLDER, options --config and --database; the command gets `site`, a `Chosen`."""
    return _with_options(command, is_folder_required=True)


def on_site_of_settings(command: Callable[..., R]) -> Callable[..., R]:
    """As `on_site`, but the settings of --config may name the folder in place of FOLDER."""
    return _with_options(command, is_folder_required=False)


def _with_options(command: Callable[..., R], *, is_folder_required: bool) -> Callable[..., R]:
    @wraps(command)
    def with_site(*, folder: Path | None, config: Path | None, database: str | None, **more: Any) -> R:
        return command(site=_choose(folder, config, database), **more)

    for option in (
        click.option("--database", help="postgresql://USER@HOST/NAME in place of SQLite [CDB_DATABASE_URL]."),
        click.option(
            "--config", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Settings [FOLDER/cdb.toml]."
        ),
        click.argument("folder", required=is_folder_required, type=click.Path(path_type=Path, file_okay=False)),
    ):
        with_site = option(with_site)
    return with_site


def _choose(folder: Path | None, config_file: Path | None, database: str | None) -> Chosen:
    """Raises ConfigError, and a usage error when nothing names the folder."""
    from connectomedb.server.folder import DataFolder
    from connectomedb.server.settings import read_settings, with_database

    settings = read_settings(config_file or (folder / "cdb.toml" if folder else None))
    if folder is None and not settings.folder:
        raise click.UsageError("Which data folder? Name it as FOLDER, or as folder = ... in the file of --config.")
    if database:
        settings = with_database(settings, database)
    return Chosen(DataFolder(folder or Path(settings.folder), config_file), settings)
