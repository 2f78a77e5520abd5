"""Bytes to disk, whole and proven: checksums, one fetch, and a pool of fetches."""
