"""Writing: what a request wants of an object → rows. One transaction per request, rights asked before the first row."""
