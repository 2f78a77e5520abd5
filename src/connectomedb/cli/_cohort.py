"""Words about cohorts that several commands share."""

import re
from pathlib import Path

import click

from connectomedb.cohort.columns import NONTOOLBOX

PREDICATE = click.argument("predicate")
PATTERNS = click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
PROJECT = click.option("--project", default="", help="Only subjects of this project.")
TYPE = click.option(
    "--type", "data_type", default=NONTOOLBOX, show_default=True, help="The data type whose measures PREDICATE reads."
)
WITHOUT = click.option(
    "--without",
    multiple=True,
    type=click.Choice(["withdrawn", "unusable", "wrong", "incomplete", "missing", "any"]),
    help="Leave out subjects of whose data this is known; may be repeated.",
)
LOCKFILE = click.argument("lockfile", type=click.Path(path_type=Path, dir_okay=False))

_PREDICATE = re.compile(r"[<>=!'\"\s]")
"""What no place, PROJECT/SUBJECT/PATH, holds and every predicate does."""


def is_predicate(word: str) -> bool:
    """Whether a word chooses subjects by what is known of them, rather than naming a place."""
    return _PREDICATE.search(word) is not None
