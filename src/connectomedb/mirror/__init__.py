"""The local copy of a release: list, plan, fetch, record, verify."""
