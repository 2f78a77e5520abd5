"""The subject tables: columns, and values that no person has."""
