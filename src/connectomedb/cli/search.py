"""`cdb search`: find subjects by what is known of them."""

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON, open_interface, server_options


@click.command(name="search")
@click.argument("data_type", metavar="TYPE")
@click.argument("columns", nargs=-1, metavar="[COLUMN]...")
@click.option("--where", "conditions", multiple=True, help='A condition, like "MMSE_Score >= 29"; may be repeated.')
@click.option("--any", "joined_by_or", is_flag=True, help="One condition is enough; otherwise all must hold.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the result as CSV.")
@JSON
@server_options
def command(
    data_type: str,
    columns: tuple[str, ...],
    conditions: tuple[str, ...],
    joined_by_or: bool,
    as_csv: bool,
    as_json: bool,
    server: str | None,
    user: str | None,
    profile: str | None,
    anonymous: bool,
) -> None:
    """Find subjects by what is known of them.

    TYPE is a data type of the server, COLUMN a field of it, or type/field of another.

    \b
    cdb search hcp:nontoolboxdata MMSE_Score Gender --where "MMSE_Score >= 29" --where "Gender = F"
    cdb search xnat:subjectData --json
    cdb search xnat:mrSessionData LABEL DATE --csv
    """
    from connectomedb.client.search import parse_condition

    fields = [_qualified(data_type, column) for column in columns]
    constraints: list[object] = []
    for condition in conditions:
        field, comparison, value = parse_condition(condition)
        constraints.append((_qualified(data_type, field), comparison, value))
    if constraints:
        constraints.append("OR" if joined_by_or else "AND")
    with open_interface(server, user, profile, anonymous) as db:
        table = db.select(data_type, fields).where(constraints)
    if as_json:
        _output.show_json({"columns": list(table.columns), "rows": [list(row) for row in table.rows]})
    elif as_csv:
        click.echo(table.to_csv(), nl=False)
    else:
        _output.show_table(table.columns, table.rows)
        _output.say(f"{len(table.rows)} found")


def _qualified(data_type: str, field: str) -> str:
    return field if "/" in field else f"{data_type}/{field}"
