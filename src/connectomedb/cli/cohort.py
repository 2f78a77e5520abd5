"""`cdb cohort`: subjects of a predicate, and cohorts that are kept on the server under a name."""

import click

from connectomedb.cli import _output
from connectomedb.cli._cohort import PREDICATE, PROJECT
from connectomedb.cli._options import JSON, open_interface, server_options


@click.group(name="cohort")
def command() -> None:
    """Groups of subjects: find them, and keep them on the server under a name: save, list, show, remove."""


@command.command()
@PREDICATE
@PROJECT
@JSON
@server_options
def find(
    predicate: str,
    project: str,
    as_json: bool,
    server: str | None,
    user: str | None,
    profile: str | None,
    anonymous: bool,
) -> None:
    """The subjects that PREDICATE chooses, a label per line; an empty one chooses all.

    \b
    cdb cohort find "MMSE_Score >= 29 and Gender = 'F'" --project HCP_Q1
    """
    with open_interface(server, user, profile, anonymous) as db:
        labels = db.where(predicate, project=project).subjects()
    if as_json:
        _output.show_json(labels)
    else:
        _output.show_lines(labels)


@command.command()
@click.argument("name")
@PREDICATE
@PROJECT
@server_options
def save(
    name: str,
    predicate: str,
    project: str,
    server: str | None,
    user: str | None,
    profile: str | None,
    anonymous: bool,
) -> None:
    """Keep PREDICATE under NAME.

    \b
    cdb cohort save bright "PMAT24_A_CR >= 20" --project HCP_1200
    """
    with open_interface(server, user, profile, anonymous) as db:
        cohort = db.where(predicate, project=project)
        count = cohort.count()
        db.groups.save(name, cohort)
    _output.say(f"Kept {name}: {count} subjects at present.")


@command.command(name="list")
@JSON
@server_options
def list_groups(as_json: bool, server: str | None, user: str | None, profile: str | None, anonymous: bool) -> None:
    """All that are kept."""
    with open_interface(server, user, profile, anonymous) as db:
        groups = db.groups.list()
    if as_json:
        _output.show_json([{"name": g.name, "project": g.project, "predicate": g.predicate} for g in groups])
    elif groups:
        _output.show_table(("name", "project", "predicate"), [(g.name, g.project, g.predicate) for g in groups])


@command.command()
@click.argument("name")
@JSON
@server_options
def show(name: str, as_json: bool, server: str | None, user: str | None, profile: str | None, anonymous: bool) -> None:
    """The subjects of a group: `cdb cohort show bright | cdb get HCP_1200 --subjects-from - ...`."""
    with open_interface(server, user, profile, anonymous) as db:
        labels = db.groups.get(name).subjects()
    if as_json:
        _output.show_json(labels)
    else:
        _output.show_lines(labels)


@command.command()
@click.argument("name")
@server_options
def remove(name: str, server: str | None, user: str | None, profile: str | None, anonymous: bool) -> None:
    """Forget a group; its subjects and their files stay."""
    with open_interface(server, user, profile, anonymous) as db:
        db.groups.remove(name)
    _output.say(f"Removed {name}.")
