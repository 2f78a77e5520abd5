"""`cdb admin users` and `cdb admin grants`: people of a data folder, and the tiers that they may see."""

import os
import sys

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._sites import Chosen, on_site
from connectomedb.errors import ConfigError

PASSWORD_VARIABLE = "CDB_NEW_PASSWORD"

STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from stdin, its first line.")


@click.group()
def users() -> None:
    """Users of a data folder: add, list, password, disable, enable.

    A password is asked for, or comes from stdin or from the environment (CDB_NEW_PASSWORD): never from the command
    line, which others can read.
    """


@users.command(name="list")
@on_site
@JSON
def list_users(site: Chosen, as_json: bool) -> None:
    """List all users."""
    from connectomedb.server.access.accounts import list_accounts

    with site.rows() as database, database.read() as connection:
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
@on_site
@click.argument("login")
@click.option("--admin", is_flag=True, help="Make an administrator.")
@click.option("--firstname", default="")
@click.option("--lastname", default="")
@click.option("--email", default="")
@STDIN
def add(site: Chosen, login: str, admin: bool, firstname: str, lastname: str, email: str, password_stdin: bool) -> None:
    """Make a user.

    \b
    cdb admin users add /data/connectomedb bob --email bob@example.org
    pass show bob | cdb admin users add /data/connectomedb bob --password-stdin
    """
    from connectomedb.server.access.users import create_user

    with site.rows() as database:
        password = _password(site, login, password_stdin)
        create_user(database, login, password, is_admin=admin, firstname=firstname, lastname=lastname, email=email)
    _output.say(f"Made the user {login}.")


@users.command()
@on_site
@click.argument("login")
@STDIN
def password(site: Chosen, login: str, password_stdin: bool) -> None:
    """Give a user a new password; all of the user's sessions and tokens end."""
    from connectomedb.server.access.users import set_password

    with site.rows() as database:
        set_password(database, login, _password(site, login, password_stdin))
    _output.say(f"{login} has a new password, and is signed out everywhere.")


@users.command()
@on_site
@click.argument("login")
def disable(site: Chosen, login: str) -> None:
    """Let a user no longer sign in; all of the user's sessions and tokens end."""
    from connectomedb.server.access.users import set_enabled

    with site.rows() as database:
        set_enabled(database, login, False)
    _output.say(f"{login} may no longer sign in, and is signed out everywhere.")


@users.command()
@on_site
@click.argument("login")
def enable(site: Chosen, login: str) -> None:
    """Let a user sign in again."""
    from connectomedb.server.access.users import set_enabled

    with site.rows() as database:
        set_enabled(database, login, True)
    _output.say(f"{login} may sign in.")


@click.group()
def grants() -> None:
    """Tiers of measures granted to users: list, give, take."""


@grants.command(name="list")
@on_site
@click.option("--project", help="Only of this project.")
@JSON
def list_grants_of(site: Chosen, project: str | None, as_json: bool) -> None:
    """List what was granted to whom."""
    from connectomedb.server.access.tiers import list_grants

    with site.rows() as database, database.read() as connection:
        found = list_grants(connection, project)
    rows = [(grant.project, grant.login, grant.tier) for grant in found]
    if as_json:
        _output.show_json([dict(zip(("project", "login", "tier"), row, strict=True)) for row in rows])
    else:
        _output.show_table(("PROJECT", "LOGIN", "TIER"), rows)


@grants.command()
@on_site
@click.argument("project")
@click.argument("login")
@click.argument("tier", type=click.Choice(["restricted", "sensitive"]))
def give(site: Chosen, project: str, login: str, tier: str) -> None:
    """Let a user see measures of a tier, and of lower ones, in a project.

    \b
    cdb admin grants give /data/connectomedb HCP_1200 bob restricted
    """
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.server.access.users import grant_tier

    with site.rows() as database:
        grant_tier(database, project, login, Tier(tier))
    _output.say(f"{login} may see {tier} measures of {project}.")


@grants.command()
@on_site
@click.argument("project")
@click.argument("login")
def take(site: Chosen, project: str, login: str) -> None:
    """Take away what was granted to a user in a project."""
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.server.access.users import grant_tier

    with site.rows() as database:
        grant_tier(database, project, login, Tier.OPEN)
    _output.say(f"{login} may see only open measures of {project}.")


def _password(site: Chosen, login: str, from_stdin: bool) -> str:
    """A new password: from stdin, the environment, or asked for twice. Raises ConfigError for one that is none."""
    from connectomedb.server.access.accounts import check_password

    if from_stdin:
        given: str | None = sys.stdin.readline().rstrip("\r\n")
    else:
        given = os.environ.get(PASSWORD_VARIABLE)
    if given is None:
        if not sys.stdin.isatty():
            raise ConfigError(f"No password was given. Set {PASSWORD_VARIABLE}, or say --password-stdin.")
        given = str(click.prompt(f"New password of {login}", hide_input=True, confirmation_prompt=True, err=True))
    check_password(given, login, site.settings.access)
    return given


def _state(is_enabled: bool, is_admin: bool) -> str:
    words = ["administrator"] if is_admin else []
    return ", ".join([*words, "enabled" if is_enabled else "disabled"])
