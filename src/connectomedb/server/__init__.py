"""ConnectomeDB itself: XNAT's REST API over a database and a store of file bytes."""
