"""What commands about lockfiles share."""

from pathlib import Path

import click

FOLDER = click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="CONNECTOMEDB_MIRROR",
    default=Path("mirror"),
    show_default=True,
    help="Mirror folder [CONNECTOMEDB_MIRROR].",
)

KEY = click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The subject key of a coded lockfile: coded id, label, secret.",
)
