"""`cdb admin users` and `cdb admin grants`: people of a data folder, and the tiers that they may see."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.errors import ConfigError

if TYPE_CHECKING:
    from connectomedb.server.tables.database import Database

PASSWORD_VARIABLE = "CDB_NEW_PASSWORD"

FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from stdin, its first line.")


@click.group()
def users() -> None:
    """Users of a data folder: add, list, password, disable, enable.

    A password is asked for, or comes from stdin or from the environment (CDB_NEW_PASSWORD): never from the command
    line, which others can read.
    """


@users.command(name="list")
@FOLDER
@JSON
def list_users(folder: Path, as_json: bool) -> None:
    """List all users."""
    from connectomedb.server.access.accounts import list_accounts

    with _database(folder) as database, database.read() as connection:
        found = list_accounts(connection)
    if as_json:
        _output.show_json(
            [
                {
                    "login": user.login,
                    "name": f"{user.firstname} {user.lastname}".strip(),
                    "email": user.email,
                    "enabled": user.is_enabled,
                    "roles": user.roles,
                }
                for user in found
            ]
        )
        return
    rows = [
        (user.login, f"{user.firstname} {user.lastname}".strip(), user.email, _state(user.is_enabled, user.is_admin))
        for user in found
    ]
    _output.show_table(("LOGIN", "NAME", "EMAIL", "STATE"), rows)


@users.command()
@FOLDER
@click.argument("login")
@click.option("--admin", is_flag=True, help="Make an administrator.")
@click.option("--firstname", default="")
@click.option("--lastname", default="")
@click.option("--email", default="")
@STDIN
def add(folder: Path, login: str, admin: bool, firstname: str, lastname: str, email: str, password_stdin: bool) -> None:
    """Make a user.

    \b
    cdb admin users add /data/connectomedb bob --email bob@example.org
    pass show bob | cdb admin users add /data/connectomedb bob --password-stdin
    """
    from connectomedb.server.access.users import create_user

    with _database(folder) as database:
        password = _password(folder, login, password_stdin)
        create_user(database, login, password, is_admin=admin, firstname=firstname, lastname=lastname, email=email)
    _output.say(f"Made the user {login}.")


@users.command()
@FOLDER
@click.argument("login")
@STDIN
def password(folder: Path, login: str, password_stdin: bool) -> None:
    """Give a user a new password; all of the user's sessions and tokens end."""
    from connectomedb.server.access.users import set_password

    with _database(folder) as database:
        set_password(database, login, _password(folder, login, password_stdin))
    _output.say(f"{login} has a new password, and is signed out everywhere.")


@users.command()
@FOLDER
@click.argument("login")
def disable(folder: Path, login: str) -> None:
    """Let a user no longer sign in; all of the user's sessions and tokens end."""
    from connectomedb.server.access.users import set_enabled

    with _database(folder) as database:
        set_enabled(database, login, False)
    _output.say(f"{login} may no longer sign in, and is signed out everywhere.")


@users.command()
@FOLDER
@click.argument("login")
def enable(folder: Path, login: str) -> None:
    """Let a user sign in again."""
    from connectomedb.server.access.users import set_enabled

    with _database(folder) as database:
        set_enabled(database, login, True)
    _output.say(f"{login} may sign in.")


@click.group()
def grants() -> None:
    """Tiers of measures granted to users: list, give, take."""


@grants.command(name="list")
@FOLDER
@click.option("--project", help="Only of this project.")
@JSON
def list_grants_of(folder: Path, project: str | None, as_json: bool) -> None:
    """List what was granted to whom."""
    from connectomedb.server.access.tiers import list_grants

    with _database(folder) as database, database.read() as connection:
        found = list_grants(connection, project)
    rows = [(grant.project, grant.login, grant.tier) for grant in found]
    if as_json:
        _output.show_json([dict(zip(("project", "login", "tier"), row, strict=True)) for row in rows])
    else:
        _output.show_table(("PROJECT", "LOGIN", "TIER"), rows)


@grants.command()
@FOLDER
@click.argument("project")
@click.argument("login")
@click.argument("tier", type=click.Choice(["restricted", "sensitive"]))
def give(folder: Path, project: str, login: str, tier: str) -> None:
    """Let a user see measures of a tier, and of lower ones, in a project.

    \b
    cdb admin grants give /data/connectomedb HCP_1200 bob restricted
    """
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.server.access.users import grant_tier

    with _database(folder) as database:
        grant_tier(database, project, login, Tier(tier))
    _output.say(f"{login} may see {tier} measures of {project}.")


@grants.command()
@FOLDER
@click.argument("project")
@click.argument("login")
def take(folder: Path, project: str, login: str) -> None:
    """Take away what was granted to a user in a project."""
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.server.access.users import grant_tier

    with _database(folder) as database:
        grant_tier(database, project, login, Tier.OPEN)
    _output.say(f"{login} may see only open measures of {project}.")


@contextmanager
def _database(folder: Path) -> "Iterator[Database]":
    """The database of a data folder that is there, brought up to date."""
    from connectomedb.server.folder import DataFolder
    from connectomedb.server.settings import read_settings
    from connectomedb.server.site import open_database

    data = DataFolder(folder)
    settings = read_settings(data.settings).database
    if not settings.url and not data.database.exists():
        raise ConfigError(f"Asked for the data folder {folder}. It holds no database: name the folder of a server.")
    database = open_database(data, settings)
    try:
        yield database
    finally:
        database.close()


def _password(folder: Path, login: str, from_stdin: bool) -> str:
    """A new password: from stdin, the environment, or asked for twice. Raises ConfigError for one that is none."""
    from connectomedb.server.access.accounts import check_password
    from connectomedb.server.folder import DataFolder
    from connectomedb.server.settings import read_settings

    if from_stdin:
        given: str | None = sys.stdin.readline().rstrip("\r\n")
    else:
        given = os.environ.get(PASSWORD_VARIABLE)
    if given is None:
        if not sys.stdin.isatty():
            raise ConfigError(f"No password was given. Set {PASSWORD_VARIABLE}, or say --password-stdin.")
        given = str(click.prompt(f"New password of {login}", hide_input=True, confirmation_prompt=True, err=True))
    check_password(given, login, read_settings(DataFolder(folder).settings).access)
    return given


def _state(is_enabled: bool, is_admin: bool) -> str:
    words = ["administrator"] if is_admin else []
    return ", ".join([*words, "enabled" if is_enabled else "disabled"])
