"""One setting: its default value, and what it means."""

from dataclasses import field
from typing import Any


def key(default: Any, meaning: str) -> Any:
    """A setting with its default value, and what it means."""
    return field(default=default, metadata={"meaning": meaning})
