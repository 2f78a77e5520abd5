"""All columns of the demo's two subject tables, in the order of the tables.

Names, categories and assessments are those of HCP's data dictionary; descriptions are our own words. A column
says nothing about any person. Tiers: open columns stand in behaviour.csv, all others in restricted.csv.
"""

from collections.abc import Mapping
from functools import cache

from connectomedb.demo.measures.columns import Column
from connectomedb.demo.measures.open_columns import OPEN_COLUMNS
from connectomedb.demo.measures.restricted_columns import RESTRICTED_COLUMNS
from connectomedb.hcp.dictionary import Dictionary

COLUMNS: tuple[Column, ...] = (*OPEN_COLUMNS, *RESTRICTED_COLUMNS)

COLUMN_BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}


@cache
def demo_dictionary() -> Dictionary:
    """What all columns mean, in our own words."""
    return Dictionary(tuple(column.definition for column in COLUMNS))
