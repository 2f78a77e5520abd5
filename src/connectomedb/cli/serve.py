"""`cdb serve`: run a ConnectomeDB on a data folder."""

import os
from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON


@click.command(name="serve")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@JSON
def command(folder: Path, host: str, port: int, as_json: bool) -> None:
    """Run a ConnectomeDB on a data folder; made if it is empty or not there.

    A new folder gets an administrator `admin` with the password of CDB_ADMIN_PASSWORD, or a random one that is
    printed once. The address is printed as soon as the server answers. Stop it with Ctrl-C.

    \b
    cdb serve /data/connectomedb
    cdb serve /data/connectomedb --host 0.0.0.0 --port 80
    """
    from connectomedb.config import s3_settings
    from connectomedb.server.run import ADMIN, Answering, serve

    def ready(answering: Answering) -> None:
        if as_json:
            _output.show_json({"server": answering.address, "user": ADMIN, "password": answering.made_password})
            return
        if answering.made_password is not None:
            _output.say(f"Administrator: {ADMIN}, password: {answering.made_password}  (shown only now)")
        _output.show_lines([answering.address])

    serve(
        folder,
        host=host,
        port=port,
        admin_password=os.environ.get("CDB_ADMIN_PASSWORD"),
        settings=s3_settings(),
        on_answering=ready,
    )
