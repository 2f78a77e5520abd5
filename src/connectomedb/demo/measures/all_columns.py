"""All columns of the demo's two subject tables, in the order of the tables.

Names, categories and assessments are those of HCP's data dictionary; descriptions are our own words. A column
says nothing about any person. Tiers: open columns stand in behaviour.csv, all others in restricted.csv.
"""

from collections.abc import Mapping

from connectomedb.demo.measures.columns import Column
from connectomedb.demo.measures.open_columns import OPEN_COLUMNS
from connectomedb.demo.measures.restricted_columns import RESTRICTED_COLUMNS

COLUMNS: tuple[Column, ...] = (*OPEN_COLUMNS, *RESTRICTED_COLUMNS)

COLUMN_BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
