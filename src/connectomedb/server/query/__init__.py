"""Searches and listings → SQL statements; no connection here."""
