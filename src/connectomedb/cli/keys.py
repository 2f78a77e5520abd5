"""`cdb keys`: S3 keys of your own for the server's bucket."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._server import ServerChoice, with_server

if TYPE_CHECKING:
    from connectomedb.client.keys import UserKey


@click.group(name="keys")
def command() -> None:
    """S3 keys of your own for the server's bucket: they read what you may read there, and nothing else.

    \b
    cdb keys create
    cdb keys show
    cdb keys revoke
    """


@command.command()
@JSON
@with_server
def create(as_json: bool, chosen: ServerChoice) -> None:
    """Make a key pair; its secret is shown this once. An older pair ends."""
    with chosen.open() as db:
        made = db.keys.create()
    if as_json:
        _output.show_json(asdict(made))
        return
    lines = {"AWS_ACCESS_KEY_ID": made.access_key, "AWS_SECRET_ACCESS_KEY": made.secret_key}
    lines |= {"AWS_ENDPOINT_URL": made.endpoint_url} if made.endpoint_url else {}
    lines |= {"AWS_REGION": made.region} if made.region else {}
    _output.show_lines(
        [f"export {name}={value}" for name, value in {**lines, "CONNECTOMEDB_BUCKET": made.bucket}.items()]
    )
    _output.say(f"These keys read {_opened(made)}. Keep the secret: it is shown only now.")


@command.command()
@JSON
@with_server
def show(as_json: bool, chosen: ServerChoice) -> None:
    """Print the public half of your keys, and what they open."""
    with chosen.open() as db:
        found = db.keys.get()
    if as_json:
        _output.show_json(asdict(found))
    else:
        _output.show_lines([f"{found.access_key}, made {found.created}: {_opened(found)}"])


@command.command()
@with_server
def revoke(chosen: ServerChoice) -> None:
    """End your keys."""
    with chosen.open() as db:
        db.keys.revoke()
    _output.say("Your keys are ended.")


def _opened(key: "UserKey") -> str:
    return ", ".join(f"s3://{key.bucket}/{prefix}" for prefix in key.prefixes) or "nothing"
