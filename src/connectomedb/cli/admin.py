"""`cdb admin`: looks after a server's data folder, on the machine where it lies."""

import click

from connectomedb.cli.admin_backup import backup, migrate, restore


@click.group(name="admin")
def command() -> None:
    """Look after a data folder, on the machine where it lies."""


for subcommand in (backup, migrate, restore):
    command.add_command(subcommand)
