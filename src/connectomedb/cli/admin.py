"""`cdb admin`: look after a server's data folder, in place, on the machine where it lies."""

import click

from connectomedb.cli.admin_backup import backup, migrate, restore
from connectomedb.cli.admin_check import check
from connectomedb.cli.admin_users import grants, users


@click.group(name="admin")
def command() -> None:
    """Look after a server's data folder, in place; the server may go on, unless a command says otherwise."""


for subcommand in (users, grants, check, backup, restore, migrate):
    command.add_command(subcommand)
