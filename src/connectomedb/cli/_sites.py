"""Options that name a server's data folder, its settings and its database."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from connectomedb.server.operation.configuration import Configuration

F = TypeVar("F", bound=Callable[..., object])


def site_options(command: F) -> F:
    """FOLDER, which the settings may name too, and `database_options`; `configured` reads them."""
    folder = click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
    return folder(database_options(command))


def database_options(command: F) -> F:
    """Options --config and --database."""
    for option in (
        click.option("--database", help="postgresql://USER@HOST/NAME in place of SQLite [CDB_DATABASE_URL]."),
        click.option(
            "--config", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Settings [FOLDER/cdb.toml]."
        ),
    ):
        command = option(command)
    return command


def configured(folder: Path | None, config_file: Path | None, database: str | None) -> "tuple[Configuration, Path]":
    """The settings, and the data folder. Raises ConfigError, and a usage error when nothing names the folder."""
    from connectomedb.server.operation.configuration import read_configuration, with_database

    chosen = read_configuration(config_file or (folder / "cdb.toml" if folder else None))
    if folder is None and not chosen.folder:
        raise click.UsageError("Which data folder? Name it as FOLDER, or as folder = ... in the file of --config.")
    if database:
        chosen = with_database(chosen, database)
    return chosen, folder or Path(chosen.folder)
