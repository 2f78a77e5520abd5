"""Rows: the tables, the only connections to them, and what is written again and again."""
