"""The log: one JSON object per line on stderr.

    {"time": "2026-01-02T03:04:05.678Z", "level": "info", "logger": "...", "message": "request", "route": ...}

A request's line has its route as the route table writes it, never the address itself: addresses may
hold tokens, and queries names of people. Headers and bodies are never written.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from connectomedb.server.settings import LogSettings

FIELDS = "cdb_fields"
"""Attribute of a log record with further members of its object."""


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a newline anywhere in it."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logs(settings: LogSettings) -> None:
    """Send all logs of this process to stderr as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)
    for chatty in ("uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
