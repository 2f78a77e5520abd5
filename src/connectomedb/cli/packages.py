"""`cdb packages`: ConnectomeDB's download packages."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._server import ServerChoice, with_server
from connectomedb.transfer.sizes import format_size

if TYPE_CHECKING:
    from connectomedb.client.packages import Available

SUBJECTS = click.option("--subjects", required=True, help="Labels, joined by commas.")


@click.group(name="packages")
def command() -> None:
    """Download packages: what there is, which subjects have it, and the zips themselves.

    To have a package's files unpacked and proven one by one, use cdb get --package.

    \b
    cdb packages list
    cdb packages show HCP_Q1 --subjects 100307,103515
    cdb packages get HCP_Q1 --subjects 100307 --package 3T_Structural_preproc --to zips
    """


@command.command(name="list")
@JSON
@with_server
def list_packages(as_json: bool, chosen: ServerChoice) -> None:
    """List all packages that the server offers."""
    with chosen.open() as db:
        found = db.packages.list()
    if as_json:
        _output.show_json([asdict(one) for one in found])
    else:
        _output.show_table(
            ("package", "session", "level", "label"), [(x.id, x.session, x.level, x.label) for x in found]
        )


@command.command()
@click.argument("project")
@SUBJECTS
@click.option("--package", "packages", multiple=True, help="Only this one; may be repeated.")
@JSON
@with_server
def show(project: str, subjects: str, packages: tuple[str, ...], as_json: bool, chosen: ServerChoice) -> None:
    """Show what subjects have of each package: files and bytes."""
    with chosen.open() as db:
        found = db.packages.for_subjects(subjects, packages, project=project)
    if as_json:
        _output.show_json([asdict(one) for one in found])
        return
    rows = [(one.subject, one.package, str(one.files), str(one.size)) for one in found]
    _output.show_table(("subject", "package", "files", "size"), rows)
    _output.say(_totals(found))


@command.command()
@click.argument("project")
@SUBJECTS
@click.option("--package", "packages", multiple=True, required=True, help="Which; may be repeated.")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder for the zips.")
@JSON
@with_server
def get(project: str, subjects: str, packages: tuple[str, ...], to: Path, as_json: bool, chosen: ServerChoice) -> None:
    """Save one zip per package and subject that has it, checked, with its .md5 beside it."""
    with chosen.open() as db:
        saved = db.packages.download(packages, subjects, to, project=project)
    if as_json:
        _output.show_json([str(path) for path in saved])
    else:
        _output.show_lines([str(path) for path in saved])


def _totals(found: "tuple[Available, ...]") -> str:
    size = format_size(sum(one.size for one in found))
    return f"{len(found)} packages, {sum(one.files for one in found)} files, {size}"
