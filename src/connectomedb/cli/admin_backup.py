"""`cdb admin backup`, `restore` and `migrate`: a server's rows, whichever database has them."""

from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._sites import configured, database_options

FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.command(name="backup")
@FOLDER
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@database_options
@JSON
def backup(folder: Path, file: Path, config: Path | None, database: str | None, as_json: bool) -> None:
    """Write all rows of a server to FILE, while the server goes on.

    File bytes are not in it: copy FOLDER/archive or the bucket after the rows. A backup holds password hashes and all
    measures: keep it as safe as the server. FILE must not be there yet, and appears when it is whole.

    \b
    cdb admin backup /data/connectomedb /backup/connectomedb-monday
    """
    from connectomedb.server.folder import DataFolder
    from connectomedb.server.operation.backup import back_up

    chosen, _ = configured(folder, config, database)
    size = back_up(DataFolder(folder, config), chosen.database, file)
    if as_json:
        _output.show_json({"file": str(file), "size": size})
    else:
        _output.say(f"{file}: {size} bytes.")


@click.command(name="restore")
@FOLDER
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@database_options
@click.option("--replace", is_flag=True, help="Replace the rows that are there.")
def restore(folder: Path, file: Path, config: Path | None, database: str | None, replace: bool) -> None:
    """Bring the rows of FILE, a backup, back into a data folder or its PostgreSQL database. Stop the server before.

    \b
    cdb admin restore /data/connectomedb /backup/connectomedb-monday
    cdb admin check /data/connectomedb
    """
    from connectomedb.server.folder import DataFolder
    from connectomedb.server.operation.backup import restore as bring_back

    chosen, _ = configured(folder, config, database)
    bring_back(DataFolder(folder, config), chosen.database, file, replace=replace)
    _output.say(f"Restored from {file}. Bring file bytes back by their own means, then run: cdb admin check {folder}")


@click.command(name="migrate")
@FOLDER
@database_options
@JSON
def migrate(folder: Path, config: Path | None, database: str | None, as_json: bool) -> None:
    """Bring the tables up to date; starting the server does the same. Make a backup before.

    \b
    cdb admin migrate /data/connectomedb
    """
    from connectomedb.server.folder import DataFolder
    from connectomedb.server.operation.backup import migrate as bring_up_to_date

    chosen, _ = configured(folder, config, database)
    before, after = bring_up_to_date(DataFolder(folder, config), chosen.database)
    if as_json:
        _output.show_json({"before": before, "after": after})
    else:
        _output.say(f"The tables are at step {after}." if before == after else f"Step {before or 'none'} → {after}.")
