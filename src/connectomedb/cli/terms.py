"""`cdb terms`: data-use terms of a project."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON
from connectomedb.cli._server import ServerChoice, with_server

if TYPE_CHECKING:
    from connectomedb.client.terms import Receipt, Terms


@click.group(name="terms")
def command() -> None:
    """Data-use terms of a project: read them, accept them; for owners also set and withdraw them.

    \b
    cdb terms show HCP_Q1
    cdb terms accept HCP_Q1
    cdb terms set HCP_Q1 --version 2 --title "Open access terms" --text-from terms.txt
    """


@command.command()
@click.argument("project")
@JSON
@with_server
def show(project: str, as_json: bool, chosen: ServerChoice) -> None:
    """Print a project's terms, and whether you accepted them."""
    with chosen.open() as db:
        found = db.project(project).terms.must_get()
    if as_json:
        _output.show_json(asdict(found))
        return
    _print(found)
    _output.say(_standing(found))


@command.command()
@click.argument("project")
@click.option("--yes", is_flag=True, help="You have read them already; ask nothing.")
@JSON
@with_server
def accept(project: str, yes: bool, as_json: bool, chosen: ServerChoice) -> None:
    """Accept a project's terms; prints a receipt."""
    with chosen.open() as db:
        terms = db.project(project).terms
        found = terms.must_get()
        if not yes and found.accepted is None:
            if not sys.stdin.isatty():
                raise click.UsageError("Nobody is here to ask. Read the terms with cdb terms show, then give --yes.")
            _print(found)
            click.confirm(f"Do you accept these terms of {project}?", abort=True, err=True)
        receipt = terms.accept(found.version)
    _print_receipt(receipt, as_json)


@command.command()
@click.argument("project")
@JSON
@with_server
def receipt(project: str, as_json: bool, chosen: ServerChoice) -> None:
    """Print what you accepted, and when."""
    with chosen.open() as db:
        found = db.project(project).terms.receipt()
    _print_receipt(found, as_json)


@command.command(name="set")
@click.argument("project")
@click.option("--version", required=True, help="A new one for changed words; everybody must accept it anew.")
@click.option("--title", required=True, help="One line.")
@click.option(
    "--text-from",
    type=click.Path(exists=True, path_type=Path, dir_okay=False),
    required=True,
    help="File with the text, UTF-8.",
)
@with_server
def set_terms(project: str, version: str, title: str, text_from: Path, chosen: ServerChoice) -> None:
    """Demand terms from now on; for owners and administrators."""
    try:
        text = text_from.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise click.UsageError(f"{text_from} is not UTF-8 text.") from fault
    with chosen.open() as db:
        found = db.project(project).terms.set(version, title, text)
    _output.say(f"{project} demands version {found.version} of its terms from now on.")


@command.command()
@click.argument("project")
@with_server
def withdraw(project: str, chosen: ServerChoice) -> None:
    """Demand no terms any more; for owners and administrators."""
    with chosen.open() as db:
        db.project(project).terms.withdraw()
    _output.say(f"{project} demands no terms any more.")


@command.command()
@click.argument("project")
@JSON
@with_server
def acceptances(project: str, as_json: bool, chosen: ServerChoice) -> None:
    """List who accepted which version, and when; for owners and administrators."""
    with chosen.open() as db:
        found = db.project(project).terms.acceptances()
    columns = ("login", "version", "accepted", "digest")
    if as_json:
        _output.show_json([dict(one) for one in found])
    else:
        _output.show_table(columns, [[one[column] for column in columns] for one in found])


def _print(terms: "Terms") -> None:
    _output.show_lines([f"{terms.title} (version {terms.version})", "", terms.text.rstrip()])


def _standing(terms: "Terms") -> str:
    if terms.accepted:
        return f"You accepted them on {terms.accepted}."
    if terms.is_exempt:
        return "You are not asked to accept them, as an owner or administrator."
    return f"You have not accepted them. To accept: cdb terms accept {terms.project}"


def _print_receipt(receipt: "Receipt", as_json: bool) -> None:
    if as_json:
        _output.show_json(asdict(receipt))
        return
    _output.show_lines(
        [
            f"{receipt.user} accepted the terms of {receipt.project} on {receipt.accepted}:",
            f"{receipt.title} (version {receipt.version}), SHA-256 {receipt.digest}",
        ]
    )
