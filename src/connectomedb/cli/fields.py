"""`cdb fields`: find columns by words, and what they mean."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON, has_server
from connectomedb.cli._server import ServerChoice, with_server

if TYPE_CHECKING:
    from connectomedb.client.cohorts.dictionary import Coverage
    from connectomedb.hcp.dictionary import Dictionary, FieldDefinition

COLUMNS = ("column", "type", "tier", "assessment", "meaning")
SHOWN_WIDTH = 72
"""How much of a meaning a line shows, in characters."""


@click.command(name="fields")
@click.argument("words", nargs=-1)
@click.option("--dictionary", "path", type=click.Path(path_type=Path), help="A dictionary: HCP's CSV, our CSV or JSON.")
@click.option("--most", type=click.IntRange(1), default=20, show_default=True, help="How many columns to show.")
@click.option("--counts", "counts", is_flag=True, help="Say how many subjects lack each column; needs a server.")
@click.option("--project", default="", help="With --counts: of this project's subjects alone.")
@JSON
@with_server
def command(
    words: tuple[str, ...],
    path: Path | None,
    most: int,
    counts: bool,
    project: str,
    as_json: bool,
    chosen: ServerChoice,
) -> int | None:
    """Find columns of measures by WORDS in their names, labels and descriptions; typing errors are forgiven.

    Without WORDS: how many columns there are, by category and tier. Columns are those of --dictionary, else those of
    the server that are open to you, else those of the demo.

    \b
    cdb fields fluid intelligence
    cdb fields fluid intelligence --counts --project HCP_1200
    cdb fields anxeity --dictionary HCP_S1200_DataDictionary_Oct_30_2023.csv
    cdb fields PMAT24_A_CR --json
    """
    from connectomedb.cli._errors import NOT_FOUND, OK

    if counts and not words:
        raise click.UsageError("--counts goes with WORDS: say which columns.")
    dictionary, coverage = _known(path, chosen, counts, project)
    if not words:
        _overview(dictionary, as_json)
        return OK
    from connectomedb.hcp.field_search import find_fields

    found = find_fields(dictionary, " ".join(words), most)
    if as_json:
        from connectomedb.hcp.dictionary_file import field_document

        _output.show_json({field.name: field_document(field) | _counted(coverage, field.name) for field in found})
    elif found:
        columns = (*COLUMNS[:3], "missing", *COLUMNS[3:]) if coverage else COLUMNS
        _output.show_table(columns, [_row(field, coverage) for field in found])
    if not found:
        _output.say(f"Asked for columns about {' '.join(words)!r}. None of {len(dictionary)} is. Try fewer words.")
        return NOT_FOUND
    return OK


def _known(
    path: Path | None, chosen: ServerChoice, counts: bool, project: str
) -> "tuple[Dictionary, Mapping[str, Coverage]]":
    """The dictionary that was asked for, and how many subjects have its columns if that was asked for, too."""
    if path is not None:
        if counts:
            raise click.UsageError("--counts is asked of a server, --dictionary of a file. Say one of the two.")
        return _read(path), {}
    if counts or has_server(chosen.server, chosen.profile):
        with chosen.open() as db:
            return db.dictionary(), db.coverage(project=project) if counts else {}
    from connectomedb.demo.measures.all_columns import demo_dictionary

    return demo_dictionary(), {}


def _read(path: Path) -> "Dictionary":
    from connectomedb.mirror.studies import load_dictionary

    reading = load_dictionary(path)
    for note in reading.notes:
        _output.say(f"{path}: {note}")
    return reading.dictionary


def _counted(coverage: "Mapping[str, Coverage]", name: str) -> dict[str, object]:
    found = coverage.get(name)
    return {"Present": found.present, "Missing": found.missing} if found else {}


def _row(field: "FieldDefinition", coverage: "Mapping[str, Coverage]") -> tuple[str, ...]:
    meaning = " ".join((field.label or field.description).split())
    shown = meaning if len(meaning) <= SHOWN_WIDTH else f"{meaning[: SHOWN_WIDTH - 1]}…"
    unit = f" ({field.unit})" if field.unit else ""
    found = coverage.get(field.name)
    missing = (f"{found.missing} of {found.missing + found.present}" if found else "",) if coverage else ()
    return (field.name, f"{field.type or '?'}{unit}", field.tier, *missing, field.assessment, shown)


def _overview(dictionary: "Dictionary", as_json: bool) -> None:
    from connectomedb.hcp.dictionary import Tier

    counts = Counter((field.category, field.tier) for field in dictionary)
    tiers = Counter(field.tier for field in dictionary)
    categories = list(dict.fromkeys(field.category for field in dictionary))
    if as_json:
        by_category = {category: {tier: counts[category, tier] for tier in Tier} for category in categories}
        _output.show_json({"columns": len(dictionary), "tiers": tiers, "categories": by_category})
        return
    rows = [(category, *(str(counts[category, tier]) for tier in Tier)) for category in categories]
    _output.show_table(("category", *Tier), [*rows, ("all", *(str(tiers[tier]) for tier in Tier))])
    _output.say(f"{len(dictionary)} columns")
