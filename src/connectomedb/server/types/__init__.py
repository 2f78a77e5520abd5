"""What a data type is: its fields under all their names, XNAT's own types as tables, a lab's out of the database."""
