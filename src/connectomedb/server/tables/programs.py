"""PostgreSQL's own programs: pg_dump, pg_restore, initdb. Debian keeps the servers' ones out of the PATH."""

import shutil
from pathlib import Path

from connectomedb.errors import ConfigError

_DEBIAN = Path("/usr/lib/postgresql")


def find_program(name: str) -> str:
    """Path of a program, of the newest version that is installed. Raises ConfigError."""
    versions = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: _version(path.parts[-3]), reverse=True)
    found = str(versions[0]) if versions else shutil.which(name)
    if not found:
        raise ConfigError(f"PostgreSQL's program {name} is not installed. Install it: apt-get install postgresql.")
    return found


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())
