"""Running a server: its settings, its log, its numbers, its processes, and its backups."""
