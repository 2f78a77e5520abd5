"""`cdb explain`: why these subjects, criterion by criterion."""

from dataclasses import asdict

import click

from connectomedb.cli import _output
from connectomedb.cli._cohort import PREDICATE, PROJECT, WITHOUT
from connectomedb.cli._options import JSON, open_interface, server_options


@click.command(name="explain")
@PREDICATE
@PROJECT
@WITHOUT
@click.option("--python", "as_python", is_flag=True, help="Print Python that does the same.")
@JSON
@server_options
def command(
    predicate: str,
    project: str,
    without: tuple[str, ...],
    as_python: bool,
    as_json: bool,
    server: str | None,
    user: str | None,
    profile: str | None,
    anonymous: bool,
) -> None:
    """Say how many subjects pass each criterion, fail it, or lack the value; and say it for a Methods section.

    \b
    cdb explain "MMSE_Score >= 29 and Gender = 'F'" --project HCP_Q1
    cdb explain "PMAT24_A_CR >= 20 and not QC_Issue has A,B" --python
    """
    with open_interface(server, user, profile, anonymous) as db:
        cohort = db.where(predicate, project=project).without(*without)
        explanation = cohort.explain()
    if as_python:
        click.echo(explanation.python(db.server), nl=False)
    elif as_json:
        funnel = {**asdict(explanation.funnel), "passed": explanation.funnel.passed}
        known = [{**asdict(advisory), "subjects": labels} for advisory, labels in explanation.advisories]
        _output.show_json(
            {
                "predicate": explanation.predicate,
                "project": explanation.project,
                "funnel": funnel,
                "excluded": list(explanation.excluded),
                "advisories": known,
                "methods": explanation.methods(),
            }
        )
    else:
        _output.show_lines([*explanation.lines(), "", explanation.methods()])
        for advisory, labels in explanation.advisories:
            _output.say(f"{advisory.kind}: {advisory.summary} ({', '.join(labels)})")
