"""`cdb admin backup`, `restore` and `migrate`: a server's rows, whichever database has them."""

import shlex
from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._sites import Chosen, on_site


@click.command(name="backup")
@on_site
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@JSON
def backup(site: Chosen, file: Path, as_json: bool) -> None:
    """Write all rows of a server to FILE, while the server goes on.

    File bytes are not in it: copy FOLDER/archive or the bucket after the rows. A backup holds password hashes and all
    measures: keep it as safe as the server. FILE must not be there yet, and appears when it is whole.

    \b
    cdb admin backup /data/connectomedb /backup/connectomedb-monday
    """
    from connectomedb.server.operation.backup import back_up

    size = back_up(site.folder, site.settings.database, file)
    if as_json:
        _output.show_json({"file": str(file), "size": size})
    else:
        _output.say(f"{file}: {size} bytes.")


@click.command(name="restore")
@on_site
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--replace", is_flag=True, help="Replace the rows that are there.")
def restore(site: Chosen, file: Path, replace: bool) -> None:
    """Bring the rows of FILE, a backup, back into a data folder or its PostgreSQL database. Stop the server before.

    Bytes are neither brought nor removed; how many uploads are too new for the backup is told, and which S3 keys are.

    \b
    cdb admin restore /data/connectomedb /backup/connectomedb-monday
    cdb admin check /data/connectomedb
    """
    from connectomedb.server.operation.backup import restore as bring_back

    bring_back(site.folder, site.settings.database, file, replace=replace)
    _output.say(f"Restored from {file}. Bring file bytes back by their own means, before the server starts.")
    if replace and (later := _count_later(site)):
        options = ", with the --config or --database of now" if site.settings.database.url else ""
        _output.say(
            f"{later} uploads came after the backup, and no file names their bytes now: keep them as long as you may "
            f"go back, then remove them{options}: cdb admin check {shlex.quote(str(site.folder.root))} --repair"
        )

    for name in _stray_keys(site):
        _output.say(
            f"{name} still reads files by an S3 key that the backup does not know. "
            f"End it: cdb admin check {shlex.quote(str(site.folder.root))} --repair"
        )


def _stray_keys(site: Chosen) -> list[str]:
    """Identities with keys that no row tells of any more; says so where the store does not tell."""
    from connectomedb.errors import ConfigError, StoreError

    try:
        with site.opened() as opened:
            return opened.keys.strays() if opened.keys else []
    except (StoreError, ConfigError) as fault:
        _output.say(f"S3 keys that users made after the backup may still read files: {fault}")
        return []


def _count_later(site: Chosen) -> int:
    """How many objects no row tells of any more; 0 where no store answers."""
    from connectomedb.errors import ConfigError, StoreError
    from connectomedb.server.check import count_orphans

    try:
        with site.opened() as opened:
            return count_orphans(opened)
    except (StoreError, ConfigError):
        return 0


@click.command(name="migrate")
@on_site
@JSON
def migrate(site: Chosen, as_json: bool) -> None:
    """Bring the tables up to date; starting the server does the same. Make a backup before.

    \b
    cdb admin migrate /data/connectomedb
    """
    from connectomedb.server.operation.backup import migrate as bring_up_to_date

    before, after = bring_up_to_date(site.folder, site.settings.database)
    if as_json:
        _output.show_json({"before": before, "after": after})
    else:
        _output.say(f"The tables are at step {after}." if before == after else f"Step {before or 'none'} → {after}.")
