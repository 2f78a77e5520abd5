"""Subjects chosen by one predicate: who they are, why, and their files."""
