"""`cdb serve`: run a ConnectomeDB on a data folder."""

import os

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._sites import Chosen, on_site_of_settings


@click.command(name="serve")
@on_site_of_settings
@click.option("--host", help="Address to listen on [127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one [8080].")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that share the port [1].")
@click.option("--tls-certificate", type=click.Path(), help="PEM file; with --tls-key the server speaks HTTPS.")
@click.option("--tls-key", type=click.Path(), help="PEM file of the certificate's key.")
@JSON
def command(
    site: Chosen,
    host: str | None,
    port: int | None,
    workers: int | None,
    tls_certificate: str | None,
    tls_key: str | None,
    as_json: bool,
) -> None:
    """Run a ConnectomeDB on a data folder; made if it is empty or not there.

    A new folder gets an administrator `admin` with the password of CDB_ADMIN_PASSWORD, or a random one that is
    printed once. The address is printed as soon as the server answers; then stderr has one line of JSON per request.
    Stop it with Ctrl-C. Settings are those of FOLDER/cdb.toml or of --config; what is given here counts more.

    \b
    cdb serve /data/connectomedb
    cdb serve /data/connectomedb --host 0.0.0.0 --port 80 --workers 2
    cdb serve --config /etc/connectomedb.toml --database postgresql://cdb@db.example.org/cdb
    """
    from dataclasses import replace

    from connectomedb.config.s3 import s3_settings
    from connectomedb.server.operation.logs import configure_logs
    from connectomedb.server.run import ADMIN, Answering, serve

    chosen = site.settings
    if tls_certificate or tls_key:
        tls = replace(chosen.server, tls_certificate=tls_certificate or "", tls_key=tls_key or "")
        chosen = replace(chosen, server=tls)
    configure_logs(chosen.log)

    def ready(answering: Answering) -> None:
        if as_json:
            _output.show_json({"server": answering.address, "user": ADMIN, "password": answering.made_password})
            return
        if answering.made_password is not None:
            _output.say(f"Administrator: {ADMIN}, password: {answering.made_password}  (shown only now)")
        _output.show_lines([answering.address])

    serve(
        site.folder.root,
        host=host,
        port=port,
        workers=workers,
        config=chosen,
        config_file=site.folder.settings_file,
        admin_password=os.environ.get("CDB_ADMIN_PASSWORD"),
        settings=s3_settings(),
        on_answering=ready,
    )
