"""`cdb fields`: find columns by words, and what they mean."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._options import JSON

if TYPE_CHECKING:
    from connectomedb.hcp.dictionary import Dictionary, FieldDefinition

COLUMNS = ("column", "type", "tier", "assessment", "meaning")
SHOWN_WIDTH = 72
"""How much of a meaning a line shows, in characters."""


@click.command(name="fields")
@click.argument("words", nargs=-1)
@click.option("--dictionary", "path", type=click.Path(path_type=Path), help="A dictionary: HCP's CSV, our CSV or JSON.")
@click.option("--most", type=click.IntRange(1), default=20, show_default=True, help="How many columns to show.")
@JSON
def command(words: tuple[str, ...], path: Path | None, most: int, as_json: bool) -> int | None:
    """Find columns of measures by WORDS in their names, labels and descriptions; typing errors are forgiven.

    Without WORDS: how many columns there are, by category and tier. Without --dictionary: the columns of the demo.

    \b
    cdb fields fluid intelligence
    cdb fields anxeity --dictionary HCP_S1200_DataDictionary_Oct_30_2023.csv
    cdb fields PMAT24_A_CR --json
    """
    from connectomedb.cli._errors import NOT_FOUND, OK

    dictionary = _dictionary(path)
    if not words:
        _overview(dictionary, as_json)
        return OK
    from connectomedb.hcp.field_search import find_fields

    found = find_fields(dictionary, " ".join(words), most)
    if as_json:
        from connectomedb.hcp.dictionary_file import field_document

        _output.show_json({field.name: field_document(field) for field in found})
    elif found:
        _output.show_table(COLUMNS, [_row(field) for field in found])
    if not found:
        _output.say(f"Asked for columns about {' '.join(words)!r}. None of {len(dictionary)} is. Try fewer words.")
        return NOT_FOUND
    return OK


def _dictionary(path: Path | None) -> "Dictionary":
    if path is None:
        from connectomedb.demo.measures.all_columns import demo_dictionary

        return demo_dictionary()
    from connectomedb.mirror.studies import load_dictionary

    reading = load_dictionary(path)
    for note in reading.notes:
        _output.say(f"{path}: {note}")
    return reading.dictionary


def _row(field: "FieldDefinition") -> tuple[str, ...]:
    meaning = " ".join((field.label or field.description).split())
    shown = meaning if len(meaning) <= SHOWN_WIDTH else f"{meaning[: SHOWN_WIDTH - 1]}…"
    unit = f" ({field.unit})" if field.unit else ""
    return (field.name, f"{field.type or '?'}{unit}", field.tier, field.assessment, shown)


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
