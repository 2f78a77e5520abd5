"""`cdb get`: bring files to disk, proven."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._options import (
    JSON,
    Where,
    bucket_options,
    has_server,
    open_interface,
    open_s3_mirror,
    parse_where,
    server_options,
)
from connectomedb.errors import ConfigError, ConnectomeDBError, MirrorIncomplete

if TYPE_CHECKING:
    from connectomedb.mirror.mirror import Mirror, Report


@click.command(name="get")
@click.argument("places", nargs=-1, required=True, metavar="PROJECT/SUBJECT[/PATH]...")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="CONNECTOMEDB_MIRROR",
    required=True,
    help="Mirror folder [CONNECTOMEDB_MIRROR].",
)
@click.option("--refresh", is_flag=True, help="List the sources again even if all is here.")
@click.option("--jobs", type=click.IntRange(1, 256), default=16, show_default=True, help="Files at once.")
@JSON
@bucket_options
@server_options
def command(
    places: tuple[str, ...],
    folder: Path,
    refresh: bool,
    jobs: int,
    as_json: bool,
    bucket: str | None,
    endpoint_url: str | None,
    prefix: str | None,
    server: str | None,
    user: str | None,
    profile: str | None,
    anonymous: bool,
) -> int:
    """Bring files to disk: from the bucket, or else from the server; whole and proven, or not at all.

    Prints the local paths. What is there already is not fetched again.

    \b
    cdb get HCP_Q1/100307/T1w --to brains --bucket hcp.aws.amazon.com
    cdb get HCP_Q1/100307/MNINonLinear/Results/tfMRI_MOTOR_LR HCP_Q1/103515/T1w --to brains
    cdb get HCP_Q1/100307 --to brains --server https://db.example.org --user me
    """
    wanted = [_subject_place(text) for text in places]
    with ExitStack() as stack:
        mirror = _open(stack, folder, bucket, endpoint_url, prefix, server, user, profile, anonymous)
        with _output.progress("fetching") as on_event:
            reports: list[Report] = []
            for place in wanted:
                report = mirror.fetch(
                    place.subject, place.path, project=place.project, workers=jobs, refresh=refresh, on_event=on_event
                )
                reports.append(report)
    _show(reports, as_json)
    _raise_for_failures(reports)
    return 0


def _subject_place(text: str) -> Where:
    where = parse_where(text)
    if not where.subject:
        raise click.UsageError(f"{text!r} names no subject. Write PROJECT/SUBJECT/PATH, like HCP_Q1/100307/T1w.")
    return where


def _open(
    stack: ExitStack,
    folder: Path,
    bucket: str | None,
    endpoint_url: str | None,
    prefix: str | None,
    server: str | None,
    user: str | None,
    profile: str | None,
    anonymous: bool,
) -> "Mirror":
    """The bucket first, the server after it; either alone will do."""
    from connectomedb.mirror.mirror import Mirror

    s3 = open_s3_mirror(bucket, folder, endpoint_url, prefix, profile, anonymous) if bucket else None
    if has_server(server, profile):
        db = stack.enter_context(open_interface(server, user, profile, anonymous))
        return (s3 or Mirror(folder, [], prefix=prefix)).with_fallback(db.store_of)
    if s3 is None:
        raise ConfigError("No source is known. Name a bucket (--bucket) or a server (--server), or both.")
    return s3


def _show(reports: "Sequence[Report]", as_json: bool) -> None:
    files = [(report.subject, file) for report in reports for file in report.files]
    if as_json:
        _output.show_json(
            [
                {
                    "subject": subject,
                    "path": file.path,
                    "local": None if file.error else str(file.local),
                    "size": file.size,
                    "fetched": file.fetched,
                    "proof": file.proof,
                    "sources": list(file.sources),
                    "error": str(file.error) if file.error else None,
                }
                for subject, file in files
            ]
        )
    else:
        _output.show_lines([str(file.local) for _, file in files if not file.error])
    brought = [file for _, file in files if file.fetched]
    size = _output.human_size(sum(file.size or 0 for file in brought))
    here = sum(1 for _, file in files if not file.error) - len(brought)
    _output.say(f"{len(brought)} fetched ({size}), {here} already here, {sum(1 for _, f in files if f.error)} failed")


def _raise_for_failures(reports: "Sequence[Report]") -> None:
    """One error for all subjects together."""
    failures: dict[str, ConnectomeDBError] = {}
    for report in reports:
        try:
            report.raise_for_failures()
        except MirrorIncomplete as incomplete:
            failures.update({f"{report.subject}/{path}": error for path, error in incomplete.failures.items()})
    if failures:
        first_path, first = next(iter(failures.items()))
        raise MirrorIncomplete(
            f"{len(failures)} files could not be had; the others are on disk. {first_path}: {first}", failures
        )
