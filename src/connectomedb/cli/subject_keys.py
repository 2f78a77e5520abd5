"""`cdb subject-keys`: what publications call a project's subjects."""

import csv
import io
from dataclasses import asdict
from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._server import ServerChoice, with_server
from connectomedb.cohort.subject_key import HEADER, parse_published_key


@click.group(name="subject-keys")
def command() -> None:
    """Subject keys of a project: which subjects a publication's coded ids are, for holders of restricted access.

    \b
    cdb subject-keys list HCP_Q1
    cdb subject-keys put HCP_Q1 my-paper --title "My paper" --codes-from study.key.csv
    cdb subject-keys share HCP_Q1 my-paper
    cdb subject-keys show HCP_Q1 my-paper
    """


@command.command(name="list")
@click.argument("project")
@JSON
@with_server
def list_keys(project: str, as_json: bool, chosen: ServerChoice) -> None:
    """List the shared keys and your own."""
    with chosen.open() as db:
        found = db.project(project).subject_keys.list()
    if as_json:
        _output.show_json([asdict(one) for one in found])
        return
    rows = [
        (key.name, key.title, key.pmid, key.owner, "yes" if key.is_shared else "no", str(key.subjects)) for key in found
    ]
    _output.show_table(("name", "title", "pmid", "owner", "shared", "subjects"), rows)


@command.command()
@click.argument("project")
@click.argument("name")
@JSON
@with_server
def show(project: str, name: str, as_json: bool, chosen: ServerChoice) -> None:
    """Print which subject each coded id is, as CSV."""
    with chosen.open() as db:
        codes = db.project(project).subject_keys.get(name)
    if as_json:
        _output.show_json({id: label for label, id in codes.items()})
        return
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerows([HEADER[:2], *((id, label) for label, id in codes.items())])
    _output.show_lines(lines.getvalue().splitlines())


@command.command()
@click.argument("project")
@click.argument("name")
@click.option("--title", required=True, help="Of the publication, one line. It may name no subject.")
@click.option("--description", default="", help="What the ids are for.")
@click.option("--pmid", default="", help="PubMed's number of the article.")
@click.option(
    "--codes-from",
    type=click.Path(exists=True, path_type=Path, dir_okay=False),
    required=True,
    help="CSV with Coded ID,HCP ID; or a key that cdb lock --key made, whose secrets stay here.",
)
@click.option("--share", "is_shared", is_flag=True, help="Tell all who read the project at once.")
@with_server
def put(
    project: str,
    name: str,
    title: str,
    description: str,
    pmid: str,
    codes_from: Path,
    is_shared: bool,
    chosen: ServerChoice,
) -> None:
    """Keep a key under a name; one of yours with that name is replaced."""
    try:
        text = codes_from.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise click.UsageError(f"{codes_from} is not UTF-8 text.") from fault
    codes = parse_published_key(text, str(codes_from))
    with chosen.open() as db:
        keys = db.project(project).subject_keys
        keys.put(name, codes, title=title, description=description, pmid=pmid, is_shared=is_shared)
    hint = "It is shared." if is_shared else f"It is yours alone until: cdb subject-keys share {project} {name}"
    _output.say(f"The subject key {name} codes {len(codes)} subjects of {project}. {hint}")


@command.command()
@click.argument("project")
@click.argument("name")
@with_server
def share(project: str, name: str, chosen: ServerChoice) -> None:
    """Tell all who read the project of a key of yours; its ids stay with holders of restricted access."""
    with chosen.open() as db:
        db.project(project).subject_keys.share(name)
    _output.say(f"The subject key {name} is shared.")


@command.command()
@click.argument("project")
@click.argument("name")
@with_server
def delete(project: str, name: str, chosen: ServerChoice) -> None:
    """Forget a key; for its maker and for owners."""
    with chosen.open() as db:
        db.project(project).subject_keys.delete(name)
    _output.say(f"The subject key {name} is forgotten.")
