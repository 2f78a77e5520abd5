"""The version, in one place: the package, the wheel and the changelog agree on it."""

__version__ = "0.1.0"
