"""Programs that the stage runs: the object store and the server."""
