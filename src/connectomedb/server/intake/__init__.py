"""The one door for data: listings and tables of a release → rows."""
