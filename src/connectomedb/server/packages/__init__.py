"""Download packages: which files of which subjects they hold, and zips of them that are the same each time."""
