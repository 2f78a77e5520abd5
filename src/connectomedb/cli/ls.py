"""`cdb ls`: list projects, subjects, files, or a bucket."""

from typing import TYPE_CHECKING, TypeAlias

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON, Where, open_interface, parse_where, server_options
from connectomedb.errors import ConfigError, ObjectMissing

if TYPE_CHECKING:
    from connectomedb.client.interface import Interface

_S3 = "s3://"

Cell: TypeAlias = str | int | None
"""A name, or a size in bytes; folders have none."""


@click.command(name="ls")
@click.argument("place", default="", metavar="[PROJECT[/SUBJECT[/PATH]] | s3://BUCKET/PREFIX]")
@click.option("--endpoint-url", help="An S3 other than AWS [AWS_ENDPOINT_URL].")
@JSON
@server_options
def command(
    place: str,
    endpoint_url: str | None,
    as_json: bool,
    server: str | None,
    user: str | None,
    profile: str | None,
    anonymous: bool,
) -> None:
    """List projects, the subjects of one, one level of a subject's files, or one level of a bucket.

    \b
    cdb ls
    cdb ls HCP_Q1
    cdb ls HCP_Q1/100307/MNINonLinear
    cdb ls s3://hcp.aws.amazon.com/q1/100307/
    """
    if place.startswith(_S3):
        columns, rows = _bucket_level(place, endpoint_url, profile, anonymous)
    else:
        with open_interface(server, user, profile, anonymous) as db:
            columns, rows = _server_level(db, parse_where(place) if place.strip("/") else None)
    if as_json:
        _output.show_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        _output.show_table(columns, [["" if cell is None else str(cell) for cell in row] for row in rows])


def _server_level(db: "Interface", where: Where | None) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    if where is None:
        return ("project",), [(project.id(),) for project in db.projects()]
    if not where.subject:
        subjects = db.project(where.project).subjects()
        return ("subject", "id"), sorted((subject.label(), subject.id()) for subject in subjects)
    level = db.project(where.project).subject(where.subject).list_level(where.path)
    return ("name", "size"), [(entry.name, entry.size) for entry in level]


def _bucket_level(
    place: str, endpoint_url: str | None, profile: str | None, anonymous: bool
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    from connectomedb.mirror.bucket import S3Bucket

    name, _, prefix = place.removeprefix(_S3).partition("/")
    if not name:
        raise ConfigError(f"{place!r} names no bucket. Write it like s3://hcp.aws.amazon.com/q1/.")
    bucket = S3Bucket.open(name, endpoint_url=endpoint_url, profile=profile, anonymous=anonymous)
    keys = list(bucket.list(prefix, "/"))
    if not keys and prefix:
        what = f"Asked for {place}. No key of the bucket begins so. See what is above: cdb ls {_above(name, prefix)}"
        raise ObjectMissing(what, key=prefix)
    return ("name", "size"), [(key.name, None if key.is_folder else key.size) for key in keys]


def _above(bucket: str, prefix: str) -> str:
    folder = prefix.rstrip("/").rpartition("/")[0]
    return f"{_S3}{bucket}/{folder}/" if folder else f"{_S3}{bucket}"
