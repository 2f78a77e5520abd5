"""`cdb sync`: bring exactly the files of a lockfile."""

from contextlib import ExitStack
from pathlib import Path

import click

from connectomedb.cli._cohort import LOCKFILE
from connectomedb.cli._options import JSON
from connectomedb.cli._sources import Sources, source_options
from connectomedb.cli._study import FOLDER, KEY
from connectomedb.cli.get import Way, way_options


@click.command(name="sync")
@LOCKFILE
@KEY
@FOLDER
@way_options
@JSON
@source_options
def command(lockfile: Path, key_file: Path | None, folder: Path, way: Way, as_json: bool, sources: Sources) -> None:
    """Bring the files of LOCKFILE, byte for byte; or name those that are no longer what they were.

    A file whose published bytes have changed is not kept: the command says which, and ends with exit code 9.
    What is there already is not fetched again; after an interruption the same command goes on. A coded lockfile
    needs its subject key.

    \b
    cdb sync study.cdb.toml --to brains
    cdb sync study.cdb.toml --key study.key.csv --to brains
    """
    from connectomedb.cli._getting import Getting
    from connectomedb.mirror.coded import decode_lockfile, load_subject_key
    from connectomedb.mirror.studies import load_lockfile, plans_of

    wanted = load_lockfile(lockfile)
    with ExitStack() as stack:
        mirror = sources.open(stack, folder)
        if wanted.is_coded and key_file:
            wanted = decode_lockfile(wanted, load_subject_key(key_file), mirror)
        Getting(mirror, way.options(), as_json).carry_out_all(lambda: plans_of(wanted, mirror))
