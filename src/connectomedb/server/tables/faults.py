"""Sentences for faults that every database has."""

TOO_LONG = "The database took too long over this. Ask for less at once, or narrow the search."
BUSY = "Somebody else has been writing to the database for too long. Try again."
TAKEN = "The database refused: this name or identifier is taken already."
