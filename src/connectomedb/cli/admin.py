"""`cdb admin`: look after a server's data folder, in place, whether the server runs or not."""

import click

from connectomedb.cli.admin_users import grants, users


@click.group(name="admin")
def command() -> None:
    """Look after a server's data folder, in place, whether the server runs or not."""


command.add_command(users)
command.add_command(grants)
