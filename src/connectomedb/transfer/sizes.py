"""Numbers of bytes as people write them: powers of 1000, as disks and S3 have them."""

import re

from connectomedb.errors import ConfigError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([kmgt]i?)?b?(?:/s)?", re.IGNORECASE)


def format_size(count: int) -> str:
    """A number of bytes for people: `1.2 MB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def parse_size(text: str) -> int:
    """Read `10MB`, `1.5 GB`, `512KiB` or plain bytes. Raises ConfigError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"{text!r} is no number of bytes. Write it like 500MB, 1.5GB or 2GiB.")
    return round(float(found[1]) * (_UNITS | _BINARY)[(found[2] or "").lower()])
