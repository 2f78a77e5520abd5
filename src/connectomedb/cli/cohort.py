"""`cdb cohort`: subjects of a predicate, and cohorts that are kept on the server under a name."""

from dataclasses import asdict
from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._cohort import PREDICATE, PROJECT, TYPE, WITHOUT
from connectomedb.cli._options import JSON, open_interface, server_options
from connectomedb.cli._server import ServerChoice, with_server


@click.group(name="cohort")
def command() -> None:
    """Groups of subjects: find them, and keep them on the server under a name: save, list, show, remove."""


@command.command()
@PREDICATE
@PROJECT
@TYPE
@WITHOUT
@JSON
@server_options
def find(
    predicate: str,
    project: str,
    data_type: str,
    without: tuple[str, ...],
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
        labels = db.where(predicate, project=project, data_type=data_type).without(*without).subjects()
    if as_json:
        _output.show_json(labels)
    else:
        _output.show_lines(labels)


@command.command()
@click.argument("name")
@PREDICATE
@PROJECT
@TYPE
@JSON
@server_options
def save(
    name: str,
    predicate: str,
    project: str,
    data_type: str,
    as_json: bool,
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
        cohort = db.where(predicate, project=project, data_type=data_type)
        count = cohort.count()
        group = db.groups.save(name, cohort)
    if as_json:
        _output.show_json({**asdict(group), "subjects": count})
        return
    _output.say(f"Kept {name}: {count} subjects at present.")


@command.command(name="list")
@JSON
@server_options
def list_groups(as_json: bool, server: str | None, user: str | None, profile: str | None, anonymous: bool) -> None:
    """All that are kept."""
    with open_interface(server, user, profile, anonymous) as db:
        groups = db.groups.list()
    if as_json:
        _output.show_json([asdict(group) for group in groups])
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
@PREDICATE
@click.argument("columns", nargs=-1, metavar="[COLUMN]...")
@PROJECT
@TYPE
@WITHOUT
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Code the subjects by this key, made or added to as needed.",
)
@click.option("--labels", "keeps_labels", is_flag=True, help="Keep labels though restricted columns take part.")
@JSON
@with_server
def export(
    predicate: str,
    columns: tuple[str, ...],
    project: str,
    data_type: str,
    without: tuple[str, ...],
    key_file: Path | None,
    keeps_labels: bool,
    as_json: bool,
    chosen: ServerChoice,
) -> None:
    """Print COLUMNs of the subjects that PREDICATE chooses as CSV; without COLUMNs those that it reads.

    With --key coded ids stand in place of labels. Where restricted columns take part, one of --key and --labels is due.

    \b
    cdb cohort export "PMAT24_A_CR >= 20" Age Gender --project HCP_1200 > table.csv
    cdb cohort export "Handedness > 0" PMAT24_A_CR --key study.key.csv > table.csv
    """
    from connectomedb.client.cohorts.coding import coded_table, label_column
    from connectomedb.hcp.dictionary import Tier
    from connectomedb.mirror.coded import keep_subject_key

    with chosen.open() as db:
        cohort = db.where(predicate, project=project, data_type=data_type).without(*without)
        table = cohort.table(*columns)
        is_closed = cohort.tier(*columns) is not Tier.OPEN
        if is_closed and not key_file and not keeps_labels:
            raise click.UsageError(
                "Restricted columns take part: labels beside them name people. Give --key FILE for coded ids, "
                "or --labels if nobody else will see the table."
            )
    if key_file:
        labels = table[label_column(table)]
        table = coded_table(table, keep_subject_key(key_file, labels))
        _output.say(f"Subjects are coded. Who is who stands in {key_file}: keep it to yourself.")
    if as_json:
        _output.show_json({"columns": list(table.columns), "rows": [list(row) for row in table.rows]})
    else:
        click.echo(table.to_csv(), nl=False)


@command.command()
@click.argument("name")
@JSON
@server_options
def remove(
    name: str, as_json: bool, server: str | None, user: str | None, profile: str | None, anonymous: bool
) -> None:
    """Forget a group; its subjects and their files stay."""
    with open_interface(server, user, profile, anonymous) as db:
        db.groups.remove(name)
    if as_json:
        _output.show_json({"name": name})
    _output.say(f"Removed {name}.")
