"""Options that several commands share, and what they open: a server, a bucket, a mirror."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from connectomedb.errors import ConfigError

if TYPE_CHECKING:
    from connectomedb.client.interface import Interface
    from connectomedb.mirror.mirror import Mirror, S3Mirror

F = TypeVar("F", bound=Callable[..., object])

JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def server_options(command: F) -> F:
    """Which XNAT or ConnectomeDB, and as whom. Passwords are asked for, or come from the environment or a profile."""
    for option in (
        click.option("--anonymous", is_flag=True, help="Sign in as nobody, and send no key to S3."),
        click.option("--profile", help="Profile of the configuration file; for a bucket's keys also one of ~/.aws."),
        click.option("--user", help="User name [XNAT_USER]; the password comes from XNAT_PASS, or is asked for."),
        click.option("--server", help="Address of the server [XNAT_HOST]."),
    ):
        command = option(command)
    return command


def bucket_options(command: F) -> F:
    """Which bucket; its keys come from AWS_* or from a profile."""
    for option in (
        click.option("--prefix", help="Key prefix of the release, if not the usual one."),
        click.option("--endpoint-url", help="An S3 other than AWS [AWS_ENDPOINT_URL]."),
        click.option("--bucket", envvar="CONNECTOMEDB_BUCKET", help="Bucket to fetch from [CONNECTOMEDB_BUCKET]."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a release: `PROJECT`, `PROJECT/SUBJECT` or `PROJECT/SUBJECT/PATH`."""

    project: str
    subject: str = ""
    path: str = ""


def parse_where(text: str) -> Where:
    """Read `PROJECT[/SUBJECT[/PATH]]`. Raises a usage error."""
    project, _, rest = text.strip("/").partition("/")
    subject, _, path = rest.partition("/")
    if not project or project in (".", ".."):
        raise click.UsageError(f"{text!r} names no project. Write PROJECT/SUBJECT/PATH, like HCP_Q1/100307/T1w.")
    return Where(project, subject, path)


def has_server(server: str | None, profile: str | None) -> bool:
    """Whether a server was named anywhere; without one, a bucket alone will do. Raises ConfigError for what is none."""
    from connectomedb.config.server import xnat_settings

    if server:
        return True
    try:
        xnat_settings(server, profile=profile, anonymous=True)
    except ConfigError:
        return False
    return True


def open_interface(
    server: str | None,
    user: str | None,
    profile: str | None,
    anonymous: bool,
    data_mirror: "Mirror | None" = None,
) -> "Interface":
    """An Interface; asks for the password at a terminal when none is known."""
    from connectomedb.client.interface import Interface

    password = None
    if user and not os.environ.get("XNAT_PASS") and sys.stdin.isatty():
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    elif user:
        password = os.environ.get("XNAT_PASS")
    return Interface(server, user, password, anonymous=anonymous, profile=profile, data_mirror=data_mirror)


def open_s3_mirror(
    bucket: str, folder: Path, endpoint_url: str | None, prefix: str | None, profile: str | None, anonymous: bool
) -> "S3Mirror":
    """A mirror of a bucket."""
    from connectomedb.mirror.mirror import S3Mirror

    return S3Mirror.open(
        bucket, root=folder, endpoint_url=endpoint_url, prefix=prefix, profile=profile, anonymous=anonymous
    )
